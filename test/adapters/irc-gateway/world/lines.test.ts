import fc from 'fast-check'
import { expect, test } from 'vitest'
import '../../../kit/properties.ts'
import type { MessageBody } from '../../../../bridge/model/body.ts'
import type { UserId } from '../../../../bridge/model/ids.ts'
import { encode } from '../../../../adapters/irc-gateway/wire/message.ts'
import { directChat, groupChat, homeChat, probeChat, readChat } from '../../../../adapters/irc-gateway/world/chats.ts'
import { addressParts } from '../../../../adapters/irc-gateway/world/faces.ts'
import { awayWords, presenceOf } from '../../../../adapters/irc-gateway/world/away-words.ts'
import { WRAP_BYTES } from '../../../../adapters/irc-gateway/world/outbound.ts'
import { IN_USE_MS, MAX_IDLE } from '../../../../adapters/irc-gateway/world/people.ts'
import { SCRIPTS, thousands } from '../../../kit/scripts.ts'
import { ALICE, BOB, FakeClient, key, MSN, portal, text, World } from './rig.ts'

const LONG = key(`${'b'.repeat(60)}@${'home.'.repeat(12)}example`)

test.each(SCRIPTS)('4,000 characters of %s arrive whole in a query and in the control channel', async (_, letters) => {
  const w = new World()
  w.account()
  // A mask that is longer than what BitlBee leaves room for.
  w.contact(LONG, 'online')
  const { client, person } = await w.attached()
  const whole = thousands(letters)
  for (const isPrivate of ['true', 'false']) {
    await person.settings.set('private', isPrivate)
    await w.hears(LONG, text(whole))
    const lines = client.news()
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(510)
    const lead = isPrivate === 'true' ? /^:\S+ PRIVMSG alice :/ : /^:\S+ PRIVMSG &bitlbee :alice: /
    expect(lines.map((line) => line.replace(lead, '')).join('') === whole).toBe(true)
  }
})

