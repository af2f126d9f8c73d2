/**
 * Files that stay on no network: kept in the data folder under the SHA-256 of their bytes, until they expire. A file is there
 * whole or not at all, whenever the process ends. Names are not kept here: they are in the messages. An empty file beside it,
 * `HASH.OWNER`, says for each of its senders whose share it takes up.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, FileAbout, Logger, Metrics, PutResult } from '../adapter.ts'
import type { FileRef } from '../model/body.ts'
import { sizeWords } from '../model/file-words.ts'
import type { NetworkId, UserRef } from '../model/ids.ts'
import type { MediaResult, Reason } from '../model/result.ts'
import { kindOf, mediaOfKind, shownName, TELLING_BYTES, UNKNOWN_KIND } from './kinds.ts'
import { ownerOf, Shares, type Share } from './shares.ts'

/** In place of a network in a `FileRef`. No network can be called that. */
export const BLOBS = '~files' as NetworkId

export interface BlobsOptions {
  readonly folder: string
  /** Larger ones are refused. */
  readonly maxBytes: number
  /** Of all together. */
  readonly maxTotalBytes: number
  /** Of the room and of the number of files, for one sender: above 0; 1: all of it. */
  readonly maxShare: number
  /** From when it was last put. */
  readonly keepMs: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Files that are written at once, and of those from one sender; more are refused. */
export const MAX_PUTS = 32
export const MAX_PUTS_FROM_ONE = 8
/** Files that are kept at once. */
export const MAX_BLOBS = 100_000
/** Where there is no more room, the oldest go, but none that is younger. Milliseconds. */
export const SPARED_MS = 24 * 60 * 60_000
const SWEEP_MS = 10 * 60_000
const READ_BYTES = 64 * 1024

const NAME = /^[0-9a-f]{64}$/
const OWNED = /^([0-9a-f]{64})\.([0-9a-f]{32})$/
const PART = /\.part$/
const MIME = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/
const REF = /^([0-9a-f]{64})(?:\/([\w.+-]+\/[\w.+-]+))?$/

interface Blob {
  readonly bytes: number
  readonly at: number
}

interface Writing {
  readonly handle: FileHandle
  readonly signal: AbortSignal
  readonly limit: number
  readonly owner: string
  /** Grows while it is written. */
  bytes: number
}

/** Why a file was not taken: a sentence for people. */
class Refusal extends Error {
  readonly reason: Reason
  constructor(reason: Reason, detail: string) {
    super(detail)
    this.reason = reason
  }
}

export class BlobStore {
  readonly #options: BlobsOptions
  /** In the order in which they were last put. */
  readonly #blobs = new Map<string, Blob>()
  readonly #shares = new Shares()
  readonly #puts = new Set<{ readonly owner: string }>()
  readonly #writing = new Set<Writing>()
  readonly #life = new AbortController()
  #kept = 0
  #ready = false
  /** Names appear and disappear one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: BlobsOptions) {
    this.#options = options
  }

  /** Takes up what is there, and away what was never finished. Rejects with what the file system says. */
  async start(): Promise<void> {
    const { folder, clock } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const found: (readonly [string, Blob])[] = []
    const owned: (readonly [string, string])[] = []
    for (const name of await readdir(folder)) {
      if (PART.test(name)) await rm(join(folder, name), { force: true })
      const [, of, owner] = OWNED.exec(name) ?? []
      if (of !== undefined && owner !== undefined) owned.push([of, owner])
      if (!NAME.test(name)) continue
      const { size, mtimeMs } = await stat(join(folder, name))
      found.push([name, { bytes: size, at: Math.min(mtimeMs, clock.now()) }])
    }
    for (const [name, blob] of found.toSorted(([, a], [, b]) => a.at - b.at)) this.#note(name, blob)
    for (const [name, owner] of owned) {
      const blob = this.#blobs.get(name)
      if (blob === undefined) await rm(join(folder, `${name}.${owner}`), { force: true })
      else this.#shares.note(name, blob.bytes, owner)
    }
    this.#ready = true
    await this.#sweep()
    void this.#sweepOn()
  }

  /** What is being written is given up. Twice is harmless. */
  async stop(): Promise<void> {
    this.#ready = false
    this.#life.abort()
    await this.#turn
  }

