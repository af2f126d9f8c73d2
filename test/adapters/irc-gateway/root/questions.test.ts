import { beforeEach, describe, expect, test } from 'vitest'
import { accountKey } from '../../../../adapters/irc-gateway/root/settings.ts'
import { Bench, retro } from './rig.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

const ask = (name: string) =>
  bench.root.ask(bench.person, {
    text: `${name} wants to be your contact (retro). Say: accept ${name}@x ${retro} - or: decline ${name}@x ${retro}`,
    choices: [
      { key: 'y', words: 'accept', line: `accept ${name}@x ${retro}` },
      { key: 'n', words: 'decline', line: `decline ${name}@x ${retro}` },
    ],
  })

describe('a friend request', () => {
  test('is said where root speaks, without the commands of the core', async () => {
    await ask('dora')
    expect(bench.person.told).toEqual([
      'New request: dora wants to be your contact (retro).',
      'Answer with yes or no; qlist shows what else I want to know.',
    ])
  })

  test.each([
    ['yes', 'accept'],
    ['y', 'accept'],
    ['no', 'decline'],
  ])('is answered by %s', async (word, line) => {
    await ask('dora')
    bench.person.answers = () => ['dora@x is your contact now.']
    expect(await bench.say(word)).toEqual(['dora@x is your contact now.'])
    expect(bench.person.commands).toEqual([`${line} dora@x ${retro}`])
    expect(await bench.say(word)).toEqual(['Did I ask you something?'])
  })

  test('that could not be answered waits on', async () => {
    await ask('dora')
    bench.person.answers = () => ['accept dora@x failed: retro is not connected now']
    await bench.say('yes')
    expect(await bench.say('qlist')).toEqual(['Pending queries:', '0, dora wants to be your contact (retro).'])
  })

  test('is said once while it waits', async () => {
    await Promise.all([ask('dora'), ask('dora')])
    expect(await bench.say('qlist')).toHaveLength(2)
    expect(bench.person.told).toHaveLength(2)
  })

  test.each(['accept dora@x', `decline DORA@x ${retro}`])('that was answered by %s waits no more', async (line) => {
    await ask('dora')
    await bench.say(line)
    expect(bench.person.commands).toEqual([line])
    expect(await bench.say('qlist')).toEqual(['There are no pending questions.'])
  })

  test('is not asked where ignore_auth_requests is on', async () => {
    await bench.person.settings.set(accountKey(retro, 'ignore_auth_requests'), 'true')
    await ask('dora')
    expect(bench.person.told).toEqual([])
  })

  test('outlives a restart', async () => {
    await ask('dora')
    await ask('eve')
    bench.start()
    expect(await bench.say('qlist')).toEqual([
      'Pending queries:',
      '0, eve wants to be your contact (retro).',
      '1, dora wants to be your contact (retro).',
    ])
    await ask('finn')
    await bench.say('yes 2')
    expect(bench.person.commands).toEqual([`accept dora@x ${retro}`])
    bench.start()
    expect(await bench.say('qlist')).toHaveLength(3)
  })

  test('that was stored badly was none', async () => {
    bench.stored.set('question/alice/000000000000', '{')
    bench.stored.set('question/alice/000000000001', '{"text":1}')
    expect(await bench.say('qlist')).toEqual(['There are no pending questions.'])
  })

  test('pushes out the oldest of a hundred', async () => {
    for (let index = 0; index <= 100; index++) await ask(`p${index}`)
    const lines = await bench.say('qlist')
    expect(lines).toHaveLength(101)
    expect(lines.at(-1)).toContain('p1 wants')
    expect(bench.stored.size).toBe(100)
  })
})

test('the newest question is answered first, or the oldest when query_order says so', async () => {
  await ask('dora')
  await ask('eve')
  await bench.say('set query_order fifo')
  await bench.say('no')
  await bench.say('set query_order lifo')
  await ask('finn')
  await bench.say('yes')
  expect(bench.person.commands).toEqual([`decline dora@x ${retro}`, `accept finn@x ${retro}`])
})

test('what has one answer only is just said', async () => {
  await bench.root.ask(bench.person, { text: 'The service is back.', choices: [] })
  expect(bench.person.told).toEqual(['The service is back.'])
  expect(bench.stored.size).toBe(0)
})

test('yes and no say what is wrong', async () => {
  await ask('dora')
  expect(await bench.say('yes 7')).toEqual(['I asked nothing with that number. See: qlist'])
  expect(await bench.say('yes dora')).toEqual(['Syntax: yes [<number>]'])
  expect(await bench.say('no 0 1')).toEqual(['Syntax: no [<number>]'])
  expect(bench.person.commands).toEqual([])
})
