import { afterEach, describe as always, expect, test } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import type { IrcClient } from '../kit/irc-client.ts'
import type { Room } from '../kit/messenger.ts'
import { address, World } from '../kit/world.ts'

const describe = always.skipIf(missing('inspircd', 'ngircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`

let world: World | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

/** bob and amy, with a switchboard open between bob and the bridge. */
async function conversation(ircd: 'inspircd' | 'ngircd'): Promise<{ amy: IrcClient; room: Room }> {
  world = await World.start({ ircd, links: [CONTACT] })
  const bob = await world.messenger('bob')
  const amy = await world.irc('amy', '#bob')
  amy.say('#bob', 'hello bob')
  const room = await bob.answer()
  expect((await room.heard()).text).toBe('<amy> hello bob')
  return { amy, room }
}

/** What the bot said in the channel, without the name of who is relayed. */
const relayed = (amy: IrcClient): readonly string[] =>
  amy.said('msnbridge', '#bob').map((line) => line.replace(/^<[^>]*> /, ''))

describe.each(['inspircd', 'ngircd'] as const)('a contact and a channel, over %s', (ircd) => {
  test('text, emoji and accents arrive whole in both directions', async () => {
    const { amy, room } = await conversation(ircd)
    await room.acked(room.text('hi amy, grüße ☃ 👩‍👩‍👧'))
    await amy.until(() => relayed(amy).includes('hi amy, grüße ☃ 👩‍👩‍👧'))
    amy.say('#bob', 'zurück: ñandú 漢字 🎈')
    expect((await room.heard()).text).toBe('<amy> zurück: ñandú 漢字 🎈')
  }, 60_000)

  test('4,000 characters arrive whole in both directions', async () => {
    const { amy, room } = await conversation(ircd)
    // A Messenger says at most 1664 bytes at once, so 4,000 characters are four messages of it.
    const long = Array.from({ length: 4000 }, (_, index) => 'abcdefghij ü漢'.charAt(index % 13)).join('')
    const before = relayed(amy).length
    for (let at = 0; at < long.length; at += 1000) await room.acked(room.text(long.slice(at, at + 1000)))
    await amy.until(
      () => relayed(amy).slice(before).join('').replaceAll(' ', '').length >= long.replaceAll(' ', '').length,
    )
    expect(relayed(amy).slice(before).join('').replaceAll(' ', '')).toBe(long.replaceAll(' ', ''))

    // An IRC client cuts what its user types into lines; each arrives.
    for (let at = 0; at < long.length; at += 200) amy.say('#bob', `|${long.slice(at, at + 200)}|`)
    let heard = ''
    while (heard.length < long.length) heard += /\|(.*)\|$/s.exec((await room.heard()).text)?.[1] ?? ''
    expect(heard).toBe(long)
  }, 60_000)

  test('each line of a message with several lines is said', async () => {
    const { amy, room } = await conversation(ircd)
    const before = relayed(amy).length
    await room.acked(room.text('first line\r\nsecond line\r\n\r\nfourth line'))
    await amy.until(() => relayed(amy).includes('fourth line'))
    expect(
      relayed(amy)
        .slice(before)
        .filter((line) => line.trim() !== ''),
    ).toEqual(['first line', 'second line', 'fourth line'])
  }, 60_000)

  test('bold, colour and the rest go both ways', async () => {
    const { amy, room } = await conversation(ircd)
    await room.acked(room.text('loud and red', 'A', 'FN=Arial; EF=B; CO=ff; CS=0; PF=0'))
    await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.includes('loud and red')))
    const line = amy.said('msnbridge', '#bob').find((said) => said.includes('loud and red')) ?? ''
    expect(line).toContain('\x02')
    expect(line).toMatch(/\x03\d\d?/)

    amy.say('#bob', '\x02all of this is bold\x02')
    const heard = await room.heard()
    expect(heard.text).toBe('<amy> all of this is bold')
    amy.say('#bob', 'only \x02one\x02 word, \x0304red\x03, \x1dleaning\x1d')
    expect((await room.heard()).text).toBe('<amy> only one word, red, leaning')
  }, 60_000)

  test('actions and nudges are shown as what they are', async () => {
    const { amy, room } = await conversation(ircd)
    amy.say('#bob', '\x01ACTION waves\x01')
    expect((await room.heard()).text).toBe('* amy waves')
    room.send('MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n', 'N')
    await amy.until(() => amy.said('msnbridge', '#bob').some((line) => /nudge/i.test(line)))
  }, 60_000)

  test('typing and unknown content types never show as text', async () => {
    const { amy, room } = await conversation(ircd)
    const before = relayed(amy).length
    room.typing(address('bob'))
    for (const type of [
      'text/x-clientcaps',
      'text/x-keepalive',
      'application/x-made-up',
      'text/x-mms-emoticon',
      'text/html',
    ]) {
      room.send(`MIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\nClient-Name: Nobody should read this\r\n`, 'N')
    }
    await room.acked(room.text('the end'))
    await amy.until(() => relayed(amy).includes('the end'))
    expect(relayed(amy).slice(before)).toEqual(['the end'])
  }, 60_000)
})
