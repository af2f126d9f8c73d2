import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SessionFault } from '../../../bridge/adapter.ts'
import { missing } from '../../kit/foreign-server.ts'
import { IrcClient } from '../../kit/irc-client.ts'
import { Ngircd } from '../../kit/ngircd.ts'
import { Bot, chat, never } from './bot.ts'

/** The old kind of server: no tags, no echo, no SASL. */
describe.skipIf(missing('ngircd'))('a real ngIRCd', () => {
  let ircd: Ngircd
  const opened: (() => Promise<void> | void)[] = []

  beforeAll(async () => {
    ircd = await Ngircd.start()
  })
  afterAll(async () => {
    await ircd.stop()
  })
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close()
  })

  const person = async (nick: string): Promise<IrcClient> => {
    const client = await IrcClient.connect(ircd.port, nick)
    opened.push(() => client.close())
    return client
  }
  const bot = (config = {}, secrets = {}, port = ircd.port): Bot => {
    const made = new Bot(port, config, secrets)
    opened.push(() => made.stop())
    return made
  }

  it('takes its password, and refuses a wrong one for good', async () => {
    const locked = await Ngircd.start({ password: 'sesam' })
    opened.push(() => locked.stop())
    const password = { password: { env: 'PW' } }
    await bot(password, { PW: 'sesam' }, locked.port).online()
    const error: unknown = await bot(password, { PW: 'falsch' }, locked.port)
      .online()
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SessionFault)
    expect((error as SessionFault).fault.code).toBe('bad-credentials')
  })

  it('gives us an alternate nick while ours is taken, and ours when it is free', async () => {
    const thief = await person('bridge')
    await thief.join('#nick')
    const made = await bot({ alternates: ['bridge2'], channels: ['#nick'] }).online()
    await thief.next(/:bridge2!\S+ JOIN/)
    thief.send('QUIT :bye')
    await made.context.until(() => made.context.lines.some(({ message }) => message === 'joined'))
    const ann = await person('ann')
    await ann.join('#nick')
    await ann.until(() => ann.lines.some((line) => /353 .*[ :@+]bridge( |$)|:bridge2!\S+ NICK :?bridge/.test(line)))
  })

  it('carries emoji, 4000 characters and many lines both ways', async () => {
    const ann = await person('ann')
    await ann.join('#talk')
    ann.send('MODE #talk +k sesam')
    const made = await bot({ channels: [{ name: '#talk', key: { env: 'KEY' } }] }, { KEY: 'sesam' }).online()
    await ann.next(/:bridge!\S+ JOIN/)
    const long = 'Zwölf Boxkämpfer jagen Viktor 👨‍👩‍👧‍👦 quer '.repeat(100).slice(0, 4000)
    expect((await made.say(chat('#talk'), `${long}\nzwei\n\nvier`)).kind).toBe('delivered')
    await ann.until(() => ann.said('bridge', '#talk').includes('vier'))
    const heard = ann.said('bridge', '#talk')
    expect(heard.slice(0, -3).join('')).toBe(long)
    // ngIRCd trims the space that stands for the empty line.
    expect(heard.slice(-3)).toEqual(['zwei', '', 'vier'])
    ann.say('#talk', 'grüße 😀')
    await made.context.until(() => made.context.said.length === 1)
    expect(made.context.said).toEqual(['ann: grüße 😀'])
  })

  it('confirms 200 lines at once by its PONGs, in order', async () => {
    const ann = await person('ann')
    await ann.join('#flood')
    const made = await bot({ flood: { burst: 4, interval_ms: 2 } }).online()
    const place = await made.join('#flood')
    const texts = Array.from({ length: 200 }, (_, index) => `line ${index}`)
    const results = await Promise.all(texts.map((text) => made.say(place, text)))
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['delivered']))
    await ann.until(() => ann.said('bridge', '#flood').length === 200)
    expect(ann.said('bridge', '#flood')).toEqual(texts)
  })

  it('kicks us, and we come back; mutes us, and we are told', async () => {
    const ann = await person('ann')
    await ann.join('#kick')
    const made = await bot().online()
    const place = await made.join('#kick')
    await ann.next(/:bridge!\S+ JOIN/)
    ann.send('KICK #kick bridge :out')
    await ann.next(/:bridge!\S+ JOIN/)
    expect((await made.say(place, 'back')).kind).toBe('delivered')
    ann.send('MODE #kick +m')
    await ann.next(/MODE #kick/)
    expect(await made.say(place, 'hello')).toMatchObject({ kind: 'refused', reason: 'forbidden' })
  })

  it('goes away and comes back', async () => {
    const made = await bot().online()
    const place = await made.join('#gone')
    await ircd.halt()
    await made.context.until(() => made.session.state.kind === 'waiting')
    expect(await made.say(place, 'anybody?')).toMatchObject({ kind: 'retry', wait: 'session-online' })
    await ircd.restart()
    await made.session.connect(never)
    expect((await made.say(place, 'back')).kind).toBe('delivered')
  })
})
