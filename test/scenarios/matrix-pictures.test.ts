/** Display pictures between a Messenger and Matrix: the right bytes, in both directions. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, type Resident } from '../kit/matrix-world.ts'
import type { Messenger } from '../kit/messenger.ts'
import { msnobj, PeerRoom, sha1 } from '../kit/p2p-messenger.ts'
import { noisyPng, sizeOfPng } from '../kit/png.ts'
import { address } from '../kit/world.ts'

onEachHomeserver((start, kind) => {
  let world: MatrixWorld
  let alice: Resident
  let bob: Messenger
  beforeAll(async () => {
    world = await MatrixWorld.start({ start })
    alice = await world.resident('alice')
    bob = await world.messenger('bob')
    await world.ask(alice, `accept ${address('bob')}`)
  }, 60_000)
  afterAll(() => world.stop())

  /** What the homeserver keeps, as alice's client gets it. */
  const kept = async (uri: string): Promise<{ readonly type: string | null; readonly bytes: Buffer }> => {
    const url = `${world.homeserver.url}/_matrix/client/v1/media/download/${uri.replace('mxc://', '')}`
    const answer = await fetch(url, { headers: { authorization: `Bearer ${await alice.person.token()}` } })
    return { type: answer.headers.get('content-type'), bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  /** The fake homeserver scales nothing; Synapse does, and calls it PNG still. */
  const expectScaled = (given: unknown, original: Buffer, side: number): void => {
    if (!Buffer.isBuffer(given)) throw new Error(`declined: ${String(given)}`)
    if (kind === 'fake') expect(sha1(given)).toBe(sha1(original))
    else expect(sizeOfPng(given)).toEqual({ width: side, height: side })
  }

  it('a picture of an MSN contact becomes the avatar of their ghost, with the same bytes', async () => {
    const face = noisyPng(80, 1)
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
    const { type, bytes } = await kept(uri)
    expect(type).toBe('image/png')
    expect(sha1(bytes)).toBe(sha1(face))
  })

  it('a picture that stands for a code is shown in the line where it is used', async () => {
    const smile = noisyPng(50, 3)
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
    const [, uri = ''] =
      /^look <img data-mx-emoticon src="(mxc:\/\/[^/]+\/\w+)" alt=":x:" title=":x:" height="32" \/> there$/.exec(
        html,
      ) ?? []
    expect(sha1((await kept(uri)).bytes)).toBe(sha1(smile))
    await alice.person.waitForMessage(portal, 'and after it')
    const order = alice.person.messages(portal).map(bodyOf)
    expect(order.indexOf('look :x: there')).toBeLessThan(order.indexOf('and after it'))
  })

  it('a picture that stands for a code on Matrix is described to a Messenger, and given to it', async () => {
    const blob = noisyPng(64, 4)
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
    // 48 was asked for; Synapse gives the nearest of its sizes that is no smaller.
    expectScaled(fetched, blob, 96)
  })

  it('a picture of a person of Matrix is shown by their account, and given to who asks', async () => {
    const face = noisyPng(120, 2)
    const uri = await alice.person.upload(face, 'image/png', 'me.png')
    await alice.person.setAvatar(uri)
    const { words } = await bob.ns.next(
      (line) => line.words[0] === 'NLN' && line.words[2] === address('alice') && line.words.length > 5,
    )
    const xml = decodeURIComponent(words[5] ?? '')
    const peer = new PeerRoom(await bob.call(address('alice')), address('bob'), address('alice'))
    const fetched = await peer.fetch(xml)
    expectScaled(fetched, face, 96)
    expect(Buffer.isBuffer(fetched) && sha1(fetched)).toBe(/SHA1D="([^"]+)"/.exec(xml)?.[1])
    expect(Math.max(...peer.sizes)).toBe(1202)
    // What is not ours is declined.
    expect(await peer.fetch(msnobj(address('alice'), noisyPng(4, 9)))).toBe(603)
  })

  it('a picture that is chosen with the bot is shown instead of the avatar, and as small', async () => {
    const face = noisyPng(120, 5)
    const image = await alice.person.sendImage(alice.home, face, 'me.png')
    await alice.person.send(alice.home, 'm.room.message', {
      msgtype: 'm.text',
      body: 'set-picture',
      'm.relates_to': { 'm.in_reply_to': { event_id: image } },
    })
    const { words } = await bob.ns.next(
      (line) => line.words[0] === 'NLN' && line.words[2] === address('alice') && line.words.length > 5,
    )
    const peer = new PeerRoom(await bob.call(address('alice')), address('bob'), address('alice'))
    expectScaled(await peer.fetch(decodeURIComponent(words[5] ?? '')), face, 96)
    expect(bodyOf(await world.ask(alice, 'profile', /^Picture/m))).toMatch(
      /^Picture: set by @alice:localhost on matrix$/m,
    )
  })
})
