import { describe, expect, test } from 'vitest'
import { FakeClient, Rig, face } from './rig.ts'

const end = (nick: string): string => `:localhost 318 alice ${nick} :End of /WHOIS list`

describe('WHOIS', () => {
  test('tells of a contact who is there', async () => {
    const rig = new Rig([face('bob', { status: 'fixing bugs' })])
    rig.person.group('#friends', ['bob'], 'group/1')
    expect(await rig.ask(rig.client(), 'WHOIS bob')).toEqual([
      ':localhost 311 alice bob bob example.com * :bob the contact',
      ':localhost 319 alice bob :+&bitlbee +#friends',
      ':localhost 312 alice bob localhost :msn account bob@example.com',
      ':localhost 320 alice bob :fixing bugs',
      ':localhost 330 alice bob bob@example.com :is logged in as',
      end('bob'),
    ])
  })

  test('tells who is away, offline, blocked, or not on the list', async () => {
    const rig = new Rig([face('bob', { away: 'Busy' }), face('carol', { online: false, blocked: true, listed: false })])
    const lines = await rig.ask(rig.client(), 'WHOIS bob,carol')
    expect(lines).toContain(':localhost 301 alice bob :Busy')
    expect(lines).toContain(':localhost 301 alice carol :User is offline')
    expect(lines).toContain(':localhost 320 alice carol :is blocked by you')
    expect(lines).toContain(':localhost 320 alice carol :is not on your list')
    expect(lines.at(-1)).toBe(end('bob,carol'))
  })

  test('tells of oneself how long one is idle and whether the line is secure', async () => {
    const rig = new Rig()
    const alice = new (class extends FakeClient {
      override readonly tls = true
    })('alice')
    alice.person = rig.person
    expect(await rig.ask(alice, 'WHOIS alice alice')).toEqual([
      ':localhost 311 alice alice al 127.0.0.1 * :Alice L',
      ':localhost 319 alice alice :@&bitlbee',
      ':localhost 312 alice alice localhost :You are here',
      ':localhost 317 alice alice 5 1072915140 :seconds idle, signon time',
      ':localhost 671 alice alice :is using a secure connection',
      ':localhost 330 alice alice alice :is logged in as',
      end('alice'),
    ])
  })

  test('tells of root', async () => {
    const lines = await new Rig().ask(new FakeClient('alice'), 'WHOIS localhost root')
    expect(lines).toEqual([
      ':localhost 311 alice root root localhost * :User manager',
      ':localhost 319 alice root :@&bitlbee',
      ':localhost 312 alice root localhost :The bridge itself',
      end('root'),
    ])
  })
})

describe('questions about people', () => {
  const rows: readonly (readonly [line: string, answers: readonly string[]])[] = [
    ['WHOIS', [':localhost 431 alice :No nickname given']],
    ['WHOIS nobody', [':localhost 401 alice nobody :No such nick/channel', end('nobody')]],
    [
      'WHOWAS nobody',
      [':localhost 406 alice nobody :There was no such nickname', ':localhost 369 alice nobody :End of WHOWAS'],
    ],
    ['ISON bob nobody :CAROL alice', [':localhost 303 alice :bob carol alice']],
    ['ISON nobody', [':localhost 303 alice :']],
    [
      'USERHOST bob carol alice nobody',
      [':localhost 302 alice :bob=+bob@example.com carol=-carol@example.com alice=+al@127.0.0.1'],
    ],
    ['USERIP alice', [':localhost 340 alice alice=+al@127.0.0.1']],
    ['USERIP bob', [':localhost 340 alice :']],
  ]
  test.each(rows)('%s', async (line, answers) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), line)).toEqual(answers)
  })

  test('a contact who is offline is not on', async () => {
    const rig = new Rig([face('bob', { online: false })])
    expect(await rig.ask(rig.client(), 'ISON bob')).toEqual([':localhost 303 alice :'])
  })
})
