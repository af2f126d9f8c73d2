import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ACCOUNTS_PER_PERSON, LOGIN_ATTEMPTS } from '../../bridge/logins.ts'
import type { AccountId, PersonId } from '../../bridge/model/ids.ts'
import { LIBERA, RETRO, startsHouses, unreachable, wrongPassword } from '../kit/house.ts'

const startHouse = startsHouses()
const ID = 'retro:alice@x'

describe('login', () => {
  test('asks for the password, signs in, and says who they are', async () => {
    const house = await startHouse()
    const asked = await house.reply('login retro Alice@x')
    expect(asked).toEqual({
      lines: ['The password of alice@x on retro? Write it as your next message, or "cancel".'],
      secretNext: true,
    })
    expect(house.signIns).toEqual([])
    expect(await house.ask('', { secret: 'swordfish' })).toEqual([
      'Signed in as alice@x on retro. 0 contacts. Chats open when somebody writes, or with: start-chat ADDRESS',
    ])
    expect(house.signIns).toEqual(['alice@x swordfish'])
    expect(house.parts.supervisor.stateOf(ID as AccountId)?.kind).toBe('online')
    // The answer told it: nothing is said twice.
    expect(house.news()).toEqual([])
    expect(house.metrics.values.get('logins{network=retro,outcome=online}')).toBe(1)
  })

  test('makes a person of their own, whatever people of the config are called', async () => {
    const house = await startHouse({ config: 'people: [{ id: alice }]' })
    await house.login('alice@x')
    expect(house.parts.accounts.get(ID as AccountId)?.person).toBe('matrix:@alice:hs')
    expect(house.parts.hub.identity.person('matrix:@alice:hs' as PersonId)?.name).toBe('Alice')
  })

  test('survives a restart', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    await house.stop()
    const again = await startHouse({ folder: house.folder, clock: house.clock })
    expect(again.signIns).toEqual(['alice@x swordfish'])
    expect(await again.ask('list-logins')).toEqual([`${ID}: connected for 1 second`])
    expect(again.parts.hub.identity.person('matrix:@alice:hs' as PersonId)?.name).toBe('Alice')
  })

  test('keeps nothing of a wrong password', async () => {
    const house = await startHouse()
    house.accepts = () => wrongPassword
    expect(await house.login('alice@x')).toBe(
      'Not signed in: retro does not accept that password for alice@x. Nothing was kept. To try again say: login retro alice@x',
    )
    expect(house.accountIds).toEqual([])
    expect(house.news()).toEqual([])
    await house.stop()
    expect(await startHouse({ folder: house.folder, clock: house.clock })).toMatchObject({ signIns: [] })
  })

  test('keeps trying where the network is down, and tells how it ends', async () => {
    const house = await startHouse()
    house.accepts = () => unreachable
    expect(await house.login('alice@x')).toBe(
      `Not signed in yet: the network cannot be reached (login.example refused the connection). I keep trying and tell you when it works; to give up say: logout ${ID}`,
    )
    await house.clock.advance(10 * 60_000)
    // They know.
    expect(house.news()).toEqual([])
    house.accepts = () => undefined
    await house.clock.advance(10 * 60_000)
    expect(house.newsText()).toEqual(['alice@x on retro is connected again.'])
  })

  test('answers in time where nothing happens at all', async () => {
    const house = await startHouse()
    house.accepts = () => 'hangs'
    await house.reply('login retro alice@x')
    const answer = house.ask('', { secret: 'swordfish' })
    await house.clock.advance(25_000)
    expect(await answer).toEqual([
      `retro has not answered yet. I keep trying and tell you how it ends; to give up say: logout ${ID}`,
    ])
    expect(house.accountIds).toEqual([ID])
    house.accepts = () => undefined
    await house.clock.advance(10 * 60_000)
    expect(house.newsText().at(-1)).toMatch(/^alice@x on retro is connected/)
  })

  test('keeps the account for when its network runs', async () => {
    const house = await startHouse({ broken: [RETRO] })
    expect(await house.login('alice@x')).toContain('Not signed in yet')
    expect(house.accountIds).toEqual([ID])
    expect(house.signIns).toEqual([])
  })

  test.each([
    ['login', 'With which address? Write: login retro ADDRESS'],
    ['login retro', 'With which address? Write: login retro ADDRESS'],
    ['login rtero alice@x', 'There is no network rtero; did you mean retro? There is: retro'],
    ['login libera alice@x', 'There is no network libera. There is: retro'],
    [
      'login retro alice@x swordfish',
      'Never write a password behind the command: I ask for it. Change it, if that was one; then say: login retro alice@x',
    ],
  ])('%s is answered with what to write', async (line, answer) => {
    const house = await startHouse()
    expect((await house.reply(line)).lines).toEqual([answer])
  })

  test('needs no name of a network where there is one', async () => {
    const house = await startHouse()
    expect(await house.reply('login alice@x')).toMatchObject({ secretNext: true })
  })

  test('is not possible from where a password would be read by everybody, and a name proves nothing', async () => {
    const house = await startHouse()
    const answer = await house.reply('login retro alice@x', { from: house.user('al', LIBERA) })
    expect(answer).toEqual({
      lines: ['Nobody can sign in from libera: a password would not be safe here.'],
      secretNext: undefined,
    })
  })

  test('can be given up while it asks', async () => {
    const house = await startHouse()
    await house.reply('login retro alice@x')
    expect(await house.ask('cancel')).toEqual(['Cancelled.'])
    expect(await house.ask('', { secret: 'swordfish' })).toEqual([
      'I do not wait for a password any more. Say again what you wanted to do.',
    ])
    await house.reply('login retro alice@x')
    expect(await house.ask('', { secret: 'Cancel' })).toEqual(['Cancelled.'])
    expect(house.signIns).toEqual([])
  })

  test('takes the password of whom it asked, where it asked', async () => {
    const house = await startHouse()
    await house.reply('login retro alice@x')
    const late = ['I do not wait for a password any more. Say again what you wanted to do.']
    expect(await house.ask('', { secret: 'swordfish', from: house.user('@eve:hs') })).toEqual(late)
    expect(await house.ask('', { secret: 'swordfish', chat: house.home('elsewhere') })).toEqual(late)
    await house.clock.advance(5 * 60_000)
    expect(await house.ask('', { secret: 'swordfish' })).toEqual(late)
    expect(house.signIns).toEqual([])
  })

  test('an account of somebody else stays theirs', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    expect(await house.login('alice@x', 'mine', { from: house.user('@eve:hs') })).toBe(
      'alice@x on retro is signed in by somebody else here. They must log out first.',
    )
    expect(house.signIns).toHaveLength(1)
    expect(await house.ask('list-logins', { from: house.user('@eve:hs') })).toEqual([
      'You are not signed in. Say: login',
    ])
    expect(await house.ask(`logout ${ID}`, { from: house.user('@eve:hs') })).toEqual([
      `You may not use the account ${ID} for that.`,
    ])
  })

  test('again connects with the new password', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    expect(await house.login('alice@x', 'new')).toBe(
      'Signed in again as alice@x on retro, with the new password. 0 contacts.',
    )
    expect(house.signIns).toEqual(['alice@x swordfish', 'alice@x new'])
  })

  test('again with a wrong password leaves the one that was there', async () => {
    const house = await startHouse()
    house.accepts = (_, secret) => (secret === 'swordfish' ? undefined : wrongPassword)
    await house.login('alice@x')
    expect(await house.login('alice@x', 'nonsense')).toContain('The password from before stays.')
    expect(house.signIns).toEqual(['alice@x swordfish', 'alice@x nonsense', 'alice@x swordfish'])
    expect(await house.ask('list-logins')).toEqual([`${ID}: connected for 1 second`])
  })

  test('an account of the config is changed there', async () => {
    const house = await startHouse({
      config: 'accounts: [{ id: relay, network: retro, login: alice@x, password: { env: PASS } }]',
      env: { PASS: 'swordfish' },
    })
    expect(await house.login('alice@x')).toBe(
      'alice@x on retro is signed in by somebody else here. They must log out first.',
    )
    const owned = await startHouse({
      config:
        'people: [{ id: al, users: [{ network: matrix, user: "@alice:hs" }] }]\n' +
        'accounts: [{ id: relay, network: retro, person: al, login: Alice@x, password: { env: PASS } }]',
      env: { PASS: 'swordfish' },
    })
    expect(await owned.login('alice@x')).toContain('alice@x on retro is in the config (relay)')
    expect(await owned.ask('list-logins')).toEqual(['relay: connected for 3 seconds, from the config'])
  })

  test('attempts are throttled, for the person and for the address', async () => {
    const house = await startHouse()
    house.accepts = () => wrongPassword
    for (let time = 0; time < LOGIN_ATTEMPTS.times; time++) await house.login('alice@x')
    expect(await house.login('other@x')).toMatch(/^Too many attempts\. Try again in 1?\d minutes/)
    expect(await house.login('alice@x', 'guess', { from: house.user('@eve:hs') })).toMatch(/^Too many attempts/)
    expect(house.signIns).toHaveLength(LOGIN_ATTEMPTS.times)
    await house.clock.advance(LOGIN_ATTEMPTS.withinMs)
    house.accepts = () => undefined
    expect(await house.login('alice@x')).toContain('Signed in as')
  })

  test('who must wait does not make others wait for an address', async () => {
    const house = await startHouse()
    house.accepts = () => wrongPassword
    const eve = { from: house.user('@eve:hs') }
    for (let time = 0; time < 3 * LOGIN_ATTEMPTS.times; time++) await house.login('eve@x', 'guess', eve)
    for (let time = 0; time < LOGIN_ATTEMPTS.times; time++) await house.login('alice@x', 'guess', eve)
    house.accepts = () => undefined
    expect(await house.login('alice@x')).toContain('Signed in as')
  })

  test.each([
    ['logout', 'yes'],
    ['disconnect', 'ping'],
  ])('that is under way ends with %s, and says so at once', async (line, then) => {
    const house = await startHouse()
    await house.login('alice@x')
    house.accepts = () => 'hangs'
    const again = house.login('alice@x', 'other')
    await house.clock.advance(1_000)
    const first = house.ask(line)
    await house.clock.advance(2_000)
    const second = house.ask(then)
    for (let seconds = 0; seconds < 15; seconds++) await house.clock.advance(1_000)
    await Promise.all([first, second])
    expect(await again).toBe('alice@x on retro was logged out or disconnected before the network answered.')
  })

  test('several accounts for each person, up to a limit', async () => {
    const house = await startHouse()
    for (let number = 0; number < ACCOUNTS_PER_PERSON; number++)
      expect(await house.login(`a${number}@x`)).toContain('Signed in as')
    expect(await house.login('more@x')).toContain(`You are signed in with ${ACCOUNTS_PER_PERSON} accounts`)
    expect(await house.ask('list-logins')).toHaveLength(ACCOUNTS_PER_PERSON)
    expect(await house.ask('disconnect')).toEqual([expect.stringMatching(/^Which account\?/)])
    expect(await house.ask('disconnect a3@x')).toEqual([expect.stringMatching(/^retro:a3@x is disconnected/)])
  })
})

