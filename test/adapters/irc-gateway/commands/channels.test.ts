import { describe, expect, test } from 'vitest'
import { Rig, face } from './rig.ts'

describe('a client asks for channels', () => {
  const rig = new Rig()
  rig.person.group('#friends', ['bob'], 'group/1')
  const alice = rig.client()
  const table: readonly (readonly [line: string, answers: readonly string[]])[] = [
    // irssi's habit before it registers, and after.
    ['JOIN :', []],
    ['join &bitlbee', []],
    ['JOIN #FRIENDS', []],
    [
      'JOIN #new',
      [
        ':localhost 403 alice #new :No such channel: "/invite NICK #name" makes a group chat of that name, and "help chat" says more',
      ],
    ],
    ['JOIN nowhere', [':localhost 403 alice nowhere :No such channel']],
    ['JOIN &', [':localhost 476 alice & :Bad Channel Mask']],
    ['JOIN', [':localhost 461 alice JOIN :Not enough parameters']],
    ['PART #nowhere', [':localhost 403 alice #nowhere :No such channel']],
    [
      'NAMES &bitlbee',
      [':localhost 353 alice = &bitlbee :@root +bob carol @alice', ':localhost 366 alice &bitlbee :End of /NAMES list'],
    ],
    ['NAMES #nowhere', [':localhost 366 alice #nowhere :End of /NAMES list']],
    [
      'TOPIC &bitlbee',
      [':localhost 332 alice &bitlbee :about &bitlbee', ':localhost 333 alice &bitlbee root 1072915200'],
    ],
    ['TOPIC #nowhere', [':localhost 403 alice #nowhere :No such channel']],
    ['MODE &bitlbee', [':localhost 324 alice &bitlbee +ntC', ':localhost 329 alice &bitlbee 1072915199']],
    ['MODE &bitlbee b', [':localhost 368 alice &bitlbee :End of channel ban list']],
    ['MODE &bitlbee +b', [':localhost 368 alice &bitlbee :End of channel ban list']],
    ['MODE &bitlbee +e', [':localhost 349 alice &bitlbee :End of channel exception list']],
    ['MODE &bitlbee +v bob', []],
    ['MODE &bitlbee -v bob', []],
    ['MODE &bitlbee +o bob', []],
    ['MODE &bitlbee +m', [':localhost 472 alice m :is unknown mode char to me']],
    ['MODE &bitlbee -t', [':localhost 482 alice &bitlbee :The modes of channels are what they are here']],
    ['MODE #nowhere', [':localhost 403 alice #nowhere :No such channel']],
    ['MODE alice', [':localhost 221 alice +']],
    ['MODE Alice +i', []],
    ['MODE alice +Q', [':localhost 501 alice :Unknown MODE flag']],
    ['MODE bob +i', [":localhost 502 alice :Can't change mode for other users"]],
    ['MODE nobody +i', [':localhost 401 alice nobody :No such nick/channel']],
    ['INVITE nobody #friends', [':localhost 401 alice nobody :No such nick/channel']],
    ['INVITE bob #friends', [':localhost 443 alice bob #friends :is already on channel']],
    ['INVITE carol &bitlbee', [':localhost 443 alice carol &bitlbee :is already on channel']],
    ['INVITE carol #friends', [':localhost 341 alice carol #friends']],
    ['INVITE root #friends', [":localhost 482 alice #friends :Can't invite people here"]],
    ['INVITE bob &nowhere', [':localhost 403 alice &nowhere :No such channel']],
    ['INVITE bob nowhere', [':localhost 403 alice nowhere :No such channel']],
    [
      'KICK #friends bob :out',
      [':localhost 482 alice #friends :Nobody can be put out of a conversation on MSN: /part leaves it'],
    ],
    ['KICK #friends dave', [":localhost 441 alice dave #friends :They aren't on that channel"]],
    [
      'LIST',
      [
        ':localhost 321 alice Channel :Users  Name',
        ':localhost 322 alice &bitlbee 4 :about &bitlbee',
        ':localhost 322 alice #friends 2 :about #friends',
        ':localhost 323 alice :End of /LIST',
      ],
    ],
  ]
  test.each(table)('%s', async (line, answers) => {
    expect(await rig.ask(alice, line)).toEqual(answers)
  })
})

test('another control channel is made by joining it, and a refusal is said', async () => {
  const rig = new Rig()
  const alice = rig.client()
  expect(await rig.ask(alice, 'JOIN &work,&home')).toEqual([])
  rig.person.refuse = 'There are too many channels.'
  expect(await rig.ask(alice, 'JOIN &third')).toEqual([':localhost 403 alice &third :There are too many channels.'])
  expect(rig.person.asked).toEqual(['joinControl &work', 'joinControl &home', 'joinControl &third'])
})

test('a group that was left is entered again by its name', async () => {
  const rig = new Rig()
  rig.person.left.add('#friends')
  expect(await rig.ask(rig.client(), 'JOIN #friends')).toEqual([])
  expect(rig.person.left.size).toBe(0)
})

test('an invitation to a group that is not there makes it', async () => {
  const rig = new Rig()
  expect(await rig.ask(rig.client(), 'INVITE bob #party')).toEqual([':localhost 341 alice bob #party'])
  expect(rig.person.asked).toEqual(['openGroup #party bob@example.com'])
})

test('what the world refuses is an answer with its sentence', async () => {
  const rig = new Rig()
  rig.person.group('#friends', [], 'group/1')
  rig.person.refuse = 'bob is offline.'
  expect(await rig.ask(rig.client(), 'INVITE bob #friends', 'TOPIC #friends :new', 'INVITE bob #other')).toEqual([
    ':localhost 482 alice #friends :bob is offline.',
    ':localhost 482 alice #friends :bob is offline.',
    ':localhost 482 alice #other :bob is offline.',
  ])
})

test('JOIN 0 leaves everything, and PART says why', async () => {
  const rig = new Rig()
  rig.person.group('#friends', ['bob'], 'group/1')
  const alice = rig.client()
  await rig.ask(alice, 'PART #Friends :bye', 'JOIN 0')
  expect(rig.person.asked).toEqual(['part #friends bye', 'part &bitlbee -', 'part #friends -'])
})

test('NAMES shows all prefixes and addresses to those who asked for them', async () => {
  const rig = new Rig()
  expect(await rig.ask(rig.client('multi-prefix', 'userhost-in-names'), 'NAMES &bitlbee')).toEqual([
    ':localhost 353 alice = &bitlbee :@root!root@localhost +bob!bob@example.com carol!carol@example.com @+alice!al@127.0.0.1',
    ':localhost 366 alice &bitlbee :End of /NAMES list',
  ])
})

test('the names of 1,000 contacts come in lines that are whole, in no time', async () => {
  const rig = new Rig(Array.from({ length: 1_000 }, (_, index) => face(`contact-with-a-long-nick-${index}`)))
  const alice = rig.client('userhost-in-names')
  const from = performance.now()
  const lines = await rig.ask(alice, 'NAMES &bitlbee')
  expect(performance.now() - from).toBeLessThan(250)
  const words = lines.slice(0, -1).flatMap((line) => line.slice(line.indexOf(' :') + 2).split(' '))
  expect(words).toHaveLength(1_002)
  expect(words).toContain('+contact-with-a-long-nick-999!contact-with-a-long-nick-999@example.com')
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(510)
  expect(lines.at(-1)).toBe(':localhost 366 alice &bitlbee :End of /NAMES list')
})
