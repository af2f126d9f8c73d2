/** Files that the bridge keeps itself, on a real disk. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  BLOBS,
  BlobStore,
  MAX_BLOBS,
  MAX_PUTS,
  MAX_PUTS_FROM_ONE,
  SPARED_MS,
  type BlobsOptions,
} from '../../../bridge/media/blobs.ts'
import type { PutResult } from '../../../bridge/adapter.ts'
import type { NetworkId, UserId, UserRef } from '../../../bridge/model/ids.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'

let folder = ''
let stores: BlobStore[] = []
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'blobs-')), 'files')
})
afterEach(async () => {
  for (const store of stores) await store.stop()
  stores = []
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

const MSN = 'msn' as NetworkId
const BOB: UserRef = { network: MSN, user: 'bob@example.com' as UserId }
const CAROL: UserRef = { network: MSN, user: 'carol@example.com' as UserId }
const DAY = 24 * 60 * 60_000
const clock = new VirtualClock(Date.UTC(2004, 0, 1))
const never = new AbortController().signal
const metrics = recordingMetrics()

const opened = async (options: Partial<BlobsOptions> = {}): Promise<BlobStore> => {
  const store = new BlobStore({
    folder,
    maxBytes: 1_000_000,
    maxTotalBytes: 10_000_000,
    maxShare: 1,
    keepMs: 7 * DAY,
    clock,
    log: recordingLog(),
    metrics,
    ...options,
  })
  stores.push(store)
  await store.start()
  return store
}

async function* pieces(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
const put = (store: BlobStore, content: string | Uint8Array, name = 'a.txt', from = BOB): Promise<PutResult> =>
  store.put(pieces(content), { name, from }, never)
const refOf = (result: PutResult): string => (result.kind === 'stored' ? result.file.ref : '')
const read = async (store: BlobStore, ref: string): Promise<string | undefined> => {
  const media = await store.open(ref, never)
  return media.kind === 'media' ? (await buffer(media.body)).toString('latin1') : undefined
}

/** Without the marks of who sent them. */
const kept = (): readonly string[] => readdirSync(folder).filter((name) => !/\.[0-9a-f]{32}$/.test(name))

/** Files of the store that this process has open. */
const held = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
    } catch {
      return false
    }
  }).length

describe('a file', () => {
  test('is kept under the hash of its bytes, once, and is there after a restart', async () => {
    const bytes = randomBytes(300_000)
    const store = await opened()
    const result = await store.put(
      pieces(bytes.subarray(0, 7), bytes.subarray(7, 200_000), bytes.subarray(200_000)),
      { name: 'C:\\My Files\\holiday\u202egnp.exe', from: BOB },
      never,
    )
    const hash = createHash('sha256').update(bytes).digest('hex')
    expect(result).toEqual({
      kind: 'stored',
      file: {
        network: BLOBS,
        ref: `${hash}/application/octet-stream`,
        name: 'holiday gnp.exe',
        media: 'file',
        mime: 'application/octet-stream',
        size: 300_000,
      },
    })
    expect(await put(store, bytes)).toMatchObject({ kind: 'stored' })
    expect(kept()).toEqual([hash])
    expect([store.size, store.bytes, metrics.values.get('files_kept_bytes')]).toEqual([1, 300_000, 300_000])
    await store.stop()
    const again = await opened()
    expect(await read(again, refOf(result))).toBe(bytes.toString('latin1'))
    expect(again.bytes).toBe(300_000)
  })

  test.each([
    ['\x89PNG\r\n\x1a\n....', 'x.txt', 'image/png', 'image'],
    ['\xff\xd8\xff\xe0', 'x', 'image/jpeg', 'image'],
    ['GIF89a', 'x.jpg', 'image/gif', 'image'],
    ['RIFF....WEBPVP8 ', 'x', 'image/webp', 'image'],
    ['RIFF....WAVEfmt ', 'x', 'audio/wav', 'audio'],
    ['ID3\x03', 'song.mp3', 'audio/mpeg', 'audio'],
    ['\xff\xfb\x90', 'song.MP3', 'audio/mpeg', 'audio'],
    ['....ftypisom', 'x', 'video/mp4', 'video'],
    ['<html>', 'x.html', 'application/octet-stream', 'file'],
    ['<svg>', 'x.svg', 'application/octet-stream', 'file'],
    ['', 'empty', 'application/octet-stream', 'file'],
  ] as const)('%j called %s is %s', async (start, name, mime, media) => {
    const result = await put(await opened(), Buffer.from(start, 'latin1'), name)
    expect(result).toMatchObject({ kind: 'stored', file: { mime, media } })
  })

  test.each([
    ['', 'file'],
    ['..', 'file'],
    ['/etc/passwd', 'passwd'],
    ['a\r\nb\0.png', 'a b .png'],
    ['.htaccess', 'htaccess'],
    [`${'x'.repeat(300)}.jpeg`, `${'x'.repeat(145)}.jpeg`],
    ['Ünïcödé 日本.png', 'Ünïcödé 日本.png'],
  ])('called %j is shown as %j', async (name, shown) => {
    expect(await put(await opened(), 'x', name)).toMatchObject({ file: { name: shown } })
  })
})