  /** Resolves when it is on disk; never rejects. */
  async put(body: AsyncIterable<Uint8Array>, about: FileAbout, signal: AbortSignal): Promise<PutResult> {
    const { folder, maxBytes, log } = this.#options
    const part = join(folder, `${randomUUID()}.part`)
    const source = body[Symbol.asyncIterator]()
    let writing: Writing | undefined
    const owner = ownerOf(about.from)
    const mine = { owner }
    this.#puts.add(mine)
    try {
      if (!this.#ready) throw new Refusal('network', 'the bridge cannot keep files now')
      const theirs = [...this.#puts].filter((other) => other.owner === owner)
      if (this.#puts.size > MAX_PUTS || theirs.length > MAX_PUTS_FROM_ONE)
        throw new Refusal('rate-limited', 'too many files are under way')
      writing = {
        handle: await open(part, 'wx', 0o600),
        signal: AbortSignal.any([signal, this.#life.signal]),
        limit: Math.min(maxBytes, about.maxBytes ?? maxBytes),
        owner,
        bytes: 0,
      }
      this.#writing.add(writing)
      const written = writing
      const { hash, beginning } = await this.#write(written, source)
      await this.#inTurn(() => this.#commit(part, hash, written))
      return { kind: 'stored', file: fileOf(hash, written.bytes, beginning, about) }
    } catch (error) {
      // Not waited for: a source that does not answer need not end either.
      source.return?.().catch(() => undefined)
      if (error instanceof Refusal) return { kind: 'refused', reason: error.reason, detail: error.message }
      const code = codeOf(error)
      if (code !== undefined) log.error({ code }, 'a file could not be kept')
      const detail = code === undefined ? 'the file broke off' : `the bridge cannot keep the file (${code})`
      return { kind: 'refused', reason: 'network', detail }
    } finally {
      this.#puts.delete(mine)
      if (writing !== undefined) {
        this.#writing.delete(writing)
        await writing.handle.close().catch(() => undefined)
      }
      await rm(part, { force: true }).catch(() => undefined)
    }
  }

  /** `ref`: of a `FileRef` of ours. Never rejects. */
  async open(ref: string, signal: AbortSignal): Promise<MediaResult> {
    const [, name, mime] = REF.exec(ref) ?? []
    const blob = name === undefined ? undefined : this.#blobs.get(name)
    if (name === undefined || blob === undefined || this.#isOld(blob)) return GONE
    try {
      const handle = await open(join(this.#options.folder, name), 'r')
      return { kind: 'media', body: readAll(handle, signal), mime: mime ?? UNKNOWN_KIND, size: blob.bytes }
    } catch {
      return GONE
    }
  }

  /** Why a file of so many bytes from them would not be kept now, a half-sentence; undefined: it would. */
  refusal(from: UserRef, bytes: number): string | undefined {
    if (bytes > this.#options.maxBytes) return TOO_LARGE
    return this.#hasShare(ownerOf(from), { bytes, files: 1 }) ? undefined : this.#shareWords()
  }

  get size(): number {
    return this.#blobs.size
  }

  /** Bytes of all that is kept. */
  get bytes(): number {
    return this.#kept
  }

  async #write(writing: Writing, source: AsyncIterator<Uint8Array>): Promise<{ hash: string; beginning: Uint8Array }> {
    const { signal, handle, limit } = writing
    const hash = createHash('sha256')
    let beginning: Uint8Array = new Uint8Array(0)
    for (;;) {
      const next = await orAborted(source.next(), signal)
      if (next.done === true) break
      writing.bytes += next.value.byteLength
      if (writing.bytes > limit) throw new Refusal('too-large', TOO_LARGE)
      if (!this.#hasShare(writing.owner)) throw new Refusal('too-large', this.#shareWords())
      await this.#makeRoom()
      if (beginning.length < TELLING_BYTES)
        beginning = Buffer.concat([beginning, next.value]).subarray(0, TELLING_BYTES)
      hash.update(next.value)
      await handle.appendFile(next.value)
    }
    await handle.sync()
    return { hash: hash.digest('hex'), beginning }
  }

  async #commit(part: string, hash: string, writing: Writing): Promise<void> {
    const { bytes, owner } = writing
    const { folder, clock } = this.#options
    const now = clock.now()
    await utimes(part, now / 1_000, now / 1_000)
    // First: a file that counts for nobody could be sent without end.
    await writeFile(join(folder, `${hash}.${owner}`), '', { mode: 0o600 })
    await rename(part, join(folder, hash))
    const directory = await open(folder, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
    this.#note(hash, { bytes, at: now })
    this.#shares.note(hash, bytes, owner)
    this.#writing.delete(writing)
    this.#measure()
  }

  /** Whether so much more of them is within their share, with what is under way. */
  #hasShare(owner: string, more: Share = { bytes: 0, files: 0 }): boolean {
    const { maxTotalBytes, maxShare } = this.#options
    if (maxShare === 1) return true
    let { bytes, files } = this.#shares.of(owner)
    for (const other of this.#writing) {
      if (other.owner !== owner) continue
      bytes += other.bytes
      files++
    }
    return bytes + more.bytes <= maxShare * maxTotalBytes && files + more.files <= maxShare * MAX_BLOBS
  }

  #shareWords(): string {
    const most = sizeWords(this.#options.maxShare * this.#options.maxTotalBytes)
    return `one sender may keep ${most} of files here, and there is room again when older ones expire`
  }

  /** For what has been written so far of all that is under way. */
  async #makeRoom(): Promise<void> {
    const { maxTotalBytes, clock } = this.#options
    const isFull = (): boolean => {
      let under = 0
      for (const { bytes } of this.#writing) under += bytes
      return this.#kept + under > maxTotalBytes || this.#blobs.size + this.#writing.size > MAX_BLOBS
    }
    if (!isFull()) return
    await this.#inTurn(async () => {
      for (const [name, { at }] of this.#blobs) {
        if (!isFull() || clock.now() - at < SPARED_MS) break
        await this.#remove(name)
      }
    })
    if (isFull()) throw new Refusal('too-large', 'the bridge has no more room for files')
  }

  async #sweepOn(): Promise<void> {
    const { signal } = this.#life
    for (;;) {
      await this.#options.clock.sleep(SWEEP_MS, signal)
      if (signal.aborted) return
      await this.#sweep()
    }
  }

  async #sweep(): Promise<void> {
    await this.#inTurn(async () => {
      for (const [name, blob] of this.#blobs) {
        if (!this.#isOld(blob)) break
        await this.#remove(name)
      }
    })
    this.#measure()
  }

  async #remove(name: string): Promise<void> {
    const blob = this.#blobs.get(name)
    if (blob === undefined) return
    this.#blobs.delete(name)
    this.#kept -= blob.bytes
    const marks = this.#shares.forget(name, blob.bytes).map((owner) => `${name}.${owner}`)
    // The file first: marks without one are taken away at the next start.
    for (const each of [name, ...marks])
      await rm(join(this.#options.folder, each), { force: true }).catch((error: unknown) => {
        this.#options.log.warn({ code: codeOf(error) }, 'a file that has expired could not be deleted')
      })
  }

  #note(name: string, blob: Blob): void {
    this.#kept += blob.bytes - (this.#blobs.get(name)?.bytes ?? 0)
    this.#blobs.delete(name)
    this.#blobs.set(name, blob)
  }

  #isOld({ at }: Blob): boolean {
    return this.#options.clock.now() - at >= this.#options.keepMs
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #measure(): void {
    this.#options.metrics.gauge('files_kept', this.#blobs.size)
    this.#options.metrics.gauge('files_kept_bytes', this.#kept)
  }
}

const TOO_LARGE = 'the file is too large'
const GONE: MediaResult = { kind: 'refused', reason: 'not-found', detail: 'the file is not kept any more' }

const fileOf = (hash: string, bytes: number, beginning: Uint8Array, about: FileAbout): FileRef => {
  const name = shownName(about.name)
  const mime = about.mime !== undefined && MIME.test(about.mime) ? about.mime : kindOf(beginning, name)
  return { network: BLOBS, ref: `${hash}/${mime}`, name, media: mediaOfKind(mime), mime, size: bytes }
}

/** One piece at a time, as it is asked for. */
const readAll = (handle: FileHandle, signal: AbortSignal): ReadableStream<Uint8Array> => {
  const close = (): void => {
    signal.removeEventListener('abort', close)
    void handle.close().catch(() => undefined)
  }
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES)).catch((error: unknown) => {
          close()
          throw error
        })
        if (bytesRead > 0) {
          controller.enqueue(buffer.subarray(0, bytesRead))
          return
        }
        close()
        controller.close()
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  )
}

const orAborted = async <Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const aborted = (): void => reject(new Refusal('network', 'the file was given up'))
  if (signal.aborted) aborted()
  else signal.addEventListener('abort', aborted, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', aborted)
  }
}

/** What the file system says. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
