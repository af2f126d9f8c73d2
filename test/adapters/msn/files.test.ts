/** Files between our session and a classic client on a real service: over real sockets, into and out of the store of the bridge. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BlobStore } from '../../../bridge/media/blobs.ts'
import { systemClock } from '../../../bridge/clock.ts'
import type { Files } from '../../../bridge/adapter.ts'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { EventId, MessageId, NetworkId } from '../../../bridge/model/ids.ts'
import { textOf } from '../../../bridge/model/text.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import * as old from '../../kit/classic-file.ts'
import type { Messenger, Room } from '../../kit/messenger.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'
import { chatOf } from './fakes.ts'
import { bob, relay, Town } from './town.ts'

const CHUNK = randomBytes(64 * 1024)
const COUNT = 320
const SIZE = COUNT * CHUNK.length
function* content(count = COUNT): Generator<Uint8Array> {
  for (let at = 0; at < count; at++) yield CHUNK
}
const sha256 = (chunks: Iterable<Uint8Array>): string => {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
const WHOLE = sha256(content())
const chat = chatOf(bob)

/** Where files of others are, in these tests. */
const MATRIX = 'matrix' as NetworkId
const picture: FileRef = {
  network: MATRIX,
  ref: 'mxc://x/1',
  name: 'holiday.png',
  media: 'image',
  size: SIZE,
  url: 'https://files.example.org/media/x/holiday.png',
}
const LINK = 'sends an image: holiday.png (21.0 MB) https://files.example.org/media/x/holiday.png'

class House {
  readonly town: Town
  readonly folder: string
  readonly blobs: BlobStore
  opened = 0
  /** The other network gives a file no sooner. */
  gate: Promise<unknown> = Promise.resolve()
  /** Bytes that the other network gave so far. */
  given = 0
  #ids = 0

  constructor(town: Town, folder: string, blobs: BlobStore) {
    this.town = town
    this.folder = folder
    this.blobs = blobs
    const files: Files = {
      maxBytes: 50_000_000,
      put: blobs.put.bind(blobs),
      refusal: blobs.refusal.bind(blobs),
      open: async () => {
        this.opened++
        await this.gate
        const chunks = content()
        const body = new ReadableStream<Uint8Array>(
          {
            pull: (controller) => {
              const { value, done } = chunks.next()
              if (done === true) controller.close()
              else {
                this.given += value.length
                controller.enqueue(value)
              }
            },
          },
          { highWaterMark: 0 },
        )
        return { kind: 'media', body, size: SIZE }
      },
    }
    Object.assign(town.core.context, { files })
  }

  get kept(): readonly string[] {
    return readdirSync(this.folder).filter((name) => !name.includes('.'))
  }

  notice(start: string) {
    return this.town.core.until(`the notice "${start}"`, () =>
      this.town.core.of('message').find(({ body }) => body.kind === 'notice' && textOf(body.text).startsWith(start)),
    )
  }

  file() {
    return this.town.core.until('a file', () =>
      this.town.core
        .of('message')
        .map(({ body }) => body)
        .find((body) => body.kind === 'file'),
    )
  }

  send(file: FileRef = picture): Promise<DeliveryResult> {
    const op: Outbound = { kind: 'message', as: { kind: 'self' }, body: { kind: 'file', file, text: [] }, at: 0 }
    return this.town.session.deliver({ id: `e${++this.#ids}` as EventId, chat, op }, AbortSignal.timeout(20_000))
  }
}

