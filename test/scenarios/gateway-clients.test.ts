/** The programs that people use, on the gateway: the same story with each, from the sign-in to a lost connection. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Ear } from '../kit/ear.ts'
import { missing } from '../kit/foreign-server.ts'
import { address, CONTROL, GatewayWorld, PASSWORD } from '../kit/gateway-world.ts'
import { Ii } from '../kit/ii.ts'
import { EVERYTHING, Irssi } from '../kit/irssi.ts'
import { Proxy } from '../kit/proxy.ts'
import type { RealClient } from '../kit/real-client.ts'
import { SERVER, Weechat } from '../kit/weechat.ts'

const SASL = { account: 'ann', password: PASSWORD }
const EVERY_SCRIPT = 'Привет, 世界! 안녕 🎈👩‍👩‍👧 ñandú'
/** A client that hangs is closed after so long. Milliseconds. */
const PING = 'limits: { ping_ms: 1500, ping_timeout_ms: 1500 }'

/** One of the programs, and what a person does with it. */
interface Seat {
  readonly client: RealClient
  /** What the log of the server is called. */
  readonly server: string
  /** Where it is written who is in the control channel, and what becomes of them. */
  readonly news: string
  /** Shows who is in the control channel; some do when they come in. */
  names(): Promise<void>
  away(words: string): Promise<void>
  nick(nick: string): Promise<void>
  invite(nick: string, channel: string): Promise<void>
  part(channel: string): Promise<void>
}

interface Program {
  readonly name: string
  readonly absent: boolean
  /** It comes back by itself when its connection is lost. */
  readonly reconnects: boolean
  readonly start: (port: number) => Promise<Seat>
}

const irssiSeat = (client: Irssi): Seat => ({
  client,
  server: EVERYTHING,
  news: CONTROL,
  names: () => Promise.resolve(),
  away: (words) => client.command(`/away ${words}`),
  nick: (nick) => client.command(`/nick ${nick}`),
  invite: (nick, channel) => client.command(`/invite ${nick} ${channel}`),
  part: (channel) => client.command(`/part ${channel}`),
})

const PROGRAMS: readonly Program[] = [
  {
    name: 'irssi by SASL',
    absent: missing('irssi', 'tmux'),
    reconnects: true,
    start: async (port) => irssiSeat(await Irssi.start({ port, nick: 'ann', sasl: SASL })),
  },
  {
    name: 'irssi by PASS',
    absent: missing('irssi', 'tmux'),
    reconnects: true,
    start: async (port) => irssiSeat(await Irssi.start({ port, nick: 'ann', password: `ann:${PASSWORD}` })),
  },
  {
    name: 'WeeChat with all capabilities',
    absent: missing('weechat-headless'),
    reconnects: true,
    start: async (port) => {
      const client = await Weechat.start({ port, nick: 'ann', sasl: SASL })
      return {
        client,
        server: SERVER,
        news: CONTROL,
        names: () => client.command(CONTROL, '/names'),
        away: (words) => client.command(SERVER, `/away ${words}`),
        nick: (nick) => client.command(SERVER, `/nick ${nick}`),
        invite: (nick, channel) => client.command(SERVER, `/invite ${nick} ${channel}`),
        part: (channel) => client.command(SERVER, `/part ${channel}`),
      }
    },
  },
  {
    name: 'ii without any',
    absent: missing('ii'),
    reconnects: false,
    start: async (port) => {
      const client = await Ii.start({ port, nick: 'ann', password: PASSWORD })
      return {
        client,
        server: '',
        news: '',
        names: () => Promise.resolve(),
        away: (words) => client.raw(`/AWAY :${words}`),
        nick: (nick) => client.raw(`/n ${nick}`),
        invite: (nick, channel) => client.raw(`/INVITE ${nick} ${channel}`),
        part: (channel) => client.raw(`/PART ${channel}`),
      }
    },
  },
]

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** ann has an account, and bob and carol are her contacts; none of her clients is attached. */
const begin = async (gateway = ''): Promise<{ world: GatewayWorld; bob: Ear; carol: Ear }> => {
  const world = await GatewayWorld.start({
    gateway: `friend_requests: accept${gateway === '' ? '' : `, ${gateway}`}`,
    people: ['bob', 'carol'],
  })
  opened.push(() => world.stop())
  const newcomer = await world.newcomer('ann')
  const bob = await world.friend('bob', 'ann')
  const carol = await world.friend('carol', 'ann')
  await newcomer.until(() =>
    ['bob', 'carol'].every((nick) => newcomer.lines.some((line) => line.includes(`+v ${nick}`))),
  )
  newcomer.send('QUIT')
  await newcomer.until(() => newcomer.closed)
  return { world, bob, carol }
}

const sit = async (program: Program, port: number): Promise<Seat> => {
  const seat = await program.start(port)
  opened.push(() => seat.client.stop())
  return seat
}

/** What a contact said in a place: without the time of what was said earlier, and without a doubt. */
const said = (seat: Seat, by: string, place: string): readonly string[] =>
  seat.client.said(by, place).map((text) => text.replace(/^\[(?:\d\d:\d\d)?(?:, )?(?:perhaps shown before)?\] /, ''))

const hears = (seat: Seat, by: string, place: string, text: string): Promise<string> =>
  seat.client.until(place, () => said(seat, by, place).includes(text), `"${text}" from ${by}`)

