/**
 * Custom emoticons of contacts. They are described before the words that use them; what is not known is asked for, and the
 * words wait for it a little. Where the picture does not come in time, the code stands there as it was typed.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { RichText, Span } from '../../bridge/model/text.ts'
import { OBJECT_TYPES, parseMsnObject } from '../../msnp/index.ts'
import { TokenBucket, type Rate } from '../../sansio/rate.ts'
import type { PeerTalk } from './peer-talk.ts'

/** Larger ones are not asked for. Bytes. */
export const MAX_EMOTICON_BYTES = 64 * 1024
/** Of one description. */
export const MAX_DESCRIBED = 5
/** Codes of one person that are known at once; the oldest goes. */
export const MAX_CODES = 100
/** People whose codes are known. */
export const MAX_PEOPLE = 500
/** Pictures that are remembered by their SHA-1, and for how long. */
export const MAX_PICTURES = 1_000
export const KEEP_MS = 60 * 60_000
/** Pictures that are asked for at once. */
export const MAX_FETCHES = 20
/** Of one person, at once and in the long run: who has new ones all the time must not fill the store, nor take the turn of others. */
export const MAX_FROM_ONE = 10
const NEW_ONES: Rate = { burst: 60, intervalMs: 10_000 }
/** Words wait so long for the pictures in them. Milliseconds. */
export const PATIENCE_MS = 5_000
/** To ask for one may take so long. Milliseconds. */
const FETCH_MS = 60_000
/** In one message; further ones stay codes. */
export const MAX_SHOWN = 30
/** UTF-16 units. */
const MAX_CODE = 32

interface Picture {
  readonly at: number
  /** Resolves when it is there, or will not come. */
  readonly done: Promise<undefined>
  file: FileRef | undefined
  isOver: boolean
}

/** Of one person. */
interface Asked {
  readonly rate: TokenBucket
  fetches: number
}

export interface EmoticonsOptions {
  readonly network: NetworkId
  readonly context: AdapterContext
  /** Larger ones are not asked for. 0: none are. */
  readonly maxBytes: number
}

export class Emoticons {
  readonly #options: EmoticonsOptions
  readonly #life = new AbortController()
  /** Code -> SHA-1, by person. */
  readonly #codes = new Map<UserId, Map<string, string>>()
  readonly #pictures = new Map<string, Picture>()
  #fetches = 0
  readonly #asked = new Map<UserId, Asked>()

  constructor(options: EmoticonsOptions) {
    this.#options = options
  }

  stop(): void {
    this.#life.abort()
  }