const cleanups: (() => unknown)[] = []
let house: House
let her: Messenger
const settle = async (files: object = {}): Promise<House> => {
  const folder = mkdtempSync(join(tmpdir(), 'files-'))
  const blobs = new BlobStore({
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
  const town = await Town.build(
    {},
    { files: { protocol: 'msnftp', listen: '127.0.0.1', first_port: 0, last_port: 0, ...files } },
  )
  house = new House(town, folder, blobs)
  cleanups.push(
    () => town.end(),
    () => blobs.stop(),
    () => rmSync(folder, { recursive: true, force: true }),
  )
  her = await town.messenger(bob)
  await town.online()
  await town.sees(bob, 'online')
  return house
}
beforeEach(() => {
  cleanups.length = 0
})
afterEach(async () => {
  for (const clean of cleanups) await clean()
})

describe('a file that a contact offers', () => {
  let room: Room
  const call = async (files: object = {}): Promise<House> => {
    const made = await settle(files)
    room = await her.call(relay)
    return made
  }
  /** After our ACCEPT: they connect, and send. */
  const sent = async (more: Partial<old.Sending> = {}): Promise<string> => {
    const accepted = await old.heard(room)
    expect(accepted).toMatchObject({
      'invitation-command': 'ACCEPT',
      'invitation-cookie': '33267',
      'ip-address': '127.0.0.1',
      'sender-connect': 'TRUE',
    })
    const socket = await old.dial(Number(accepted['port']))
    cleanups.unshift(() => socket.destroy())
    return old.give(socket, { size: SIZE, content, to: relay, cookie: accepted['authcookie']!, ...more })
  }

  it('is taken over a connection to us, kept, and said in the chat once: 20 MB, the same by hash', async () => {
    const { town } = await call()
    old.offer(room, 'C:\\Photos\\holiday.png', SIZE)
    expect(await sent()).toBe('BYE 16777989')
    const body = await house.file()
    expect(body).toMatchObject({
      file: { name: 'holiday.png', size: SIZE, media: 'file', ref: expect.stringContaining(WHOLE) },
    })
    expect(house.kept).toEqual([WHOLE])
    const said = town.core.of('message')
    expect(said).toHaveLength(1)
    expect(said[0]).toMatchObject({ chat, sender: { user: bob }, id: expect.stringMatching(/^file:[0-9a-f]{32}$/) })
  })

  it('is not acknowledged before the message is on disk', async () => {
    const { town } = await call()
    town.core.trouble = new Error('disk full')
    old.offer(room, 'a.txt', CHUNK.length)
    const last = sent({ size: CHUNK.length, content: () => content(1) })
    await expect.poll(() => house.kept.some((name) => !name.endsWith('.part'))).toBe(true)
    expect(town.core.of('message')).toEqual([])
    town.core.trouble = undefined
    expect(await last).toBe('BYE 16777989')
    await house.file()
  })

  it('is taken by a connection to them, where the config says so and lets us', async () => {
    await call({ direction: 'connect', allow: ['127.0.0.1'] })
    old.offer(room, 'holiday.png', SIZE)
    expect(await old.heard(room)).toEqual({
      'invitation-command': 'ACCEPT',
      'invitation-cookie': '33267',
      'launch-application': 'FALSE',
      'request-data': 'IP-Address:',
    })
    const place = await old.waiting()
    cleanups.unshift(() => place.close())
    accept(place.port)
    const socket = await place.socket
    expect(await old.give(socket, { size: SIZE, content, to: relay, cookie: '93301' })).toBe('BYE 16777989')
    expect((await house.file()).file.ref).toContain(WHOLE)
  })

  const accept = (port: number, host = '127.0.0.1'): void =>
    old.invite(room, {
      'Invitation-Command': 'ACCEPT',
      'Invitation-Cookie': '33267',
      'IP-Address': host,
      Port: String(port),
      AuthCookie: '93301',
      'Launch-Application': 'FALSE',
      'Request-Data': 'IP-Address:',
    })

  it.each([
    ['we may', ['127.0.0.1'], true],
    ['we may not', ['public'], false],
  ])('of a client that waits for us all the same is fetched there if %s', async (_, allow, may) => {
    await call({ allow })
    const place = await old.waiting()
    cleanups.unshift(() => place.close())
    let isMet = false
    void place.socket.then(() => (isMet = true))
    old.offer(room, 'holiday.png', CHUNK.length)
    const accepted = await old.heard(room)
    accept(place.port)
    if (may) {
      const one = { size: CHUNK.length, content: () => content(1), to: relay, cookie: '93301' }
      expect(await old.give(await place.socket, one)).toBe('BYE 16777989')
    } else {
      // What came before is done; then they find the way that we offered.
      room.text('still there?')
      await house.town.heard('still there?')
      const socket = await old.dial(Number(accepted['port']))
      const one = { size: CHUNK.length, content: () => content(1), to: relay, cookie: accepted['authcookie']! }
      expect(await old.give(socket, one)).toBe('BYE 16777989')
    }
    await house.file()
    expect(isMet).toBe(may)
  })

  it.each([
    [
      'too large',
      {},
      50_000_001,
      'REJECT',
      'offers the file "big.iso" (50.0 MB), which the bridge does not take: it is too large',
    ],
    ['too large for this network', { max_mb: 1 }, 1_000_001, 'REJECT', 'offers the file "big.iso" (1.0 MB), which'],
    ['of no size', {}, 9_999_999_999_999, 'REJECT', 'offers the file'],
    [
      'not wanted at all',
      { receive: false },
      10,
      'REJECT_NOT_INSTALLED',
      'offers the file "big.iso" (10 bytes), which the bridge does not take: it takes none',
    ],
  ])('that is %s is declined, and said', async (_, files, size, code, words) => {
    await call(files)
    old.offer(room, 'big.iso', size)
    expect(await old.heard(room)).toMatchObject({ 'invitation-command': 'CANCEL', 'cancel-code': code })
    expect((await room.heard()).text).toMatch(/^\(The file "big.iso" was declined, because it /)
    await house.notice(words)
    expect(house.kept).toEqual([])
  })

  const half = SIZE / 2
  it.each<[string, (socket: Socket) => void]>([
    ['cancel on the connection', (socket) => socket.write(Buffer.from([1, 0, 0]))],
    ['are gone', (socket) => socket.resetAndDestroy()],
    [
      'cancel on the switchboard',
      () =>
        old.invite(room, {
          'Invitation-Command': 'CANCEL',
          'Invitation-Cookie': '33267',
          'Cancel-Code': 'FTTIMEOUT',
        }),
    ],
    ['send more than they said', (socket) => socket.write(Buffer.alloc(SIZE))],
  ])('and of which they %s at half leaves nothing but a notice', async (_, atStop) => {
    await call()
    old.offer(room, 'holiday.png', SIZE)
    await sent({ stopAt: half, atStop })
    await house.notice('offered the file "holiday.png" (21.0 MB), but it did not arrive: ')
    await expect.poll(() => house.kept).toEqual([])
    expect(house.town.core.of('message').filter(({ body }) => body.kind === 'file')).toEqual([])
  })

  it('ends when we sign out', async () => {
    const { town } = await call()
    old.offer(room, 'holiday.png', SIZE)
    await sent({ stopAt: half, atStop: () => void town.session.close() })
    await expect.poll(() => house.kept).toEqual([])
  })

  it('said twice is one', async () => {
    await call()
    old.offer(room, 'a.txt', CHUNK.length)
    old.offer(room, 'a.txt', CHUNK.length)
    await sent({ size: CHUNK.length, content: () => content(1) })
    await house.file()
    room.text('and?')
    await house.town.heard('and?')
    expect(house.town.core.of('message').filter(({ body }) => body.kind === 'file')).toHaveLength(1)
  })
})

describe('a file for a contact', () => {
  let room: Room
  let cookie = ''
  /** It is sent; they have been called and have the invitation. */
  const offered = async (files: object = {}): Promise<DeliveryResult> => {
    await settle(files)
    expect(house.town.session.capabilities(chat).bodies.file).toBe('native')
    const result = house.send()
    room = await her.answer()
    const invitation = await old.heard(room)
    expect(invitation).toMatchObject({
      'application-name': 'File Transfer',
      'application-file': 'holiday.png',
      'application-filesize': String(SIZE),
      'invitation-command': 'INVITE',
    })
    cookie = invitation['invitation-cookie']!
    return result
  }
  const answer = (fields: old.Fields): void => old.invite(room, { 'Invitation-Cookie': cookie, ...fields })
  const accepted = async (): Promise<{ readonly socket: Socket; readonly authCookie: string }> => {
    answer({ 'Invitation-Command': 'ACCEPT', 'Launch-Application': 'FALSE', 'Request-Data': 'IP-Address:' })
    const place = await old.heard(room)
    expect(place).toMatchObject({ 'invitation-command': 'ACCEPT', 'ip-address': '127.0.0.1' })
    const socket = await old.dial(Number(place['port']))
    cleanups.unshift(() => socket.destroy())
    return { socket, authCookie: place['authcookie']! }
  }

  it('is offered, fetched from us, and said to be received: 20 MB, the same by hash', async () => {
    expect(await offered()).toMatchObject({ kind: 'delivered' })
    const { socket, authCookie } = await accepted()
    expect(await old.take(socket, { email: bob, cookie: authCookie })).toEqual({ bytes: SIZE, sha256: WHOLE })
    await house.notice('has received the file "holiday.png"')
    expect(house.town.core.state.values.size).toBe(0)
    // Once to know its size, once for the bytes.
    expect(house.opened).toBe(2)
  })

  it('is brought to where they wait, where we may connect', async () => {
    await offered({ direction: 'connect', allow: ['127.0.0.0/8'] })
    const place = await old.waiting()
    cleanups.unshift(() => place.close())
    answer({
      'Invitation-Command': 'ACCEPT',
      'IP-Address': '127.0.0.1',
      Port: String(place.port),
      AuthCookie: '4711',
      'Sender-Connect': 'TRUE',
    })
    expect(await old.take(await place.socket, { email: bob, cookie: '4711' })).toEqual({ bytes: SIZE, sha256: WHOLE })
    await house.notice('has received the file "holiday.png"')
  })

  it('goes nowhere else', async () => {
    await offered({ direction: 'connect', allow: ['public'] })
    const trap = await old.waiting()
    cleanups.unshift(() => trap.close())
    let isMet = false
    void trap.socket.then(() => (isMet = true))
    const place = { 'IP-Address': '127.0.0.1', Port: String(trap.port), AuthCookie: '1', 'Sender-Connect': 'TRUE' }
    answer({ 'Invitation-Command': 'ACCEPT', ...place })
    await house.notice('has not received the file "holiday.png" (their address is none that we may connect to)')
    expect((await room.heard()).text).toBe(LINK)
    expect(isMet).toBe(false)
  })

  it.each<[string, object, () => void, string]>([
    [
      'declined',
      {},
      () => answer({ 'Invitation-Command': 'CANCEL', 'Cancel-Code': 'REJECT' }),
      'did not want the file "holiday.png", and gets the link',
    ],
    [
      'unknown to their client',
      {},
      () => answer({ 'Invitation-Command': 'CANCEL', 'Cancel-Code': 'REJECT_NOT_INSTALLED' }),
      'did not want the file',
    ],
    ['not answered', { answer_timeout_ms: 1 }, () => undefined, 'did not answer the offer of the file "holiday.png"'],
  ])('that is %s becomes a link', async (_, files, doing, words) => {
    await offered(files)
    doing()
    expect((await room.heard()).text).toBe(LINK)
    await house.notice(words)
    await expect.poll(() => house.town.core.state.values.size).toBe(0)
  })

  it('becomes a link in the next window when they close this one', async () => {
    await offered()
    room.leave()
    room = await her.answer()
    expect((await room.heard()).text).toBe(LINK)
    await house.notice('did not answer the offer')
  })

  it.each<[string, (socket: Socket) => void, string]>([
    ['cancel', (socket) => socket.write('CCL\n'), 'has cancelled the file "holiday.png", and gets the link'],
    [
      'are gone',
      (socket) => socket.resetAndDestroy(),
      'has not received the file "holiday.png" (the connection broke)',
    ],
    [
      'cancel on the switchboard',
      () => answer({ 'Invitation-Command': 'CANCEL', 'Cancel-Code': 'FTTIMEOUT' }),
      'has cancelled the file "holiday.png", and gets the link',
    ],
  ])('of which they %s at half becomes a link', async (_, atStop, words) => {
    await offered()
    const { socket, authCookie } = await accepted()
    await old.take(socket, { email: bob, cookie: authCookie, stopAt: SIZE / 2, atStop })
    await house.notice(words)
    expect((await room.heard()).text).toBe(LINK)
    expect(house.given).toBeLessThan(SIZE)
  })

  it.each(['before they answer', 'in the middle'])('is taken back with its message %s', async (when) => {
    const result = await offered()
    const target = result.kind === 'delivered' ? result.ids[0]! : ('' as MessageId)
    const takeBack = (): Promise<DeliveryResult> => {
      expect(house.town.session.capabilities(chat).ops.redact).toBe('emulated')
      const op: Outbound = { kind: 'redact', as: { kind: 'self' }, target }
      return house.town.session.deliver({ id: 'back' as EventId, chat, op }, AbortSignal.timeout(20_000))
    }
    if (when === 'in the middle') {
      const { socket, authCookie } = await accepted()
      const atStop = (): void => void takeBack()
      await old.take(socket, { email: bob, cookie: authCookie, stopAt: SIZE / 2, atStop })
    } else await takeBack()
    const code = when === 'in the middle' ? 'FTTIMEOUT' : 'TIMEOUT'
    expect(await old.heard(room)).toMatchObject({ 'invitation-command': 'CANCEL', 'cancel-code': code })
    await house.notice('does not get the file "holiday.png": it was taken back')
    await expect.poll(() => house.town.core.state.values.size).toBe(0)
    expect(house.town.session.capabilities(chat).ops.redact).toBe('text')
  })

  it('is for nobody else who finds the port', async () => {
    await offered()
    const { socket, authCookie } = await accepted()
    const stranger = await old.dial(socket.remotePort!)
    await expect(old.take(stranger, { email: bob, cookie: String(Number(authCookie) ^ 1) })).rejects.toThrow('ended')
    expect(await old.take(socket, { email: bob, cookie: authCookie })).toMatchObject({ bytes: SIZE })
  })

  it('is not lost when we end in the middle: the next sign-in gives the link', async () => {
    await offered()
    await house.town.session.close()
    expect(house.town.core.state.values.size).toBe(1)
    await house.town.online()
    room = await her.answer()
    expect((await room.heard()).text).toBe(LINK)
    await expect.poll(() => house.town.core.state.values.size).toBe(0)
  })

  it('is a link where nothing can be offered: too large, to a group, to nobody who is there', async () => {
    const { town } = await settle({ max_mb: 1 })
    const sending = house.send()
    room = await her.answer()
    expect((await room.heard()).text).toBe(LINK)
    expect(await sending).toMatchObject({ kind: 'delivered' })
    expect(town.session.capabilities(chatOf('carol@example.com')).bodies.file).toBe('text')
    expect(town.session.capabilities(await town.group()).bodies.file).toBe('text')
    expect(town.session.capabilities().bodies.file).toBe('text')
  })

  it('is not overtaken by what is said after it, however long its network takes', async () => {
    const { session } = (await settle()).town
    const { promise, resolve } = Promise.withResolvers<undefined>()
    house.gate = promise
    const file = house.send()
    const body = { kind: 'text', text: [{ text: 'seen it?' }] } as const
    const op: Outbound = { kind: 'message', as: { kind: 'self' }, body, at: 0 }
    const words = session.deliver({ id: 'words' as EventId, chat, op }, AbortSignal.timeout(20_000))
    await expect.poll(() => house.opened).toBe(1)
    resolve(undefined)
    room = await her.answer()
    const types = [0, 1].map(async () => (await room.wire.next(({ words: [verb] }) => verb === 'MSG')).payload)
    expect(await Promise.all(types)).toEqual([
      expect.stringContaining('text/x-msmsgsinvite'),
      expect.stringContaining('seen it?'),
    ])
    expect([await file, await words]).toMatchObject([{ kind: 'delivered' }, { kind: 'delivered' }])
  })

  it('has its words before it', async () => {
    const { session } = (await settle()).town
    const body = { kind: 'file', file: picture, text: [{ text: 'look' }] } as const
    const parts = session.split({ kind: 'message', as: { kind: 'self' }, body, at: 0 }, chat)
    expect(parts.map((op) => (op.kind === 'message' ? op.body : op))).toEqual([
      { kind: 'text', text: [{ text: 'look' }] },
      { kind: 'file', file: picture, text: [] },
    ])
  })
})
