import { describe, expect, it } from 'vitest'
import { channelOf, SILENT_MS, type Channel } from '../../../adapters/msn/participants.ts'
import { TEXT_ROOM } from '../../../adapters/msn/outbound.ts'
import { escapeWord } from '../../../bridge/model/escape.ts'
import type { MessageBody } from '../../../bridge/model/body.ts'
import type { Outbound, Participant, Puppet } from '../../../bridge/model/events.ts'
import type { NetworkId, PersonId, UserId, UserRef } from '../../../bridge/model/ids.ts'
import { plain } from '../../../bridge/model/text.ts'
import { chatOf, Rig, textOfPayload, type FakeBoard } from './fakes.ts'

const IRC = 'irc' as NetworkId
const channel: Channel = {
  own: '#tea@irc.example.com' as UserId,
  addressOf: ({ network, user }) => (user === 'bot' ? undefined : `${escapeWord(user)}@${network}.example.com`),
}
const CAROL = 'carol@example.com'
const chat = chatOf(CAROL)

const ref = (user: string, network = IRC): UserRef => ({ network, user: user as UserId })
const at = (nick: string): string => `${escapeWord(nick)}@irc.example.com`
const are = (...names: readonly string[]): Outbound => ({
  kind: 'company',
  people: names.map((name): Participant => ({ user: ref(name.toLowerCase()), name })),
})
const ghost = (name: string, network = IRC): Puppet => ({
  kind: 'ghost',
  origin: ref(name.toLowerCase(), network),
  name,
})
const says = (as: Puppet, body: string | MessageBody): Outbound => ({
  kind: 'message',
  as,
  body: typeof body === 'string' ? { kind: 'text', text: plain(body) } : body,
  at: 0,
})

/** The channel, and who is in it. */
const started = async (...names: readonly string[]) => {
  const rig = await Rig.online({ channel })
  await rig.deliver(are(...names), chat)
  return rig
}

/** Somebody with a Messenger has opened the conversation. */
const opened = (rig: Rig, participants = 3): FakeBoard => {
  rig.line.participants = participants
  return rig.line.ring(CAROL)
}

const last = (board: FakeBoard) => {
  const sent = board.sent.at(-1)
  return sent && { all: textOfPayload(sent.payload), own: spokenIn(sent.spoken) }
}
const spokenIn = (spoken: FakeBoard['sent'][number]['spoken']): string | undefined =>
  spoken && `${spoken.email}: ${textOfPayload(spoken.payload)}`

describe('an account', () => {
  it('stands for a channel by its address, on our own service', () => {
    expect(channelOf('#tea@irc.example.com' as UserId, channel.addressOf)).toEqual(channel)
    expect(channelOf('amy@irc.example.com' as UserId, channel.addressOf)).toBeUndefined()
    expect(channelOf('#tea@irc.example.com' as UserId, undefined)).toBeUndefined()
  })

  it('that stands for a channel shows faces in its chats; no other one does, and none in groups', async () => {
    const rig = await Rig.online({ channel })
    expect(rig.session.capabilities(chat)).toMatchObject({ puppets: 'native', ops: { company: 'native' } })
    expect(rig.session.capabilities().puppets).toBe('prefix')
    expect(rig.session.capabilities(await rig.group('a@x', 'b@x')).puppets).toBe('prefix')
    expect((await Rig.online()).session.capabilities(chat)).toMatchObject({ puppets: 'prefix' })
  })
})

describe('a conversation of a channel', () => {
  it('does not end because nobody says anything', async () => {
    expect((await Rig.online({ channel })).line.options.timings).toMatchObject({ switchboardIdleMs: 0 })
    expect((await Rig.online()).line.options.timings).toBeUndefined()
  })
})

