/** Somebody with a Messenger, who has an account on our service and nothing else, meets people of Matrix and IRC as contacts. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { escapeWord } from '../../bridge/model/escape.ts'
import { Ear } from '../kit/ear.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { missing } from '../kit/foreign-server.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import { DEADLINE_MS } from '../kit/messenger.ts'
import { address, DOMAIN } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const WALTER = `walter=localhost@matrix.${DOMAIN}`
const NOBODY = WALTER.replace('walter', 'nobody')
const ELSEWHERE = `    elsewhere: { networks: [matrix, irc], people: ["carol@${DOMAIN}"], servers: [localhost] }`
const BOTH = ELSEWHERE.replace('people: [', `people: ["dave@${DOMAIN}", `)
/** Where there is no IRC network. */
const alone = (service: string): string => service.replace(', irc]', ']')

describe('a person of Matrix', () => {
  onEachHomeserver((start) => {
    test('is added by address, is invited to a chat, and talks; without any login', async () => {
      world = await MatrixWorld.start({ start, people: ['carol'], service: alone(ELSEWHERE) })
      const walter = await world.homeserver.person('walter')
      walter.acceptInvites()
      const carol = await world.messenger('carol', [])
      expect((await carol.ask('ADD', 'AL', WALTER, WALTER)).words[0]).toBe('205')
      expect((await carol.ask('ADD', 'FL', NOBODY, 'Nobody', '0')).words[0]).toBe('205')
      expect((await carol.ask('ADD', 'FL', WALTER, 'Walter', '0')).words[0]).toBe('ADD')
      await carol.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(WALTER))
      const room = await world.portal(walter, 'carol')
      const ear = new Ear(carol)
      await ear.say(WALTER, 'hello from 2003')
      const heard = await walter.waitForMessage(room, 'hello from 2003')
      expect(heard.sender).toBe(world.ghost('carol'))
      await walter.say(room, 'hello from Matrix')
      await ear.heard('hello from Matrix')
      expect(ear.texts).toEqual(['hello from Matrix'])
      const talk = await ear.roomWith(WALTER)
      await walter.typing(room, true)
      await talk.wire.next(({ payload }) => payload.includes(`TypingUser: ${WALTER}\r\n`))
      const seenAs = (status: string): Promise<unknown> =>
        carol.ns.next(({ line }) => line.startsWith(`NLN ${status} ${WALTER} `))
      await walter.setPresence('unavailable')
      await seenAs('IDL')
      await walter.setPresence('online')
      await seenAs('NLN')
      talk.typing(carol.email)
      await walter.waitForTyping(room, world.ghost('carol'))
      await carol.status('BSY')
      await walter.waitForPresence(world.ghost('carol'), ({ presence }) => presence === 'unavailable')
      await world.kill()
      await world.run()
      await world.online(`retro:${WALTER}`)
      const again = new Ear(await world.messenger('carol', []))
      await walter.say(room, 'still here')
      await again.heard('still here')
    }, 60_000)

    test('who has an account of their own is not asked which one they mean from then on', async () => {
      world = await MatrixWorld.start({ start, people: ['carol', 'walter', 'dave'], service: alone(ELSEWHERE) })
      const walter = await world.resident('walter')
      const carol = await world.messenger('carol', [])
      expect((await carol.ask('ADD', 'FL', WALTER, 'Walter', '0')).words[0]).toBe('ADD')
      await carol.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(WALTER))
      expect(bodyOf(await world.ask(walter, `add ${address('dave')}`))).toContain(`retro:${address('walter')}`)
      expect(bodyOf(await world.ask(walter, `list-groups`))).not.toContain('Which account')
      const room = await world.portal(walter.person, 'carol')
      expect(bodyOf(await world.ask(walter, `block ${address('carol')} ${WALTER}`))).toContain(WALTER)
      await carol.ns.next(`FLN ${WALTER}`)
      expect(room).not.toBe(walter.home)
    }, 60_000)

    test('is met by two at once, each in a chat of their own; our ghosts and the bot are nobody to meet', async () => {
      world = await MatrixWorld.start({ start, people: ['carol', 'dave'], service: alone(BOTH) })
      const walter = await world.homeserver.person('walter')
      walter.acceptInvites()
      const both = [await world.messenger('carol', []), await world.messenger('dave', [])]
      await Promise.all(
        both.map(async (one) => {
          expect((await one.ask('ADD', 'FL', WALTER, 'Walter', '0')).words[0]).toBe('ADD')
          await one.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(WALTER))
        }),
      )
      const rooms = [await world.portal(walter, 'carol'), await world.portal(walter, 'dave')]
      expect(new Set(rooms).size).toBe(2)
      const [hers, his] = both.map((one) => new Ear(one))
      await walter.say(rooms[0]!, 'for carol')
      await hers!.heard('for carol')
      await walter.say(rooms[1]!, 'for dave')
      await his!.heard('for dave')
      expect(his!.texts).toEqual(['for dave'])
      const ghost = world.ghost('carol')
      const own = `${escapeWord(ghost.slice(1, ghost.indexOf(':')))}=localhost@matrix.${DOMAIN}`
      expect((await both[1]!.ask('ADD', 'FL', own, 'x', '0')).words[0]).toBe('201')
    }, 60_000)
  })
})

const BROUGHT = 'msn_bridge_visitors_total{network="irc",outcome="done"}'

