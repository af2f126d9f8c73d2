import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { Ngircd } from '../kit/ngircd.ts'
import type { RealClient } from '../kit/real-client.ts'
import { REAL_PROGRAMS } from '../kit/real-clients.ts'

const programs = REAL_PROGRAMS.map((program) => ({ ...program, absent: missing('ngircd', ...program.programs) }))

/** Whether the test kit drives the programs rightly: the bridge has no part in it. */
describe.each(programs)('two people with $name', ({ name, absent, start }) => {
  const opened: RealClient[] = []
  let ircd: Ngircd | undefined
  beforeAll(async () => {
    if (!absent) ircd = await Ngircd.start({ password: 'sesam' })
  })
  afterAll(async () => {
    await ircd?.stop()
  })
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.stop()
  })
  const person = async (nick: string): Promise<RealClient> => {
    const client = await start({ port: ircd?.port ?? 0, nick, password: 'sesam' })
    opened.push(client)
    return client
  }

  it.skipIf(absent)('talk with each other on ngIRCd', async () => {
    const ann = await person('ann')
    const bob = await person('bob')
    await ann.join('#Talk')
    await bob.join('#Talk')
    const texts = [
      'Привет, 世界 😀',
      '-n; begins with a dash',
      'ends with a semicolon;',
      '~ $HOME `id` "quoted" \\;',
      'ein  Zwischenraum',
    ]
    for (const text of texts) await ann.say('#Talk', text)
    await bob.act('#Talk', 'winkt 👋')
    await bob.until('#Talk', () => bob.said('ann', '#Talk').length >= texts.length)
    expect(bob.said('ann', '#Talk')).toEqual(texts)
    await ann.until('#Talk', () => ann.said('bob', '#Talk').length > 0)
    expect(ann.said('bob', '#Talk')).toEqual(['/me winkt 👋'])

    await ann.say('bob', 'unter uns: ähm')
    await bob.until('ann', () => bob.said('ann', 'ann').length > 0)
    expect(bob.said('ann', 'ann')).toEqual(['unter uns: ähm'])
    await bob.say('ann', 'ja?')
    await bob.say('ann', 'ja!')
    await ann.until('bob', () => ann.said('bob', 'bob').length > 1)
    expect(ann.said('bob', 'bob')).toEqual(['ja?', 'ja!'])
    expect(ann.said('ann', 'bob')).toEqual(['unter uns: ähm'])

    await bob.quit()
    // ii writes it down in the file of the server.
    await ann.until(name === 'ii' ? '' : '#Talk', /bob.* has quit/, 'the QUIT of bob')
    await expect(ann.until('#Talk', /never said/, 'what nobody says', 50)).rejects.toThrow(
      /nothing within 50 ms while waiting for what nobody says; the log ends:[^]*winkt/,
    )
  })

  it.skipIf(absent)('come back into their channels after kill -9 of the server; ii ends with it', async () => {
    const ann = await person('ann')
    await ann.join('#back')
    const joins = (): number => ann.logOf('#back').match(/\bann\b.* has joined/g)?.length ?? 0
    expect(joins()).toBe(1)
    await ircd?.halt()
    await ircd?.restart()
    const back = ann.until('#back', () => joins() === 2, 'another JOIN')
    if (name === 'ii') {
      await expect(back).rejects.toThrow(/^the program ended while waiting for another JOIN/)
      return
    }
    await back
    const bob = await person('bob')
    await bob.join('#back')
    await ann.say('#back', 'da bin ich')
    await bob.until('#back', () => bob.said('ann', '#back').length > 0)
  })
})
