/**
 * Display pictures of contacts: what they describe is fetched from them, one after the other, and told with their name. What
 * was fetched is remembered by its SHA-1, so that nobody is asked twice for the same picture.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { OBJECT_TYPES, parseMsnObject, type MsnObject } from '../../msnp/index.ts'
import { TokenBucket, type Rate } from '../../sansio/rate.ts'
import type { Fetched } from './peer-talk.ts'

/** Contacts who wait to be asked; with more, further ones are not. */
export const MAX_QUEUED = 2_000
/** Between two pictures. Milliseconds. */
export const PACE_MS = 500
/** From calling them to the last byte. Milliseconds. */
export const FETCH_MS = 120_000
/** Who could not give it is not asked for the same one again for so long. Milliseconds. */
export const AGAIN_MS = 10 * 60_000
/** Of one person: each is something to keep, and a change in every room where they are. */
export const CHANGES: Rate = { burst: 5, intervalMs: 60_000 }
/** Pictures that are remembered by their SHA-1. */
export const MAX_REMEMBERED = 5_000

export interface PicturesOptions {
  readonly network: NetworkId
  readonly account: AccountId
  readonly context: AdapterContext
  /** Larger ones are not fetched. Bytes; 0: none are. */
  readonly maxBytes: number
  readonly isOnline: (user: UserId) => boolean
  /** Asks somebody for what they have described. Never rejects. */
  readonly fetch: (user: UserId, object: MsnObject, xml: string, signal: AbortSignal) => Promise<Fetched>
}

interface Wanted {
  /** As they are called now: a picture is told with the name. */
  readonly name: string
  /** undefined: they have no picture. */
  readonly picture: { readonly object: MsnObject; readonly xml: string } | undefined
}

interface Known {
  readonly sha1d: string
  readonly file: FileRef
}

export class Pictures {
  readonly #options: PicturesOptions
  readonly #life = new AbortController()
  readonly #queue = new Map<UserId, Wanted>()
  /** What was told last; undefined: that they have none. */
  readonly #told = new Map<UserId, string | undefined>()
  readonly #failed = new Map<UserId, { readonly sha1d: string; readonly until: number }>()
  /** By SHA-1, of all contacts of all accounts; one for each contact is on disk. */
  #kept: Map<string, FileRef> | undefined
  readonly #changes = new Map<UserId, TokenBucket>()
  #working = false
  /** While all who are in the queue change too often. */
  #nap: AbortController | undefined

  constructor(options: PicturesOptions) {
    this.#options = options
  }

