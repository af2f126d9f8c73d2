import { expect, test } from 'vitest'
import type { ChatId, ChatRef, NetworkId, UserId } from '../../bridge/model/ids.ts'
import {
  channel,
  contact,
  type Core,
  type CoreOptions,
  ircChat,
  lobby,
  message,
  msnChat,
  relay,
  startsCores,
} from '../kit/core.ts'

const startCore = startsCores()
const start = async (options: CoreOptions = {}): Promise<Core> => {
  const core = await startCore({
    links: [
      [lobby, channel('#msn')],
      [contact('eve@x'), channel('#eve')],
    ],
    ...options,
  })
  const user = (name: string) => ({ network: 'msn' as NetworkId, user: name as UserId })
  await core.hub.accept({
    kind: 'roster',
    account: relay.id,
    contacts: ['bob@x', 'eve@x'].map((name) => ({
      user: user(name),
      name: '',
      listed: true,
      blocked: false,
      hasUs: true,
    })),
  })
  return core
}
const hash = ircChat('#msn')
const group: ChatRef = { network: 'msn' as NetworkId, chat: 'switchboard-1' as ChatId, account: relay.id }

test('a contact without a link speaks in the lobby, one with a link in their own channel', async () => {
  const core = await start()
  await core.say(
    message(msnChat('bob@x'), 'bob@x', 'hello', { senderName: '~*BoB*~' }),
    message(msnChat('eve@x'), 'eve@x', 'psst'),
  )
  expect(core.irc.lines.toSorted()).toEqual(['#eve: <eve> psst', '#msn: <bob> hello'])
})

test('an answer goes to the one it names and to nobody else', async () => {
  const core = await start()
  await core.say(message(hash, 'carol', 'bob: hello'))
  expect(core.msn.lines).toEqual(['dm:bob@x: <carol> hello'])
  expect(core.irc.lines).toEqual([])
})

test('what names nobody goes to nobody, and the sender is told, once in a while', async () => {
  const core = await start()
  await core.say(message(hash, 'carol', 'hello'), message(hash, 'carol', 'hello?'), message(hash, 'dave', 'dan: hi'))
  expect(core.msn.lines).toEqual([])
  expect(core.irc.lines).toEqual([
    '#msn: * carol: nobody got that: begin with a name, like "bob: hello".',
    '#msn: * dave: nobody got that: there is no dan here.',
  ])
  await core.clock.advance(5 * 60_000)
  await core.say(message(hash, 'carol', 'hello again'))
  expect(core.irc.lines).toHaveLength(3)
})

test('a notice is never answered: robots would talk for ever', async () => {
  const core = await start()
  await core.say(message(hash, 'services', { kind: 'notice', text: [{ text: 'maintenance' }] }))
  expect(core.irc.lines).toEqual([])
})

test('somebody who is no contact is answered by the name they got, or by their address', async () => {
  const core = await start()
  await core.say(message(msnChat('zoe@y'), 'zoe@y', 'hi there'))
  await core.say(message(hash, 'carol', 'zoe: hello'), message(hash, 'carol', 'new@y: are you there'))
  expect(core.irc.lines).toEqual(['#msn: <zoe> hi there'])
  expect(core.msn.lines.toSorted()).toEqual(['dm:new@y: <carol> are you there', 'dm:zoe@y: <carol> hello'])
})

test('a group that somebody opened has a handle, by which it is answered, also after a restart', async () => {
  const core = await start()
  await core.say(message(group, 'bob@x', 'welcome'), message(group, 'eve@x', 'hi'))
  expect(core.irc.lines).toEqual(['#msn: <bob/g1> welcome', '#msn: <eve/g1> hi'])
  await core.say(message(hash, 'carol', 'g1: hello all'))
  expect(core.msn.lines).toEqual(['switchboard-1: <carol> hello all'])
  await core.stop()
  const again = await start({ folder: core.folder, clock: core.clock })
  await again.say(message(hash, 'carol', 'g1: still there?'))
  expect(again.msn.lines).toEqual(['switchboard-1: <carol> still there?'])
})

test('without a lobby a group is shown where the one who speaks has a link', async () => {
  const core = await start({ links: [[contact('eve@x'), channel('#eve')]] })
  await core.say(message(group, 'eve@x', 'hi'), message(group, 'bob@x', 'lost'))
  expect(core.irc.lines).toEqual(['#eve: <eve (in a group)> hi'])
  expect(core.hub.status().unlinked).toBe(1)
})

test('what becomes of an answer is told in the lobby by name', async () => {
  const core = await start()
  core.msn.behave = async () => ({ kind: 'refused', reason: 'blocked', detail: 'x' })
  await core.say(message(hash, 'carol', 'bob: hello'))
  expect(core.irc.lines).toEqual([
    '#msn: * carol: your message "hello" to bob@x was not delivered: they do not accept messages from here.',
  ])
})

test('presence in the lobby is that of contacts without a link', async () => {
  const core = await start()
  for (const name of ['bob@x', 'eve@x'])
    await core.hub.accept({
      kind: 'presence',
      account: relay.id,
      user: { network: 'msn' as NetworkId, user: name as UserId },
      state: { show: 'away' },
    })
  await core.settle()
  expect(
    core.irc.delivered.map(({ delivery: { chat, op } }) => [
      chat?.chat,
      op.kind === 'presence' && op.as.kind === 'ghost' && op.as.name,
    ]),
  ).toEqual([
    ['#msn', 'bob'],
    ['#eve', 'eve'],
  ])
})
