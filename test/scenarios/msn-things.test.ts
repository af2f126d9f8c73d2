/** What a Messenger can send besides words, through the daemon to people on Matrix and IRC. */
import { afterAll, afterEach, beforeAll, describe as always, expect, test } from 'vitest'
import { cabinet } from '../kit/cabinet.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { missing } from '../kit/foreign-server.ts'
import { bodyOf, kindOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import { msnobj, PeerRoom } from '../kit/p2p-messenger.ts'
import { someBytes } from '../kit/p2p-room.ts'
import { address, World } from '../kit/world.ts'

const THUMB = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), someBytes(2_000, 5)])
const WINK = cabinet(
  [
    { name: 'content.xml', data: Buffer.from('<package/>') },
    { name: 'kiss.swf', data: someBytes(40_000, 6) },
    { name: 'thumb.png', data: THUMB },
  ],
  { packed: true },
)
/** A WAVE file with the codec Siren. */
const VOICE = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt \x14\0\0\0\x8e\x02', 'latin1'), someBytes(4_000, 7)])
const GIF = Buffer.concat([Buffer.from('GIF89a'), someBytes(3_000, 8)])

const datacast = (id: number, data: string): string =>
  `MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: ${id}\r\nData: ${data}\r\n\r\n`
const wink = (from: string): string =>
  msnobj(from, WINK, 8).replace('Friendly="AAA="', `Friendly="${Buffer.from('Kiss\0', 'utf16le').toString('base64')}"`)

/** As Messenger sends what does not fit: the type in the first part alone. */
const inChunks = (room: Room, type: string, body: string): void => {
  const parts = body.match(/[^]{1,1202}/g) ?? []
  for (const [at, part] of parts.entries()) {
    const head =
      at === 0
        ? `MIME-Version: 1.0\r\nContent-Type: ${type}\r\nMessage-ID: {D1}\r\nChunks: ${parts.length}`
        : `Message-ID: {D1}\r\nChunk: ${at}`
    room.send(`${head}\r\n\r\n${part}`)
  }
}
const invites = (room: Room, name: string, guid: string): number =>
  room.send(
    `MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\nApplication-Name: ${name}\r\nApplication-GUID: ${guid}\r\nSession-Protocol: SM1\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 4711\r\nSession-ID: {0}\r\n\r\n`,
  )

