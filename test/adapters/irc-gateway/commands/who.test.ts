import { describe, expect, test } from 'vitest'
import { globOf } from '../../../../adapters/irc-gateway/commands/glob.ts'
import { Rig, face } from './rig.ts'

const END = (mask: string): string => `:localhost 315 alice ${mask} :End of /WHO list`

describe('WHO as RFC 1459 has it', () => {
  const rows: readonly (readonly [line: string, answers: readonly string[]])[] = [
    [
      'WHO &bitlbee',
      [
        ':localhost 352 alice &bitlbee root localhost localhost root H@ :0 User manager',
        ':localhost 352 alice &bitlbee bob example.com localhost bob H+ :0 bob the contact',
        ':localhost 352 alice &bitlbee carol example.com localhost carol G :0 carol the contact',
        ':localhost 352 alice &bitlbee al 127.0.0.1 localhost alice H@ :0 Alice L',
        END('&bitlbee'),
      ],
    ],
    ['WHO bob', [':localhost 352 alice &bitlbee bob example.com localhost bob H+ :0 bob the contact', END('bob')]],
    ['WHO Alice', [':localhost 352 alice &bitlbee al 127.0.0.1 localhost alice H@ :0 Alice L', END('Alice')]],
    ['WHO c*l', [':localhost 352 alice &bitlbee carol example.com localhost carol G :0 carol the contact', END('c*l')]],
    ['WHO nobody', [END('nobody')]],
    ['WHO #nowhere', [END('#nowhere')]],
    ['WHO * o', [END('*')]],
  ]
  test.each(rows)('%s', async (line, answers) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), line)).toEqual(answers)
  })

  test('everybody is asked for by 0, and by nothing', async () => {
    const rig = new Rig()
    const alice = rig.client()
    expect(await rig.ask(alice, 'WHO 0')).toHaveLength(5)
    expect(await rig.ask(alice, 'WHO')).toHaveLength(5)
  })
})

// ircv3.net, whox: "Servers MUST send the fields in the order specified above."
describe('WHO with the fields of WHOX', () => {
  const rows: readonly (readonly [line: string, answer: string])[] = [
    [
      'WHO bob %tcuihsnfdlaor,152',
      ':localhost 354 alice 152 &bitlbee bob 255.255.255.255 example.com localhost bob H+ 0 0 bob@example.com n/a :bob the contact',
    ],
    [
      'WHO bob %roaldfnshiuct,152',
      ':localhost 354 alice 152 &bitlbee bob 255.255.255.255 example.com localhost bob H+ 0 0 bob@example.com n/a :bob the contact',
    ],
    // irssi's and WeeChat's own.
    ['WHO bob %tna,745', ':localhost 354 alice 745 bob :bob@example.com'],
    [
      'WHO bob %cuhsnfdar',
      ':localhost 354 alice &bitlbee bob example.com localhost bob H+ 0 bob@example.com :bob the contact',
    ],
    ['WHO bob n%nX', ':localhost 354 alice :bob'],
    ['WHO root %na', ':localhost 354 alice root :0'],
    ['WHO alice %nal', ':localhost 354 alice alice 5 :alice'],
    ['WHO alice %ld', ':localhost 354 alice 0 :5'],
  ]
  test.each(rows)('%s', async (line, answer) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), line)).toEqual([answer, END(line.split(' ')[1] ?? '')])
  })

  test('multi-prefix shows all of the prefixes', async () => {
    const rig = new Rig()
    expect(await rig.ask(rig.client('multi-prefix'), 'WHO alice %f')).toEqual([
      ':localhost 354 alice :H@+',
      END('alice'),
    ])
  })

  test('1,000 contacts are answered for in no time', async () => {
    const rig = new Rig(Array.from({ length: 1_000 }, (_, index) => face(`contact${index}`)))
    const alice = rig.client()
    const from = performance.now()
    const channel = await rig.ask(alice, 'WHO &bitlbee %tcuihsnfdlaor,1')
    const all = await rig.ask(alice, 'WHO *')
    expect(performance.now() - from).toBeLessThan(500)
    expect(channel).toHaveLength(1_003)
    expect(all).toHaveLength(1_003)
  })
})

describe('a mask', () => {
  const rows: readonly (readonly [mask: string, text: string, fits: boolean])[] = [
    ['*', '', true],
    ['b?b', 'BOB', true],
    ['b?b', 'bb', false],
    ['*@example.com', 'bob@example.com', true],
    ['a*b*c', 'aXbXbYc', true],
    ['a*b*c', 'aXbXbY', false],
    ['[x]*', '{X}yz', true],
    ['bob', 'bobby', false],
  ]
  test.each(rows)('%s and %s: %s', (mask, text, fits) => {
    expect(globOf(mask)(text)).toBe(fits)
  })

  test('that is made to take long does not', () => {
    const from = performance.now()
    expect(globOf('*a'.repeat(200) + 'b')('a'.repeat(400))).toBe(false)
    expect(performance.now() - from).toBeLessThan(250)
  })
})
