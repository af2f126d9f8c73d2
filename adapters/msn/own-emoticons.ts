/**
 * Pictures in the words of others, for Messengers: described right before the words that use them, and given to who asks. Where
 * one cannot be had in time, its code stands there as text.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { RichText } from '../../bridge/model/text.ts'
import {
  describeObject,
  emoticonMessage,
  formatMsnObject,
  OBJECT_TYPES,
  type EmoticonPair,
  type MsnObject,
} from '../../msnp/index.ts'
import { isShowable } from './own-picture.ts'

/** Messengers take no more in one description. */
const MAX_DESCRIBED = 5
/** Bytes of one; Messengers show them with 50 points. */
const MAX_BYTES = 64 * 1024
/** That are remembered, to be given. */
export const MAX_KEPT = 200
/** Words wait so long for the pictures in them. Milliseconds. */
const PATIENCE_MS = 5_000

export class OwnEmoticons {
  readonly #context: AdapterContext
  readonly #creator: string
  /** By SHA-1. */
  readonly #kept = new Map<string, Uint8Array>()
  /** SHA-1, or undefined where there is none to be had, by where the picture is. */
  readonly #known = new Map<string, string | undefined>()

  constructor(creator: string, context: AdapterContext) {
    this.#creator = creator
    this.#context = context
  }

  /** What to say before these words, if they have pictures. Never rejects. */
  describe(text: RichText): Promise<readonly Uint8Array[]> | undefined {
    const pictures = new Map<string, FileRef>()
    for (const { text: code, image } of text) {
      if (image !== undefined && isCode(code) && pictures.size < MAX_DESCRIBED) pictures.set(code, image)
    }
    return pictures.size === 0 ? undefined : this.#describe([...pictures])
  }

  serve(object: Pick<MsnObject, 'type' | 'sha1d'>): Uint8Array | undefined {
    return object.type === OBJECT_TYPES.emoticon ? this.#kept.get(object.sha1d) : undefined
  }

  async #describe(pictures: readonly (readonly [code: string, image: FileRef])[]): Promise<readonly Uint8Array[]> {
    const late = new AbortController()
    const done = new AbortController()
    const over = this.#context.clock.sleep(PATIENCE_MS, done.signal).then(() => {
      late.abort()
      return undefined
    })
    // Not all that is read from ends when it is told to.
    const pairs = await Promise.all(
      pictures.map(([code, image]) => Promise.race([this.#pair(code, image, late.signal), over])),
    )
    done.abort()
    return emoticonMessage(pairs.filter((pair) => pair !== undefined))
  }

  async #pair(code: string, image: FileRef, signal: AbortSignal): Promise<EmoticonPair | undefined> {
    const key = `${image.network} ${image.ref}`
    const known = this.#known.get(key)
    const kept = known === undefined ? undefined : this.#kept.get(known)
    const bytes = kept ?? (await this.#read(image, signal).catch(() => undefined))
    if (bytes === undefined) return undefined
    const object = describeObject(bytes, {
      creator: this.#creator,
      type: OBJECT_TYPES.emoticon,
      location: 'emoticon.png',
    })
    put(this.#kept, object.sha1d, bytes)
    put(this.#known, key, object.sha1d)
    return { code, object: formatMsnObject(object) }
  }

  async #read(image: FileRef, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const media = await this.#context.files.open(image, signal)
    if (media.kind === 'refused') return undefined
    const pieces: Uint8Array[] = []
    let size = 0
    for await (const piece of media.body) {
      size += piece.length
      if (size > MAX_BYTES || signal.aborted) return undefined
      pieces.push(piece)
    }
    const bytes = Buffer.concat(pieces)
    return isShowable(bytes) ? bytes : undefined
  }
}

/** A TAB would end it on the wire. */
const isCode = (code: string): boolean => code.length <= 32 && code.trim() !== '' && !/[\t\r\n]/.test(code)

const put = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (oldest !== undefined && map.size > MAX_KEPT) map.delete(oldest)
}