always('in Matrix', () => {
  let world: MatrixWorld
  let alice: MatrixPerson
  let bob: Messenger
  let room: Room
  let peer: PeerRoom
  let portal: string

  beforeAll(async () => {
    world = await MatrixWorld.start({ start: (options) => FakeHomeserver.start(options) })
    const resident = await world.resident()
    alice = resident.person
    bob = await world.messenger('bob')
    await world.ask(resident, `accept ${address('bob')}`)
    room = await bob.call(address('alice'))
    peer = new PeerRoom(room, address('bob'), address('alice'))
    await room.acked(room.text('hello alice'))
    portal = await world.portal(alice, 'bob')
    await alice.waitForMessage(portal, 'hello alice')
  }, 60_000)
  afterAll(() => world.stop())

  const kept = (uri: unknown): Buffer => {
    const place = String(uri)
    return world.fake.state.media.get(place.slice(place.lastIndexOf('/') + 1))?.bytes ?? Buffer.alloc(0)
  }
  const shown = (kind: string) => alice.waitForMessage(portal, (event) => kindOf(event) === kind)

  test('a wink is its picture with its name', async () => {
    room.send(datacast(2, wink(address('bob'))))
    expect(await peer.serve(WINK)).toBe(`${wink(address('bob'))}\0`)
    const image = await shown('m.image')
    expect(image.content).toMatchObject({ body: 'sends the wink "Kiss"', info: { mimetype: 'image/png' } })
    expect(image.sender).toBe(world.ghost('bob'))
    expect(kept(image.content['url']).equals(THUMB)).toBe(true)
  })

  test('a voice clip is audio', async () => {
    room.send(datacast(3, msnobj(address('bob'), VOICE, 11)))
    await peer.serve(VOICE)
    const audio = await shown('m.audio')
    expect(audio.content).toMatchObject({ body: 'voice clip.wav', info: { mimetype: 'audio/wav', size: VOICE.length } })
    expect(kept(audio.content['url']).equals(VOICE)).toBe(true)
  })

  test('a drawing in chunks is a picture', async () => {
    inChunks(room, 'image/gif', `base64:${GIF.toString('base64')}`)
    const image = await alice.waitForMessage(portal, 'drawing.gif')
    expect([kindOf(image), kept(image.content['url']).equals(GIF)]).toEqual(['m.image', true])
  })

  test('a text in chunks is one message, in its look, whatever its font', async () => {
    const head = 'text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=Comic%20Sans%20MS; EF=BS; CO=8000; CS=0; PF=42'
    inChunks(room, head, `begin ${'x'.repeat(3_000)} end`)
    const message = await alice.waitForMessage(portal, (event) => bodyOf(event).startsWith('begin '))
    expect(bodyOf(message)).toBe(`begin ${'x'.repeat(3_000)} end`)
    const html = String(message.content['formatted_body'])
    expect(html).toMatch(/#008000/)
    expect(html).toMatch(/<strong>/)
    expect(JSON.stringify(message.content)).not.toMatch(/Comic/)
  })

  test('an action and a nudge are what they say', async () => {
    room.send(datacast(4, 'dances'))
    expect(kindOf(await alice.waitForMessage(portal, 'dances'))).toBe('m.emote')
    room.send(datacast(1, ''))
    expect(kindOf(await alice.waitForMessage(portal, 'sends a nudge'))).toBe('m.emote')
  })

  test('what cannot be done is declined with the right code, and told in one line', async () => {
    invites(room, 'NetMeeting', '{44BBA842-CC51-11CF-AAFA-00AA00B6015C}')
    const declined = await room.wire.next((line) => line.payload.includes('Invitation-Command: CANCEL'))
    expect(declined.payload).toMatch(/Invitation-Cookie: 4711\r\nCancel-Code: REJECT_NOT_INSTALLED\r\n/)
    expect(await peer.invite('{4BD96FC0-AB17-4425-A14A-439185962DC8}')).toBe(603)
    const told = await alice.waitForMessage(portal, 'invites you to NetMeeting; msn-bridge cannot do that')
    expect(kindOf(told)).toBe('m.notice')
    await alice.waitForMessage(portal, 'invites you to see their webcam; msn-bridge cannot do that')
  })
})

const describe = always.skipIf(missing('inspircd'))
describe('on IRC', () => {
  let world: World | undefined
  afterEach(async () => {
    await world?.stop()
    world = undefined
  })

  test('it is a link or a line of words', async () => {
    const link = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
    world = await World.start({ links: [link] })
    const bob = await world.messenger('bob')
    const amy = await world.irc('amy', '#bob')
    const room = await bob.call(address('relay'))
    const peer = new PeerRoom(room, address('bob'), address('relay'))
    const said = (what: string): string[] => amy.said('msnbridge', '#bob').filter((line) => line.includes(what))
    room.send(datacast(2, wink(address('bob'))))
    await peer.serve(WINK)
    await amy.until(() => said('http').length > 0)
    expect(said('wink')).toEqual([expect.stringMatching(/sends the wink "Kiss"$/)])
    const [picture = ''] = said('http')
    expect(picture).toMatch(/sends an image: Kiss\.png \(2 kB\) http:\/\/\S+$/)
    const url = /http:\/\/\S+/.exec(picture)?.[0] ?? ''
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(THUMB)).toBe(true)
    // Red and slanted.
    room.text('roses', 'A', 'FN=Comic%20Sans%20MS; EF=I; CO=ff; CS=0; PF=42')
    await amy.until(() => said('roses').length > 0)
    expect(said('roses')[0]).toMatch(/\x1d.*\x03\d+|\x03\d+.*\x1d/)
    expect(said('Comic')).toEqual([])
    invites(room, 'Chess', '{0}')
    await amy.until(() => said('Chess').length > 0)
    expect(said('Chess')).toEqual([expect.stringMatching(/invites you to "Chess"; msn-bridge cannot do that$/)])
  }, 60_000)
})
