import { expect, test } from 'vitest'
import { COMMANDS, helpText, parseArgs } from '../../cli/args.ts'

test.each([
  [['run'], { name: 'run', words: [], options: {} }],
  [['run', '--config', 'a.yaml'], { name: 'run', options: { config: 'a.yaml' } }],
  [['--config=a.yaml', 'status'], { name: 'status', options: { config: 'a.yaml' } }],
  [['status', '-c', 'a.yaml'], { name: 'status', options: { config: 'a.yaml' } }],
  [
    ['account', 'add', 'bob@x.y', '--network', 'home'],
    { name: 'account add', words: ['bob@x.y'], options: { network: 'home' } },
  ],
  [['account', 'add', '--', '--bob@x.y'], { name: 'account add', words: ['--bob@x.y'] }],
  [['link', 'alice', 'libera', 'al'], { name: 'link', words: ['alice', 'libera', 'al'] }],
  [['registration', '--network', 'hs'], { name: 'registration', words: [], options: { network: 'hs' } }],
  [['backup', '/tmp/copy.db'], { name: 'backup', words: ['/tmp/copy.db'] }],
])('%j is a command', (argv, expected) => {
  expect(parseArgs(argv)).toMatchObject({ kind: 'command', ...expected })
})

test.each([
  [[], 'say what to do; msn-bridge --help lists the commands'],
  [['rnu'], 'there is no command rnu; did you mean run?'],
  [['dance'], 'there is no command dance'],
  [['account'], 'write one of: account add, account list, account passwd, account remove'],
  [['account', 'ad', 'x'], 'there is no account ad; did you mean account add?'],
  [['account', 'add'], 'write: msn-bridge account add ADDRESS [--config FILE] [--network ID]'],
  [['account', 'add', 'a', 'b'], 'write: msn-bridge account add ADDRESS [--config FILE] [--network ID]'],
  [['run', '--cofnig', 'a'], 'there is no option --cofnig; did you mean --config?'],
  [['run', '-x'], 'there is no option -x'],
  [['run', '--config'], '--config needs a FILE'],
  [['run', '--config='], '--config needs a FILE'],
  [['run', '-c', 'a', '--config', 'b'], '--config is given twice'],
  [['run', '--network', 'home'], 'run takes no --network'],
])('%j is a mistake', (argv, message) => {
  expect(parseArgs(argv)).toEqual({ kind: 'wrong', message })
})

test('help is there for everything and for each command', () => {
  expect(parseArgs(['--help'])).toEqual({ kind: 'help', of: undefined })
  expect(parseArgs(['help', 'account', 'add'])).toMatchObject({ kind: 'help', of: { name: 'account add' } })
  expect(parseArgs(['backup', '--help'])).toMatchObject({ kind: 'help', of: { name: 'backup' } })
  for (const command of COMMANDS) {
    expect(helpText(undefined)).toContain(command.about)
    expect(helpText(command)).toContain(`msn-bridge ${command.name}`)
  }
})

test('the version is asked for with --version', () => {
  expect(parseArgs(['--version'])).toEqual({ kind: 'version' })
  expect(parseArgs(['run', '-V'])).toEqual({ kind: 'version' })
})