describe('is not taken, and nothing of it stays,', () => {
  const refused = async (result: Promise<PutResult>, reason: string): Promise<void> => {
    expect(await result).toMatchObject({ kind: 'refused', reason })
    expect(readdirSync(folder)).toEqual([])
  }

  test('a file over the limit, and its source is ended', async () => {
    const store = await opened({ maxBytes: 10 })
    let ended = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(4)
      } finally {
        ended = true
      }
    }
    await refused(store.put(endless(), { name: 'x', from: BOB }, never), 'too-large')
    expect(ended).toBe(true)
    await refused(store.put(pieces('123456'), { name: 'x', maxBytes: 5, from: BOB }, never), 'too-large')
  })

  test('one whose source breaks, or that is given up', async () => {
    const store = await opened()
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw new Error('peer gone')
    }
    await refused(store.put(breaking(), { name: 'x', from: BOB }, never), 'network')
    const stuck = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
    const giveUp = new AbortController()
    const given = store.put(stuck, { name: 'x', from: BOB }, giveUp.signal)
    giveUp.abort()
    await refused(given, 'network')
    const stopped = store.put(stuck, { name: 'x', from: BOB }, never)
    await store.stop()
    await refused(stopped, 'network')
    await refused(put(store, 'x'), 'network')
  })

  test('one too many at once', async () => {
    const store = await opened()
    const giveUp = new AbortController()
    const stuck = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
    const from = (at: number): UserRef => ({
      network: MSN,
      user: `p${Math.floor(at / MAX_PUTS_FROM_ONE)}@example.com` as UserId,
    })
    const begin = (at: number) => store.put(stuck, { name: 'x', from: from(at) }, giveUp.signal)
    const puts = Array.from({ length: MAX_PUTS_FROM_ONE }, (_, at) => begin(at))
    const refusal = { kind: 'refused', reason: 'rate-limited' }
    expect(await put(store, 'x', 'x', from(0))).toMatchObject(refusal)
    for (let at = MAX_PUTS_FROM_ONE; at < MAX_PUTS; at++) puts.push(begin(at))
    expect(await put(store, 'x', 'x', from(MAX_PUTS))).toMatchObject(refusal)
    giveUp.abort()
    await Promise.all(puts)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('the room for all files', () => {
  test('is never exceeded: what is older than a day goes first, what is younger stays', async () => {
    const store = await opened({ maxTotalBytes: 100, maxBytes: 100 })
    const old = await put(store, 'o'.repeat(60))
    await clock.advance(SPARED_MS)
    const fresh = await put(store, 'f'.repeat(40))
    const next = await put(store, 'n'.repeat(50))
    expect(next).toMatchObject({ kind: 'stored' })
    expect(await read(store, refOf(old))).toBeUndefined()
    expect(await read(store, refOf(fresh))).toBe('f'.repeat(40))
    expect(await put(store, 'z'.repeat(20))).toMatchObject({ kind: 'refused', reason: 'too-large' })
    expect([store.bytes, kept().length]).toEqual([90, 2])
  })
})

describe('the share of one sender', () => {
  const shared = { maxTotalBytes: 400, maxBytes: 400, maxShare: 0.25 }
  const WORDS = 'one sender may keep 100 bytes of files here, and there is room again when older ones expire'
  const refusal = { kind: 'refused', reason: 'too-large', detail: WORDS }

  test('is not exceeded, also not by several files at once, and others have theirs', async () => {
    const store = await opened(shared)
    expect(await put(store, 'a'.repeat(60))).toMatchObject({ kind: 'stored' })
    const both = await Promise.all([put(store, 'b'.repeat(30)), put(store, 'c'.repeat(30))])
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['refused', 'stored'])
    expect(await put(store, 'd'.repeat(30))).toEqual(refusal)
    expect([store.refusal(BOB, 10), store.refusal(BOB, 11), store.refusal(CAROL, 100)]).toEqual([
      undefined,
      WORDS,
      undefined,
    ])
    expect(await put(store, 'e'.repeat(100), 'e', CAROL)).toMatchObject({ kind: 'stored' })
    expect(store.bytes).toBe(190)
  })

  test('counts the same file once for each who sent it', async () => {
    const store = await opened(shared)
    for (const from of [BOB, BOB, CAROL]) await put(store, 'a'.repeat(40), 'a', from)
    expect([store.bytes, store.refusal(BOB, 60), store.refusal(CAROL, 60)]).toEqual([40, undefined, undefined])
    expect([store.refusal(BOB, 61), store.refusal(CAROL, 61)]).toEqual([WORDS, WORDS])
  })

  test('is the same after a restart, and free again when its files have expired', async () => {
    const store = await opened(shared)
    const [one] = [await put(store, 'a'.repeat(80)), await put(store, 'b'.repeat(20), 'b', CAROL)]
    await store.stop()
    writeFileSync(join(folder, `${'0'.repeat(64)}.${'1'.repeat(32)}`), '')
    const again = await opened(shared)
    expect(readdirSync(folder)).toHaveLength(4)
    expect([again.refusal(BOB, 20), again.refusal(BOB, 21), again.refusal(CAROL, 80)]).toEqual([
      undefined,
      WORDS,
      undefined,
    ])
    expect(await read(again, refOf(one))).toBe('a'.repeat(80))
    await clock.advance(7 * DAY)
    await expect.poll(() => readdirSync(folder)).toEqual([])
    expect(again.refusal(BOB, 100)).toBeUndefined()
  })

  test('has a number of files, too', async () => {
    const store = await opened({ maxShare: 3 / MAX_BLOBS })
    for (const each of ['1', '2', '3']) {
      expect(store.refusal(BOB, 1)).toBeUndefined()
      expect(await put(store, each)).toMatchObject({ kind: 'stored' })
    }
    expect([store.refusal(BOB, 1), store.refusal(CAROL, 1)]).toEqual([expect.any(String), undefined])
    expect(await put(store, '4')).toMatchObject({ kind: 'refused' })
    expect(await put(store, '4', '4', CAROL)).toMatchObject({ kind: 'stored' })
  })
})

describe('after a while', () => {
  test('a file expires, counted from when it was last put, and a restart does not change that', async () => {
    const store = await opened()
    const one = await put(store, 'one')
    const two = await put(store, 'two')
    await clock.advance(6 * DAY)
    await put(store, 'one')
    await store.stop()
    const again = await opened()
    await clock.advance(DAY)
    expect(await read(again, refOf(two))).toBeUndefined()
    expect(await read(again, refOf(one))).toBe('one')
    await expect.poll(() => kept().length).toBe(1)
    await clock.advance(6 * DAY)
    await expect.poll(() => readdirSync(folder).length).toBe(0)
    expect([again.size, again.bytes]).toEqual([0, 0])
  })

  test('a start takes away what was never finished and what has expired, and nothing of others', async () => {
    const store = await opened()
    const one = await put(store, 'kept')
    await store.stop()
    writeFileSync(join(folder, '0c0f6c3e-0000-4000-8000-000000000000.part'), 'half')
    writeFileSync(join(folder, 'README'), 'mine')
    const stale = createHash('sha256').update('stale').digest('hex')
    writeFileSync(join(folder, stale), 'stale')
    const long = (clock.now() - 30 * DAY) / 1_000
    utimesSync(join(folder, stale), long, long)
    const again = await opened()
    expect(kept().toSorted()).toEqual(['README', refOf(one).slice(0, 64)].toSorted())
    expect(again.size).toBe(1)
  })
})

test.each(['', 'x', '../../etc/passwd', 'a'.repeat(64), `${'a'.repeat(64)}/../x`, 'A'.repeat(64)])(
  'the ref %j is none',
  async (ref) => {
    expect(await (await opened()).open(ref, never)).toMatchObject({ kind: 'refused', reason: 'not-found' })
  },
)

test('only the one who runs the bridge may read the folder', async () => {
  const result = await put(await opened(), 'x')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, refOf(result).slice(0, 64))).mode & 0o777).toBe(0o600)
})

test.runIf(process.platform === 'linux')('a file that nobody reads any more is not held open', async () => {
  const store = await opened()
  const ref = refOf(await put(store, 'some bytes'))
  const gone = new AbortController()
  const media = await store.open(ref, gone.signal)
  expect([media.kind, held()]).toEqual(['media', 1])
  gone.abort()
  await vi.waitFor(() => expect(held()).toBe(0))
  // Too late already.
  const late = await store.open(ref, gone.signal)
  await vi.waitFor(() => expect(held()).toBe(0))
  if (late.kind === 'media') await expect(buffer(late.body)).rejects.toThrow()
})
