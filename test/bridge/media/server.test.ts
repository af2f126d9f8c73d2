import { request as httpRequest } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { MediaLinks } from '../../../bridge/media/links.ts'
import { MAX_TRANSFERS, MediaServer, RATE } from '../../../bridge/media/server.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { MediaResult } from '../../../bridge/model/result.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { recordingMetrics } from '../../kit/observers.ts'

const servers: MediaServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

const bytes = (...chunks: string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk))
      controller.close()
    },
  })

const rig = async (media: (ref: string, signal: AbortSignal) => Promise<MediaResult>) => {
  const clock = new VirtualClock(1_000_000)
  const metrics = recordingMetrics()
  const links = new MediaLinks({ key: 'k', publicUrl: '', expireMs: 3_600_000 })
  const server = new MediaServer({
    host: '127.0.0.1',
    port: 0,
    links,
    maxBytes: 20,
    clock,
    metrics,
    media: (network) => (network === ('matrix' as NetworkId) ? media : undefined),
  })
  servers.push(server)
  const base = `http://127.0.0.1:${await server.start()}`
  const link = (name = 'cat.png', network = 'matrix'): string =>
    base + links.of({ network: network as NetworkId, ref: 'mxc://hs/1', name }, clock.now())
  return { clock, metrics, server, base, link }
}

const image = async (): Promise<MediaResult> => ({
  kind: 'media',
  body: bytes('abc', 'def'),
  mime: 'image/png',
  size: 6,
})

describe('a signed link', () => {
  test('gives the file, which nothing in it can run', async () => {
    const { link, metrics } = await rig(image)
    const answer = await fetch(link())
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('abcdef')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '6',
      'content-disposition': `inline; filename="cat.png"; filename*=UTF-8''cat.png`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    })
    expect(metrics.values.get('media_requests{status=200}')).toBe(1)
  })

  test('gives only the head when that is asked for', async () => {
    const { link } = await rig(image)
    const answer = await fetch(link(), { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([200, '6', ''])
  })

  test('that is forged, too old, of no file or of no network says so', async () => {
    const { clock, link, base } = await rig(image)
    const good = link()
    expect((await fetch(good.replace('cat.png', 'dog.png'))).status).toBe(403)
    expect((await fetch(`${base}/media/x`)).status).toBe(404)
    expect((await fetch(link('cat.png', 'irc'))).status).toBe(404)
    expect((await fetch(good, { method: 'POST' })).status).toBe(405)
    await clock.advance(3_600_000)
    const old = await fetch(good)
    expect([old.status, await old.text()]).toEqual([410, 'this link is too old: ask for the file once more\n'])
  })

  test.each([
    ['not-found', 404],
    ['too-large', 413],
    ['network', 502],
  ] as const)('to a file that its network refuses as %s is %i', async (reason, status) => {
    const { link } = await rig(async () => ({ kind: 'refused', reason, detail: 'secret words' }))
    const answer = await fetch(link())
    expect(answer.status).toBe(status)
    expect(await answer.text()).not.toContain('secret')
  })

  test('to a file that says that it is too large is refused before a byte', async () => {
    let cancelled = false
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) })
    const { link } = await rig(async () => ({ kind: 'media', body, size: 21 }))
    expect((await fetch(link())).status).toBe(413)
    expect(cancelled).toBe(true)
  })

  test('to a file that turns out too large is cut', async () => {
    const { link } = await rig(async () => ({ kind: 'media', body: bytes('a'.repeat(15), 'b'.repeat(15)) }))
    await expect(fetch(link()).then((answer) => answer.text())).rejects.toThrow()
  })

  test('to a source that breaks is 502, or cut when it had begun', async () => {
    const early = await rig(async () => ({
      kind: 'media',
      body: new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('gone')) }),
    }))
    expect((await fetch(early.link())).status).toBe(502)
    const thrown = await rig(() => Promise.reject(new Error('bug')))
    expect((await fetch(thrown.link())).status).toBe(502)
    let sent = false
    const late = await rig(async () => ({
      kind: 'media',
      body: new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (sent) controller.error(new Error('gone'))
          else controller.enqueue(Buffer.from('abc'))
          sent = true
        },
      }),
    }))
    await expect(fetch(late.link()).then((answer) => answer.text())).rejects.toThrow()
  })

  test('that nobody waits for any more tells its source to stop', async () => {
    const stopped = Promise.withResolvers<boolean>()
    const { link } = await rig(async (_, signal) => {
      signal.addEventListener('abort', () => stopped.resolve(true))
      return { kind: 'media', body: new ReadableStream<Uint8Array>({ start: (one) => one.enqueue(Buffer.from('a')) }) }
    })
    const asked = httpRequest(link())
    asked.on('response', () => asked.destroy())
    asked.on('error', () => undefined)
    asked.end()
    expect(await stopped.promise).toBe(true)
  })
})

test('only so many files are under way at once, and one that hangs ends', async () => {
  const { clock, link } = await rig(
    (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'refused', reason: 'network', detail: 'late' }))
      }),
  )
  const many = Array.from({ length: MAX_TRANSFERS }, () => fetch(link()).then(({ status }) => status))
  while (clock.sleeping < MAX_TRANSFERS) await clock.settle()
  expect((await fetch(link())).status).toBe(503)
  await clock.advance(5 * 60_000)
  expect(new Set(await Promise.all(many))).toEqual(new Set([502]))
})

test('one address may ask only so often', async () => {
  const { base } = await rig(image)
  for (let turn = 0; turn < RATE.times; turn++) await (await fetch(`${base}/media/x`)).text()
  expect((await fetch(`${base}/media/x`)).status).toBe(429)
})

test('a port that is taken is a sentence with the remedy; stopping twice is harmless', async () => {
  const { base, server } = await rig(image)
  const { port } = new URL(base)
  const clock = new VirtualClock()
  const links = new MediaLinks({ key: 'k', publicUrl: '', expireMs: 1 })
  const metrics = recordingMetrics()
  const other = new MediaServer({
    host: '127.0.0.1',
    port: Number(port),
    links,
    maxBytes: 1,
    clock,
    metrics,
    media: () => undefined,
  })
  await expect(other.start()).rejects.toThrow(/taken by another program: stop it, or choose another port/)
  await other.stop()
  await server.stop()
  await server.stop()
})
