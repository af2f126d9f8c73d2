import { describe, expect, test } from 'vitest'
import { Rig } from './rig.ts'

describe('somebody says what they are', () => {
  test('AWAY with words, and without', async () => {
    const rig = new Rig()
    const alice = rig.client()
    expect(await rig.ask(alice, 'AWAY :Busy - fixing bugs')).toEqual([
      ':localhost 306 alice :You have been marked as being away',
    ])
    expect(rig.person.away).toBe('Busy - fixing bugs')
    expect(await rig.ask(alice, 'AWAY')).toEqual([':localhost 305 alice :You are no longer marked as being away'])
    expect(rig.person.away).toBeUndefined()
    await rig.ask(alice, 'AWAY :')
    expect(rig.person.away).toBeUndefined()
  })

  const nicks: readonly (readonly [line: string, answers: readonly string[]])[] = [
    ['NICK', [':localhost 431 alice :No nickname given']],
    ['NICK :', [':localhost 431 alice :No nickname given']],
    ['NICK 1abc', [':localhost 432 alice 1abc :Erroneous nickname']],
    ['NICK #abc', [':localhost 432 alice #abc :Erroneous nickname']],
    [`NICK ${'x'.repeat(65)}`, [`:localhost 432 alice ${'x'.repeat(64)} :Erroneous nickname`]],
    ['NICK bob', [':localhost 433 alice bob :Nickname is already in use']],
    ['NICK Root', [':localhost 433 alice Root :Nickname is already in use']],
    ['NICK alice', []],
    ['NICK Alice', [':alice!al@127.0.0.1 NICK :Alice']],
    ['NICK al', [':alice!al@127.0.0.1 NICK :al']],
  ]
  test.each(nicks)('%s', async (line, answers) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), line)).toEqual(answers)
  })

  test('a new nick is that of all of their clients', async () => {
    const rig = new Rig()
    const irssi = rig.client()
    const weechat = rig.client()
    await rig.ask(irssi, 'NICK al')
    expect(weechat.heard()).toEqual([':alice!al@127.0.0.1 NICK :al'])
  })
})

// ircv3.net, setname.
describe('SETNAME', () => {
  test('changes the name on all accounts and is confirmed to clients that know of it', async () => {
    const rig = new Rig()
    const modern = rig.client('setname')
    const old = rig.client()
    expect(await rig.ask(modern, 'SETNAME :Alice in Wonderland')).toEqual([
      ':alice!al@127.0.0.1 SETNAME :Alice in Wonderland',
    ])
    expect(old.heard()).toEqual([])
    expect(rig.person.asked).toEqual(['setName Alice in Wonderland'])
    // "If a client sends a SETNAME command without having negotiated the capability, the server SHOULD handle it silently"
    expect(await rig.ask(old, 'SETNAME Alice')).toEqual([])
  })

  test('refuses a name that is none', async () => {
    const rig = new Rig()
    const alice = rig.client('setname', 'standard-replies')
    const refused = [':localhost FAIL SETNAME INVALID_REALNAME :Realname is not valid']
    expect(await rig.ask(alice, 'SETNAME :')).toEqual(refused)
    expect(await rig.ask(alice, `SETNAME :${'é'.repeat(100)}`)).toEqual(refused)
    expect(await rig.ask(rig.client(), 'SETNAME :')).toEqual([
      ':localhost NOTICE alice :SETNAME: Realname is not valid',
    ])
    expect(rig.person.asked).toEqual([])
  })

  test('passes on what an account says to it', async () => {
    const rig = new Rig()
    rig.person.refuse = 'alice@example.com is signed out.'
    expect(await rig.ask(rig.client('setname', 'standard-replies'), 'SETNAME :Al')).toEqual([
      ':localhost NOTE SETNAME ACCOUNT :alice@example.com is signed out.',
      ':alice!al@127.0.0.1 SETNAME :Al',
    ])
  })
})
