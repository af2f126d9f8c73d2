/** Files through the whole of it: a classic client, the daemon, and people on Matrix and IRC. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe as always, expect, test } from 'vitest'
import * as old from '../kit/classic-file.ts'
import { missing } from '../kit/foreign-server.ts'
import { CONTROL, GatewayWorld } from '../kit/gateway-world.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, kindOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import { address, World } from '../kit/world.ts'

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), randomBytes(3_000_000)])
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const FILES = '    files: { protocol: msnftp, listen: 127.0.0.1, first_port: 0, last_port: 0 }'
const QUICK = `    timing: { backoff_ms: [100, 200, 400] }\n${FILES}`

/** Sends a file as a client does whose user has chosen one; answers the last line of the bridge. */
const send = async (room: Room, to: string, name: string, bytes: Buffer): Promise<string> => {
  old.offer(room, name, bytes.length)
  const accepted = await old.heard(room)
  const socket = await old.dial(Number(accepted['port']))
  const cookie = accepted['authcookie'] ?? ''
  return old.give(socket, { size: bytes.length, content: () => [bytes], to, cookie })
}

onEachHomeserver((start) => {
  let world: MatrixWorld
  let alice: MatrixPerson
  let bob: Messenger
  let room: Room
  let portal: string

  beforeAll(async () => {
    world = await MatrixWorld.start({ start, msn: QUICK })
    const resident = await world.resident()
    alice = resident.person
    // Whose client can take files is known of those on the list, when they are online.
    await world.ask(resident, `add ${address('bob')}`)
    bob = await world.messenger('bob')
    room = await bob.call(address('alice'))
    await room.acked(room.text('hello alice'))
    portal = await world.portal(alice, 'bob')
    await alice.waitForMessage(portal, 'hello alice')
    await bob.status('BSY')
    await alice.waitForPresence(world.ghost('bob'), (seen) => seen.presence === 'unavailable')
  }, 60_000)
  afterAll(() => world.stop())

  const download = async (mxc: unknown): Promise<Buffer> => {
    const place = String(mxc).replace('mxc://', '')
    const answer = await fetch(`http://127.0.0.1:${world.ports.homeserver}/_matrix/client/v1/media/download/${place}`, {
      headers: { authorization: `Bearer ${await alice.token()}` },
    })
    expect(answer.status).toBe(200)
    return Buffer.from(await answer.arrayBuffer())
  }

  test('a picture from Messenger is a picture in Matrix', async () => {
    expect(await send(room, address('alice'), 'C:\\My Pictures\\ünser hund.png', PNG)).toBe('BYE 16777989')
    const shown = await alice.waitForMessage(portal, (event) => kindOf(event) === 'm.image')
    expect(shown.sender).toBe(world.ghost('bob'))
    expect(shown.content).toMatchObject({
      body: 'ünser hund.png',
      info: { mimetype: 'image/png', size: PNG.length },
    })
    expect(sha256(await download(shown.content['url']))).toBe(sha256(PNG))
  })

  test('a file from Messenger is a file in Matrix, and one that is too large is a notice', async () => {
    await send(room, address('alice'), 'notes.html', Buffer.from('<script>alert(1)</script>'))
    const shown = await alice.waitForMessage(portal, (event) => kindOf(event) === 'm.file')
    expect(shown.content).toMatchObject({ body: 'notes.html', info: { mimetype: 'application/octet-stream' } })
    old.offer(room, 'film.avi', 700_000_000)
    expect(await old.heard(room)).toMatchObject({ 'invitation-command': 'CANCEL', 'cancel-code': 'REJECT' })
    const told = await alice.waitForMessage(portal, 'film.avi')
    expect([kindOf(told), bodyOf(told)]).toEqual([
      'm.notice',
      'offers the file "film.avi" (700.0 MB), which the bridge does not take: it is too large, 50.0 MB at most',
    ])
  })

  test('a picture from Matrix is offered to Messenger, and arrives there', async () => {
    await alice.sendImage(portal, PNG, 'cat.png')
    const offered = await old.heard(room)
    expect(offered).toMatchObject({ 'application-file': 'cat.png', 'application-filesize': String(PNG.length) })
    old.invite(room, {
      'Invitation-Command': 'ACCEPT',
      'Invitation-Cookie': offered['invitation-cookie'] ?? '',
      'Launch-Application': 'FALSE',
      'Request-Data': 'IP-Address:',
    })
    const place = await old.heard(room)
    const socket = await old.dial(Number(place['port']))
    const got = await old.take(socket, { email: address('bob'), cookie: place['authcookie'] ?? '' })
    expect(got).toEqual({ bytes: PNG.length, sha256: sha256(PNG) })
    await alice.waitForMessage(portal, 'has received the file "cat.png"')
  })
})

const describe = always.skipIf(missing('inspircd'))
describe('on IRC', () => {
  let world: World | undefined
  afterEach(async () => {
    await world?.stop()
    world = undefined
  })

  test('a file from Messenger is a link, once, which outlives the daemon', async () => {
    const link = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
    world = await World.start({ links: [link], msn: QUICK })
    const bob = await world.messenger('bob')
    const amy = await world.irc('amy', '#bob')
    const room = await bob.call(address('relay'))
    expect(await send(room, address('relay'), 'holiday.png', PNG)).toBe('BYE 16777989')
    const said = (): string[] => amy.said('msnbridge', '#bob').filter((line) => line.includes('holiday.png'))
    await amy.until(() => said().length > 0)
    expect(said()).toEqual([
      expect.stringMatching(/^<b\u200bob> sends an image: holiday\.png \(3\.0 MB\) http:\/\/\S+$/),
    ])
    const url = /http:\/\/\S+/.exec(said()[0] ?? '')?.[0] ?? ''
    const fetched = async (): Promise<string> => sha256(new Uint8Array(await (await fetch(url)).arrayBuffer()))
    expect(await fetched()).toBe(sha256(PNG))
    await world.kill()
    await world.run()
    expect(await fetched()).toBe(sha256(PNG))
    expect(said()).toHaveLength(1)
  }, 60_000)
})

test('a file from Messenger is a link in the gateway, and comes by DCC to whoever asks', async () => {
  const gateway = await GatewayWorld.start()
  try {
    const alice = await gateway.newcomer('alice')
    const bob = await gateway.messenger('bob')
    await bob.add(address('alice'))
    alice.say(CONTROL, `add ${address('bob')} bob`)
    await alice.next(/^:bob!\S+ JOIN /)
    const room = await bob.call(address('alice'))
    expect(await send(room, address('alice'), 'holiday.png', PNG)).toBe('BYE 16777989')
    await alice.next(/^:bob!\S+ PRIVMSG alice :sends an image: holiday\.png \(3\.0 MB\) http:\/\/\S+\/holiday\.png$/)
    alice.say(CONTROL, 'transfer bob')
    await alice.next(/ :0, holiday\.png \(3000016 bytes\)$/)
    alice.say(CONTROL, 'transfer bob 0')
    const offered = await alice.next(/^:bob!\S+ PRIVMSG alice :\x01DCC SEND holiday\.png 2130706433 \d+ 3000016\x01$/)
    const socket = await old.dial(Number(offered.split(' ').at(-2)))
    const got: Buffer[] = []
    let bytes = 0
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      got.push(chunk)
      bytes += chunk.length
      const four = Buffer.alloc(4)
      four.writeUInt32BE(bytes)
      socket.write(four)
    }
    expect(sha256(Buffer.concat(got))).toBe(sha256(PNG))
    await alice.next(/ :The file holiday\.png has arrived\.$/)
  } finally {
    await gateway.stop()
  }
}, 60_000)
