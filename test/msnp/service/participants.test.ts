/** Members of a channel who take part through its account. docs/protocol.md, Participants. */
import { describe, expect, it } from 'vitest'
import { SwitchboardBench, type Peer } from '../../kit/switchboard-desk.ts'

const TEA = '#tea@irc.example.com'
const AMY = 'amy@irc.example.com'
const ALICE = 'alice@example.com'
const text = (words: string): string => `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n${words}`

/** Alice, and the channel that she has called. */
const room = (most = 3, options: ConstructorParameters<typeof SwitchboardBench>[0] = {}) => {
  const bench = new SwitchboardBench(options)
  bench.participants.set(TEA, { most, domain: 'irc.example.com' })
  const alice = bench.enter(ALICE)
  return { bench, alice, tea: bench.join(alice, TEA) }
}

/** `SPK` and the message that it belongs to. */
const speak = (peer: Peer, email: string, spoken: string, trid: number, words: string): void => {
  const payload = text(spoken)
  peer.say(`SPK 0 ${email} ${payload.length}\r\n${payload}`)
  peer.message(trid, 'A', text(words))
}

const heard = (from: string, words: string): string => `MSG ${from} ${text(words).length}\r\n${text(words)}`

describe('participants', () => {
  it('come and go for those who are there, are listed for those who come, and speak for themselves', () => {
    const { bench, alice, tea } = room()
    tea.say(`SIT 0 ${AMY} Amy%20A\r\n`)
    expect([alice.read(), tea.read()]).toEqual([`JOI ${AMY} Amy%20A\r\n`, ''])
    bench.signIn('dave@example.com', { dialect: 'MSNP12' })
    alice.say('CAL 5 dave@example.com\r\n')
    const { ticket = '', session = '' } = bench.rings.at(-1) ?? {}
    const dave = bench.connect()
    dave.say(`ANS 1 dave@example.com ${ticket} ${session}\r\n`)
    expect(dave.read()).toBe(
      `IRO 1 1 3 ${ALICE} alice 0\r\nIRO 1 2 3 ${TEA} %23tea 0\r\nIRO 1 3 3 ${AMY} Amy%20A 0\r\nANS 1 OK\r\n`,
    )
    alice.read()
    tea.read()
    speak(tea, AMY, 'hello', 7, '<Amy A> hello')
    expect(alice.read()).toBe(heard(`${AMY} Amy%20A`, 'hello'))
    expect(dave.read()).toBe(heard(`${AMY} Amy%20A`, 'hello'))
    expect(tea.read()).toBe('ACK 7\r\n')
    tea.message(8, 'A', text('<bob> hi'))
    expect(alice.read()).toBe(heard(`${TEA} %23tea`, '<bob> hi'))
    tea.say(`SIT 0 ${AMY}\r\n`)
    expect(alice.read()).toBe(`BYE ${AMY}\r\n`)
  })

  it('are heard through the account when they have no place, and by whoever stands beside a Messenger', () => {
    const { bench, alice, tea } = room()
    const beside = { email: ALICE, name: 'alice', dialect: 'MSNP9', status: 'NLN', beside: true } as const
    bench.online.set(`${ALICE} beside`, beside)
    speak(tea, AMY, 'one', 3, '<amy> one')
    expect(alice.read()).toBe(heard(`${TEA} %23tea`, '<amy> one'))
    tea.say(`SIT 0 ${AMY} Amy\r\n`)
    expect(alice.read()).toBe(`JOI ${AMY} Amy\r\n`)

    const other = bench.enter(TEA)
    other.say(`CAL 2 ${ALICE}\r\n`)
    const ring = bench.sessionRings.find(({ beside: isBeside }) => isBeside)
    const twin = bench.connect()
    twin.say(`ANS 1 ${ALICE} ${ring?.ticket ?? ''} ${ring?.session ?? ''}\r\n`)
    other.say(`SIT 0 ${AMY} Amy\r\n`)
    twin.read()
    speak(other, AMY, 'two', 4, '<amy> two')
    expect(twin.read()).toBe(heard(`${TEA} %23tea`, '<amy> two'))
  })

  it('are not told again when only the name is another', () => {
    const { alice, tea } = room()
    tea.say(`SIT 0 ${AMY} amy\r\nSIT 0 ${AMY} Amy\r\n`)
    expect(alice.read()).toBe(`JOI ${AMY} amy\r\n`)
    speak(tea, AMY, 'hi', 3, '<Amy> hi')
    expect(alice.read()).toBe(heard(`${AMY} Amy`, 'hi'))
  })

  it('go with the account, before it', () => {
    const { alice, tea } = room()
    tea.say(`SIT 0 ${AMY} Amy\r\nSIT 0 bob@irc.example.com Bob\r\n`)
    alice.read()
    tea.vanish()
    expect(alice.read()).toBe(`BYE ${AMY}\r\nBYE bob@irc.example.com\r\nBYE ${TEA}\r\n`)
  })

  it('are no people who keep a conversation alive', () => {
    const { bench, alice, tea } = room()
    tea.say(`SIT 0 ${AMY} Amy\r\n`)
    alice.vanish()
    expect(tea.read()).toBe(`BYE ${ALICE}\r\n`)
    tea.message(4, 'A', text('anybody?'))
    expect(tea.read()).toBe('NAK 4\r\n')
    tea.vanish()
    expect(bench.desk.rooms).toBe(0)
  })

  it.each([
    ['an address of another network', 'amy@example.com Amy', 216],
    ['what is no address', 'amy Amy', 208],
    ['somebody who is there already', `${ALICE.replace('example', 'irc.example')} Alice`, 215],
    ['one more than may be', 'dan@irc.example.com Dan', 713],
    ['a name that is too long', `${AMY} ${'n'.repeat(388)}`, 209],
    ['a word too many', `${AMY} Amy Amy`, 201],
  ])('can not be %s', (_, words, code) => {
    const { bench, alice, tea } = room(2)
    bench.join(alice, 'alice@irc.example.com')
    tea.say('SIT 0 ben@irc.example.com Ben\r\n')
    if (code === 713) tea.say('SIT 0 cat@irc.example.com Cat\r\n')
    alice.read()
    tea.say(`SIT 0 ${words}\r\n`)
    expect(tea.read()).toBe(`${code} 0\r\n`)
    expect(alice.read()).toBe('')
  })

  it('are nobody for an account that may let nobody take part', () => {
    const { alice, tea } = room()
    alice.say(`SIT 9 ${AMY} Amy\r\n`)
    expect([alice.read(), tea.read()]).toEqual(['216 9\r\n', ''])
    tea.say(`SIT 0 ${AMY} Amy\r\n`)
    alice.read()
    // Nor can anybody speak for them, or put them out.
    speak(alice, AMY, 'forged', 4, 'mine')
    expect(tea.read()).toBe(heard(`${ALICE} alice`, 'mine'))
    alice.say(`SIT 0 ${AMY}\r\n`)
    expect([alice.read(), tea.read()]).toEqual(['ACK 4\r\n', ''])
  })

  it('count among the people of a switchboard, and nobody of their address can be called', () => {
    const { bench, alice, tea } = room(3, { limits: { roomMembers: 3 } })
    tea.say(`SIT 0 ${AMY} Amy\r\nSIT 0 bob@irc.example.com Bob\r\n`)
    expect(tea.read()).toBe('713 0\r\n')
    alice.read()
    bench.signIn('dave@example.com')
    bench.signIn(AMY)
    alice.say(`CAL 3 ${AMY}\r\nCAL 4 dave@example.com\r\n`)
    expect(alice.read()).toBe('215 3\r\n713 4\r\n')
  })

  it('let in nobody of their address who was called before', () => {
    const { bench, alice, tea } = room()
    bench.signIn(AMY)
    alice.say(`CAL 3 ${AMY}\r\n`)
    tea.say(`SIT 0 ${AMY} Amy\r\n`)
    expect(tea.read()).toBe('215 0\r\n')
    bench.pass(60_000)
    const { ticket = '', session = '' } = bench.rings.at(-1) ?? {}
    tea.say(`SIT 0 ${AMY} Amy\r\n`)
    const amy = bench.connect()
    amy.say(`ANS 1 ${AMY} ${ticket} ${session}\r\n`)
    expect(amy.read()).toBe('911 1\r\n')
  })

  it('are heard by a Messenger that was on its way when they spoke', () => {
    const { bench, alice, tea } = room()
    tea.say(`SIT 0 ${AMY} Amy\r\n`)
    alice.vanish()
    bench.online.set(`${ALICE} beside`, { ...(bench.online.get(ALICE) ?? never()), beside: true })
    tea.read()
    tea.say(`CAL 2 ${ALICE}\r\n`)
    const side = bench.sessionRings.at(-1)
    const twin = bench.connect()
    twin.say(`ANS 1 ${ALICE} ${side?.ticket ?? ''} ${side?.session ?? ''}\r\n`)
    speak(tea, AMY, 'early', 5, '<amy> early')
    const ring = bench.rings.at(-1)
    const late = bench.connect()
    late.say(`ANS 1 ${ALICE} ${ring?.ticket ?? ''} ${ring?.session ?? ''}\r\n`)
    expect(late.read()).toContain(heard(`${AMY} Amy`, 'early'))
    expect(twin.read()).toContain(heard(`${TEA} %23tea`, '<amy> early'))
  })

  it.each([
    ['SIT', '300 0\r\n'],
    ['SIT 4', '300 4\r\n'],
    ['SPK 0 3\r\nabc', '300 0\r\n'],
    ['SPK x amy@irc.example.com 3\r\nabc', '201 0\r\n'],
    ['SPK 0 amy@irc.example.com more 3\r\nabc', '201 0\r\n'],
  ])('say "%s" to no effect', (line, answer) => {
    const { alice, tea } = room()
    tea.say(line.includes('\r\n') ? line : `${line}\r\n`)
    expect([tea.read(), alice.read(), tea.closed]).toEqual([answer, '', undefined])
  })

  it('and whoever is not inside says none of it', () => {
    const bench = new SwitchboardBench()
    const peer = bench.connect()
    peer.say(`SIT 1 ${AMY} Amy\r\nSPK 2 ${AMY} 3\r\nabc`)
    expect(peer.read()).toBe('302 1\r\n302 2\r\n')
  })
})

const never = (): never => {
  throw new Error('nobody is signed in')
}
