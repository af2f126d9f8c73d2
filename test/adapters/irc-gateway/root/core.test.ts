/** The lines that root says to the core, and the sentences of the core that it looks at: with the core itself. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { AccountView, RosterRequest } from '../../../../bridge/adapter.ts'
import type { AccountId, UserId } from '../../../../bridge/model/ids.ts'
import { RETRO, startsHouses, type House } from '../../../kit/house.ts'
import { Bench, bob, SECRET } from './rig.ts'

const houses = startsHouses()
let house: House
let bench: Bench
let asked: RosterRequest[]
const id = 'retro:alice@home.example' as AccountId

beforeEach(async () => {
  house = await houses()
  asked = []
  house.retro.askedRoster = async (request) => {
    asked.push(request)
    return { kind: 'done' }
  }
  bench = new Bench()
  bench.networks = [{ id: RETRO, type: 'msn' }]
  bench.person.command = async (line, secret) => {
    const { lines, secretNext } = await house.reply(line)
    return secretNext === true && secret !== undefined ? house.ask('', { secret }) : lines
  }
  look()
})

/** What `context.people` would say. */
const look = (): void => {
  bench.person.views = house.parts.accounts
    .all()
    .filter((account) => account.id === id)
    .map((account): AccountView => ({
      id: account.id,
      network: account.network,
      login: account.login as UserId,
      state: { kind: 'online', since: 0 },
      wanted: house.parts.accounts.isWanted(account.id),
      fixed: false,
      picture: 'none',
    }))
}

const signIn = async (): Promise<readonly string[]> => {
  const lines = await bench.say(`account add msn alice@home.example ${SECRET}`)
  look()
  return lines
}

describe('the core', () => {
  test('signs in with the password that was given to root', async () => {
    expect(await signIn()).toEqual([expect.stringMatching(/^Signed in as alice@home\.example/)])
    expect(house.signIns).toEqual([`alice@home.example ${SECRET}`])
    expect(await bench.say('account list')).toEqual([
      ' 0 (retro): msn, alice@home.example (connected)',
      'End of account list',
    ])
  })

  test('takes a wrong password back', async () => {
    house.accepts = () => ({ code: 'bad-credentials', detail: 'the password is wrong' })
    expect(await signIn()).toEqual([expect.stringContaining('does not accept that password')])
    expect(bench.person.views).toEqual([])
  })

  test('disconnects, reconnects and logs out, with the yes that it asks for', async () => {
    await signIn()
    expect(await bench.say('account retro off')).toEqual([expect.stringContaining('is disconnected, and stays so')])
    look()
    expect(await bench.say('account retro off')).toEqual(['Account already offline'])
    expect(await bench.say('account retro on')).toEqual([`Reconnecting ${id}.`])
    look()
    const command = bench.person.command.bind(bench.person)
    bench.person.command = async (line, secret) => {
      const lines = await command(line, secret)
      look()
      return lines
    }
    expect(await bench.say('account retro del')).toEqual([
      'Account deleted',
      'Logged out of alice@home.example on retro.',
    ])
    expect(await bench.say('account list')).toEqual([expect.stringContaining('no accounts yet')])
  })

  test('changes the contact list, with the yes that it asks for', async () => {
    await signIn()
    expect(await bench.say('add retro dora@home.example dd')).toEqual([
      expect.stringContaining('dora@home.example was added'),
      expect.anything(),
    ])
    expect(await bench.say('remove bob')).toEqual([`Buddy \`${bob.user}' (nick bob) removed from contact list`])
    expect(await bench.say('block bob')).toEqual([`Buddy \`${bob.user}' moved from allow- to block-list`])
    expect(await bench.say('allow bob')).toEqual([`Buddy \`${bob.user}' moved from block- to allow-list`])
    expect(asked).toEqual([
      { kind: 'add', user: 'dora@home.example' },
      { kind: 'remove', user: bob.user },
      { kind: 'block', user: bob.user },
      { kind: 'unblock', user: bob.user },
    ])
  })

  test('says why it did not, and root sees that', async () => {
    await signIn()
    await bench.say('account retro off')
    for (const line of ['add retro dora@home.example dd', 'remove bob', 'block bob', 'allow bob', 'nick retro Rabbit'])
      expect(await bench.say(line), line).toEqual([expect.stringContaining(' failed: ')])
    expect(bench.person.settings.values.size).toBe(0)
    expect(bench.person.done).toEqual([])
  })

  test('is answered by yes when it asks', async () => {
    await signIn()
    expect(await bench.say('logout')).toEqual([expect.stringContaining('Log out of alice@home.example')])
    expect(await bench.say('yes')).toEqual(['Logged out of alice@home.example on retro.'])
    expect(await bench.say('yes')).toEqual(['Did I ask you something?'])
  })

  test('sets name and status', async () => {
    await signIn()
    expect(await bench.say('nick retro "White Rabbit"')).toEqual([`${id} is called White Rabbit now.`])
    expect(await bench.say('set status late again')).toEqual([expect.stringMatching(/^Your status/)])
    expect(await bench.say('set -del status')).toEqual(['Your status follows what you do.'])
    expect(bench.person.settings.own('status')).toBeUndefined()
  })
})