test('whatever is said, by whomever, in whatever place: lines that hold, none injected, nothing wrapped too late', () => {
  const words = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 900 }),
    fc.stringMatching(/^[\r\n\0\x01\x02: a-zé💩]{0,900}$/u),
  )
  const body: fc.Arbitrary<MessageBody> = fc.oneof(
    fc.tuple(fc.constantFrom('text' as const, 'action' as const, 'notice' as const), words).map(([kind, said]) => ({
      kind,
      text: [{ text: said, bold: true as const }],
    })),
    fc.constant({ kind: 'nudge' as const }),
  )
  return fc.assert(
    fc.asyncProperty(
      body,
      fc.emailAddress(),
      words,
      fc.constantFrom('true', 'false'),
      async (said, address, name, isPrivate) => {
        const w = new World()
        w.account()
        const who = { account: BOB.account, user: address as UserId }
        w.contact(who, 'online', { name })
        const { person } = await w.attached()
        const raw: string[] = []
        const listener = new FakeClient('alice', ['echo-message', 'extended-join', 'setname', 'away-notify'])
        listener.send = (...messages) =>
          void raw.push(...messages.map((one) => encode(one, listener.caps, 'localhost')))
        person.attach(listener)
        await person.settings.set('private', isPrivate)
        await w.hears(who, said)
        await person.say(who, { body: said }, listener, isPrivate === 'true' ? undefined : '&bitlbee')
        person.rootSays(name)
        w.contact(who, 'busy', { name: `${name}!`, text: name })
        for (const line of raw) {
          expect(line).toMatch(/^[^\r\n\0]+\r\n$/)
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(512)
          const spoken = / (?:PRIVMSG|NOTICE) \S+ :(.*)\r\n$/s.exec(line)?.[1]
          if (spoken !== undefined)
            expect(Buffer.byteLength(spoken)).toBeLessThanOrEqual(WRAP_BYTES + '\x01ACTION \x01alice: '.length + 60)
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('ids of chats can be read back, whatever is in them', () => {
  const part = fc.string({ minLength: 1, unit: 'grapheme' })
  fc.assert(
    fc.property(part, part, part, (owner, account, user) => {
      const contact = { account: account as never, user: user as never }
      const direct = directChat(owner as never, contact)
      expect(readChat(direct)).toEqual({ kind: 'direct', owner, with: contact })
      expect(readChat(probeChat(direct))).toEqual({ kind: 'direct', owner, with: contact })
      expect(readChat(groupChat(owner as never, user))).toEqual({ kind: 'group', owner })
      expect(readChat(homeChat(owner as never))).toEqual({ kind: 'home', owner })
    }),
  )
})

test('an address becomes two parts of a mask, whatever it is', () => {
  expect(addressParts('bob@home.example' as never, MSN)).toEqual({ ident: 'bob', host: 'home.example' })
  expect(addressParts('@bob:example.org' as never, MSN)).toEqual({ ident: 'bob', host: 'example.org' })
  expect(addressParts('bob' as never, MSN)).toEqual({ ident: 'bob', host: 'msn' })
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (user) => {
      const { ident, host } = addressParts(user as never, MSN)
      expect(`${ident}@${host}`).toMatch(/^[^\s!@*?:\0]+@[^\s!@*?:\0]+$/u)
    }),
  )
})

test.each([
  [undefined, { show: 'online' }],
  ['', { show: 'online' }],
  ['Away', { show: 'away' }],
  ['N/A', { show: 'away' }],
  ['na', { show: 'away' }],
  ['DND', { show: 'busy' }],
  ['Busy - fixing bugs', { show: 'busy', text: 'fixing bugs' }],
  ['busy (fixing bugs)', { show: 'busy', text: 'fixing bugs' }],
  ['Lunch: back at two', { show: 'lunch', text: 'back at two' }],
  ['Out to lunch', { show: 'lunch' }],
  ['food', { show: 'lunch' }],
  ['BRB', { show: 'brb' }],
  ['on the phone', { show: 'phone' }],
  ['Invisible', { show: 'hidden' }],
  ['hidden', { show: 'hidden' }],
  ['Gone fishing', { show: 'away', text: 'Gone fishing' }],
  ['busy bees', { show: 'away', text: 'busy bees' }],
])('/away %s', (words, state) => {
  expect(presenceOf(words)).toEqual(state)
})

test.each([
  [{ show: 'online', text: 'hello' }, undefined],
  [{ show: 'busy' }, 'Busy'],
  [{ show: 'brb', text: 'tea\n' }, 'Be Right Back (tea)'],
  [{ show: 'offline', text: 'x' }, 'Offline'],
] as const)('%j is 301 %s', (state, words) => {
  expect(awayWords(state)).toBe(words)
})

test('who is idle is forgotten from memory when there are many, and who has clients or is busy is not', async () => {
  const w = new World()
  w.account()
  const { person, client } = await w.attached()
  const many = async (name: string): Promise<void> => {
    for (let number = 0; number < 500; number++) await w.people.get(`${name}${number}` as UserId)
  }
  await many('a')
  // Whoever asked for them has had no time to attach a client.
  expect(w.people.live('a0' as UserId)).toBeDefined()
  await w.bridge.clock.advance(IN_USE_MS + 1)
  await many('b')
  await w.bridge.clock.advance(IN_USE_MS + 1)
  await w.people.get('last' as UserId)
  expect(w.people.size).toBeLessThanOrEqual(MAX_IDLE + 1)
  expect(await w.people.get(ALICE)).toBe(person)
  let claimed = (): void => undefined
  const held = new Promise<void>((resolve) => (claimed = resolve))
  w.bridge.answerClaim = ({ chat }) => held.then(() => ({ kind: 'claimed', request: portal([], { chat: chat.chat }) }))
  const saying = person.say(BOB, { body: text('hi') }, client)
  person.detach(client, 'quit')
  await w.bridge.clock.advance(IN_USE_MS + 1)
  await many('c')
  await w.bridge.clock.advance(IN_USE_MS + 1)
  await many('d')
  expect(w.people.live(ALICE)).toBe(person)
  claimed()
  expect(await saying).toMatchObject({ kind: 'said' })
  await w.bridge.clock.advance(IN_USE_MS + 1)
  await many('e')
  expect(w.people.live(ALICE)).toBeUndefined()
})

test('whose account is dropped leaves nothing behind, whatever comes after', async () => {
  const w = new World()
  w.account()
  w.contact(BOB, 'online')
  const { person, client } = await w.attached()
  await person.settings.set('private', 'false')
  await w.bridge.clock.settle()
  expect(w.bridge.stored.size).toBeGreaterThan(0)
  await w.people.erase(ALICE)
  person.detach(client, 'lost')
  person.rootSays('too late')
  await w.bridge.clock.settle()
  expect([...w.bridge.stored.keys()]).toEqual([])
})
