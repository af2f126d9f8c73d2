/** Invitations from client to client where an account of ours stands beside its owner's Messenger: one of the two answers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { EventId, NetworkId } from '../../../bridge/model/ids.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { systemClock } from '../../../bridge/clock.ts'
import { BlobStore } from '../../../bridge/media/blobs.ts'
import * as old from '../../kit/classic-file.ts'
import type { Messenger, Room } from '../../kit/messenger.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'
import { msnobj, PeerRoom } from '../../kit/p2p-messenger.ts'
import { someBytes } from '../../kit/p2p-room.ts'
import { chatOf, user } from './fakes.ts'
import { bob, relay, Town } from './town.ts'

const PICTURE = someBytes(5_000)
const FILE = someBytes(9_000, 3)

let town: Town
let folder: string
let blobs: BlobStore
let own: Messenger
let other: Messenger

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'beside-peers-'))
  blobs = new BlobStore({
    folder,
    maxBytes: 1_000_000,
    maxTotalBytes: 10_000_000,
    maxShare: 1,
    keepMs: 1_000_000,
    clock: systemClock,
    log: recordingLog(),
    metrics: recordingMetrics(),
  })
  await blobs.start()
  town = await Town.build({}, { beside_messenger: true, files: { listen: '127.0.0.1', first_port: 0, last_port: 0 } })
  Object.assign(town.core.context, {
    files: {
      maxBytes: 1_000_000,
      put: blobs.put.bind(blobs),
      refusal: blobs.refusal.bind(blobs),
      open: async () => ({ kind: 'media', body: new Blob([Uint8Array.from(FILE)]).stream(), size: FILE.length }),
    },
  })
  await town.online()
  own = await town.messenger(relay)
  other = await town.messenger(bob)
  await town.sees(bob, 'online')
})
afterEach(async () => {
  await town.end()
  await blobs.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A conversation with both sessions in it. */
const together = async (): Promise<{ readonly theirs: Room; readonly room: Room }> => {
  const called = other.call(relay)
  const room = await own.answer()
  return { theirs: await called, room }
}

let lines = 0
/** Whatever we do about what they have said so far is written now, and they have it. */
const settled = async (theirs: Room): Promise<void> => {
  const mark = `line ${++lines}`
  theirs.text(mark)
  await town.heard(mark)
  expect((await town.say(`behind ${mark}`, chatOf(bob))).kind).toBe('delivered')
  await theirs.wire.next(({ payload }) => payload.endsWith(`behind ${mark}`))
}

const messages = (room: Room, type: string) =>
  room.wire.received.filter(({ words, payload }) => words[0] === 'MSG' && payload.includes(type))
const notices = () => town.core.of('message').flatMap(({ body }) => (body.kind === 'notice' ? [textOf(body.text)] : []))
const files = () => town.core.of('message').filter(({ body }) => body.kind === 'file')

describe('beside the Messenger of the same person', () => {
  it('a picture is asked of the Messenger, and we neither serve, decline nor acknowledge', async () => {
    const { theirs, room } = await together()
    const asking = new PeerRoom(theirs, bob, relay)
    const served = new PeerRoom(room, relay, bob).serve(PICTURE)
    expect(await asking.fetch(msnobj(relay, PICTURE))).toEqual(PICTURE)
    await served
    await settled(theirs)
    // Its 200, its acknowledgements, the preparation and five packets of data: all from one.
    const codes = messages(theirs, 'MSNSLP/1.0 ').map(({ payload }) => /MSNSLP\/1\.0 \d+/.exec(payload)?.[0])
    expect(codes.filter((code) => code !== undefined)).toEqual(['MSNSLP/1.0 200'])
    const written = messages(theirs, 'x-msnmsgrp2p').length
    asking.begin('{99999999-C79C-4EE5-93FA-BB60C97B5C3D}')
    await settled(theirs)
    expect(messages(theirs, 'x-msnmsgrp2p')).toHaveLength(written)
    expect(notices()).toEqual([])
  })

  it('a file over the switchboard is the Messenger’s to take; Matrix is told', async () => {
    const { theirs, room } = await together()
    const taken = new PeerRoom(room, relay, bob).takeFile()
    expect(await new PeerRoom(theirs, bob, relay).sendFile('notes.txt', FILE)).toBe(200)
    expect(await taken).toEqual({ name: 'notes.txt', data: FILE })
    await settled(theirs)
    expect(notices()).toEqual([
      'offers the file "notes.txt" (9 kB), which the bridge does not take: your Messenger is asked',
    ])
    expect(files()).toEqual([])
  })

  it('a file by MSNFTP and a game are the Messenger’s to answer', async () => {
    const { theirs, room } = await together()
    old.offer(theirs, 'holiday.png', 5_000)
    old.invite(theirs, {
      'Application-Name': 'Chess',
      'Application-GUID': '{99999999-0000-0000-0000-000000000001}',
      'Invitation-Command': 'INVITE',
      'Invitation-Cookie': '4',
    })
    await settled(theirs)
    expect(messages(theirs, 'text/x-msmsgsinvite')).toEqual([])
    expect(messages(room, 'text/x-msmsgsinvite')).toHaveLength(2)
    expect(notices()[0]).toMatch(/^offers the file "holiday.png" .* your Messenger is asked$/)
  })

  it('what the Messenger offers to others is not taken here, and its winks are shown as ours', async () => {
    const called = own.call(bob)
    const theirs = await other.answer()
    const room = await called
    old.offer(room, 'mine.png', 5_000)
    const wink = msnobj(relay, PICTURE, 8)
    room.send(`MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 2\r\nData: ${wink}\r\n\r\n`)
    await town.core.until('the wink', () => town.core.of('message').find(({ body }) => body.kind === 'action'))
    await settled(theirs)
    expect(messages(room, 'text/x-msmsgsinvite')).toEqual([])
    expect(messages(theirs, 'text/x-msmsgsinvite')).toHaveLength(1)
    expect(messages(theirs, 'x-msnmsgrp2p')).toEqual([])
    expect(messages(room, 'x-msnmsgrp2p')).toEqual([])
    expect(town.core.of('message')[0]).toMatchObject({ sender: user(relay), own: true, body: { kind: 'action' } })
  })

  it('what we begin ourselves works as ever', async () => {
    const { theirs } = await together()
    await settled(theirs)
    const file: FileRef = { network: 'matrix' as NetworkId, ref: 'mxc://x/1', name: 'a.png', media: 'image' }
    const op: Outbound = { kind: 'message', as: { kind: 'self' }, body: { kind: 'file', file, text: [] }, at: 0 }
    const taken = new PeerRoom(theirs, bob, relay).takeFile()
    const sent = town.session.deliver({ id: 'file-1' as EventId, chat: chatOf(bob), op }, AbortSignal.timeout(20_000))
    expect((await sent).kind).toBe('delivered')
    expect((await taken).data).toEqual(FILE)
    await town.core.until('the end', () => notices().find((text) => text === 'has received the file "a.png"'))
  })

  it('when the Messenger has gone we answer again', async () => {
    const { theirs } = await together()
    own.signOut()
    await theirs.wire.next(`BYE ${relay}`)
    const again = await other.call(relay)
    expect(await new PeerRoom(again, bob, relay).sendFile('notes.txt', FILE)).toBe(200)
    await town.core.until('the file', () => files()[0])
  })
})