describe.each(PROGRAMS)('$name', (program) => {
  const { absent } = program

  it.skipIf(absent)(
    'signs in, finds its contacts, sees them go, and talks in every script',
    async () => {
      const { world, bob, carol } = await begin()
      const seat = await sit(program, world.ports.irc)
      const { client, news } = seat
      // The names of the channel, and root.
      await seat.names()
      await client.until(news, /\+bob[^]*\+carol|\+carol[^]*\+bob/)
      await client.until(CONTROL, () => client.said('root', CONTROL).some((text) => text.startsWith('Welcome')))

      await client.say('bob', EVERY_SCRIPT)
      await bob.heard(EVERY_SCRIPT)
      await bob.say(address('ann'), `zurück: ${EVERY_SCRIPT}`)
      await hears(seat, 'bob', 'bob', `zurück: ${EVERY_SCRIPT}`)
      await client.act('bob', 'winkt 👋')
      await bob.until(() => bob.texts.some((text) => text.includes('winkt 👋')), 'an action')
      // In the control channel, by name; the answer comes there.
      await client.say(CONTROL, 'carol: hier bin ich')
      await carol.heard('hier bin ich')
      await carol.say(address('ann'), 'ich sehe dich')
      await hears(seat, 'carol', CONTROL, 'ann: ich sehe dich')

      await bob.messenger.status('AWY')
      await client.until(news, /-v bob/)
      await bob.messenger.status('NLN')
      await client.until(news, /-v bob[^]*\+v bob/)
      carol.messenger.signOut()
      await client.until(news, /carol.* has quit/)

      await client.say(CONTROL, 'rename bob bobby')
      await client.until(news, /bob .*(?:is now known as|changed nick to) "?bobby/)
      await bob.say(address('ann'), 'who am I?')
      await hears(seat, 'bobby', 'bobby', 'who am I?')

      await seat.away('Busy - fixing bugs')
      await bob.messenger.ns.next(`NLN BSY ${address('ann')}`)
      await seat.nick('annie')
      await client.until(seat.server, /(?:now known as|changed nick to) "?annie/)
      await client.say('bobby', 'still me')
      await bob.heard('still me')
    },
    30_000,
  )

  it.skipIf(absent)(
    'brings people together in a channel, and leaves it',
    async () => {
      const { world, bob, carol } = await begin()
      const seat = await sit(program, world.ports.irc)
      const { client } = seat
      await client.say(CONTROL, 'chat with bob')
      await client.until('#bob', /ann.* has joined/)
      await seat.invite('carol', '#bob')
      await client.until('#bob', /carol.* has joined/)
      await client.say('#bob', `ihr zwei: ${EVERY_SCRIPT}`)
      await bob.heard(`ihr zwei: ${EVERY_SCRIPT}`)
      await carol.heard(`ihr zwei: ${EVERY_SCRIPT}`)
      await carol.say(address('ann'), 'ihr auch')
      await bob.heard('ihr auch')
      await hears(seat, 'carol', '#bob', 'ihr auch')
      await bob.say(address('ann'), 'und ich')
      await hears(seat, 'bob', '#bob', 'und ich')
      await seat.part('#bob')
      await bob.rooms.at(-1)?.wire.next(`BYE ${address('ann')}`)
      await carol.rooms.at(-1)?.wire.next(`BYE ${address('ann')}`)
    },
    30_000,
  )

  it.skipIf(absent)(
    'loses its connection, and finds what was said meanwhile, once',
    async () => {
      const { world, bob } = await begin()
      const proxy = await Proxy.start(world.ports.irc)
      opened.push(() => proxy.stop())
      let seat = await sit(program, proxy.port)
      await seat.client.until(CONTROL, /Welcome to the gateway/)
      await bob.say(address('ann'), 'one')
      await hears(seat, 'bob', 'bob', 'one')
      const open = await proxy.refuse()
      await bob.say(address('ann'), 'two', EVERY_SCRIPT)
      await open()
      if (!program.reconnects) seat = await sit(program, proxy.port)
      await hears(seat, 'bob', 'bob', EVERY_SCRIPT)
      await bob.say(address('ann'), 'three')
      await hears(seat, 'bob', 'bob', 'three')
      expect(said(seat, 'bob', 'bob').filter((text) => text !== 'one')).toEqual(['two', EVERY_SCRIPT, 'three'])

      const reader = await world.attach('ann', ['server-time', 'message-tags', 'batch', 'draft/chathistory'])
      reader.send('CHATHISTORY LATEST bob * 50')
      await reader.next(/ BATCH -/)
      expect(reader.said('bob', 'ann')).toEqual(['one', 'two', EVERY_SCRIPT, 'three'])
    },
    30_000,
  )

  it.skipIf(absent)(
    'comes again while its old connection hangs: nothing is lost, doubled or in the way',
    async () => {
      const { world, bob } = await begin(PING)
      const proxy = await Proxy.start(world.ports.irc)
      opened.push(() => proxy.stop())
      const old = await sit(program, proxy.port)
      await old.client.until(CONTROL, /Welcome to the gateway/)
      await bob.say(address('ann'), 'one')
      await hears(old, 'bob', 'bob', 'one')
      await old.client.say('bob', 'zero')
      await bob.heard('zero')
      proxy.onChunk = () => 'drop'
      await bob.say(address('ann'), 'two')
      const seat = await sit(program, world.ports.irc)
      await hears(seat, 'bob', 'bob', 'two')
      await seat.client.say('bob', 'I am ann')
      await bob.heard('I am ann')
      await bob.say(address('ann'), 'three')
      await hears(seat, 'bob', 'bob', 'three')
      await seat.client.until('bob', () => proxy.open === 0 || proxy.accepted > 1, 'the end of the old connection')
      await old.client.stop()
      await bob.say(address('ann'), 'four')
      await hears(seat, 'bob', 'bob', 'four')
      expect(said(seat, 'bob', 'bob')).toEqual(['two', 'three', 'four'])
      expect(bob.texts).toEqual(['zero', 'I am ann'])
    },
    30_000,
  )
})
