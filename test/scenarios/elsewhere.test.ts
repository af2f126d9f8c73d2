/** Somebody with a Messenger, who has an account on our service and nothing else, meets people of Matrix and IRC as contacts. */
import { afterEach, describe, expect, test } from 'vitest'
import { Ear } from '../kit/ear.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { missing } from '../kit/foreign-server.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import { DOMAIN } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const WALTER = `walter=localhost@matrix.${DOMAIN}`
const ELSEWHERE = `    elsewhere: { networks: [matrix, irc], people: ["carol@${DOMAIN}"], servers: [localhost] }`

describe('a person of Matrix', () => {
  onEachHomeserver((start) => {
    test('is added by address, is invited to a chat, and talks; without any login', async () => {
      world = await MatrixWorld.start({ start, people: ['carol'], service: ELSEWHERE })
      const walter = await world.homeserver.person('walter')
      walter.acceptInvites()
      const carol = await world.messenger('carol', [])
      expect((await carol.ask('ADD', 'AL', WALTER, WALTER)).words[0]).toBe('205')
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
      await world.kill()
      await world.run()
      await world.online(`retro:${WALTER}`)
      const again = new Ear(await world.messenger('carol', []))
      await walter.say(room, 'still here')
      await again.heard('still here')
    }, 60_000)
  })
})

describe.skipIf(missing('inspircd'))('people and channels of IRC', () => {
  test('are added by address: a person, and a channel that all are heard in', async () => {
    world = await MatrixWorld.start({
      start: (options) => FakeHomeserver.start(options),
      irc: true,
      people: ['carol'],
      service: ELSEWHERE,
    })
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
    expect((await tea.heard()).text).toBe('<amy> hello Messenger')
  }, 60_000)
})
