import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { BRIDGE_WORDS } from '../../../../adapters/irc-gateway/root/bridge-commands.ts'
import { commandNames, commandRows } from '../../../../adapters/irc-gateway/root/commands.ts'
import { helpTopics } from '../../../../adapters/irc-gateway/root/help.ts'
import { settingRows } from '../../../../adapters/irc-gateway/root/setting-rows.ts'
import type { Said } from '../../../../bridge/adapter.ts'
import type { ChatId, ChatRef, MessageId, NetworkId, UserId } from '../../../../bridge/model/ids.ts'
import { Bench, FakeClient, isOneLine, retro, SECRET } from './rig.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

describe('root', () => {
  test('answers where it was asked', async () => {
    await bench.say('save', '&bitlbee')
    await bench.say('save')
    expect(bench.client.sent.map(({ source, verb, params }) => [source, verb, params[0]])).toEqual([
      ['root!root@localhost', 'PRIVMSG', '&bitlbee'],
      ['root!root@localhost', 'PRIVMSG', 'alice'],
    ])
  })

  test('may be addressed', async () => {
    expect(await bench.say('root: account list', '&bitlbee')).toHaveLength(3)
    expect(await bench.say('Root, account list', '&bitlbee')).toHaveLength(3)
  })

  test('says nothing to nothing', async () => {
    expect(await bench.say('   ')).toEqual([])
    expect(await bench.say('')).toEqual([])
  })

  test('guesses at what it does not understand, and does not repeat it', async () => {
    expect(await bench.say('acount list')).toEqual(['Unknown command; did you mean account? See: help commands'])
    expect(await bench.say(SECRET)).toEqual(['Unknown command. See: help commands'])
    expect(await bench.say('a list')).toEqual(['That may be account, add, allow: write some more of it.'])
  })

  test('wraps long answers at 425 bytes, and loses nothing', async () => {
    const words = Array.from({ length: 200 }, (_, index) => `wörd${index}`)
    bench.person.answers = () => [words.join(' ')]
    const lines = await bench.say('bridge help')
    expect(lines.length).toBeGreaterThan(3)
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(425)
    expect(lines.join(' ').split(' ')).toEqual(words)
  })

  test('does one after the other for each person', async () => {
    const order: string[] = []
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const command = bench.person.command.bind(bench.person)
    bench.person.command = async (line) => {
      if (line.startsWith('disconnect')) await held
      order.push(line)
      return command(line)
    }
    const first = bench.say('account 0 off')
    const second = bench.say('block bob')
    await bench.clock.settle()
    expect(order).toEqual([])
    release()
    await Promise.all([first, second])
    expect(order).toEqual([`disconnect ${retro}`, `block bob@home.example ${retro}`])
  })

  test('leaves away what is too much at once, and says so once', async () => {
    const all = Array.from({ length: 210 }, () => bench.root.hear(bench.client, 'save', 'query'))
    await Promise.all(all)
    const lines = bench.client.sent.map(({ params }) => params[1] ?? '')
    expect(lines.filter((line) => line.startsWith('Configuration saved'))).toHaveLength(200)
    expect(lines.filter((line) => line.includes('too much at once'))).toHaveLength(1)
    expect(await bench.say('save')).toHaveLength(1)
  })

  test('does not read what is too long', async () => {
    expect(await bench.say(`set away ${'x'.repeat(3_000)}`)).toEqual(['That is too long for a command.'])
  })

  test('goes on after a failure, whose words it does not log', async () => {
    bench.person.answers = () => new Error(`cannot store ${SECRET}`)
    expect(await bench.say('block bob')).toEqual(['That failed inside the bridge; its log says why.'])
    expect(bench.log).toHaveLength(1)
    expect(bench.log.join('')).not.toContain(SECRET)
    bench.person.answers = () => ['Done.']
    expect(await bench.say('account 0 off')).toEqual(['Done.'])
  })
})

