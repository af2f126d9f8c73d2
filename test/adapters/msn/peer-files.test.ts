/** Files over a switchboard, between our session and others on a real service, over real sockets. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PeerTalk, type IncomingFile } from '../../../adapters/msn/peer-talk.ts'
import type { FileRef, MessageBody } from '../../../bridge/model/body.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { EventId, NetworkId } from '../../../bridge/model/ids.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { systemClock } from '../../../bridge/clock.ts'
import { BlobStore } from '../../../bridge/media/blobs.ts'
import { MsnClient, parseMime, type MsnClientEvent, type Switchboard } from '../../../msnp/index.ts'
import type { Messenger } from '../../kit/messenger.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'
import { PeerRoom } from '../../kit/p2p-messenger.ts'
import { randomOf, someBytes } from '../../kit/p2p-room.ts'
import { account, chatOf } from './fakes.ts'
import { bob, relay, Town } from './town.ts'

const PIECE = someBytes(70_000)
const sha = (pieces: readonly Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}
/** So many of the same pieces make a file. */
const pieces = (count: number): readonly Buffer[] => Array.from({ length: count }, () => PIECE)

let town: Town
let folder: string
let blobs: BlobStore
/** What the other network gives. */
let given: readonly Buffer[] = []
let ids = 0

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peer-files-'))
  blobs = new BlobStore({
    folder,
    maxBytes: 50_000_000,
    maxTotalBytes: 500_000_000,
    maxShare: 1,
    keepMs: 1_000_000,
    clock: systemClock,
    log: recordingLog(),
    metrics: recordingMetrics(),
  })
  await blobs.start()
  town = await Town.build({}, { files: { max_mb: 25 } })
  Object.assign(town.core.context, {
    files: {
      maxBytes: 50_000_000,
      put: blobs.put.bind(blobs),
      refusal: blobs.refusal.bind(blobs),
      open: async () => ({
        kind: 'media',
        body: new Blob(given as Buffer<ArrayBuffer>[]).stream(),
        size: given.reduce((sum, piece) => sum + piece.length, 0),
      }),
    },
  })
})
afterEach(async () => {
  await town.end()
  await blobs.stop()
  rmSync(folder, { recursive: true, force: true })
})

const online = async (): Promise<Messenger> => {
  const messenger = await town.messenger(bob)
  await town.online()
  await town.sees(bob, 'online')
  return messenger
}

const send = (name = 'holiday.png') => {
  const file: FileRef = {
    network: 'matrix' as NetworkId,
    ref: 'mxc://x/1',
    name,
    media: 'image',
    url: 'https://x.example/f',
  }
  const op: Outbound = { kind: 'message', as: { kind: 'self' }, body: { kind: 'file', file, text: [] }, at: 0 }
  return town.session.deliver({ id: `e${++ids}` as EventId, chat: chatOf(bob), op }, AbortSignal.timeout(20_000))
}

const body = (fits: (body: MessageBody) => boolean): Promise<MessageBody> =>
  town.core.until('what people are told', () =>
    town.core
      .of('message')
      .map((event) => event.body)
      .find(fits),
  )
const notice = (words: RegExp) => body((said) => said.kind === 'notice' && words.test(textOf(said.text)))
const file = () => body((said) => said.kind === 'file')

