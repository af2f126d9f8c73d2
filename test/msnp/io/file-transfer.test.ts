/** Files over real sockets: both ways to meet, big ones in little memory, and whatever can go wrong. */
import { createHash, randomBytes } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { allowedAddresses, FilePorts, MAX_FROM_ADDRESS, wrongAllowance } from '../../../msnp/io/file-ports.ts'
import type {
  ArrivingFile,
  FileTransferOptions,
  Meeting,
  ReceiveFileResult,
  SendFileResult,
} from '../../../msnp/io/file-contract.ts'
import { MAX_UNTAKEN_BYTES } from '../../../msnp/io/file-lanes.ts'
import { receiveFile, sendFile } from '../../../msnp/io/file-transfer.ts'

const HOST = '127.0.0.1'
const never = new AbortController().signal
const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const ANY = new FilePorts({ host: HOST, from: 0, to: 0 })
const shared = { account: 'bob@example.com', authCookie: '93301', signal: never }
const listening = (onPort: (port: number) => void, ports = ANY, peer = 'bob@example.com'): Meeting => ({
  kind: 'listen',
  ports,
  peer,
  onPort,
})
const connecting = (port: number): Meeting => ({
  kind: 'connect',
  addresses: [{ host: HOST, port }],
  mayConnect: () => true,
})

interface Both {
  readonly sent: Promise<SendFileResult>
  readonly arriving: Promise<ReceiveFileResult>
}

/** One listens, the other connects. */
const transfer = async (
  listens: 'sender' | 'receiver',
  size: number,
  source: () => AsyncIterable<Uint8Array>,
  more: { readonly sender?: Partial<FileTransferOptions>; readonly receiver?: Partial<FileTransferOptions> } = {},
): Promise<Both> => {
  const { promise: port, resolve } = Promise.withResolvers<number>()
  const give = (meeting: Meeting): Promise<SendFileResult> =>
    sendFile({ ...shared, size, meeting, ...more.sender }, () => Promise.resolve(source()))
  const take = (meeting: Meeting): Promise<ReceiveFileResult> =>
    receiveFile({ ...shared, size, meeting, ...more.receiver })
  if (listens === 'sender') {
    const sent = give(listening(resolve))
    return { sent, arriving: take(connecting(await port)) }
  }
  const arriving = take(listening(resolve))
  return { sent: give(connecting(await port)), arriving }
}

const CHUNK = randomBytes(64 * 1024)
async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield CHUNK
}
const fileOf = (result: ReceiveFileResult): ArrivingFile => {
  if (!result.ok) throw new Error(result.failure.detail)
  return result.file
}
const failureOf = (result: SendFileResult): string => (result.ok ? 'none' : result.failure.kind)

describe.each(['sender', 'receiver'] as const)('where the %s listens', (listens) => {
  it('20 MB arrive as they were, and little of it is ever in memory', async () => {
    const count = 320
    const wanted = createHash('sha256')
    for (let at = 0; at < count; at++) wanted.update(CHUNK)
    let [given, taken, most] = [0, 0, 0]
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < count; at++) {
        given += CHUNK.length
        most = Math.max(most, given - taken)
        yield CHUNK
      }
    }
    const { sent, arriving } = await transfer(listens, count * CHUNK.length, source)
    const file = fileOf(await arriving)
    const hash = createHash('sha256')
    for await (const chunk of file.body) {
      taken += chunk.length
      hash.update(chunk)
    }
    file.done(true)
    expect(await sent).toEqual({ ok: true })
    expect(hash.digest('hex')).toBe(wanted.digest('hex'))
    // What the system holds for a socket is not ours to bound.
    expect(most).toBeLessThan(8 * 1024 * 1024)
  })

  it('who reads slowly makes the sender wait', async () => {
    let given = 0
    const giveUp = new AbortController()
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += CHUNK.length
        yield CHUNK
      }
    }
    const size = 500 * 1024 * 1024
    const both = await transfer(listens, size, endless, { sender: { signal: giveUp.signal } })
    const reader = fileOf(await both.arriving).body[Symbol.asyncIterator]()
    await reader.next()
    let before = -1
    // It stands still once all that may be full is.
    await expect.poll(() => [given === before, (before = given)][0], { interval: 50, timeout: 5_000 }).toBe(true)
    expect(given).toBeLessThan(16 * 1024 * 1024 + MAX_UNTAKEN_BYTES)
    giveUp.abort()
    expect(failureOf(await both.sent)).toBe('aborted')
    await reader.return?.()
  })

  it('an empty file arrives', async () => {
    const { sent, arriving } = await transfer(listens, 0, () => chunks(0))
    const file = fileOf(await arriving)
    for await (const chunk of file.body) expect(chunk.length).toBe(0)
    file.done(true)
    expect(await sent).toEqual({ ok: true })
  })

  it('one that cannot be kept is not reported as received', async () => {
    const { sent, arriving } = await transfer(listens, CHUNK.length, () => chunks(1))
    const file = fileOf(await arriving)
    for await (const chunk of file.body) expect(chunk.length).toBeGreaterThan(0)
    file.done(false)
    expect(failureOf(await sent)).toBe('declined')
  })

  it('the receiver cancels at half', async () => {
    const { sent, arriving } = await transfer(listens, 400 * CHUNK.length, () => chunks(400))
    const file = fileOf(await arriving)
    let got = 0
    for await (const chunk of file.body) {
      got += chunk.length
      if (got > 200 * CHUNK.length) break
    }
    expect(failureOf(await sent)).toBe('declined')
  })

  it('the sender cancels at half', async () => {
    const giveUp = new AbortController()
    const onProgress = (bytes: number): void => {
      if (bytes >= 20 * CHUNK.length) giveUp.abort()
    }
    const sender = { signal: giveUp.signal, onProgress }
    const { sent, arriving } = await transfer(listens, 40 * CHUNK.length, () => chunks(40), { sender })
    const file = fileOf(await arriving)
    await expect(
      (async () => {
        for await (const chunk of file.body) expect(chunk.length).toBeGreaterThan(0)
      })(),
    ).rejects.toThrow('cancelled')
    file.done(false)
    expect(failureOf(await sent)).toBe('aborted')
  })

  it('a source that ends early or breaks is no file', async () => {
    const { sent, arriving } = await transfer(listens, 3 * CHUNK.length, () => chunks(2))
    fileOf(await arriving).done(false)
    expect(['lost', 'declined']).toContain(failureOf(await sent))
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield CHUNK
      throw new Error('gone')
    }
    const broken = await transfer(listens, 3 * CHUNK.length, breaking)
    const body = fileOf(await broken.arriving).body
    await expect(
      (async () => {
        for await (const chunk of body) expect(chunk.length).toBeGreaterThan(0)
      })(),
    ).rejects.toThrow()
    expect(failureOf(await broken.sent)).toBe('lost')
  })
})

