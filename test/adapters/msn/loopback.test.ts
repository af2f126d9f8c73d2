import { afterEach, describe, expect, it } from 'vitest'
import type { EventId, UserId } from '../../../bridge/model/ids.ts'
import { MsnClient, type MsnClientEvent } from '../../../msnp/index.ts'
import type { Room } from '../../kit/messenger.ts'
import { account, chatOf, user, words } from './fakes.ts'
import { bob, carol, dave, relay, Town } from './town.ts'

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** For what no event tells. */
const eventually = async (holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('waited in vain')
    await turns(1)
  }
}

const towns: Town[] = []
const build = async (timing?: object, web?: boolean): Promise<Town> => {
  const town = await Town.build(timing, {}, web)
  towns.push(town)
  return town
}
afterEach(async () => {
  for (const town of towns.splice(0)) await town.end()
})

describe('beside a name', () => {
  it('stands what its person says and plays, both ways', async () => {
    const town = await (await build()).online()
    const events: MsnClientEvent[] = []
    const client = new MsnClient({
      server: { host: '127.0.0.1', port: town.where.notification },
      passport: { login: `http://127.0.0.1:${town.where.passport}/login2.srf` },
      login: bob,
      password: 'secret',
      onEvent: (event) => void events.push(event),
    })
    try {
      expect(await client.signIn()).toEqual({ ok: true })
      expect(client.dialect).toBe('MSNP12')
      const media = { application: 'WMP', type: 'Music', format: '{0} - {1}', args: ['Song', 'Artist'] }
      expect(await client.setPersonalMessage({ text: 'at the <lake>', media })).toEqual({ ok: true })
      const told = await town.core.until('the song', () =>
        town.core.of('presence').find(({ state }) => state.playing !== undefined),
      )
      expect(told).toMatchObject({
        user: user(bob),
        state: { show: 'online', text: 'at the <lake>', playing: { title: 'Song', artist: 'Artist' } },
      })
      const state = { show: 'away', text: 'gone "fishing"', playing: { title: 'Other' } } as const
      const op = { kind: 'presence', as: { kind: 'self' }, state } as const
      const result = await town.session.deliver({ id: 'face' as EventId, op }, AbortSignal.timeout(5_000))
      expect(result.kind).toBe('delivered')
      await eventually(() => client.contacts.get(relay)?.personal?.media !== undefined)
      expect(client.contacts.get(relay)).toMatchObject({
        presence: { status: 'AWY' },
        personal: { text: 'gone "fishing"', media: { type: 'Music', args: ['Other'] } },
      })
      // It is said again after the next sign-in, without being asked for.
      await town.session.close()
      await eventually(() => client.contacts.get(relay)?.presence === undefined)
      await town.online()
      await eventually(() => client.contacts.get(relay)?.personal?.media !== undefined)
    } finally {
      await client.signOut()
    }
  })
})