describe('the bridge', () => {
  test('tells everybody what it can do, and lets admins do it', async () => {
    expect(await bench.say('bridge help link')).toEqual(['Done.'])
    expect(await bench.say('bridge list-users')).toEqual([expect.stringContaining('Only admins')])
    bench.admins = ['alice']
    expect(await bench.say('bridge sudo bob  who')).toEqual(['Done.'])
    expect(bench.person.commands).toEqual(['help link', 'sudo bob  who'])
    expect((await bench.say('bridge'))[0]).toMatch(/^Syntax: bridge/)
  })

  test('is answered by yes and no when it asks, before what root has asked', async () => {
    bench.admins = ['alice']
    await bench.root.ask(bench.person, {
      text: 'dora wants to be your contact.',
      choices: [
        { key: 'y', words: 'accept', line: `accept dora@x ${retro}` },
        { key: 'n', words: 'decline', line: `decline dora@x ${retro}` },
      ],
    })
    bench.person.answers = (line) => [
      line.includes('portals') ? 'Really? Say "yes" within a minute, or "cancel".' : line,
    ]
    await bench.say('bridge delete-all-portals')
    expect(await bench.say('yes')).toEqual(['yes'])
    await bench.say('bridge delete-all-portals')
    expect(await bench.say('no')).toEqual(['cancel'])
    await bench.say('bridge delete-all-portals')
    await bench.say('blist')
    expect(await bench.say('yes')).toEqual([`accept dora@x ${retro}`])
  })

  test('gets no password in a line of an admin', async () => {
    bench.admins = ['alice']
    await bench.say(`bridge login retro dora@x ${SECRET}`)
    expect(bench.person.commands).toEqual(['login retro dora@x *'])
  })

  test.each(['start-chat bob@x', `decline bob@x ${retro}`, 'set-status busy at work', 'contacts bob', 'ping'])(
    'understands %s, which its answers speak of',
    async (line) => {
      expect(await bench.say(line)).toEqual(['Done.'])
      expect(bench.person.commands).toEqual([line])
    },
  )

  test('signs in by login, whose password comes by /OPER', async () => {
    expect(await bench.say('login retro dora@x')).toEqual([expect.stringContaining('/OPER')])
    await bench.oper(SECRET)
    expect(bench.person.commands).toEqual(['login retro dora@x *'])
    expect(await bench.say('login retro')).toEqual([expect.stringContaining('account add')])
    expect(await bench.say('login jabber x')).toEqual([expect.stringContaining('Unknown protocol')])
  })

  test('has no word that is one of BitlBee', () => {
    expect(BRIDGE_WORDS.filter((word) => commandNames.includes(word))).toEqual([])
  })
})

test('transfer shows the files of a conversation, and offers one of them', async () => {
  const said = (name: string, size?: number): Said => {
    const chat: ChatRef = { network: 'gateway' as NetworkId, chat: 'x' as ChatId }
    const sender = { network: 'retro' as NetworkId, user: 'bob@example.com' as UserId }
    const more = size === undefined ? {} : { size }
    const file = { network: '~files' as NetworkId, ref: name, name, media: 'file', ...more } as const
    const id = name as MessageId
    return { id, event: { kind: 'message', chat, sender, id, at: 0, body: { kind: 'file', file, text: [] } } }
  }
  expect(await bench.say('transfer')).toEqual([expect.stringContaining('links')])
  expect(await bench.say('transfer bob')).toEqual(['No files were sent in the conversation with bob.'])
  bench.written = [said('old.txt', 5), said('new\x02 one.png')]
  expect(await bench.say('transfer bob')).toEqual([
    'Files of the conversation with bob, the latest first. To get one: transfer bob NUMBER',
    '0, new one.png',
    '1, old.txt (5 bytes)',
  ])
  expect(await bench.say('transfer bob 1')).toEqual(['old.txt of bob is offered.'])
  expect(await bench.say('transfer bob 2')).toEqual(['There is no file with that number. See: transfer bob'])
  expect(await bench.say('transfer nobody')).toEqual(['Nobody of your contacts is called nobody here.'])
  expect(await bench.say('transfer root')).toEqual(['Nobody of your contacts is called root here.'])
})