describe.skipIf(missing('inspircd'))('people and channels of IRC', () => {
  test('are added by address: a person, and a channel that all are heard in', async () => {
    world = await MatrixWorld.start({
      start: (options) => FakeHomeserver.start(options),
      irc: true,
      people: ['carol', 'dave'],
      service: ELSEWHERE.replace('people: [', `people: ["dave@${DOMAIN}", `),
    })
    const here = world
    await world.online('irc')
    const amy = await world.irc('amy', '#tea')
    const carol = await world.messenger('carol', [])
    const ear = new Ear(carol)
    const nick = `amy@irc.${DOMAIN}`
    expect((await carol.ask('ADD', 'FL', nick, 'Amy', '0')).words[0]).toBe('ADD')
    await carol.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(nick))
    await ear.say(nick, 'hello amy')
    await amy.next(/PRIVMSG amy :<c\u200b?arol> hello amy/)
    amy.say('msnbridge', 'hello carol')
    await ear.heard('hello carol')
    const channel = `#tea@irc.${DOMAIN}`
    expect((await carol.ask('ADD', 'FL', channel, 'Tea', '0')).words[0]).toBe('ADD')
    await carol.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(channel))
    await amy.next(/msnbridge!\S+ JOIN :?#tea/)
    const tea = await carol.call(channel)
    await tea.acked(tea.text('hello all'))
    await amy.next(/PRIVMSG #tea :<c\u200b?arol> hello all/)
    amy.say('#tea', 'hello Messenger')
    expect(await tea.heard()).toMatchObject({ from: nick, text: 'hello Messenger' })

    // Somebody else has the same channel: all hear each other, with names, and nobody hears themselves.
    const dave = await world.messenger('dave', [])
    expect((await dave.ask('ADD', 'FL', channel, 'Tea', '0')).words[0]).toBe('ADD')
    await vi.waitFor(async () => expect(await here.metric(BROUGHT)).toBe(3), DEADLINE_MS)
    const his = new Ear(dave)
    await his.say(channel, 'dave is here')
    await amy.next(/PRIVMSG #tea :<d\u200b?ave> dave is here/)
    expect((await tea.heard()).text).toMatch(/^<dave> dave is here$/)
    await tea.acked(tea.text('carol, too'))
    await amy.next(/PRIVMSG #tea :<c\u200b?arol> carol, too/)
    amy.say('#tea', 'hello both')
    expect(await tea.heard()).toMatchObject({ from: nick, text: 'hello both' })
    await his.heard('hello both')
    expect(his.texts).toEqual(['<carol> carol, too', 'hello both'])

    // Who is away or gone there looks so, and is there again.
    const seen = (line: string): Promise<unknown> => carol.ns.next((each) => each.line.startsWith(line))
    amy.send('AWAY :at lunch')
    await seen(`NLN AWY ${nick} `)
    amy.send('AWAY')
    await seen(`NLN NLN ${nick} `)
    amy.send('QUIT :bye')
    await seen(`FLN ${nick}`)
    await world.irc('amy', '#tea')
    await seen(`NLN NLN ${nick} `)
  }, 60_000)

  test('what two people say to one person of IRC stays between each of them and that person', async () => {
    world = await MatrixWorld.start({
      start: (options) => FakeHomeserver.start(options),
      irc: true,
      people: ['carol', 'dave'],
      service: BOTH,
    })
    await world.online('irc')
    const amy = await world.irc('amy', '#tea')
    const nick = `amy@irc.${DOMAIN}`
    const [carol, dave] = [await world.messenger('carol', []), await world.messenger('dave', [])]
    const [hers, his] = [new Ear(carol), new Ear(dave)]
    expect((await carol.ask('ADD', 'FL', nick, 'Amy', '0')).words[0]).toBe('ADD')
    await carol.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(nick))
    await hers.say(nick, 'a secret of carol')
    await amy.next(/PRIVMSG amy :<c\u200b?arol> a secret of carol/)
    // The bot has one conversation with each nick.
    expect((await dave.ask('ADD', 'FL', nick, 'Amy', '0')).words[0]).toBe('205')
    await hers.say(nick, 'and another')
    await amy.next(/PRIVMSG amy :<c\u200b?arol> and another/)
    for (const wrong of ['msnbridge', '=41my', '#=54ea'])
      expect((await dave.ask('ADD', 'FL', `${wrong}@irc.${DOMAIN}`, 'x', '0')).words[0]).toBe('201')
    expect(his.texts).toEqual([])
    expect(hers.texts).toEqual([])
  }, 60_000)

  test('a channel that two have added at once is one conversation, in which each hears each line once', async () => {
    world = await MatrixWorld.start({
      start: (options) => FakeHomeserver.start(options),
      irc: true,
      people: ['carol', 'dave'],
      service: BOTH,
    })
    await world.online('irc')
    const amy = await world.irc('amy', '#tea')
    const channel = `#tea@irc.${DOMAIN}`
    const both = [await world.messenger('carol', []), await world.messenger('dave', [])]
    const [hers, his] = both.map((one) => new Ear(one))
    await Promise.all(
      both.map(async (one) => {
        expect((await one.ask('ADD', 'FL', channel, 'Tea', '0')).words[0]).toBe('ADD')
        await one.ns.next((line) => line.words[0] === 'NLN' && line.words.includes(channel))
      }),
    )
    await amy.next(/msnbridge!\S+ JOIN :?#tea/)
    const linked = () => world!.metric('msn_bridge_visitors_total{network="irc",outcome="done"}')
    await expect.poll(linked, { timeout: 20_000 }).toBe(2)
    await hers!.say(channel, 'one')
    await his!.heard('<carol> one')
    await his!.say(channel, 'two')
    await hers!.heard('<dave> two')
    await amy.next(/PRIVMSG #tea :<d\u200b?ave> two/)
    amy.say('#tea', 'three')
    await Promise.all([hers!.heard('three'), his!.heard('three')])
    expect(hers!.texts).toEqual(['<dave> two', 'three'])
    expect(his!.texts).toEqual(['<carol> one', 'three'])
  }, 60_000)
})