describe('passwords at rest', () => {
  test('are in no file and in no line of the log', async () => {
    const house = await startHouse()
    await house.login('alice@x', 'correct horse battery')
    house.accepts = () => wrongPassword
    await house.login('other@x', 'wrong horse battery')
    await house.ask('sudo @bob:hs login retro bob@x', { role: 'admin' })
    await house.ask('', { role: 'admin', secret: 'hidden horse battery' })
    expect(house.signIns).toContain('alice@x correct horse battery')
    const { files } = house
    expect(files).toContain('alice@x')
    expect(files).not.toContain('horse battery')
    expect(JSON.stringify(house.log.lines)).not.toContain('horse battery')
  })

  test('the key lies beside the database, for its owner alone', async () => {
    const house = await startHouse()
    const file = join(house.folder, 'secret.key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const key = readFileSync(file, 'utf8')
    await house.stop()
    await startHouse({ folder: house.folder, clock: house.clock })
    expect(readFileSync(file, 'utf8')).toBe(key)
  })

  test('with another key the account stops, says what it costs, and the others run', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    await house.stop()
    writeFileSync(join(house.folder, 'secret.key'), 'another key, long enough\n')
    const again = await startHouse({
      folder: house.folder,
      clock: house.clock,
      config: 'accounts: [{ id: relay, network: retro, login: relay@x, password: { env: PASS } }]',
      env: { PASS: 'shared' },
    })
    expect(again.signIns).toEqual(['relay@x shared'])
    expect(again.parts.supervisor.stateOf(ID as AccountId)).toMatchObject({
      kind: 'stopped',
      fault: { code: 'bad-credentials', detail: expect.stringContaining('log in again') as string },
    })
    expect(again.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toContain(
      'an account cannot be used',
    )
    expect(again.news()).toMatchObject([{ mention: true, about: { state: 'BAD_CREDENTIALS', login: 'alice@x' } }])
    expect(again.newsText()).toEqual([
      'alice@x on retro is not connected: its stored password cannot be read any more. Messages wait. Say: login retro alice@x',
    ])
    expect(await again.login('alice@x')).toContain('Signed in again')
  })

  test('without a key nothing is kept, and nobody is signed in', async () => {
    const house = await startHouse({ config: 'secrets: { key: { env: KEY } }', env: { KEY: 'short' } })
    expect(await house.login('alice@x')).toBe(
      'Not signed in: the password cannot be kept, because the key of stored passwords is too short: it needs 16 characters or more. Tell the operator of the bridge.',
    )
    expect(house.signIns).toEqual([])
  })
})

describe('logout', () => {
  test('asks first, then forgets everything but the chats', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    await house.roster(ID, { address: 'bob@x', name: 'Bob' })
    const [question = ''] = await house.ask('logout')
    expect(question).toMatch(/^Log out of alice@x on retro\? .* Say "yes" within a minute, or "cancel"\.$/)
    expect(house.accountIds).toEqual([ID])
    expect(await house.ask('yes')).toEqual(['Logged out of alice@x on retro.'])
    expect(house.accountIds).toEqual([])
    expect(house.parts.hub.roster.contacts(ID as AccountId)).toEqual([])
    expect(house.parts.supervisor.stateOf(ID as AccountId)).toBeUndefined()
    await house.stop()
    const again = await startHouse({ folder: house.folder, clock: house.clock })
    expect(again.accountIds).toEqual([])
    expect(again.parts.hub.roster.contacts(ID as AccountId)).toEqual([])
    expect(again.signIns).toEqual([])
  })

  test.each(['cancel', 'list-logins'])('is not done after "%s"', async (line) => {
    const house = await startHouse()
    await house.login('alice@x')
    await house.ask('logout')
    await house.ask(line)
    expect(await house.ask('yes')).toEqual(['There is nothing to confirm.'])
    expect(house.accountIds).toEqual([ID])
  })

  test('is not done when the answer comes late, or from elsewhere', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    await house.ask('logout')
    expect(await house.ask('yes', { from: house.user('@eve:hs') })).toEqual(['There is nothing to confirm.'])
    await house.clock.advance(60_000)
    expect(await house.ask('yes')).toEqual(['There is nothing to confirm.'])
    expect(house.accountIds).toEqual([ID])
  })

  test('of an account of the config is refused', async () => {
    const house = await startHouse({
      config: 'accounts: [{ id: relay, network: retro, login: relay@x, password: { env: PASS } }]',
      env: { PASS: 'swordfish' },
    })
    expect(await house.ask('logout relay', { role: 'admin' })).toEqual([
      'relay is in the config: take it out there. To keep it away meanwhile say: disconnect relay',
    ])
  })
})

