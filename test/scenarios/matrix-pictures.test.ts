/** Display pictures between a Messenger and Matrix: the right bytes, in both directions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, type Resident } from '../kit/matrix-world.ts'
import type { Messenger } from '../kit/messenger.ts'
import { msnobj, PeerRoom, sha1 } from '../kit/p2p-messenger.ts'
import { someBytes } from '../kit/p2p-room.ts'
import { address } from '../kit/world.ts'

/** Begins like a PNG; the rest is of no matter to anybody on the way. */
const picture = (bytes: number, seed: number): Buffer =>
  Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), someBytes(bytes - 8, seed)])

describe('a picture', () => {
  let world: MatrixWorld
  let alice: Resident
  let bob: Messenger
  beforeAll(async () => {
    world = await MatrixWorld.start({ start: (options) => FakeHomeserver.start(options) })
    alice = await world.resident('alice')
    bob = await world.messenger('bob')
    await world.ask(alice, `accept ${address('bob')}`)
  }, 60_000)
  afterAll(() => world.stop())

  it('of an MSN contact becomes the avatar of their ghost, with the same bytes', async () => {
    const face = picture(7_000, 1)
    await bob.status('NLN', msnobj(address('bob'), face))
    // The bridge calls, asks, and hangs up.
    const peer = new PeerRoom(await bob.answer(), address('bob'), address('alice'))
    expect(await peer.serve(face)).toBe(`${msnobj(address('bob'), face)}\0`)
    expect(Math.max(...peer.sizes)).toBe(1202)
    await peer.room.wire.next(`BYE ${address('alice')}`)
    const room = await bob.call(address('alice'))
    room.text('hello')
    const portal = await world.portal(alice.person, 'bob')
    const shown = () => alice.person.state(portal, 'm.room.member', world.ghost('bob'))?.['avatar_url']
    const uri = String(await alice.person.until(shown, () => 'the ghost shows no picture'))
    const kept = world.fake.state.media.get(uri.slice(uri.lastIndexOf('/') + 1))
    expect(kept?.type).toBe('image/png')
    expect(sha1(kept?.bytes ?? Buffer.alloc(0))).toBe(sha1(face))
  })

  it('that stands for a code is shown in the line where it is used', async () => {
    const smile = picture(3_000, 3)
    const room = await bob.call(address('alice'))
    const object = msnobj(address('bob'), smile, 2)
    room.send(`MIME-Version: 1.0\r\nContent-Type: text/x-mms-emoticon\r\n\r\n:x:\t${object}\t`)
    room.text('look :x: there')
    room.text('and after it')
    const peer = new PeerRoom(room, address('bob'), address('alice'))
    expect(await peer.serve(smile)).toBe(`${object}\0`)
    const portal = await world.portal(alice.person, 'bob')
    const heard = await alice.person.waitForMessage(portal, 'look :x: there')
    const html = String(heard.content['formatted_body'])
    const [, id] =
      /^look <img data-mx-emoticon src="mxc:\/\/[^/]+\/(\w+)" alt=":x:" title=":x:" height="32" \/> there$/.exec(
        html,
      ) ?? []
    expect(sha1(world.fake.state.media.get(id ?? '')?.bytes ?? Buffer.alloc(0))).toBe(sha1(smile))
    await alice.person.waitForMessage(portal, 'and after it')
    const order = alice.person.messages(portal).map(bodyOf)
    expect(order.indexOf('look :x: there')).toBeLessThan(order.indexOf('and after it'))
  })

  it('that stands for a code on Matrix is described to a Messenger, and given to it', async () => {
    const blob = picture(4_000, 4)
    const uri = await alice.person.upload(blob, 'image/png', 'blob.png')
    const room = await bob.call(address('alice'))
    await room.acked(room.text('say something'))
    const portal = await world.portal(alice.person, 'bob')
    await alice.person.waitForMessage(portal, 'say something')
    await alice.person.send(portal, 'm.room.message', {
      msgtype: 'm.text',
      body: 'a :blob: for you',
      format: 'org.matrix.custom.html',
      formatted_body: `a <img data-mx-emoticon src="${uri}" alt=":blob:" title=":blob:" height="32" /> for you`,
    })
    const described = await room.wire.next((line) => line.payload.includes('text/x-mms-emoticon'))
    expect((await room.heard()).text).toBe('a :blob: for you')
    const [code = '', xml = ''] = described.payload.slice(described.payload.indexOf('\r\n\r\n') + 4).split('\t')
    expect(code).toBe(':blob:')
    const fetched = await new PeerRoom(room, address('bob'), address('alice')).fetch(xml)
    expect(Buffer.isBuffer(fetched) && sha1(fetched)).toBe(sha1(blob))
  })

  it('of a person of Matrix is shown by their account, and given to who asks', async () => {
    const face = picture(9_000, 2)
    const uri = await alice.person.upload(face, 'image/png', 'me.png')
    await alice.person.setAvatar(uri)
    const { words } = await bob.ns.next(
      (line) => line.words[0] === 'NLN' && line.words[2] === address('alice') && line.words.length > 5,
    )
    const xml = decodeURIComponent(words[5] ?? '')
    expect(/SHA1D="([^"]+)"/.exec(xml)?.[1]).toBe(sha1(face))
    const peer = new PeerRoom(await bob.call(address('alice')), address('bob'), address('alice'))
    const fetched = await peer.fetch(xml)
    expect(Buffer.isBuffer(fetched) && sha1(fetched)).toBe(sha1(face))
    expect(Math.max(...peer.sizes)).toBe(1202)
    // What is not ours is declined.
    expect(await peer.fetch(msnobj(address('alice'), picture(20, 9)))).toBe(603)
  })
})
