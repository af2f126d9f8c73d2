import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { Ii } from '../kit/ii.ts'
import { Inspircd } from '../kit/inspircd.ts'
import { EVERYTHING, Irssi } from '../kit/irssi.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import type { RealClient } from '../kit/real-client.ts'
import { Weechat } from '../kit/weechat.ts'
import { address, World } from '../kit/world.ts'

/** The programs that people use, on networks that the relay bot is on. */
const noIrssi = missing('inspircd', 'atheme-services', 'irssi', 'tmux')
const noWeechat = missing('inspircd', 'atheme-services', 'weechat-headless')
const noIi = missing('ngircd', 'ii')

const CHANNEL = '#bob'
const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "${CHANNEL}" } ]`
const PRESENCE = `    timing: { backoff_ms: [100, 200, 400] }
    presence: { enabled: true, seconds: 1 }`
const EVERY_SCRIPT = 'Привет, 世界! 안녕 🎈👩‍👩‍👧 ñandú'
const SASL = { account: 'ann', password: 'geheim' }
/** Characters, not bytes, without one that stands where a line is cut and falls away there. */
const LONG = Array.from({ length: 4000 }, (_, index) => Array.from('жизнь漢字abcé🎈')[index % 12] ?? '').join('')
/** A Messenger says at most 1664 bytes at once. */
const SAID_AT_ONCE = 400

const WELCOME = /-!- Welcome to /g
const JOINED = /-!- ann \[\S+\] has joined /g
const count = (log: string, pattern: RegExp): number => log.match(pattern)?.length ?? 0

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** The bridge on an InspIRCd where `ann` has an account. */
const modernWorld = async (): Promise<{ world: World; ircd: Inspircd; bob: Messenger }> => {
  const world = await World.start({ services: true, links: [CONTACT], irc: PRESENCE })
  const { ircd } = world
  if (!(ircd instanceof Inspircd)) throw new Error('not the server that was asked for')
  await ircd.register(SASL.account, SASL.password)
  return { world, ircd, bob: await world.messenger('bob') }
}

const relayed = (client: RealClient): readonly string[] =>
  client.said('msnbridge', CHANNEL).map((line) => line.replace(/^<[^>]*> /, ''))

/** By the bot; the name has an invisible character, so that nobody is highlighted. */
const announced = (client: RealClient, text: string): boolean =>
  client.said('msnbridge', CHANNEL).some((line) => line.replaceAll('\u200b', '').startsWith(text))

const untilRelayed = (client: RealClient, text: string, ms?: number): Promise<string> =>
  client.until(CHANNEL, () => relayed(client).includes(text), `"${text}" from the bridge`, ms)

/** Both ways, in the channel that the bot is in already. */
const talk = async (client: RealClient, bob: Messenger): Promise<Room> => {
  await client.join(CHANNEL)
  await client.say(CHANNEL, EVERY_SCRIPT)
  const room = await bob.answer()
  expect((await room.heard()).text).toBe(`<${client.nick}> ${EVERY_SCRIPT}`)
  await room.acked(room.text(`zurück: ${EVERY_SCRIPT}`))
  await untilRelayed(client, `zurück: ${EVERY_SCRIPT}`)
  await client.act(CHANNEL, 'winkt 👋')
  expect((await room.heard()).text).toBe(`* ${client.nick} winkt 👋`)
  return room
}

/** The server says that the account is theirs (330) and that they came by TLS (671). */
const expectSignedIn = async (world: World, nick: string): Promise<void> => {
  const asker = await world.irc('asker')
  asker.send(`WHOIS ${nick}`)
  await asker.next(/ 318 /)
  expect(asker.lines).toContainEqual(expect.stringMatching(new RegExp(` 330 asker ${nick} ann `)))
  expect(asker.lines).toContainEqual(expect.stringMatching(new RegExp(` 671 asker ${nick} `)))
}

const expectWhole = async (client: Irssi | Weechat, room: Room): Promise<void> => {
  await client.say(CHANNEL, LONG)
  let heard = ''
  while (heard.length < LONG.length) heard += (await room.heard()).text.replace(/^<[^>]*> /, '')
  expect(heard).toBe(LONG)

  const before = relayed(client).length
  const characters = Array.from(LONG)
  for (let at = 0; at < characters.length; at += SAID_AT_ONCE)
    await room.acked(room.text(characters.slice(at, at + SAID_AT_ONCE).join('')))
  const arrived = (): string => relayed(client).slice(before).join('')
  await client.until(CHANNEL, () => arrived().length >= LONG.length, 'all of the long text')
  expect(arrived()).toBe(LONG)
}

describe.skipIf(noIrssi)('irssi on InspIRCd, by TLS and SASL', () => {
  let world: World
  let ircd: Inspircd
  let bob: Messenger
  let irssi: Irssi
  let room: Room
  beforeAll(async () => {
    ;({ world, ircd, bob } = await modernWorld())
    irssi = await Irssi.start({ port: ircd.tlsPort, nick: 'ann', tls: { ca: ircd.ca }, sasl: SASL })
  })
  afterAll(async () => {
    await irssi.stop()
    await world.stop()
  })

  it('signs in, and talks with a Messenger in every script, with actions and nudges', async () => {
    await expectSignedIn(world, 'ann')
    room = await talk(irssi, bob)
    room.send('MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n', 'N')
    await irssi.until(CHANNEL, /sends a nudge/, 'the nudge')
    await irssi.act(CHANNEL, 'nudges you')
    expect((await room.heard()).text).toMatch(/^\* ann .*nudge/)
  })

  it('4,000 characters arrive whole in both directions', async () => {
    await expectWhole(irssi, room)
  })

  it('sees who is away, and is away without a word to the other side', async () => {
    const op = await world.irc('op', CHANNEL)
    op.say(CHANNEL, `!msn add ${bob.email}`)
    await irssi.until(CHANNEL, () => announced(irssi, 'online: bob'), 'the announcement that bob is there')
    await bob.status('AWY')
    await irssi.until(CHANNEL, () => announced(irssi, 'away: bob'), 'the announcement that bob is away')
    await irssi.command('/away beim Essen 🍜')
    await irssi.until(EVERYTHING, /You have been marked as being away/)
    const asker = await world.irc('asker2')
    asker.send('WHOIS ann')
    expect(await asker.next(/ (301|318) /)).toContain(' 301 asker2 ann :beim Essen 🍜')
    await irssi.command('/away')
    await irssi.until(EVERYTHING, /You are no longer marked as being away/)
    await bob.status('NLN')
    await irssi.say(CHANNEL, 'wieder da')
    expect((await room.heard()).text).toBe('<ann> wieder da')
  })

  it('goes on under another nick, and sees that of the other side', async () => {
    await irssi.command('/nick annette')
    await irssi.until(CHANNEL, /You're now known as annette/)
    await irssi.say(CHANNEL, 'neuer Name')
    expect((await room.heard()).text).toBe('<annette> neuer Name')
    await bob.ask('REA', bob.email, 'Robert%20%D0%91')
    await room.acked(room.text('auch ich'))
    await untilRelayed(irssi, 'auch ich')
    await irssi.command('/nick ann')
    await irssi.until(CHANNEL, /You're now known as ann$/m)
  })

  it('comes back after an operator has killed it; the bot stays, and the others hear it', async () => {
    const amy = await world.irc('amy', CHANNEL)
    const oper = await ircd.oper()
    await oper.kill('ann')
    oper.close()
    await irssi.until(EVERYTHING, /killed by the test/)
    await room.acked(room.text('wo ist ann?'))
    await amy.until(() => amy.said('msnbridge', CHANNEL).some((line) => line.endsWith('wo ist ann?')))

    // Like a person: it takes a KILL for an order, and does not come back by itself.
    const welcomed = count(irssi.logOf(EVERYTHING), WELCOME)
    const joined = count(irssi.logOf(CHANNEL), JOINED)
    await irssi.command('/connect test')
    await irssi.until(EVERYTHING, (log) => count(log, WELCOME) > welcomed, 'another welcome')
    await irssi.command(`/join ${CHANNEL}`)
    await irssi.until(CHANNEL, (log) => count(log, JOINED) > joined, 'another JOIN')
    await irssi.say(CHANNEL, 'wieder hier')
    expect((await room.heard()).text).toBe('<ann> wieder hier')
  })

  it('comes back by itself after the server has died, and so does the bot', async () => {
    const signedIn = (): number =>
      world.daemon.log.filter((entry) => entry['account'] === 'irc' && entry.msg === 'signed in').length
    const before = signedIn()
    const joined = count(irssi.logOf(CHANNEL), JOINED)
    await ircd.halt()
    await ircd.restart()
    await world.daemon.waitFor(() => signedIn() > before)
    await irssi.until(CHANNEL, (log) => count(log, JOINED) > joined, 'another JOIN')
    // Whoever is first sees the other one join, or else in the list of names.
    const sinceJoined = (log: string): string => log.slice(log.lastIndexOf('-!- ann ['))
    await irssi.until(CHANNEL, (log) => sinceJoined(log).includes('msnbridge'), 'the bot beside it')
    await irssi.say(CHANNEL, 'alle da?')
    expect((await room.heard()).text).toBe('<ann> alle da?')
    await room.acked(room.text('ja'))
    await untilRelayed(irssi, 'ja')
  })
})

describe.skipIf(noWeechat)('WeeChat on InspIRCd, by TLS and SASL', () => {
  it('signs in, talks in every script, and passes on long texts whole', async () => {
    const { world, ircd, bob } = await modernWorld()
    opened.push(() => world.stop())
    const weechat = await Weechat.start({ port: ircd.tlsPort, nick: 'ann', tls: { ca: ircd.ca }, sasl: SASL })
    opened.push(() => weechat.stop())
    await expectSignedIn(world, 'ann')
    const room = await talk(weechat, bob)
    await expectWhole(weechat, room)
    await weechat.command(CHANNEL, '/nick annette')
    await weechat.until(CHANNEL, /You are now known as annette/)
    await weechat.say(CHANNEL, '/kein Befehl')
    expect((await room.heard()).text).toBe('<annette> /kein Befehl')
    await weechat.say(CHANNEL, '!msn who')
    await weechat.until(CHANNEL, () => announced(weechat, 'You may not'), 'the answer to a command')
  }, 60_000)
})

describe.skipIf(noIi)('ii on ngIRCd, with no capabilities at all', () => {
  it('talks in every script, and goes on under another nick', async () => {
    const world = await World.start({ ircd: 'ngircd', links: [CONTACT] })
    opened.push(() => world.stop())
    const bob = await world.messenger('bob')
    const ii = await Ii.start({ port: world.ircd.port, nick: 'ann' })
    opened.push(() => ii.stop())
    const room = await talk(ii, bob)
    await ii.raw('/n annette')
    await ii.until('', /changed nick to "?annette/)
    await ii.say(CHANNEL, 'neuer Name')
    expect((await room.heard()).text).toBe('<annette> neuer Name')
  }, 60_000)
})

const PUPPETS = `    timing: { backoff_ms: [100, 200, 400] }
    puppets: { enabled: true, connect_ms: 10, debounce_ms: 10, quit_grace_ms: 500 }`

describe.skipIf(noIrssi)('irssi beside puppets on InspIRCd, by TLS and SASL', () => {
  it('sees a contact come, talks with them in the channel and in a query, and sees them go', async () => {
    const world = await World.start({ services: true, links: [CONTACT], irc: PUPPETS })
    opened.push(() => world.stop())
    const { ircd } = world
    if (!(ircd instanceof Inspircd)) throw new Error('not the server that was asked for')
    await ircd.register(SASL.account, SASL.password)
    const irssi = await Irssi.start({ port: ircd.tlsPort, nick: 'ann', tls: { ca: ircd.ca }, sasl: SASL })
    opened.push(() => irssi.stop())
    await expectSignedIn(world, 'ann')
    await irssi.join(CHANNEL)
    const op = await world.irc('op', CHANNEL)
    op.say(CHANNEL, `!msn add ${address('bob')}`)
    await op.next(/NOTICE #bob :.*bob/)
    const bob = await world.messenger('bob')
    const joined = await irssi.until(CHANNEL, /-!- bob\S* \[\S+\] has joined #bob/)
    const puppet = /-!- (bob\S*) \[/.exec(joined)?.[1] ?? ''

    await irssi.say(CHANNEL, EVERY_SCRIPT)
    const room = await bob.answer()
    expect((await room.heard()).text).toBe(`<ann> ${EVERY_SCRIPT}`)
    await room.acked(room.text(`zurück: ${EVERY_SCRIPT}`))
    await irssi.until(CHANNEL, () => irssi.said(puppet, CHANNEL).includes(`zurück: ${EVERY_SCRIPT}`), 'the puppet')

    await irssi.say(puppet, 'unter uns 🤫')
    expect((await room.heard()).text).toBe('<ann (private)> unter uns 🤫')
    await room.acked(room.text('ja, unter uns'))
    await irssi.until(puppet, () => irssi.said(puppet, puppet).includes('ja, unter uns'), 'an answer in the query')
    expect(irssi.said(puppet, CHANNEL)).toEqual([`zurück: ${EVERY_SCRIPT}`])

    await bob.status('BRB')
    await op.until(() => {
      op.send(`WHOIS ${puppet}`)
      return op.lines.some((line) => / 301 op bob\S* :Be right back/.test(line))
    })
    await irssi.command(`/whois ${puppet}`)
    await irssi.until(EVERYTHING, /Be right back/)
    bob.signOut()
    await irssi.until(CHANNEL, /-!- bob\S* \[\S+\] has quit/)
  }, 60_000)
})
