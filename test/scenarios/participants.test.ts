/** Somebody with a Messenger opens the conversation of an IRC channel, and sees who is there and who says what. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Ear } from '../kit/ear.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { missing } from '../kit/foreign-server.ts'
import { InspircdNetwork } from '../kit/inspircd-network.ts'
import { IrcClient } from '../kit/irc-client.ts'
import { Irssi } from '../kit/irssi.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, type MatrixWorldOptions } from '../kit/matrix-world.ts'
import { DEADLINE_MS, type Messenger, type Room } from '../kit/messenger.ts'
import { DOMAIN } from '../kit/world.ts'

let world: MatrixWorld | undefined
const others: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await world?.stop()
  world = undefined
  for (const other of others.splice(0)) await other.stop()
})

const BROUGHT = 'msn_bridge_visitors_total{network="irc",outcome="done"}'
const TEA = `#tea@irc.${DOMAIN}`
const at = (nick: string): string => `${nick}@irc.${DOMAIN}`

const started = async (options: Partial<MatrixWorldOptions> & { readonly elsewhere?: string } = {}) => {
  const { elsewhere = '' } = options
  world = await MatrixWorld.start({
    start: (start) => FakeHomeserver.start(start),
    irc: true,
    people: ['carol', 'dave'],
    service: `    elsewhere: { networks: [matrix, irc], people: ["*"], servers: [localhost]${elsewhere} }`,
    ...options,
  })
  await world.online('irc')
  return world
}

/** Has the channel on the list, and sees it online. */
const adds = async (person: Messenger, dialect: 'old' | 'keyed' = 'old'): Promise<void> => {
  const answer =
    dialect === 'old'
      ? await person.ask('ADD', 'FL', TEA, 'Tea', '0')
      : await person.ask('ADC', 'FL', `N=${TEA}`, 'F=Tea')
  expect(answer.words[0]).toBe(dialect === 'old' ? 'ADD' : 'ADC')
  await person.ns.next(({ words }) => /^[NI]LN$/.test(words[0] ?? '') && words.includes(TEA))
}

const came = async (room: Room, ...nicks: readonly string[]): Promise<void> => {
  await Promise.all(nicks.map((nick) => room.wire.next(`JOI ${at(nick)}`)))
}

/** Lines of JOI and BYE so far, without the channel. */
const doors = ({ wire }: Room): readonly string[] =>
  wire.received.map(({ line }) => line).filter((line) => /^(JOI|BYE) /.test(line) && !line.includes(TEA))

interface LaneRow {
  readonly account: string
  readonly depth: number
  readonly waitingFor: string
}

/** Rows of the channel that wait on disk for their reader to come online. */
const waiting = async (here: MatrixWorld): Promise<number> => {
  const { lanes } = (await here.status()) as { readonly lanes: readonly LaneRow[] }
  const own = lanes.filter(
    (lane) => lane.account === `retro:${TEA}` && lane.waitingFor === 'the recipient to come online',
  )
  return own.reduce((sum, { depth }) => sum + depth, 0)
}

/** A line of IRC is said and heard; what was due before it has come by then. */
const barrier = async (room: Room, says: IrcClient, word: string): Promise<void> => {
  says.say('#tea', word)
  await room.wire.next(({ payload }) => payload.endsWith(word))
}