describe('a contact', () => {
  it('and we write to each other in one switchboard', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    const said = town.say('hello bob', chatOf(bob))
    const room = await messenger.answer()
    expect(await room.heard()).toMatchObject({ from: relay, text: 'hello bob' })
    expect((await said).kind).toBe('delivered')
    room.text('hello relay', 'A', 'FN=Arial; EF=B; CO=ff; CS=0; PF=0')
    expect(await town.heard('hello relay')).toMatchObject({
      chat: chatOf(bob),
      sender: user(bob),
      senderName: 'bob',
      body: { kind: 'text', text: [{ text: 'hello relay', bold: true, color: '#ff0000' }] },
    })
    room.typing(bob)
    await town.core.until('typing', () => town.core.of('typing')[0])
    expect((await town.say('again', chatOf(bob))).kind).toBe('delivered')
    expect(await room.heard()).toMatchObject({ text: 'again' })
    expect(town.sb.accepted).toBe(2)
  })

  it('gets a thousand messages in order', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    const room = await messenger.call(relay)
    await town.core.until('the call', () => town.core.of('typing')[0])
    const { pipeline } = town.session.capabilities()
    const results: Promise<{ kind: string }>[] = []
    for (let at = 0; at < 1_000; at++) {
      if (at >= pipeline) await results[at - pipeline]
      results.push(town.say(`line ${at}`, chatOf(bob)))
    }
    expect(new Set((await Promise.all(results)).map(({ kind }) => kind))).toEqual(new Set(['delivered']))
    for (let at = 0; at < 1_000; at++) expect((await room.heard()).text).toBe(`line ${at}`)
  })

  it('gets a long text whole', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    const room = await messenger.call(relay)
    await town.core.until('the call', () => town.core.of('typing')[0])
    const whole = 'Grüße 👩‍👩‍👧‍👦 und viel Text.\n'.repeat(150)
    const parts = town.session.split(words(whole), chatOf(bob))
    let got = ''
    for (const [at, op] of parts.entries()) {
      const id = `part-${at}` as EventId
      const result = await town.session.deliver({ id, chat: chatOf(bob), op }, AbortSignal.timeout(5_000))
      expect(result.kind).toBe('delivered')
      got += (await room.heard()).text
    }
    expect(got.replaceAll('\r\n', '\n')).toBe(whole)
  })

  it('may call us while we call them: everything arrives, once', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    const said = town.say('from us', chatOf(bob))
    const theirs = messenger.call(relay)
    const ours = messenger.answer()
    const rooms = await Promise.all([theirs, ours])
    rooms[0].text('from them')
    expect((await said).kind).toBe('delivered')
    await town.heard('from them')
    expect((await town.say('more', chatOf(bob))).kind).toBe('delivered')
    await rooms[0].wire.next((line) => line.payload.endsWith('more'))
    const texts = rooms.flatMap(({ wire }) =>
      wire.received.flatMap(({ payload }) => /(from us|more)$/.exec(payload)?.[1] ?? []),
    )
    expect(texts.sort()).toEqual(['from us', 'more'])
    expect(town.core.of('message').length).toBe(1)
  })

  it('who is offline is waited for', async () => {
    const town = await (await build()).online()
    expect(await town.say('hello?', chatOf(bob))).toMatchObject({
      kind: 'retry',
      reason: 'offline',
      wait: 'recipient-online',
      detail: 'bob@example.com is offline (or hidden)',
    })
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    const said = town.say('hello!', chatOf(bob))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'hello!' })
    expect((await said).kind).toBe('delivered')
    await messenger.status('BSY')
    await town.sees(bob, 'busy')
    messenger.signOut()
    await town.sees(bob, 'offline')
  })

  it('who blocks us is refused', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    await messenger.ask('REM', 'AL', relay)
    await messenger.ask('ADD', 'BL', relay, relay)
    await town.sees(bob, 'offline')
    expect(await town.say('hello', chatOf(bob))).toMatchObject({ kind: 'refused', reason: 'blocked' })
  })

  it('who never was is refused', async () => {
    const town = await (await build()).online()
    expect(await town.say('hello', chatOf('nobody@example.com'))).toMatchObject({
      kind: 'refused',
      reason: 'not-found',
    })
  })

  it('whom we do not know is seen when they come online, all the same', async () => {
    const town = await (await build()).online()
    expect(await town.say('hello?', chatOf(dave))).toMatchObject({ kind: 'retry', wait: 'recipient-online' })
    const messenger = await town.messenger(dave)
    await town.sees(dave, 'online')
    const said = town.say('hello!', chatOf(dave))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'hello!' })
    expect((await said).kind).toBe('delivered')
  })

  it('who comes and goes again is called anew', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    const room = await messenger.call(relay)
    await town.core.until('the call', () => town.core.of('typing')[0])
    await town.say('one', chatOf(bob))
    room.leave()
    // We hear of it, and do not stay alone.
    await eventually(() => town.sb.open === 0)
    const said = town.say('two', chatOf(bob))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'two' })
    expect((await said).kind).toBe('delivered')
  })
})

