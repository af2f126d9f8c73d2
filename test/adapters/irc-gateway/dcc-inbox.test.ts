/** Files that clients offer by DCC SEND, over real sockets. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { DccInbox, MAX_OF_PERSON, type InboxOptions } from '../../../adapters/irc-gateway/dcc-inbox.ts'
import { comesFrom } from '../../../adapters/irc-gateway/dcc-meet.ts'
import { parseOffer, sameAddress, type FileOffer } from '../../../adapters/irc-gateway/dcc-offer.ts'
import type { ClientPort, Face } from '../../../adapters/irc-gateway/types.ts'
import type { ServerMessage } from '../../../adapters/irc-gateway/wire/message.ts'
import type { FileAbout, PutResult } from '../../../bridge/adapter.ts'
import { systemClock } from '../../../bridge/clock.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import { Watch } from '../../kit/watch.ts'

const HOST = '127.0.0.1'
const CONTENT = Buffer.alloc(200_000, 'abc')
const FILE = { network: '~files' as NetworkId, ref: 'x', name: 'me.png', media: 'image' } as const
const STORED: PutResult = { kind: 'stored', file: FILE }
const root = { nick: 'root', ident: 'root', host: 'localhost' } as Face
const MAX = 300_000

const servers: Server[] = []
const sockets: Socket[] = []
const made: DccInbox[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
  for (const inbox of made.splice(0)) inbox.stop()
})

const rig = (
  receive: InboxOptions['receive'] = 'any',
  more: Partial<ClientPort> = {},
  keep: () => Promise<PutResult> = () => Promise.resolve(STORED),
) => {
  const sent: ServerMessage[] = []
  const kept: { about: FileAbout; bytes: Buffer }[] = []
  const watch = new Watch()
  const files = {
    maxBytes: MAX,
    refusal: () => undefined,
    open: () => Promise.reject(new Error('not asked')),
    put: async (body: AsyncIterable<Uint8Array>, about: FileAbout): Promise<PutResult> => {
      const pieces: Uint8Array[] = []
      try {
        for await (const piece of body) pieces.push(piece)
      } catch {
        return { kind: 'refused', reason: 'network', detail: 'the file broke off' }
      }
      kept.push({ about, bytes: Buffer.concat(pieces) })
      return keep()
    },
  }
  const inbox = new DccInbox({ network: 'irc' as NetworkId, context: { files, clock: systemClock }, receive })
  made.push(inbox)
  const client = {
    nick: 'alice',
    host: HOST,
    localAddress: HOST,
    person: { user: 'alice' },
    send: (message: ServerMessage) => {
      sent.push(message)
      watch.changed()
    },
    ...more,
  } as ClientPort
  const take = (offer: FileOffer, by: Partial<ClientPort> = {}) => inbox.take({ ...client, ...by }, root, offer, MAX)
  return { inbox, kept, take, said: () => watch.until(() => sent[0]?.params[1]) }
}

/** A client that listens, and sends this to whoever comes. Answers with the port, and what was confirmed. */
const listening = async (give: (socket: Socket) => void, allowHalfOpen = false) => {
  const confirmed: Buffer[] = []
  const server = createServer({ allowHalfOpen }, (socket) => {
    sockets.push(socket)
    socket.on('data', (chunk: Buffer) => confirmed.push(chunk)).on('error', () => undefined)
    give(socket)
  })
  servers.push(server)
  server.listen(0, HOST)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, confirmed }
}

const offer = (more: Partial<FileOffer> = {}): FileOffer => ({
  name: 'me.png',
  address: HOST,
  port: 5000,
  size: CONTENT.length,
  ...more,
})

test('a file is fetched from the client, and confirmed to its end', async () => {
  const { kept, take } = rig()
  const { port, confirmed } = await listening((socket) => socket.write(CONTENT))
  expect(await take(offer({ port }))).toEqual(STORED)
  expect(kept).toEqual([
    { about: { from: { network: 'irc', user: 'alice' }, name: 'me.png', maxBytes: MAX }, bytes: CONTENT },
  ])
  await once(sockets[0]!, 'end')
  expect(lastOf(confirmed)).toBe(CONTENT.length)
})

const lastOf = (confirmed: readonly Buffer[]): number => {
  const said = Buffer.concat(confirmed)
  return said.length < 4 ? 0 : said.readUInt32BE(said.length - 4)
}

test('its end is confirmed when it is kept, and not when it cannot be', async () => {
  const full: PutResult = { kind: 'refused', reason: 'network', detail: 'the disk is full' }
  const storing = Promise.withResolvers<PutResult>()
  const watch = new Watch()
  const { kept, take } = rig('any', {}, () => {
    watch.changed()
    return storing.promise
  })
  const { port, confirmed } = await listening((socket) => socket.write(CONTENT))
  const taken = take(offer({ port }))
  await watch.until(() => kept[0])
  storing.resolve(full)
  expect(await taken).toEqual(full)
  await once(sockets[0]!, 'close')
  expect(lastOf(confirmed)).toBeLessThan(CONTENT.length)
})

test('a client that never hangs up is hung up on', async () => {
  const { take } = rig()
  const { port } = await listening((socket) => socket.write(CONTENT), true)
  expect(await take(offer({ port }))).toEqual(STORED)
  const socket = sockets[0]!
  const goOn = (error?: Error | null): void => {
    if (!(error instanceof Error)) socket.write(CONTENT, goOn)
  }
  goOn()
  await expect(once(socket, 'close')).rejects.toThrow(/EPIPE|ECONNRESET/)
})