describe('with a Messenger', () => {
  it('a file comes and is kept, the same by hash', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    const data = Buffer.concat(pieces(5))
    expect(await peer.sendFile('C:\\pictures\\cat.bin', data)).toBe(200)
    const said = await file()
    expect(said).toMatchObject({ file: { size: data.length, ref: expect.stringContaining(sha([data])) } })
    expect(JSON.stringify(said)).not.toContain('pictures')
    expect(Math.max(...peer.sizes, 0)).toBeLessThanOrEqual(1202)
  })

  it('they hear that a file has arrived when the message is on disk, too', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    const data = Buffer.concat(pieces(2))
    town.core.trouble = new Error('the disk is full')
    let isTold = false
    const sent = peer.sendFile('cat.bin', data).then(() => (isTold = true))
    await vi.waitFor(() => expect(readdirSync(folder).filter((name) => !name.includes('.'))).toHaveLength(1))
    expect([isTold, town.core.of('message')]).toEqual([false, []])
    town.core.trouble = undefined
    await file()
    await sent
  })

  it('a file whose sender ends it once all of it was sent is kept', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    const data = Buffer.concat(pieces(2))
    expect(await peer.sendFile('cat.bin', data, data.length + 1)).toBe(200)
    peer.bye()
    expect(await file()).toMatchObject({ file: { ref: expect.stringContaining(sha([data])) } })
  })

  it('a file that is cancelled at half is kept nowhere, and they are told', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    const data = Buffer.concat(pieces(4))
    expect(await peer.sendFile('cat.bin', data, 140_000)).toBe(200)
    peer.bye()
    await notice(/cat\.bin.*did not arrive/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('a file from somebody who leaves in the middle is kept nowhere, and they are told', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    expect(await peer.sendFile('cat.bin', Buffer.concat(pieces(4)), 140_000)).toBe(200)
    peer.room.wire.kill()
    await notice(/cat\.bin.*did not arrive/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('a file that is too large is declined before a byte of it has come', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    const claims = Object.assign(Buffer.alloc(0), {})
    Object.defineProperty(claims, 'length', { value: 26_000_000 })
    expect(await peer.sendFile('film.avi', claims)).toBe(603)
    expect((await peer.room.heard()).text).toBe(
      '(The file "film.avi" was declined, because it is too large, 25.0 MB at most.)',
    )
    await notice(/film\.avi/)
  })

  it('a file of others is offered and fetched, the same by hash', async () => {
    const messenger = await online()
    given = pieces(5)
    expect(await send()).toMatchObject({ kind: 'delivered' })
    const peer = new PeerRoom(await messenger.answer(), bob, relay)
    const taken = await peer.takeFile()
    expect(taken.name).toBe('holiday.png')
    expect(sha([taken.data])).toBe(sha(given))
    expect(Math.max(...peer.sizes)).toBe(1202)
    await notice(/holiday\.png/)
  })

  it('a file that was offered when the bridge was killed comes as one link, not as a file, too', async () => {
    const owed = { chat: bob, words: 'sends a file: https://x.example/f' }
    await town.core.state.update([[`owed/${account.id}/e${ids + 1}`, JSON.stringify(owed)]])
    const messenger = await online()
    given = pieces(1)
    // The core does not know what became of it.
    expect(await send()).toMatchObject({ kind: 'delivered' })
    const room = await messenger.answer()
    expect((await room.heard()).text).toBe(owed.words)
    // And again, when the link is there.
    ids--
    expect(await send()).toMatchObject({ kind: 'delivered' })
    await town.say('the end', chatOf(bob))
    expect((await room.heard()).text).toBe('the end')
    expect(room.wire.received.filter(({ payload }) => payload.includes('INVITE MSNMSGR'))).toEqual([])
  })

  it('an empty file of others, which Messengers do not take, becomes a link', async () => {
    const messenger = await online()
    given = []
    expect(await send('empty.txt')).toMatchObject({ kind: 'delivered' })
    expect((await (await messenger.answer()).heard()).text).toContain('https://x.example/f')
  })

  it('a file that cannot be kept is not fetched to its end, and both are told', async () => {
    const peer = new PeerRoom(await (await online()).call(relay), bob, relay)
    await blobs.stop()
    const data = Buffer.concat(pieces(8))
    expect(await peer.sendFile('cat.bin', data, 20_000)).toBe(200)
    await notice(/cat\.bin.*did not arrive/)
    await peer.ended()
  })

  it.each([
    ['declined', { decline: true as const }],
    ['cancelled at half', { stopAt: 140_000 }],
  ])('a file of others that is %s becomes a link, and its sender is told', async (_, how) => {
    const messenger = await online()
    given = pieces(4)
    await send()
    const room = await messenger.answer()
    await new PeerRoom(room, bob, relay).takeFile(how)
    expect((await room.heard()).text).toContain('https://x.example/f')
    await notice(/holiday\.png/)
  })
})

describe('20 MB', () => {
  /** Somebody with our own library. */
  const peerOf = async (): Promise<{
    talk: Promise<PeerTalk>
    offers: Promise<IncomingFile>
    call: () => Promise<PeerTalk>
  }> => {
    const met = Promise.withResolvers<PeerTalk>()
    const offers = Promise.withResolvers<IncomingFile>()
    const talks = new Map<Switchboard, PeerTalk>()
    const on = (board: Switchboard): PeerTalk => {
      const random = randomOf(99)
      const talk =
        talks.get(board) ??
        new PeerTalk({ board, own: bob, clock: systemClock, random, serve: () => undefined, offered: offers.resolve })
      talks.set(board, talk)
      met.resolve(talk)
      return talk
    }
    const onEvent = (event: MsnClientEvent): void => {
      if (event.kind === 'switchboard') on(event.switchboard)
      if (event.kind === 'message') on(event.switchboard).receive(event.from.email, parseMime(event.payload))
    }
    const { notification, passport } = town.where
    const client = new MsnClient({
      server: { host: '127.0.0.1', port: notification },
      passport: { login: `http://127.0.0.1:${passport}/login2.srf` },
      login: bob,
      password: 'secret',
      onEvent,
    })
    expect(await client.signIn()).toEqual({ ok: true })
    closers.push(() => client.signOut())
    await town.online()
    await town.sees(bob, 'online')
    const call = async (): Promise<PeerTalk> => {
      const opened = await client.openSwitchboard()
      if (!opened.ok) throw new Error('no switchboard')
      await opened.switchboard.invite(relay)
      return on(opened.switchboard)
    }
    return { talk: met.promise, offers: offers.promise, call }
  }
  const closers: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })

  it('come, the same by hash', async () => {
    const peer = await peerOf()
    const all = pieces(300)
    const talk = await peer.call()
    const read = async (offset: number, length: number): Promise<Uint8Array> => slice(offset, length)
    const about = { name: 'film.avi', size: 300 * PIECE.length }
    expect(await talk.offer(relay, about, read, new AbortController().signal)).toBe('done')
    expect(await file()).toMatchObject({ file: { size: 21_000_000, ref: expect.stringContaining(sha(all)) } })
  }, 30_000)

  it('go, the same by hash', async () => {
    const peer = await peerOf()
    given = pieces(300)
    await send('film.avi')
    const offer = await peer.offers
    const hash = createHash('sha256')
    let size = 0
    for await (const piece of offer.accept()) {
      hash.update(piece)
      size += piece.length
    }
    expect(size).toBe(21_000_000)
    expect(hash.digest('hex')).toBe(sha(given))
    expect(await offer.ended).toBe('done')
    await notice(/film\.avi/)
  }, 30_000)
})

/** Of the file that is made of `PIECE`s. */
const slice = (offset: number, length: number): Buffer => {
  const from = offset % PIECE.length
  return Buffer.concat([PIECE.subarray(from), PIECE, PIECE]).subarray(0, length)
}