describe('a switchboard', () => {
  it('that dies before the ACK leaves the message uncertain; the next one finds a new one', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    const room = await messenger.call(relay)
    await town.core.until('the call', () => town.core.of('typing')[0])
    town.sb.onChunk = (direction, chunk) => (direction === 'to-client' && chunk.includes('ACK') ? 'drop' : 'pass')
    const lost = town.say('did you get this?', chatOf(bob))
    await room.heard()
    town.sb.cut()
    expect(await lost).toMatchObject({ kind: 'uncertain' })
    town.sb.onChunk = () => 'pass'
    const next = town.say('and this?', chatOf(bob))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'and this?' })
    expect((await next).kind).toBe('delivered')
  })

  it('that dies again and again in the middle of a stream loses nothing silently and doubles nothing', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    const rooms: Room[] = []
    const answering = (async () => {
      for (;;) rooms.push(await messenger.answer(60_000))
    })().catch(() => 'signed out')
    const outcomes = new Map<number, string>()
    let queue = Array.from({ length: 300 }, (_, at) => at)
    let acks = 0
    town.sb.onChunk = (direction, chunk) => {
      if (direction === 'to-client' && chunk.includes('ACK') && ++acks % 5 === 0) {
        void turns(5).then(() => town.sb.cut())
        return 'drop'
      }
      return 'pass'
    }
    const { pipeline } = town.session.capabilities()
    while (queue.length > 0) {
      const batch = queue.slice(0, pipeline)
      const results = await Promise.all(batch.map((at) => town.say(`line ${at}`, chatOf(bob))))
      const again: number[] = []
      for (const [at, { kind }] of results.entries()) {
        if (kind === 'retry') again.push(batch[at]!)
        else outcomes.set(batch[at]!, kind)
      }
      queue = [...again, ...queue.slice(pipeline)]
    }
    town.sb.onChunk = () => 'pass'
    await turns(10)
    while ((await town.say('the end', chatOf(bob))).kind !== 'delivered');
    const isLast = ({ wire }: Room) => wire.received.some(({ payload }) => payload.endsWith('the end'))
    await eventually(() => rooms.some(isLast) && rooms.every((room) => isLast(room) || room.wire.ended))
    const got = rooms.flatMap(({ wire }) =>
      wire.received.flatMap(({ payload }) => {
        const line = /\r\n\r\nline (\d+)$/.exec(payload)?.[1]
        return line === undefined ? [] : [Number(line)]
      }),
    )
    expect(got).toEqual([...new Set(got)].sort((a, b) => a - b))
    for (const [at, kind] of outcomes) if (kind === 'delivered') expect(got).toContain(at)
    expect(new Set(outcomes.values())).toEqual(new Set(['delivered', 'uncertain']))
    messenger.signOut()
    expect(await answering).toBe('signed out')
  })

  it('that swallows the ACK does so once', async () => {
    const town = await (await build({ ack_timeout_ms: 100 })).online()
    const messenger = await town.messenger(bob)
    const room = await messenger.call(relay)
    await town.core.until('the call', () => town.core.of('typing')[0])
    town.sb.onChunk = (direction, chunk) => (direction === 'to-client' && chunk.includes('ACK') ? 'drop' : 'pass')
    expect(await town.say('one', chatOf(bob))).toMatchObject({ kind: 'uncertain' })
    town.sb.onChunk = () => 'pass'
    await room.wire.next(`BYE ${relay}`)
    const next = town.say('two', chatOf(bob))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'two' })
    expect((await next).kind).toBe('delivered')
  })

  it('that cannot be reached is tried again later', async () => {
    const town = await (await build()).online()
    await town.messenger(bob)
    await town.sees(bob, 'online')
    await town.sb.refuse()
    expect(await town.say('hello', chatOf(bob))).toMatchObject({ kind: 'retry', reason: 'network' })
  })

  it('that nobody uses is closed, and there is a new one for the next words', async () => {
    const town = await (await build({ switchboard_idle_ms: 100 })).online()
    const messenger = await town.messenger(bob)
    const room = await messenger.call(relay)
    await room.wire.next(`BYE ${relay}`)
    const said = town.say('still there?', chatOf(bob))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'still there?' })
    expect((await said).kind).toBe('delivered')
  })
})

