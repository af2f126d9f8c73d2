/** Files by DCC SEND, over real sockets. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { Dcc, MAX_DCC } from '../../../adapters/irc-gateway/dcc.ts'
import type { ClientPort, Face } from '../../../adapters/irc-gateway/types.ts'
import type { ServerMessage } from '../../../adapters/irc-gateway/wire/message.ts'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { MediaResult } from '../../../bridge/model/result.ts'
import { systemClock } from '../../../bridge/clock.ts'
import { nobody } from '../../kit/nobody.ts'
import { recordingLog } from '../../kit/observers.ts'
import { Watch } from '../../kit/watch.ts'

const HOST = '127.0.0.1'
const CONTENT = Buffer.alloc(300_000, 'abc')
const FILE: FileRef = { network: '~files' as NetworkId, ref: 'x', name: 'my "cat".png', media: 'image' }
const bob = { nick: 'bob', ident: 'bob', host: 'example.com' } as Face

const sockets: Socket[] = []
const made: Dcc[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const dcc of made.splice(0)) dcc.stop()
})

const rig = (
  open: () => MediaResult = () => ({ kind: 'media', body: new Blob([CONTENT]).stream(), size: CONTENT.length }),
  client: Partial<ClientPort> = {},
) => {
  const sent: ServerMessage[] = []
  const told: string[] = []
  const watch = new Watch()
  const files = { ...nobody.files, open: async () => open() }
  const dcc = new Dcc({ files, clock: systemClock, log: recordingLog() })
  made.push(dcc)
  const port = {
    nick: 'alice',
    host: HOST,
    localAddress: HOST,
    send: (message: ServerMessage) => void sent.push(message),
    ...client,
  } as ClientPort
  const offer = (file = FILE): Promise<string> =>
    dcc.send(port, bob, file, (line) => {
      told.push(line)
      watch.changed()
    })
  return { dcc, sent, offer, told: () => watch.until(() => told[0]) }
}

const dial = async ({ params }: ServerMessage): Promise<Socket> => {
  const port = /^\x01DCC SEND my_cat_\.png 2130706433 (\d+) 300000\x01$/.exec(params[1] ?? '')?.[1]
  const socket = connect(Number(port), HOST)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}
const ack = (bytes: number): Buffer => {
  const four = Buffer.alloc(4)
  four.writeUInt32BE(bytes)
  return four
}

test('a file is offered by the contact, fetched from us, and said to have arrived', async () => {
  const { sent, offer, told } = rig()
  expect(await offer()).toBe(
    'The file my_cat_.png is offered to your client by DCC: accept it there within two minutes.',
  )
  expect(sent[0]).toMatchObject({
    source: 'bob!bob@example.com',
    verb: 'PRIVMSG',
    params: ['alice', expect.anything()],
  })
  const socket = await dial(sent[0]!)
  const got: Buffer[] = []
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk)
    bytes += chunk.length
    // As clients do, in whatever pieces the network makes of it.
    for (const byte of ack(bytes)) socket.write(Buffer.from([byte]))
  })
  expect(await told()).toBe('The file my_cat_.png has arrived.')
  expect(Buffer.concat(got).equals(CONTENT)).toBe(true)
})

test('a client that says nothing and hangs up at the end has it', async () => {
  const { sent, offer, told } = rig()
  await offer()
  const socket = await dial(sent[0]!)
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes === CONTENT.length) socket.end()
  })
  expect(await told()).toBe('The file my_cat_.png has arrived.')
})

test('one that hangs up in the middle has it not, nor has one that never comes', async () => {
  const half = rig()
  await half.offer()
  const socket = await dial(half.sent[0]!)
  socket.once('data', () => socket.resetAndDestroy())
  expect(await half.told()).toBe('The file my_cat_.png was not fetched, or not to its end.')
  const never = rig()
  await never.offer()
  never.dcc.stop()
  expect(await never.told()).toContain('was not fetched')
})

test('nobody else may fetch it', async () => {
  const { sent, offer } = rig(undefined, { host: '192.0.2.1' })
  await offer()
  const socket = await dial(sent[0]!)
  expect(await buffer(socket)).toHaveLength(0)
})

test.each<[string, () => MediaResult, Partial<ClientPort>, string]>([
  [
    'gone',
    () => ({ kind: 'refused', reason: 'not-found', detail: 'it is gone' }),
    {},
    'The file cannot be had: it is gone.',
  ],
  [
    'of unknown size',
    () => ({ kind: 'media', body: new Blob(['x']).stream() }),
    {},
    'The file cannot be had: nobody knows how large it is.',
  ],
  [
    'for a client that is gone',
    () => ({ kind: 'refused', reason: 'network', detail: '' }),
    { localAddress: undefined },
    'Your client cannot be offered a file.',
  ],
])('a file that is %s is not offered', async (_, open, client, words) => {
  const { sent, offer } = rig(open, client)
  expect(await offer()).toBe(words)
  expect(sent).toEqual([])
})

test('only so many are on their way at once', async () => {
  const { offer } = rig()
  for (let at = 0; at < MAX_DCC; at++) expect(await offer()).toContain('is offered')
  expect(await offer()).toContain('Too many files')
})