describe('members of a channel', () => {
  it('have places where the conversation is open, as far as they go, and speak from them', async () => {
    const rig = await started('Amy', 'bob', '[Cat]', 'dan')
    const board = opened(rig)
    expect(board.seatings).toEqual([`+${at('amy')} Amy`, `+${at('bob')} bob`, `+${at('[cat]')} [Cat]`])
    expect((await rig.deliver(says(ghost('bob'), 'hello'), chat)).kind).toBe('delivered')
    expect(last(board)).toEqual({ all: '<bob> hello', own: `${at('bob')}: hello` })
    await rig.deliver(says(ghost('Amy'), { kind: 'action', text: plain('waves') }), chat)
    expect(last(board)).toEqual({ all: '* Amy waves', own: `${at('amy')}: * Amy waves` })
    await rig.deliver(says(ghost('Amy'), { kind: 'nudge' }), chat)
    expect(last(board)).toEqual({ all: '* Amy sends a nudge', own: `${at('amy')}: * Amy nudges you` })
  })

  it('are called by the names that they have now, and go when they are gone', async () => {
    const rig = await started('amy', 'bob')
    const board = opened(rig)
    board.seatings.length = 0
    await rig.deliver(are('AMY', 'zoe'), chat)
    expect(board.seatings).toEqual([`+${at('amy')} AMY`, `-${at('bob')}`, `+${at('zoe')} zoe`])
    await rig.deliver(are(), chat)
    expect([...board.seated]).toEqual([])
    await rig.deliver(says(ghost('amy'), 'bye'), chat)
    expect(last(board)).toEqual({ all: '<amy> bye', own: undefined })
  })

  it('take the place of whoever was silent for long, and of nobody else', async () => {
    const rig = await started('amy', 'bob', 'cat', 'dan')
    const board = opened(rig, 2)
    await rig.deliver(says(ghost('cat'), 'one'), chat)
    expect(board.seatings.slice(2)).toEqual([`-${at('bob')}`, `+${at('cat')} cat`])
    await rig.deliver(says(ghost('amy'), 'two'), chat)
    await rig.deliver(says(ghost('dan'), 'three'), chat)
    expect(last(board)).toEqual({ all: '<dan> three', own: undefined })
    await rig.core.clock.advance(SILENT_MS)
    await rig.deliver(says(ghost('cat'), 'four'), chat)
    await rig.deliver(says(ghost('dan'), 'five'), chat)
    expect(last(board)).toEqual({ all: '<dan> five', own: `${at('dan')}: five` })
    expect([...board.seated.keys()]).toEqual([at('cat'), at('dan')])
  })

  it.each([
    ['somebody of another network', says(ghost('amy', 'matrix' as NetworkId), 'hi'), '<amy> hi'],
    ['who has no address', says(ghost('bot'), 'hi'), '<bot> hi'],
    ['who is not in the channel', says(ghost('eve'), 'hi'), '<eve> hi'],
  ])('are names in the text where it is %s', async (_, op, words) => {
    const rig = await started('amy')
    rig.line.participants = 3
    const board = rig.line.ring(CAROL)
    await rig.deliver(op, chat)
    expect(last(board)).toEqual({ all: words, own: undefined })
  })

  it('are themselves also when they are people of ours', async () => {
    const rig = await started('amy')
    const board = opened(rig)
    const person = 'p-amy' as PersonId
    const as: Puppet = { kind: 'person', person, name: 'amy', origin: ref('amy'), user: at('amy') as UserId }
    await rig.deliver(says(as, 'hi'), chat)
    expect(last(board)).toEqual({ all: '<amy> hi', own: `${at('amy')}: hi` })
  })

  it('have none on services that know no participants', async () => {
    const rig = await started('amy')
    const board = opened(rig, 0)
    await rig.deliver(says(ghost('amy'), 'hi'), chat)
    expect(board.seatings).toEqual([])
    expect(last(board)).toEqual({ all: '<amy> hi', own: undefined })
  })

  it('come before the person who is called because of a message', async () => {
    const rig = await started('amy')
    rig.line.participants = 3
    const said = rig.deliver(says(ghost('amy'), 'anybody?'), chat)
    await rig.settle()
    expect(rig.board.seatings).toEqual([`+${at('amy')} amy`])
    expect(rig.board.called).toEqual([CAROL])
    rig.board.join(CAROL)
    await rig.core.clock.advance(0)
    expect((await said).kind).toBe('delivered')
    expect(last(rig.board)?.own).toBe(`${at('amy')}: anybody?`)
  })

  it('leave a conversation that becomes one of several people', async () => {
    const rig = await started('amy')
    const board = opened(rig)
    board.join('dave@example.com')
    expect(board.seatings).toEqual([`+${at('amy')} amy`, `-${at('amy')}`])
  })

  it('say what does not fit with their name through the channel, in parts', async () => {
    const rig = await started('amy')
    opened(rig)
    const fits = says(ghost('amy'), 'x'.repeat(TEXT_ROOM - '<amy> '.length))
    expect(rig.session.split(fits, chat)).toEqual([fits])
    const parts = rig.session.split(says(ghost('amy'), 'x'.repeat(TEXT_ROOM)), chat)
    expect(parts).toHaveLength(2)
    expect(parts[0]).toMatchObject({ as: { kind: 'self' }, body: { kind: 'text' } })
    const [other] = rig.session.split(says(ghost('amy', 'matrix' as NetworkId), 'hi'), chat)
    expect(other).toMatchObject({ as: { kind: 'self' }, body: { text: [{ text: '<amy> hi' }] } })
  })
})
