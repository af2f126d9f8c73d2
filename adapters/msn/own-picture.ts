/** The display picture of one account: kept for good, described to everybody with our status, and given to who asks for it. */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, UserId } from '../../bridge/model/ids.ts'
import type { RosterResult } from '../../bridge/model/result.ts'
import { describeObject, formatMsnObject, OBJECT_TYPES, type MsnObject } from '../../msnp/index.ts'

export interface OwnPictureOptions {
  readonly account: AccountId
  readonly login: UserId
  readonly context: AdapterContext
  /** Bytes. */
  readonly maxBytes: number
}

interface Shown {
  readonly bytes: Uint8Array
  readonly sha1d: string
  readonly xml: string
}

/** What clients show: PNG; GIF and JPEG work as well. */
const SHOWABLE: readonly string[] = ['89504e47', 'ffd8ff', '47494638']

export const isShowable = (bytes: Buffer): boolean => {
  const beginning = bytes.toString('hex', 0, 8)
  return SHOWABLE.some((mark) => beginning.startsWith(mark))
}

export class OwnPicture {
  readonly #options: OwnPictureOptions
  readonly #key: string
  #shown: Shown | undefined
  #isLoaded = false

  constructor(options: OwnPictureOptions) {
    this.#options = options
    this.#key = `own-picture/${options.account}`
  }

  get bytes(): number | undefined {
    return this.#shown?.bytes.length
  }

  /** As it is described; undefined: we have none. */
  get xml(): string | undefined {
    return this.#shown?.xml
  }

  /** Rejects with what the store says. */
  async load(): Promise<void> {
    if (this.#isLoaded) return
    const kept = await this.#options.context.state.get(this.#key)
    this.#shown = kept === undefined ? undefined : this.#described(Buffer.from(kept, 'base64'))
    this.#isLoaded = true
  }

  /** undefined: none any more. Never rejects. */
  async set(picture: FileRef | undefined, signal: AbortSignal): Promise<RosterResult> {
    const { context } = this.#options
    const bytes = picture === undefined ? undefined : await this.#read(picture, signal)
    if (typeof bytes === 'string') return { kind: 'refused', reason: 'unsupported', detail: bytes }
    try {
      await context.state.update([[this.#key, bytes?.toString('base64')]])
    } catch {
      return { kind: 'refused', reason: 'network', detail: 'the bridge cannot keep the picture now' }
    }
    this.#shown = bytes && this.#described(bytes)
    this.#isLoaded = true
    return { kind: 'done' }
  }

  serve(object: Pick<MsnObject, 'type' | 'sha1d'>): Uint8Array | undefined {
    return object.type === OBJECT_TYPES.displayPicture && object.sha1d === this.#shown?.sha1d
      ? this.#shown.bytes
      : undefined
  }

  #described(bytes: Uint8Array): Shown {
    const object = describeObject(bytes, {
      creator: this.#options.login,
      type: OBJECT_TYPES.displayPicture,
      location: 'picture.png',
    })
    return { bytes, sha1d: object.sha1d, xml: formatMsnObject(object) }
  }

  /** A sentence: why not. */
  async #read(picture: FileRef, signal: AbortSignal): Promise<Buffer | string> {
    const { context, maxBytes } = this.#options
    const media = await context.files.open(picture, signal)
    if (media.kind === 'refused') return `the picture cannot be read: ${media.detail}`
    const pieces: Uint8Array[] = []
    let size = 0
    try {
      for await (const piece of media.body) {
        size += piece.length
        if (size > maxBytes)
          return `the picture is too large for MSN, where it may have ${Math.floor(maxBytes / 1_000)} kB`
        pieces.push(piece)
      }
    } catch {
      return 'the picture cannot be read'
    }
    const bytes = Buffer.concat(pieces)
    return isShowable(bytes) ? bytes : 'this is no picture that MSN could show: PNG, JPEG and GIF are'
  }
}