describe('disconnect', () => {
  test('lasts over a restart, until reconnect', async () => {
    const house = await startHouse()
    await house.login('alice@x')
    expect(await house.ask('disconnect')).toEqual([
      `${ID} is disconnected, and stays so. Messages wait. To undo that say: reconnect ${ID}`,
    ])
    expect(await house.ask('ping')).toEqual([`${ID}: disconnected; no messages wait`])
    expect(await house.ask('reconnect')).toEqual(['Nothing to do: no account waits.'])
    await house.stop()
    const again = await startHouse({ folder: house.folder, clock: house.clock })
    expect(again.signIns).toEqual([])
    expect(again.parts.supervisor.stateOf(ID as AccountId)).toEqual({ kind: 'offline' })
    expect(await again.ask(`reconnect ${ID}`)).toEqual([`Reconnecting ${ID}.`])
    expect(again.signIns).toEqual(['alice@x swordfish'])
    expect(again.newsText()).toEqual(['alice@x on retro is connected again.'])
  })

  test('works for an account of the config, too', async () => {
    const config = 'accounts: [{ id: relay, network: retro, login: relay@x, password: { env: PASS } }]'
    const env = { PASS: 'swordfish' }
    const house = await startHouse({ config, env })
    expect(await house.ask('disconnect relay', { role: 'admin' })).toEqual([
      expect.stringContaining('relay is disconnected'),
    ])
    await house.stop()
    const again = await startHouse({ config, env, folder: house.folder, clock: house.clock })
    expect(again.signIns).toEqual([])
    await again.ask('reconnect relay', { role: 'admin' })
    expect(again.signIns).toEqual(['relay@x swordfish'])
  })
})

test('whoever the config makes a person keeps what they signed in with before', async () => {
  const house = await startHouse()
  await house.login('alice@x')
  await house.stop()
  const config = 'people: [{ id: al, name: Alice, users: [{ network: matrix, user: "@Alice:hs" }] }]'
  const again = await startHouse({ config, folder: house.folder, clock: house.clock })
  expect(again.parts.accounts.get(ID as AccountId)?.person).toBe('al')
  expect(await again.ask('list-logins')).toEqual([`${ID}: connected for 1 second`])
  await again.stop()
  const without = await startHouse({ folder: house.folder, clock: house.clock })
  expect(await without.ask('list-logins')).toEqual([`${ID}: connected for 1 second`])
})