describe('a port that waits for one', () => {
  it('is not taken by strangers, nor kept from the one who is meant', async () => {
    const { promise: port, resolve } = Promise.withResolvers<number>()
    const sent = sendFile({ ...shared, size: CHUNK.length, meeting: listening(resolve) }, async () => chunks(1))
    const stranger = connect(await port, HOST)
    open.push(() => stranger.destroy())
    stranger.write('VER MSNFTP\r\nUSR bob@example.com 1\r\nTFR\r\n')
    await once(stranger.resume(), 'close')
    const silent = connect(await port, HOST)
    open.push(() => silent.destroy())
    await once(silent, 'connect')
    const file = fileOf(await receiveFile({ ...shared, size: CHUNK.length, meeting: connecting(await port) }))
    const gone = once(silent.resume(), 'close')
    for await (const chunk of file.body) expect(chunk.length).toBeGreaterThan(0)
    file.done(true)
    expect(await sent).toEqual({ ok: true })
    await gone
    const late = connect(await port, HOST)
    expect(((await once(late, 'error')) as [NodeJS.ErrnoException])[0].code).toBe('ECONNREFUSED')
  })

  it('is one of the range that is free, and none when none is', async () => {
    const other = createServer().listen(0, HOST)
    await once(other, 'listening')
    open.push(() => other.close())
    const { port } = other.address() as { port: number }
    const meeting = listening(() => undefined, new FilePorts({ host: HOST, from: port, to: port }))
    expect(await receiveFile({ ...shared, size: 1, meeting })).toMatchObject({ failure: { kind: 'no-port' } })
  })

  it('is not blocked by one address that connects and says nothing', async () => {
    const { promise: port, resolve } = Promise.withResolvers<number>()
    const sent = sendFile({ ...shared, size: CHUNK.length, meeting: listening(resolve) }, async () => chunks(1))
    const strangers = []
    for (let at = 0; at < MAX_FROM_ADDRESS + 10; at++) {
      const stranger = connect({ port: await port, host: HOST, localAddress: '127.0.0.2' }).resume()
      open.push(() => stranger.destroy())
      await once(stranger, 'connect')
      strangers.push(stranger)
    }
    for (const turned of strangers.slice(MAX_FROM_ADDRESS)) if (!turned.closed) await once(turned, 'close')
    expect(strangers.slice(0, MAX_FROM_ADDRESS).some(({ closed }) => closed)).toBe(false)
    const file = fileOf(await receiveFile({ ...shared, size: CHUNK.length, meeting: connecting(await port) }))
    for await (const chunk of file.body) expect(chunk.length).toBeGreaterThan(0)
    file.done(true)
    expect(await sent).toEqual({ ok: true })
  })

  it('is closed when nobody comes, or when it is given up', async () => {
    const meeting = listening(() => undefined)
    const timings = { handshakeMs: 1 }
    expect(await receiveFile({ ...shared, size: 1, meeting, timings })).toMatchObject({ failure: { kind: 'timeout' } })
    const giveUp = new AbortController()
    const { promise: port, resolve } = Promise.withResolvers<number>()
    const given = receiveFile({ ...shared, signal: giveUp.signal, size: 1, meeting: listening(resolve) })
    await port
    giveUp.abort()
    expect(await given).toMatchObject({ failure: { kind: 'aborted' } })
  })
})

