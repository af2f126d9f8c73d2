/** Everything that can be said, both ways, between somebody in Matrix and somebody in Messenger. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, kindOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import { address } from '../kit/world.ts'

const NUDGE = 'MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: 1\r\n\r\n'

onEachHomeserver((start) => {
  let world: MatrixWorld
  let alice: MatrixPerson
  let home: string
  let bob: Messenger
  let room: Room
  let portal: string

  beforeAll(async () => {
    world = await MatrixWorld.start({ start })
    ;({ person: alice, home } = await world.resident())
    bob = await world.messenger('bob')
    room = await bob.call(address('alice'))
    await room.acked(room.text('hello alice'))
    portal = await world.portal(alice, 'bob')
    await alice.waitForMessage(portal, 'hello alice')
  }, 60_000)
  afterAll(() => world.stop())

  /** The next text on the switchboard that holds this. */
  const heardOnMsn = async (words: string): Promise<{ readonly text: string; readonly payload: string }> => {
    const others: string[] = []
    for (;;) {
      const heard = await room.heard().catch((error: unknown) => {
        throw new Error(`bob did not hear "${words}" but ${JSON.stringify(others)}`, { cause: error })
      })
      if (heard.text.includes(words)) return heard
      others.push(heard.text)
    }
  }
  const ghost = (): string => world.ghost('bob')

  test('text, emoji and accents arrive whole', async () => {
    await room.acked(room.text('hi alice, grüße ☃ 👩‍👩‍👧'))
    const heard = await alice.waitForMessage(portal, 'grüße')
    expect([bodyOf(heard), kindOf(heard), heard.sender]).toEqual(['hi alice, grüße ☃ 👩‍👩‍👧', 'm.text', ghost()])
    await alice.say(portal, 'zurück: ñandú 漢字 🎈')
    expect((await room.heard()).text).toBe('zurück: ñandú 漢字 🎈')
  })

  test('bold, colour and several lines go both ways', async () => {
    await room.acked(room.text('loud and red\r\nsecond line', 'A', 'FN=Arial; EF=B; CO=ff; CS=0; PF=0'))
    const heard = await alice.waitForMessage(portal, 'loud and red')
    const html = String(heard.content['formatted_body'])
    expect(bodyOf(heard)).toBe('loud and red\nsecond line')
    expect(html).toMatch(/<(strong|b)>/)
    expect(html).toMatch(/#ff0000/i)
    await alice.sendHtml(portal, '<strong>all of this</strong>', 'all of this')
    const bold = await heardOnMsn('all of this')
    expect(bold.text).toBe('all of this')
    expect(bold.payload).toMatch(/EF=B/)
    await alice.sendHtml(portal, 'one<br><a href="https://example.org/x">two</a><script>alert(1)</script>', 'one two')
    const linked = await heardOnMsn('two')
    expect(linked.text).toContain('https://example.org/x')
    expect(linked.text).not.toContain('alert')
  })

  test('what looks like HTML on MSN stays text', async () => {
    await room.acked(room.text('<img src=x onerror=alert(1)> & <b>not bold</b>'))
    const heard = await alice.waitForMessage(portal, 'onerror')
    expect(bodyOf(heard)).toBe('<img src=x onerror=alert(1)> & <b>not bold</b>')
    expect(JSON.stringify(heard.content['formatted_body'] ?? '')).not.toMatch(/<img|<b>/)
  })

  test('an emote is shown as what it is', async () => {
    await alice.emote(portal, 'waves')
    expect((await heardOnMsn('waves')).text).toMatch(/^\*.*waves$/)
  })

  test('replies, edits, reactions and redactions reach MSN as words', async () => {
    await room.acked(room.text('shall we go?'))
    const question = await alice.waitForMessage(portal, 'shall we go?')
    // A person is never so fast that the bridge does not know yet how its own message is called.
    await room.acked(room.text('well?'))
    await alice.waitForMessage(portal, 'well?')
    await alice.reply(portal, question.id, 'yes, at eight')
    const reply = await heardOnMsn('yes, at eight')
    expect(reply.text).toContain('shall we go?')

    const said = await alice.say(portal, 'see you tomorow')
    await heardOnMsn('see you tomorow')
    await alice.edit(portal, said, 'see you tomorrow')
    expect((await heardOnMsn('tomorrow')).text).toMatch(/^\* .*see you tomorrow$/)

    await alice.react(portal, question.id, '👍')
    expect((await heardOnMsn('👍')).text).toContain('shall we go?')

    await alice.redact(portal, said)
    expect((await room.heard()).text).toMatch(/delete|took back|removed|withdr/i)
  })

  test('an image arrives as a link that works, and stops working when it is changed', async () => {
    const picture = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
    await alice.sendImage(portal, picture, 'cat.png')
    const link = /http:\/\/\S+/.exec((await heardOnMsn('http')).text)?.[0] ?? ''
    const answer = await fetch(link)
    expect([answer.status, Buffer.from(await answer.arrayBuffer())]).toEqual([200, picture])
    const last = link.replace(/[A-Za-z0-9](?=[^A-Za-z0-9]*$)/, (letter) => (letter === 'a' ? 'b' : 'a'))
    expect((await fetch(last)).status).toBeGreaterThanOrEqual(400)
  })

  test('4,000 characters arrive whole in both directions', async () => {
    const long = Array.from({ length: 4000 }, (_, index) => 'abcdefghijü漢'.charAt(index % 12)).join('')
    await alice.say(portal, long)
    let heard = ''
    while (heard.length < long.length) heard += (await room.heard()).text
    expect(heard).toBe(long)
    const before = alice.messages(portal).length
    for (let at = 0; at < long.length; at += 1000) await room.acked(room.text(long.slice(at, at + 1000)))
    const said = await alice.until(
      () => {
        const texts = alice.messages(portal).slice(before).map(bodyOf).join('')
        return texts.length >= long.length && texts
      },
      () => 'not all of it',
    )
    expect(said).toBe(long)
  })

  test('typing is shown on both sides', async () => {
    room.typing(bob.email)
    await alice.waitForTyping(portal, ghost())
    await room.acked(room.text('typed'))
    await alice.waitForTyping(portal, ghost(), false)
    await alice.typing(portal, true)
    await room.wire.next((line) => line.words[0] === 'MSG' && /TypingUser: alice@/i.test(line.payload))
  })

  test('nudges are shown on both sides', async () => {
    room.send(NUDGE, 'N')
    await alice.waitForMessage(portal, /nudge/i)
    // bob's client is too old to know nudges: it is told in words.
    await alice.say(portal, '!msn nudge')
    expect((await heardOnMsn('nudges you')).text).toBe('* alice nudges you')
  })

  test('the bot has read what has arrived', async () => {
    const said = await alice.say(portal, 'did it arrive?')
    await heardOnMsn('did it arrive?')
    await alice.waitForReceipt(portal, world.bot, said)
    expect(alice.messages(home).map(bodyOf).join('\n')).not.toMatch(/not delivered/i)
  })
})