describe('a group', () => {
  it('of three talks in one switchboard, and says who missed it', async () => {
    const town = await (await build()).online()
    const messengers = [await town.messenger(bob), await town.messenger(carol)] as const
    await town.sees(bob, 'online')
    await town.sees(carol, 'online')
    const chat = await town.group()
    const said = town.say('hello all', chat)
    const rooms = await Promise.all(messengers.map((messenger) => messenger.answer()))
    for (const room of rooms) expect(await room.heard()).toMatchObject({ text: 'hello all' })
    expect(await said).toEqual({ kind: 'delivered', ids: [expect.any(String)] })
    rooms[0]!.text('hello from bob')
    expect(await town.heard('hello from bob')).toMatchObject({ chat, sender: user(bob) })
    messengers[1].signOut()
    await town.sees(carol, 'offline')
    await town.core.until('carol to leave', () => town.core.of('member').find(({ change }) => change === 'leave'))
    expect(await town.say('only bob', chat)).toMatchObject({ kind: 'delivered', missed: [user(carol)] })
  })

  it('is made of a chat of two when somebody calls a third', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    const other = await town.messenger(carol)
    const room = await messenger.call(relay)
    room.text('we two')
    expect((await town.heard('we two')).chat).toEqual(chatOf(bob))
    const joining = other.answer()
    await room.invite(carol)
    await joining
    const joined = await town.core.until('carol to join', () => town.core.of('member')[0])
    room.text('we three')
    expect((await town.heard('we three')).chat).toEqual(joined.chat)
    expect(joined.chat).toEqual(await town.group())
    expect((await town.say('hello both', joined.chat)).kind).toBe('delivered')
    expect(await (await joining).heard()).toMatchObject({ from: bob, text: 'we three' })
    expect(await (await joining).heard()).toMatchObject({ from: relay, text: 'hello both' })
  })

  it('of which nobody is there waits', async () => {
    const town = await (await build()).online()
    const chat = await town.group()
    expect(await town.say('hello?', chat)).toMatchObject({ kind: 'retry', wait: 'recipient-online' })
  })
})