describe('help', () => {
  test('is there for every command, under its short form too', async () => {
    for (const { name, usage, about } of commandRows) {
      const lines = await bench.say(`help ${name}`)
      expect(lines[0]).toBe(`Syntax: ${usage[0] ?? ''}`)
      expect(lines.join(' ').toLowerCase()).toContain(about.toLowerCase())
    }
    expect((await bench.say('h acc'))[0]).toMatch(/^Syntax: account/)
    expect(await bench.say('help commands')).toHaveLength(commandRows.length + 1)
  })

  test('is there for every setting', async () => {
    for (const { name, scopes, about } of settingRows) {
      for (const scope of scopes) {
        const lines = await bench.say(
          `help ${{ user: '', account: 'account ', channel: 'channel ' }[scope]}set ${name}`,
        )
        expect(lines[0]).toMatch(new RegExp(`^${name} \\(`))
        expect(lines.join(' ')).toContain(about.slice(0, 100))
      }
    }
    expect(await bench.say('help query_order')).toEqual(await bench.say('help set query_order'))
    expect(await bench.say('help account set')).toEqual([expect.stringContaining('nick_source')])
    expect(await bench.say('help settings')).toHaveLength(5)
  })

  test('is there for every topic, and the index names them', async () => {
    const index = (await bench.say('help')).join(' ')
    for (const { name, lines } of helpTopics) {
      expect((await bench.say(`help ${name}`)).join(' ')).toBe(lines.join(' '))
      expect(index).toContain(name)
    }
  })

  test('guesses at what there is not', async () => {
    expect(await bench.say('help acount')).toEqual([expect.stringContaining('did you mean account?')])
    expect(await bench.say('help set quary_order')).toEqual([expect.stringContaining('did you mean query_order?')])
    expect(await bench.say('help a')).toEqual(['That may be: account, add, allow, away'])
    expect(await bench.say('help xyzzy')).toEqual(['There is no help about that. See: help'])
  })

  test('writes commands in examples as they are understood', () => {
    const texts = [...commandRows.flatMap(({ help }) => help), ...helpTopics.flatMap(({ lines }) => lines)]
    for (const text of texts) expect(text).not.toMatch(/[\r\n\0]/)
    for (const { usage, name } of commandRows) for (const form of usage) expect(form.split(' ')[0]).toBe(name)
  })
})

/** What a person may say, mostly of words that mean something. */
const anyLine = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from('ab&#@: \'"\\\r\n\0\tö-0')), maxLength: 60 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...commandNames, ...BRIDGE_WORDS, ...settingRows.map(({ name }) => name)),
        fc.constantFrom(
          'retro',
          'msn',
          '0',
          'bob',
          'root',
          'bob@home.example',
          '&bitlbee',
          '-del',
          '-tmp',
          'on',
          'off',
          'del',
        ),
        fc.constantFrom('set', 'add', 'list', 'with', 'info', 'all', '"', '=', 'yes', 'x\ny', 'ü'.repeat(300)),
        fc.string({ maxLength: 10 }),
      ),
      { maxLength: 6 },
    )
    .map((words) => words.join(' ')),
)

describe('whatever is said', () => {
  test('nothing throws, and each answer is one whole line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { minLength: 1, maxLength: 5 }), fc.boolean(), async (lines, isStranger) => {
        const one = new Bench()
        one.admins = ['alice']
        one.person.answers = (line) => [line, `${line}\r\nQUIT :\0`]
        const client = isStranger ? new FakeClient() : one.client
        for (const line of lines) await one.root.hear(client, line, '&bitlbee')
        await one.root.oper(client, lines[0] ?? '', lines.at(-1) ?? '')
        expect(one.log).toEqual([])
        expect(client.sent.filter((message) => !isOneLine(message))).toEqual([])
        for (const value of [...one.person.settings.values, ...one.person.commands, ...one.person.done].flat())
          expect(value).not.toMatch(/[\r\n\0]/)
      }),
      { numRuns: 300 },
    )
  })

  test('a password comes back in no answer, no setting, no log, and no line to the core', async () => {
    const lines = [
      `register ${SECRET}`,
      `register dora ${SECRET}`,
      `identify ${SECRET}`,
      `identify dora ${SECRET}`,
      `identfy ${SECRET}`,
      `drop ${SECRET}`,
      `account add msn dora@x ${SECRET}`,
      `account add msn dora@x ${SECRET} more`,
      `account add jabber dora@x ${SECRET}`,
      `acount add msn dora@x ${SECRET}`,
      `account 0 set password ${SECRET}`,
      `account set retro/password ${SECRET}`,
      `account 0 set pasword ${SECRET}`,
      `set password ${SECRET}`,
      `set pasword ${SECRET}`,
      `set -del password ${SECRET}`,
      `login retro dora@x ${SECRET}`,
      SECRET,
    ]
    for (const refusal of [undefined, 'No.']) {
      for (const failure of [() => ['Done.'], () => new Error(SECRET)]) {
        for (const line of lines) {
          for (const isStranger of [true, false]) {
            const one = new Bench()
            one.users.refusal = refusal
            one.person.answers = failure
            const client = isStranger ? new FakeClient() : one.client
            const answers = await one.say(line, '&bitlbee', client)
            await one.oper(SECRET, 'dora', client)
            const all = [answers, one.log, [...one.person.settings.values], [...one.stored], one.person.commands]
            expect(JSON.stringify(all), line).not.toContain(SECRET)
          }
        }
      }
    }
  })
})