  /** Somebody describes what they will use. `email`: as the switchboard calls them. */
  describe(
    user: UserId,
    email: string,
    described: readonly { readonly code: string; readonly object: string }[],
    talk: PeerTalk,
  ): void {
    const maxBytes = Math.min(this.#options.maxBytes, MAX_EMOTICON_BYTES)
    for (const { code, object: xml } of described.slice(0, MAX_DESCRIBED)) {
      const object = parseMsnObject(xml)
      if (object?.type !== OBJECT_TYPES.emoticon || object.size === 0 || object.size > maxBytes) continue
      if (code.length > MAX_CODE || code.trim() === '') continue
      this.#note(user, code, object.sha1d)
      const known = this.#pictures.get(object.sha1d)
      const isGood =
        known !== undefined && this.#now() - known.at < KEEP_MS && (!known.isOver || known.file !== undefined)
      const asked = this.#askedOf(user)
      if (isGood || this.#fetches >= MAX_FETCHES || asked.fetches >= MAX_FROM_ONE) continue
      if (!asked.rate.take(this.#now())) continue
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const picture: Picture = { at: this.#now(), done: promise, file: undefined, isOver: false }
      this.#keep(object.sha1d, picture)
      this.#fetches++
      asked.fetches++
      void this.#within(FETCH_MS, (signal) => talk.fetch(email, object, xml, signal))
        .then(async (result) => {
          if (result.kind !== 'fetched') return
          const put = await this.#options.context.files.put(
            one(result.bytes),
            { name: 'emoticon', maxBytes, from: { network: this.#options.network, user } },
            this.#life.signal,
          )
          if (put.kind === 'stored' && put.file.media === 'image') picture.file = put.file
        })
        .finally(() => {
          this.#fetches--
          asked.fetches--
          picture.isOver = true
          resolve(undefined)
        })
    }
  }

  /** What somebody says, with their pictures in it: at once where all are there that will come. */
  dress(user: UserId, text: RichText): RichText | Promise<RichText> {
    const codes = this.#codes.get(user)
    if (codes === undefined) return text
    const used = [...codes].filter(([code]) => text.some((span) => span.text.includes(code)))
    if (used.length === 0) return text
    const coming = used.flatMap(([, sha1d]) => this.#pictures.get(sha1d) ?? []).filter((picture) => !picture.isOver)
    if (coming.length === 0) return this.#dressed(used, text)
    // Not from now: who describes something new with each word must not hold up what they say for ever.
    const until = Math.max(...coming.map(({ at }) => at)) + PATIENCE_MS
    const patience = until - this.#now()
    if (patience <= 0) return this.#dressed(used, text)
    return this.#wait(Promise.all(coming.map(({ done }) => done)), patience).then(() => this.#dressed(used, text))
  }

  #dressed(used: readonly (readonly [code: string, sha1d: string])[], text: RichText): RichText {
    const pictures = new Map<string, FileRef>()
    for (const [code, sha1d] of used) {
      const file = this.#pictures.get(sha1d)?.file
      if (file !== undefined) pictures.set(code, file)
    }
    return withPictures(text, pictures)
  }

  async #wait(coming: Promise<unknown>, ms: number): Promise<void> {
    const enough = new AbortController()
    const signal = AbortSignal.any([enough.signal, this.#life.signal])
    await Promise.race([coming, this.#options.context.clock.sleep(ms, signal)])
    enough.abort()
  }

  async #within<Value>(ms: number, work: (late: AbortSignal) => Promise<Value>): Promise<Value> {
    const done = new AbortController()
    const late = new AbortController()
    void this.#options.context.clock.sleep(ms, done.signal).then(() => late.abort())
    try {
      return await work(AbortSignal.any([late.signal, this.#life.signal]))
    } finally {
      done.abort()
    }
  }

  #askedOf(user: UserId): Asked {
    const asked = this.#asked.get(user) ?? { rate: new TokenBucket(NEW_ONES, this.#now()), fetches: 0 }
    this.#asked.delete(user)
    this.#asked.set(user, asked)
    trim(this.#asked, MAX_PEOPLE)
    return asked
  }

  #note(user: UserId, code: string, sha1d: string): void {
    const codes = this.#codes.get(user) ?? new Map<string, string>()
    codes.delete(code)
    codes.set(code, sha1d)
    trim(codes, MAX_CODES)
    this.#codes.delete(user)
    this.#codes.set(user, codes)
    trim(this.#codes, MAX_PEOPLE)
  }

  #keep(sha1d: string, picture: Picture): void {
    this.#pictures.delete(sha1d)
    this.#pictures.set(sha1d, picture)
    trim(this.#pictures, MAX_PICTURES)
  }

  #now(): number {
    return this.#options.context.clock.now()
  }
}

/** Pure. The codes in a text with their pictures; of two that begin at one place the longer one counts. */
export const withPictures = (text: RichText, pictures: ReadonlyMap<string, FileRef>): RichText => {
  const codes = [...pictures.keys()].toSorted((a, b) => b.length - a.length)
  if (codes.length === 0) return text
  let left = MAX_SHOWN
  return text.flatMap((span): readonly Span[] => {
    const spans: Span[] = []
    let from = 0
    for (let at = 0; at < span.text.length && left > 0;) {
      const code = codes.find((each) => span.text.startsWith(each, at))
      const image = code === undefined ? undefined : pictures.get(code)
      if (code === undefined || image === undefined) {
        at++
        continue
      }
      if (at > from) spans.push({ ...span, text: span.text.slice(from, at) })
      spans.push({ ...span, text: code, image })
      left--
      at += code.length
      from = at
    }
    return from < span.text.length ? [...spans, { ...span, text: span.text.slice(from) }] : spans
  })
}

const trim = (map: Map<unknown, unknown>, limit: number): void => {
  const [oldest] = map.keys()
  if (map.size > limit) map.delete(oldest)
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