test('more than was said is not taken, and less is no file', async () => {
  const { kept, take } = rig()
  const more = await listening((socket) => socket.write(CONTENT))
  expect(await take(offer({ port: more.port, size: 100_000 }))).toEqual(STORED)
  expect(kept[0]?.bytes.length).toBe(100_000)
  const less = await listening((socket) => socket.end(CONTENT.subarray(0, 1_000)))
  expect(await take(offer({ port: less.port }))).toMatchObject({ detail: 'the file broke off' })
  const cut = await listening((socket) => socket.resetAndDestroy())
  expect(await take(offer({ port: cut.port }))).toMatchObject({ kind: 'refused' })
})

test('a passive offer is answered with where to come, for nobody but the client', async () => {
  const { kept, take, said } = rig('passive')
  const taken = take(offer({ name: 'my face.png', address: '1.1.1.1', port: 0, token: '42' }))
  // In the words of the client: irssi looks for its offer by the name.
  const words = /^\x01DCC SEND "my face\.png" 2130706433 (\d+) 200000 42\x01$/.exec(await said())
  const stranger = connect({ host: HOST, port: Number(words?.[1]), localAddress: '127.0.0.2' })
  await once(stranger, 'close')
  const socket = connect(Number(words?.[1]), HOST)
  sockets.push(socket)
  socket.on('data', () => undefined).write(CONTENT)
  expect(await taken).toEqual(STORED)
  expect(kept[0]?.bytes.equals(CONTENT)).toBe(true)
})

test.each<[string, Partial<FileOffer>, InboxOptions['receive'], Partial<ClientPort>, RegExp]>([
  [
    'from another address',
    { address: '10.0.0.1' },
    'any',
    {},
    /at 10\.0\.0\.1, but comes from 127\.0\.0\.1: .*passive/,
  ],
  ['from a port of the system', { port: 22 }, 'any', {}, /^a port below 1024/],
  ['where we connect to nobody', {}, 'passive', {}, /^this gateway connects to nobody/],
  ['where none is taken', {}, 'off', {}, /^this gateway takes no files/],
  ['that is too large', { size: MAX + 1 }, 'any', {}, /^it has 301 kB, and may have 300 kB$/],
  ['of nothing', { size: 0 }, 'any', {}, /^it does not say how large/],
  ['passively without a token', { port: 0 }, 'any', {}, /^a port below 1024/],
  ['by a client that is gone', {}, 'any', { localAddress: undefined }, /not connected any more/],
])('a file %s is not taken', async (_, more, receive, client, detail) => {
  const { take, kept } = rig(receive, client)
  const result = await take(offer(more))
  expect(result).toMatchObject({ kind: 'refused', detail: expect.stringMatching(detail) as unknown })
  expect(kept).toEqual([])
})

test('one of unknown size is none, nor one where nobody listens', async () => {
  const { take } = rig()
  expect(await take({ name: 'me.png', address: HOST, port: 5000 })).toMatchObject({ reason: 'unsupported' })
  const { port } = await listening(() => undefined)
  servers.splice(0)[0]?.close()
  expect(await take(offer({ port }))).toMatchObject({ detail: 'no connection with your client came about' })
})

test('only so many come at once from one person, by whatever client, and all end with the gateway', async () => {
  const { inbox, take } = rig()
  const { port } = await listening(() => undefined)
  const under = Array.from({ length: MAX_OF_PERSON }, () => take(offer({ port })))
  expect(await take(offer({ port }), { nick: 'alice2' })).toMatchObject({ reason: 'rate-limited' })
  inbox.stop()
  for (const one of await Promise.all(under)) expect(one).toMatchObject({ kind: 'refused' })
  expect(await take(offer({ port }))).toMatchObject({ kind: 'refused' })
})

test('a connection that cannot be accepted is no end of the bridge', async () => {
  const server = createServer()
  servers.push(server)
  server.listen(0, HOST)
  await once(server, 'listening')
  const coming = comesFrom(server, HOST, systemClock, new AbortController().signal)
  server.emit('error', new Error('accept ENFILE'))
  sockets.push(connect((server.address() as AddressInfo).port, HOST))
  const socket = await coming
  expect(socket?.remoteAddress).toBe(HOST)
  socket?.destroy()
})

test.each<[string, FileOffer | undefined]>([
  ['SEND me.png 2130706433 5000 300', { name: 'me.png', address: HOST, port: 5000, size: 300 }],
  ['send "my face.png" 2130706433 5000 300', { name: 'my face.png', address: HOST, port: 5000, size: 300 }],
  ['SEND me.png ::1 5000', { name: 'me.png', address: '::1', port: 5000 }],
  ['SEND me.png 16843009 0 300 17', { name: 'me.png', address: '1.1.1.1', port: 0, size: 300, token: '17' }],
  ['SEND me.png 4294967296 5000 300', undefined],
  ['SEND me.png 127.1 5000 300', undefined],
  ['SEND me.png localhost 5000 300', undefined],
  ['SEND me.png 2130706433 70000 300', undefined],
  ['CHAT chat 2130706433 5000', undefined],
  ['SEND', undefined],
])('"DCC %s" is read', (words, read) => {
  expect(parseOffer(words)).toEqual(read)
})

test('an address is the same however it is written', () => {
  expect(sameAddress('::1', '0::1')).toBe(true)
  expect(sameAddress('2001:DB8::1', '2001:db8:0::1')).toBe(true)
  expect(sameAddress('127.0.0.1', '127.0.0.2')).toBe(false)
})
