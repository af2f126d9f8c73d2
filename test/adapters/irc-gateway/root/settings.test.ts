import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { settingRows } from '../../../../adapters/irc-gateway/root/setting-rows.ts'
import { checkValue, isTrue } from '../../../../adapters/irc-gateway/root/setting-values.ts'
import {
  accountKey,
  accountSetting,
  channelKey,
  channelSetting,
  checkSetting,
  defaultOf,
  isAccountOn,
  settingRow,
} from '../../../../adapters/irc-gateway/root/settings.ts'
import { Bench, FakeSettings, retro, SECRET, work } from './rig.ts'

describe('the table of settings', () => {
  test('has each name once, in alphabetical order', () => {
    const names = settingRows.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)].toSorted())
  })

  test.each(settingRows.map((row) => [row.name, row] as const))('%s begins with a value that it takes', (_, row) => {
    if (row.default !== '') expect(checkSetting(row, row.default)).toEqual({ value: row.default })
    expect(row.about).toMatch(/^[A-Z].*\.$/)
    expect(row.scopes.length).toBeGreaterThan(0)
    if (row.by === 'none') expect(row.about).toMatch(/^Changes nothing|^Of a channel/)
  })

  /** docs of BitlBee, "help set". */
  test.each([
    ['allow_takeover', 'true'],
    ['auto_connect', 'true'],
    ['auto_reconnect', 'true'],
    ['auto_reconnect_delay', '5*3<900'],
    ['away_reply_timeout', '3600'],
    ['default_target', 'root'],
    ['display_timestamps', 'true'],
    ['handle_unknown', 'add_channel'],
    ['nick_format', '%-@nick'],
    ['offline_user_quits', 'true'],
    ['ops', 'both'],
    ['paste_buffer', 'false'],
    ['paste_buffer_delay', '200'],
    ['private', 'true'],
    ['query_order', 'lifo'],
    ['save_on_quit', 'true'],
    ['self_messages', 'true'],
    ['show_users', 'online+,special%,away'],
    ['simulate_netsplit', 'true'],
    ['strip_html', 'true'],
    ['timezone', 'local'],
    ['to_char', ': '],
    ['typing_notice', 'false'],
    ['utf8_nicks', 'false'],
  ])('has %s with its default %s', (name, value) => {
    expect(defaultOf(name)).toBe(value)
  })
})

describe('a value', () => {
  const good: readonly (readonly [name: string, written: string, kept: string])[] = [
    ['private', 'yes', 'true'],
    ['private', 'ON', 'true'],
    ['private', '1', 'true'],
    ['private', 'no', 'false'],
    ['private', '0', 'false'],
    ['away_reply_timeout', '060', '60'],
    ['auto_reconnect_delay', '5', '5'],
    ['auto_reconnect_delay', '5+10<60', '5+10<60'],
    ['query_order', 'FIFO', 'fifo'],
    ['self_messages', 'prefix', 'prefix'],
    ['self_messages', 'no', 'false'],
    ['show_users', 'Online@,away', 'online@,away'],
    ['nick_format', '%full_name', '%full_name'],
    ['nick_format', 'msn-%-@handle', 'msn-%-@handle'],
    ['nick_format', '[%group]%-@8nick', '[%group]%-@8nick'],
    ['paste_buffer_delay', '300', '300'],
    ['paste_buffer_delay', '2', '2000'],
    ['timezone', '+5:30', '+5:30'],
    ['timezone', 'UTC', 'utc'],
    ['to_char', ', ', ', '],
    ['root_nick', 'Wurzel', 'Wurzel'],
    ['away', 'Busy - fixing\r\nQUIT', 'Busy - fixing QUIT'],
  ]
  test.each(good)('%s takes %j', (name, written, kept) => {
    const row = settingRow(name)
    expect(row && checkSetting(row, written)).toEqual({ value: kept })
  })

  const bad: readonly (readonly [name: string, written: string])[] = [
    ['private', 'perhaps'],
    ['away_reply_timeout', '-1'],
    ['away_reply_timeout', '99999999'],
    ['paste_buffer_delay', '0'],
    ['nick_format', '%group'],
    ['nick_format', 'x%'],
    // Takes no longer than others.
    ['nick_format', `%${'1'.repeat(90)}nick`],
    ['auto_reconnect_delay', '5*'],
    ['query_order', 'random'],
    ['self_messages', 'suffix'],
    ['show_users', 'online,nobody'],
    ['show_users', 'online,online'],
    ['nick_format', 'nick'],
    ['nick_format', '%nonsense'],
    ['timezone', 'moon'],
    ['to_char', 'long'],
    ['root_nick', '1root'],
    ['root_nick', 'x'.repeat(25)],
    ['away', 'x'.repeat(400)],
    ['tag', 'two words'],
  ]
  test.each(bad)('%s does not take %j, and root says what it takes', async (name, written) => {
    const row = settingRow(name)
    expect(row && checkSetting(row, written)).toEqual({ wrong: expect.stringMatching(/^[A-Z].*\.$/) })
  })

  test('is never kept with a line end, whatever the type', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...settingRows),
        fc.string({ unit: fc.constantFrom(...Array.from('a1 +-@%,*<\r\n\0é')) }),
        ({ type }, written) => {
          const checked = checkValue(type, written)
          if ('value' in checked) expect(checked.value).not.toMatch(/[\r\n\0]/)
        },
      ),
    )
  })

  test('is yes in all words of BitlBee', () => {
    expect(['true', 'yes', 'on', '1', '7', 'True'].map(isTrue)).toEqual([true, true, true, true, true, true])
    expect(['false', 'no', 'off', '0', '', 'y'].map(isTrue)).toEqual([false, false, false, false, false, false])
  })
})