describe.skipIf(missing('inspircd'))('the members of a channel', () => {
  test.skipIf(missing('irssi') || missing('tmux'))(
    'take part in its conversation: who is there, who comes and goes, and who speaks',
    async () => {
      const here = await started()
      const amy = await here.irc('amy', '#tea')
      const ian = await Irssi.start({ nick: 'Ian', port: here.ircd?.port ?? 0 })
      others.push(ian)
      await ian.join('#tea')
      const [carol, dave] = [await here.messenger('carol', []), await here.messenger('dave', [], { dialect: 'MSNP12' })]
      await adds(carol)
      await adds(dave, 'keyed')
      await amy.next(/msnbridge!\S+ JOIN :?#tea/)

      const hers = await carol.call(TEA)
      await came(hers, 'amy', 'ian')
      expect(doors(hers).toSorted()).toEqual([`JOI ${at('amy')} amy`, `JOI ${at('ian')} Ian`])
      amy.say('#tea', 'hello Messenger')
      expect(await hers.heard()).toMatchObject({ from: at('amy'), text: 'hello Messenger' })
      await hers.acked(hers.text('hello all'))
      await amy.next(/PRIVMSG #tea :<c\u200b?arol> hello all/)

      // The other one is called, and comes to those who are there.
      const his = await dave.answer()
      const present = his.wire.received.filter(({ words }) => words[0] === 'IRO').map(({ line }) => line)
      expect(present[0]).toMatch(new RegExp(`^IRO 1 1 3 ${TEA} \\S+ \\d+$`))
      expect(
        present
          .slice(1)
          .map((line) => line.replace(/^IRO 1 \d 3 /, ''))
          .toSorted(),
      ).toEqual([`${at('amy')} amy 0`, `${at('ian')} Ian 0`])
      expect(await his.heard()).toMatchObject({ from: at('amy'), text: 'hello Messenger' })
      // What somebody says on another Messenger is named by the channel: their address is that of a real contact.
      expect(await his.heard()).toMatchObject({ from: TEA, text: '<carol> hello all' })
      await ian.say('#tea', 'hello from irssi')
      const fromIan = { from: at('ian'), text: 'hello from irssi' }
      expect(await Promise.all([hers.heard(), his.heard()])).toMatchObject([fromIan, fromIan])
      await ian.act('#tea', 'waves')
      expect(await hers.heard()).toMatchObject({ from: at('ian'), text: '* Ian waves' })

      // Whoever has just come has a place by the first word.
      const zoe = await here.irc('[Zoe]', '#tea')
      zoe.say('#tea', 'is this on?')
      await came(hers, '=5bzoe=5d')
      expect(await hers.heard()).toMatchObject({ from: at('=5bzoe=5d'), text: 'is this on?' })
      zoe.send('NICK zora')
      await hers.wire.next(`BYE ${at('=5bzoe=5d')}`)
      await came(hers, 'zora')
      zoe.send('PART #tea')
      await hers.wire.next(`BYE ${at('zora')}`)
      await ian.command('/quit')
      await hers.wire.next(`BYE ${at('ian')}`)

      // The window is closed and opened again.
      hers.leave()
      const again = await carol.call(TEA)
      await came(again, 'amy')
      await barrier(again, amy, 'here again')
      expect(doors(again)).toEqual([`JOI ${at('amy')} amy`])

      // A place is no contact: nobody can be called by it, and adding is what it always was.
      const alone = await carol.call()
      alone.wire.send(`CAL 9 ${at('amy')}`)
      expect((await alone.wire.next(/ 9$/)).line).toBe('217 9')
      again.wire.send(`CAL 9 ${at('amy')}`)
      expect((await again.wire.next(/ 9$/)).line).toBe('215 9')
      expect((await dave.ask('ADC', 'FL', `N=${at('amy')}`, 'F=Amy')).words[0]).toBe('ADC')
      await dave.ns.next(({ words }) => words[0] === 'NLN' && words.includes(at('amy')))
      await vi.waitFor(async () => expect(await here.metric(BROUGHT)).toBe(3), DEADLINE_MS)
      alone.wire.send(`CAL 10 ${at('amy')}`)
      expect((await alone.wire.next(/ 10$/)).line).toBe('216 10')
      expect((await carol.ask('ADD', 'FL', at('amy'), 'Amy', '0')).words[0]).toBe('205')
      await barrier(again, amy, 'still a member')
      expect(again.wire.received.at(-1)?.words[1]).toBe(at('amy'))
    },
    120_000,
  )

  test('beyond the limit are names in the text, until they speak and somebody has been silent', async () => {
    const here = await started({ elsewhere: ', participants: 3' })
    const nicks = ['ann', 'ben', 'cat', 'dan', 'eve']
    const people = new Map<string, IrcClient>()
    for (const nick of nicks) people.set(nick, await here.irc(nick, '#tea'))
    const says = (nick: string, text: string): void => people.get(nick)?.say('#tea', text)
    const carol = await here.messenger('carol', [])
    await adds(carol)
    await people.get('ann')?.next(/msnbridge!\S+ JOIN :?#tea/)
    const room = await carol.call(TEA)
    for (let count = 0; count < 3; count++) await room.wire.next('JOI')
    const first = doors(room).map((line) => /^JOI (\w+)@/.exec(line)?.[1] ?? '')
    const rest = nicks.filter((nick) => !first.includes(nick))
    expect(rest).toHaveLength(2)
    for (const nick of rest) {
      says(nick, `${nick} speaks`)
      await room.wire.next('BYE')
      expect(await room.heard()).toMatchObject({ from: at(nick), text: `${nick} speaks` })
    }
    const gone = doors(room)
      .filter((line) => line.startsWith('BYE'))
      .map((line) => line.slice(4, 7))
    const [stays = ''] = first.filter((nick) => !gone.includes(nick))
    says(stays, 'me, too')
    expect(await room.heard()).toMatchObject({ from: at(stays), text: 'me, too' })
    // All who have a place spoke just now.
    const [late = ''] = gone
    says(late, 'and I?')
    expect(await room.heard()).toMatchObject({ from: TEA, text: `<${late}> and I?` })
    people.get(stays)?.send('QUIT')
    await room.wire.next(`BYE ${at(stays)}`)
    await came(room, late)
    says(late, 'at last')
    expect(await room.heard()).toMatchObject({ from: at(late), text: 'at last' })
  }, 120_000)

  test('whom a netsplit takes stay for a while, and a storm is told at once', async () => {
    const network = await InspircdNetwork.start()
    others.push(network)
    const here = await started({ irc: network.hub.port })
    const amy = await IrcClient.connect(network.hub.port, 'amy')
    const bob = await IrcClient.connect(network.leaf.port, 'bob')
    others.push({ stop: async () => [amy, bob].forEach((client) => client.close()) })
    for (const client of [amy, bob]) await client.join('#tea')
    await amy.until(() => amy.lines.some((line) => /:bob!\S+ JOIN/.test(line)))
    const carol = await here.messenger('carol', [])
    await adds(carol)
    await amy.next(/msnbridge!\S+ JOIN :?#tea/)
    const room = await carol.call(TEA)
    await came(room, 'amy', 'bob')
    const before = doors(room).length
    await network.split()
    await amy.next(/:bob!\S+ QUIT/)
    await barrier(room, amy, 'alone')
    await network.join()
    await amy.next(/:bob!\S+ JOIN/)
    await barrier(room, amy, 'together')
    expect(doors(room)).toHaveLength(before)
    await network.split()
    await room.wire.next(`BYE ${at('bob')}`)

    const crowd = await Promise.all(
      Array.from({ length: 15 }, (_, index) => IrcClient.connect(network.hub.port, `one${index}`)),
    )
    others.push({ stop: async () => crowd.forEach((client) => client.close()) })
    for (const client of crowd) client.send('JOIN #tea')
    await came(room, ...crowd.map(({ nick }) => nick))
    for (const client of crowd) client.close()
    await Promise.all(crowd.map(({ nick }) => room.wire.next(`BYE ${at(nick)}`)))
    expect(doors(room)).toHaveLength(before + 1 + 2 * crowd.length)
  }, 120_000)

  test('are not our own nicks, and a Matrix room of the same person sees names in the text', async () => {
    const here = await started({ ircMore: '    puppets: { enabled: true, connect_ms: 0, debounce_ms: 0 }' })
    const amy = await here.irc('amy', '#tea')
    const alice = await here.resident()
    const messenger = await here.messenger('alice', [])
    await adds(messenger)
    await amy.next(/msnbridge!\S+ JOIN :?#tea/)
    const room = await messenger.call(TEA)
    await came(room, 'amy')
    await room.acked(room.text('hello from the Messenger'))
    await amy.next(/:alice\S*!\S+ JOIN :?#tea/)
    await room.acked(room.text('by a nick of my own'))
    await amy.next(/^(@\S+ )?:alice\S*!\S+ PRIVMSG #tea :by a nick of my own/)
    amy.say('#tea', 'hello both')
    expect(await room.heard()).toMatchObject({ from: at('amy'), text: 'hello both' })
    const seen = await alice.person.waitForRoom((id) =>
      alice.person.messages(id).some((event) => bodyOf(event) === '<amy> hello both'),
    )
    expect(alice.person.messages(seen).filter((event) => bodyOf(event).includes('hello both'))).toHaveLength(1)
    expect(doors(room)).toEqual([`JOI ${at('amy')} amy`])
    await barrier(room, amy, 'and nobody else came')
    expect(doors(room)).toEqual([`JOI ${at('amy')} amy`])
  }, 120_000)

  test('are heard once each after a crash, and in order', async () => {
    const here = await started()
    const amy = await here.irc('amy', '#tea')
    const carol = await here.messenger('carol', [])
    await adds(carol)
    await amy.next(/msnbridge!\S+ JOIN :?#tea/)
    const room = await carol.call(TEA)
    await came(room, 'amy')
    const dave = await here.messenger('dave', ['carol'])
    await dave.ns.next(new RegExp(`LN \\S*.*${carol.email}`))
    room.leave()
    carol.signOut()
    await dave.ns.next(`FLN ${carol.email}`)
    const said = Array.from({ length: 8 }, (_, index) => `word ${index}`)
    for (const word of said) amy.say('#tea', word)
    await vi.waitFor(async () => expect(await waiting(here)).toBe(said.length), DEADLINE_MS)
    await here.kill()
    await here.run()
    await here.online('irc')
    await amy.next(/msnbridge!\S+ JOIN :?#tea/)
    const ear = new Ear(await here.messenger('carol', []))
    await ear.until(() => ear.texts.some((text) => text.endsWith(said.at(-1) ?? '')), 'the last word')
    const words = ear.texts.map((text) => text.replace(/^<amy> /, '')).filter((text) => text.startsWith('word'))
    expect(words).toEqual(said)
  }, 120_000)
})