describe('the session', () => {
  it('ends for good when somebody signs in with our account', async () => {
    const town = await (await build()).online()
    await town.messenger(relay)
    expect(await town.state('stopped')).toMatchObject({ fault: { code: 'signed-in-elsewhere' } })
    expect(town.server.counters().signedIn).toBe(1)
  })

  it('comes back after the service was shut down', async () => {
    const town = await (await build()).online()
    await town.server.stop()
    expect(await town.state('waiting')).toMatchObject({ fault: { code: 'shutdown' } })
    expect(await town.say('hello', chatOf(bob))).toMatchObject({ kind: 'retry', wait: 'session-online' })
  })

  it('ends when the server stops answering', async () => {
    const town = await (await build({ ping_ms: 50, ping_timeout_ms: 50 })).online()
    town.ns.onChunk = (direction) => (direction === 'to-client' ? 'drop' : 'pass')
    expect(await town.state('waiting')).toMatchObject({ fault: { code: 'network' } })
    expect(town.core.states.map(({ kind }) => kind)).toEqual(['connecting', 'online', 'waiting'])
  })

  it('ends when the line is cut, with what was said uncertain or kept, and comes back', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    town.ns.cut()
    await town.state('waiting')
    await town.online()
    const said = town.say('back again', chatOf(bob))
    expect(await (await messenger.answer()).heard()).toMatchObject({ text: 'back again' })
    expect((await said).kind).toBe('delivered')
  })

  it('does not begin with a wrong password', async () => {
    const town = await build()
    const session = town.adapter.session({ ...account, login: relay, secret: 'wrong' })
    await expect(session.connect(AbortSignal.timeout(10_000))).rejects.toMatchObject({
      fault: { code: 'bad-credentials' },
    })
  })

  it('does not begin where nobody listens', async () => {
    const town = await build()
    await town.ns.refuse()
    await expect(town.online()).rejects.toMatchObject({ fault: { code: 'network' } })
    expect(town.core.states.map(({ kind }) => kind)).toEqual(['connecting', 'offline'])
  })

  it('changes the contact list, and says why not', async () => {
    const town = await (await build()).online()
    const ask = (kind: 'add' | 'remove' | 'block' | 'unblock', email: string) =>
      town.session.roster({ kind, user: email as UserId }, AbortSignal.timeout(5_000))
    expect(await ask('add', 'nobody@example.com')).toMatchObject({ kind: 'refused', reason: 'not-found' })
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    expect(await ask('block', bob)).toEqual({ kind: 'done' })
    await messenger.ns.next(`FLN ${relay}`)
    expect(await ask('unblock', bob)).toEqual({ kind: 'done' })
    await messenger.ns.next(`NLN NLN ${relay}`)
    expect(await ask('remove', carol)).toEqual({ kind: 'done' })
    expect(await ask('add', carol)).toEqual({ kind: 'done' })
    expect(await town.session.roster({ kind: 'rename', name: 'The Relay' }, AbortSignal.timeout(5_000))).toEqual({
      kind: 'done',
    })
    await messenger.ns.next(`NLN NLN ${relay} The%20Relay`)
    expect(town.core.of('contact').map(({ user: who, change }) => [who.user, change])).toEqual([
      [bob, 'blocked'],
      [bob, 'unblocked'],
      [carol, 'removed'],
      [carol, 'added'],
    ])
    expect(
      town.core
        .of('roster')
        .slice(0, 1)
        .map(({ contacts }) => contacts.map(({ user: who }) => who.user).sort()),
    ).toEqual([[bob, carol]])
  })

  it('shows the status that is asked for', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await messenger.ns.next(`ILN 101 NLN ${relay}`)
    const face = (show: 'away' | 'hidden') =>
      town.session.deliver(
        { id: show as EventId, op: { kind: 'presence', as: { kind: 'self' }, state: { show } } },
        AbortSignal.timeout(5_000),
      )
    expect((await face('away')).kind).toBe('delivered')
    await messenger.ns.next(`NLN AWY ${relay}`)
    expect((await face('hidden')).kind).toBe('delivered')
    await messenger.ns.next(`FLN ${relay}`)
    expect(await town.say('psst', chatOf(bob))).toMatchObject({ kind: 'retry', reason: 'forbidden' })
  })

  it('leaves nothing open when it is closed', async () => {
    const town = await (await build()).online()
    const messenger = await town.messenger(bob)
    await messenger.call(relay)
    await town.core.until('the call', () => town.core.of('typing')[0])
    await town.session.close()
    expect(town.ns.open).toBe(0)
    expect(town.session.state).toEqual({ kind: 'offline' })
  })
})

describe('through the HTTP gateway, with a login by RST', () => {
  it('a contact and we see each other and write to each other', async () => {
    const town = await (await build({ gateway_poll_ms: 10 }, true)).online()
    const messenger = await town.messenger(bob)
    await town.sees(bob, 'online')
    const said = town.say('hello bob', chatOf(bob))
    const room = await messenger.answer()
    expect(await room.heard()).toMatchObject({ from: relay, text: 'hello bob' })
    expect((await said).kind).toBe('delivered')
    room.text('hello relay', 'A')
    expect(await town.heard('hello relay')).toMatchObject({ chat: chatOf(bob), sender: user(bob) })
    expect(town.server.counters().tunnels).toBe(2)
    // Nothing of ours went another way; bob's Messenger came into the switchboard.
    expect([town.ns.accepted, town.sb.accepted]).toEqual([0, 1])
    expect(town.adapter.describe().join()).toContain(`through 127.0.0.1:${town.where.passport}`)
    await town.server.stop()
    await town.state('waiting')
  })
})