describe('what an account or channel has of its own', () => {
  test('goes before what its person has, and that before the default', async () => {
    const settings = new FakeSettings()
    expect(accountSetting(settings, retro, 'nick_format')).toBe('%-@nick')
    await settings.set('nick_format', '%handle')
    expect(accountSetting(settings, retro, 'nick_format')).toBe('%handle')
    await settings.set(accountKey(retro, 'nick_format'), '%full_name')
    expect(accountSetting(settings, retro, 'nick_format')).toBe('%full_name')
    expect(accountSetting(settings, work, 'nick_format')).toBe('%handle')
    expect(isAccountOn(settings, retro, 'ignore_auth_requests')).toBe(false)
  })

  test('is found by a channel whatever the case of its name', async () => {
    const settings = new FakeSettings()
    await settings.set(channelKey('&Friends[1]', 'fill_by'), 'group')
    expect(channelSetting(settings, '&friends{1}', 'fill_by')).toBe('group')
    expect(channelSetting(settings, '&other', 'fill_by')).toBe('all')
    expect(channelSetting(settings, '&other', 'type')).toBe('control')
    expect(channelSetting(settings, '#tea', 'type')).toBe('chat')
    expect(channelSetting(settings, '#tea', 'auto_join')).toBe('true')
  })
})

describe('set', () => {
  let bench: Bench
  beforeEach(() => {
    bench = new Bench()
  })

  test('shows all settings as BitlBee does, and no password', async () => {
    const lines = await bench.say('set')
    expect(lines).toContain("query_order = `lifo'")
    expect(lines).toContain('away is empty')
    expect(lines).toContain("password = `********' (hidden)")
    expect(lines).not.toContainEqual(expect.stringMatching(/^tag/))
  })

  test('changes one, shows it, and takes it back', async () => {
    expect(await bench.say('set private no')).toEqual(["private = `false'"])
    expect(bench.person.settings.own('private')).toBe('false')
    expect(await bench.say('se private')).toEqual(["private = `false'"])
    expect(await bench.say('set -del private')).toEqual(["private = `true'"])
    expect(bench.person.settings.own('private')).toBeUndefined()
  })

  test('takes the = that people write, and quotes', async () => {
    expect(await bench.say('set to_char = ", "')).toEqual(["to_char = `, '"])
  })

  test('keeps what was there when the value is wrong, and says what is right', async () => {
    expect(await bench.say('set query_order maybe')).toEqual(['Not set: It is one of: lifo, fifo.'])
    expect(bench.person.settings.own('query_order')).toBeUndefined()
  })

  test('accepts what has no meaning here, and says so', async () => {
    expect(await bench.say('set save_on_quit false')).toEqual([
      "save_on_quit = `false'",
      expect.stringMatching(/^Changes nothing/),
    ])
  })

  test('says where a setting belongs that is another kind, and guesses at what is none', async () => {
    expect(await bench.say('set tag x')).toEqual([expect.stringContaining('account ACCOUNT set tag')])
    expect(await bench.say('set quary_order fifo')).toEqual([expect.stringContaining('did you mean query_order?')])
    expect(await bench.say('set -del')).toEqual(['Syntax: set', expect.anything(), expect.anything()])
  })

  test('away sets it on all accounts', async () => {
    await bench.say('set away Busy - fixing bugs')
    expect(bench.person.away).toBe('Busy - fixing bugs')
    await bench.say('set -del away')
    expect(bench.person.away).toBeUndefined()
  })

  test('status goes to the core, and is kept only if that took it', async () => {
    bench.person.answers = () => ['Your status is "Online" until you say: set-status auto']
    await bench.say('set status listening to rain')
    expect(bench.person.commands).toEqual(['set-status online listening to rain'])
    expect(bench.person.settings.own('status')).toBe('listening to rain')
    bench.person.answers = () => ['That is too long: 500 characters at most.']
    await bench.say('set status other')
    expect(bench.person.settings.own('status')).toBe('listening to rain')
  })

  test('password changes the one of the person, and is neither kept nor shown', async () => {
    expect(await bench.say(`set password ${SECRET}`)).toEqual(['Setting changed successfully'])
    expect(bench.users.calls).toEqual(['setPassword alice *'])
    expect([...bench.person.settings.values.values()]).toEqual([])
  })

  test('password without a value takes it by /OPER', async () => {
    expect(await bench.say('set password')).toEqual([expect.stringContaining('/OPER')])
    expect(await bench.oper(SECRET)).toEqual(['Setting changed successfully'])
    expect(bench.users.calls).toEqual(['setPassword alice *'])
  })

  test('root_nick is no nick of a contact', async () => {
    expect(await bench.say('set root_nick Bob')).toEqual(['Somebody else has that nick.'])
    expect(await bench.say('set root_nick wurzel')).toEqual(["root_nick = `wurzel'"])
    await bench.say('help')
    expect(bench.client.sent.at(-1)?.source).toBe('wurzel!root@localhost')
  })
})