  /** Somebody is there, with that description. `xml` undefined: they have no picture. */
  see(user: UserId, name: string, xml: string | undefined): void {
    const { maxBytes } = this.#options
    if (maxBytes === 0 || this.#life.signal.aborted) return
    const object = xml === undefined ? undefined : parseMsnObject(xml)
    const isFit = object?.type === OBJECT_TYPES.displayPicture && object.size > 0 && object.size <= maxBytes
    if (xml !== undefined && !isFit) return
    this.#queue.delete(user)
    if (this.#told.has(user) && this.#told.get(user) === object?.sha1d) return
    if (this.#queue.size >= MAX_QUEUED) return
    this.#queue.set(user, { name, picture: xml === undefined || object === undefined ? undefined : { object, xml } })
    this.#nap?.abort()
    if (!this.#working) void this.#work()
  }

  stop(): void {
    this.#life.abort()
    this.#queue.clear()
  }

  async #work(): Promise<void> {
    const { account, context } = this.#options
    const { clock, log } = context
    this.#working = true
    for (let next = await this.#next(); next !== undefined; next = await this.#next()) {
      const [user, wanted] = next
      this.#queue.delete(user)
      try {
        if (await this.#bring(user, wanted)) await clock.sleep(PACE_MS, this.#life.signal)
      } catch (error) {
        log.debug({ account, error: String(error) }, 'a picture could not be kept')
      }
      if (this.#life.signal.aborted) break
    }
    this.#working = false
    // Somebody was seen between the last look and now.
    if (this.#queue.size > 0 && !this.#life.signal.aborted) void this.#work()
  }

  /** The first who may change again; undefined: nobody waits. */
  async #next(): Promise<readonly [UserId, Wanted] | undefined> {
    const { clock } = this.#options.context
    while (this.#queue.size > 0 && !this.#life.signal.aborted) {
      const now = clock.now()
      let earliest = Infinity
      for (const each of this.#queue) {
        const readyAt = this.#changes.get(each[0])?.readyAt(now) ?? now
        if (readyAt <= now) return each
        earliest = Math.min(earliest, readyAt)
      }
      this.#nap = new AbortController()
      await clock.sleep(earliest - now, AbortSignal.any([this.#nap.signal, this.#life.signal]))
      this.#nap = undefined
    }
    return undefined
  }

  /** Something of them was asked for, or told. */
  #countChange(user: UserId): void {
    const now = this.#options.context.clock.now()
    if (!this.#changes.has(user) && this.#changes.size >= MAX_QUEUED) this.#changes.clear()
    const changes = this.#changes.get(user) ?? new TokenBucket(CHANGES, now)
    changes.take(now)
    this.#changes.set(user, changes)
  }

  /** Whether somebody was asked. */
  async #bring(user: UserId, { name, picture }: Wanted): Promise<boolean> {
    const { network, context, isOnline, fetch, maxBytes } = this.#options
    if (picture === undefined) {
      await this.#none(user, name)
      return false
    }
    const { object, xml } = picture
    const known = await this.#known(user, object.sha1d)
    if (known !== undefined) {
      this.#countChange(user)
      this.#tell(user, name, object.sha1d, known)
      return false
    }
    const failed = this.#failed.get(user)
    if (failed?.sha1d === object.sha1d && failed.until > context.clock.now()) return false
    if (!isOnline(user)) return false
    this.#countChange(user)
    const result = await this.#within((late) => fetch(user, object, xml, late))
    context.metrics.count('msn_pictures', { outcome: result.kind === 'fetched' ? 'fetched' : result.how })
    if (result.kind === 'failed') {
      this.#noteFailed(user, object.sha1d)
      return true
    }
    const about = { name: 'picture', maxBytes, from: { network, user } }
    const put = await context.files.put(one(result.bytes), about, this.#life.signal)
    // What is no picture is kept nowhere for long and shown to nobody.
    if (put.kind === 'refused' || put.file.media !== 'image') {
      this.#noteFailed(user, object.sha1d)
      return true
    }
    const kept: Known = { sha1d: object.sha1d, file: put.file }
    await context.state.update([[keyOf(user), JSON.stringify(kept)]])
    this.#remember(object.sha1d, put.file)
    this.#tell(user, name, object.sha1d, put.file)
    return true
  }

  /** Only who had one before is told to have none. */
  async #none(user: UserId, name: string): Promise<void> {
    const { state } = this.#options.context
    const had = this.#told.get(user) !== undefined || (await state.get(keyOf(user))) !== undefined
    if (!had) {
      this.#told.set(user, undefined)
      return
    }
    this.#countChange(user)
    await state.update([[keyOf(user), undefined]])
    this.#tell(user, name, undefined, null)
  }

  #remember(sha1d: string, file: FileRef): void {
    this.#kept?.set(sha1d, file)
    const [oldest] = this.#kept?.keys() ?? []
    if (oldest !== undefined && (this.#kept?.size ?? 0) > MAX_REMEMBERED) this.#kept?.delete(oldest)
  }

  #noteFailed(user: UserId, sha1d: string): void {
    if (this.#failed.size >= MAX_QUEUED) this.#failed.clear()
    this.#failed.set(user, { sha1d, until: this.#options.context.clock.now() + AGAIN_MS })
  }

  async #within<Value>(work: (late: AbortSignal) => Promise<Value>): Promise<Value> {
    const done = new AbortController()
    const late = new AbortController()
    void this.#options.context.clock.sleep(FETCH_MS, done.signal).then(() => late.abort())
    try {
      return await work(AbortSignal.any([late.signal, this.#life.signal]))
    } finally {
      done.abort()
    }
  }

  /** Somebody had it before, and it is still kept. */
  async #known(user: UserId, sha1d: string): Promise<FileRef | undefined> {
    const { state, files } = this.#options.context
    this.#kept ??= await this.#remembered()
    const file = this.#kept.get(sha1d)
    if (file === undefined) return undefined
    const media = await files.open(file, this.#life.signal)
    if (media.kind === 'refused') {
      this.#kept.delete(sha1d)
      return undefined
    }
    await media.body.cancel().catch(() => undefined)
    const kept: Known = { sha1d, file }
    const value = JSON.stringify(kept)
    if ((await state.get(keyOf(user))) !== value) await state.update([[keyOf(user), value]])
    return file
  }

  async #remembered(): Promise<Map<string, FileRef>> {
    const rows = await this.#options.context.state.list(PREFIX)
    return new Map(rows.map(([, value]) => JSON.parse(value) as Known).map(({ sha1d, file }) => [sha1d, file]))
  }

  #tell(user: UserId, name: string, sha1d: string | undefined, avatar: FileRef | null): void {
    const { network, account, context } = this.#options
    if (this.#life.signal.aborted || (this.#told.has(user) && this.#told.get(user) === sha1d)) return
    this.#told.set(user, sha1d)
    const event = { kind: 'profile', account, user: { network, user }, name, avatar } as const
    void context.emit(event).catch(() => undefined)
  }
}

const PREFIX = 'picture/'
const keyOf = (user: UserId): string => `${PREFIX}${user}`

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
