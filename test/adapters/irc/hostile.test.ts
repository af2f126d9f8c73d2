/** Whatever people say and are called: what reaches the server is one line for each thing that is said, and all of it. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import '../../kit/properties.ts'
import type { Outbound, Puppet } from '../../../bridge/model/events.ts'
import type { ChatRef, EventId, MessageId, NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { SCRIPTS, thousands } from '../../kit/scripts.ts'
import { Bot, never } from './bot.ts'
import { FakeIrcd } from './fake-ircd.ts'

const CHANNEL = '#a'
const server = new FakeIrcd()
let bot: Bot
let place: ChatRef
let delivered = 0

beforeAll(async () => {
  bot = await new Bot(await server.listen()).online()
  place = await bot.join(CHANNEL)
})
afterAll(async () => {
  await bot.stop()
  await server.close()
})

const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 900 }),
  fc.stringMatching(/^[\r\n\0\x01\x02: a-zé💩]{0,900}$/u),
  fc.constantFrom('\r\nQUIT :gone', '\nPRIVMSG #a :x', 'x\r\nJOIN #b\r\n', '\0QUIT', '', ':'),
)
const ghost = (name: string): Puppet => ({
  kind: 'ghost',
  origin: { network: 'msn' as NetworkId, user: name as UserId },
  name,
})
const operation: fc.Arbitrary<Outbound> = fc.tuple(words, words, words).chain(([said, name, other]) => {
  const as = ghost(name)
  const text = [{ text: said, bold: true as const }]
  const user = { network: 'msn' as NetworkId, user: other as UserId }
  return fc.constantFrom<Outbound>(
    ...(['text', 'action', 'notice'] as const).map((kind): Outbound => ({
      kind: 'message',
      as,
      at: 0,
      body: { kind, text },
      replyTo: other as MessageId,
    })),
    { kind: 'message', as, at: 0, body: { kind: 'nudge' } },
    {
      kind: 'message',
      as,
      at: 0,
      body: { kind: 'file', file: { network: user.network, ref: said, name: other, media: 'file' }, text },
    },
    { kind: 'edit', as, target: other as MessageId, body: { kind: 'text', text } },
    { kind: 'topic', as, topic: said },
    { kind: 'status', text },
    { kind: 'delivery', target: other as MessageId, outcome: 'refused', text },
    { kind: 'member', as, user, userName: other, change: 'kick', reason: said },
    { kind: 'presence', as, state: { show: 'busy', text: said } },
    { kind: 'profile', as, name: other },
    { kind: 'title', title: said },
  )
})

test('no line is too long, and none is another one than it should be', async () => {
  await fc.assert(
    fc.asyncProperty(operation, async (op) => {
      const before = server.all.length
      await Promise.all(
        bot.session
          .split(op, place)
          .map((part) => bot.session.deliver({ id: `h${++delivered}` as EventId, chat: place, op: part }, never)),
      )
      for (const line of server.all.slice(before)) {
        expect(line).toMatch(/^(?:PRIVMSG|NOTICE|TOPIC) #a :[^\r\n\0]*$|^PING :?\S+$|^PONG /u)
        expect(Buffer.byteLength(`:${server.client.mask} ${line}`)).toBeLessThanOrEqual(510)
      }
    }),
    { numRuns: 150 },
  )
  expect(bot.session.state.kind).toBe('online')
  expect(server.clients).toHaveLength(1)
  expect(bot.context.lines.filter(({ level }) => level === 'error')).toEqual([])
}, 60_000)

test.each(SCRIPTS)('4,000 characters of %s arrive whole, there and back', async (_, letters) => {
  const whole = thousands(letters)
  const before = server.all.length
  expect((await bot.say(place, whole)).kind).toBe('delivered')
  const said = server.all.slice(before).flatMap((line) => /^PRIVMSG #a :(.*)$/s.exec(line)?.slice(1) ?? [])
  expect(said.join('') === whole).toBe(true)
  const events = bot.context.events.length
  for (const line of said) server.client.send(`:amy!u@h PRIVMSG #a :${line}`)
  await bot.context.until(() => bot.context.events.length >= events + said.length)
  const heard = bot.context.said.slice(-said.length).map((line) => line.replace(/^amy: /, ''))
  expect(heard.join('') === whole).toBe(true)
})