describe('the ports of a range', () => {
  /** Of this process alone. */
  const host = `127.77.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`
  const range = (count: number) => ({ host, from: 6_891, to: 6_890 + count })
  const nobody = (socket: Socket): void => void socket.destroy()

  it('are for one peer one in four; further ones wait, and others come before them', async () => {
    const ports = new FilePorts(range(8))
    const [one, two] = [await ports.open('mallory', nobody, never), await ports.open('mallory', nobody, never)]
    const came: string[] = []
    const wanted = (peer: string) => {
      const opened = ports.open(peer, nobody, never)
      void opened.then(() => came.push(peer))
      return opened
    }
    const third = wanted('mallory')
    const others = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((peer) => wanted(peer)))
    expect([came.length, new Set([one, two, ...others].map((each) => each?.port)).size]).toEqual([6, 8])
    const late = wanted('bob')
    one?.close()
    one?.close()
    await late
    expect(came.slice(6)).toEqual(['bob'])
    two?.close()
    await third
    expect(came.slice(7)).toEqual(['mallory'])
    for (const each of [...others, await late, await third]) each?.close()
  })

  it('are not waited for without end, nor by whoever gave up', async () => {
    const ports = new FilePorts(range(1), 1)
    const only = await ports.open('a', nobody, never)
    expect(await ports.open('b', nobody, never)).toBeUndefined()
    only?.close()
    const patient = new FilePorts(range(1))
    const first = await patient.open('a', nobody, never)
    const giveUp = new AbortController()
    const given = patient.open('b', nobody, giveUp.signal)
    giveUp.abort()
    expect(await given).toBeUndefined()
    first?.close()
    const last = await patient.open('c', nobody, never)
    expect(last?.port).toBe(6_891)
    last?.close()
  })
})

describe('a connection', () => {
  it('goes only where it may', async () => {
    const met: Socket[] = []
    const trap = createServer((socket) => met.push(socket)).listen(0, HOST)
    await once(trap, 'listening')
    open.push(() => trap.close())
    const { port } = trap.address() as { port: number }
    const mayConnect = allowedAddresses(['public', '198.51.100.0/24'])
    const addresses = [HOST, '::1', '::ffff:127.0.0.1', '10.0.0.1', '169.254.169.254'].map((host) => ({ host, port }))
    const meeting: Meeting = { kind: 'connect', addresses, mayConnect }
    expect(await receiveFile({ ...shared, size: 1, meeting })).toMatchObject({ failure: { kind: 'not-allowed' } })
    expect(met).toEqual([])
  })

  it('to nobody, or to somebody who hangs up or talks nonsense, fails', async () => {
    const gone = await receiveFile({ ...shared, size: 1, meeting: connecting(1) })
    expect(gone).toMatchObject({ failure: { kind: 'unreachable' } })
    for (const [answer, kind] of [
      ['', 'lost'],
      ['HTTP/1.1 200 OK\r\n', 'protocol'],
      ['VER MSNFTP\r\nFIL 2\r\n', 'protocol'],
    ] as const) {
      const server = createServer((socket) =>
        socket
          .on('error', () => undefined)
          .resume()
          .end(answer),
      ).listen(0, HOST)
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      expect(await receiveFile({ ...shared, size: 1, meeting: connecting(port) })).toMatchObject({ failure: { kind } })
      server.close()
    }
  })
})

describe('who may be connected to', () => {
  it.each([
    [[], '203.0.113.5', false],
    [['public'], '203.0.113.5', true],
    [['public'], '192.168.1.5', false],
    [['public'], '::ffff:10.0.0.1', false],
    [['public'], '0.0.0.0', false],
    [['public'], 'localhost', false],
    [['192.168.1.0/24'], '192.168.1.5', true],
    [['192.168.1.0/24'], '::ffff:192.168.1.5', true],
    [['192.168.1.0/24'], '192.168.2.5', false],
    [['127.0.0.1'], '127.0.0.1', true],
    [['127.0.0.1'], '127.1', false],
    [['2001:db8::/32'], '2001:db8::1', true],
    [['nonsense', '1.2.3.4/99'], '1.2.3.4', false],
  ] as const)('%j: %s %s', (allow, address, may) => {
    expect(allowedAddresses(allow)(address)).toBe(may)
  })

  it.each(['', 'example.org', '1.2.3.4/33', '1.2.3.4/x', '1.2.3.4/8/8', '::1/129'])('%j is wrong', (entry) => {
    expect(wrongAllowance(entry)).toBeDefined()
  })
})
