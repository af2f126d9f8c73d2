/** The command line, parsed: what to do, or what is wrong with it. Pure. */
import { nearest } from '../bridge/nearest.ts'

export interface CommandShape {
  /** As it is typed: "account add". */
  readonly name: string
  /** Words that must follow, as they are shown in the usage. */
  readonly words: readonly string[]
  readonly options: readonly OptionName[]
  readonly about: string
  /** More lines for `--help`. */
  readonly details?: readonly string[]
}

export type OptionName = 'config' | 'network'

const OPTIONS: Readonly<
  Record<OptionName, { readonly short?: string; readonly value: string; readonly about: string }>
> = {
  config: {
    short: 'c',
    value: 'FILE',
    about: 'the config file; else MSN_BRIDGE_CONFIG, else ./config.yaml, else defaults',
  },
  network: { value: 'ID', about: 'the network that is meant, when there is more than one' },
}

export const COMMANDS: readonly CommandShape[] = [
  {
    name: 'run',
    words: [],
    options: ['config'],
    about: 'start the daemon',
    details: ['It runs until SIGTERM or SIGINT; a second signal ends it at once.'],
  },
  {
    name: 'check-config',
    words: [],
    options: ['config'],
    about: 'say what is wrong with the config, or that nothing is',
  },
  {
    name: 'print-config',
    words: [],
    options: ['config'],
    about: 'print the config with all defaults, without secrets',
  },
  {
    name: 'registration',
    words: [],
    options: ['config', 'network'],
    about: 'write the file that a Matrix homeserver needs to know us',
    details: ['Its tokens are made once and kept: run it again after a change of the config.'],
  },
  {
    name: 'account add',
    words: ['ADDRESS'],
    options: ['config', 'network'],
    about: 'make an account on our MSN service',
    details: [
      'The password is asked for, or read from standard input when that is no terminal:',
      '  msn-bridge account add alice@home.example < password.txt',
    ],
  },
  { name: 'account list', words: [], options: ['config', 'network'], about: 'list the accounts of our MSN service' },
  {
    name: 'account passwd',
    words: ['ADDRESS'],
    options: ['config', 'network'],
    about: 'change the password of an account',
    details: ['The password is asked for, or read from standard input when that is no terminal.'],
  },
  {
    name: 'account remove',
    words: ['ADDRESS'],
    options: ['config', 'network'],
    about: 'remove an account and its contact list',
  },
  {
    name: 'link',
    words: ['PERSON', 'NETWORK', 'USER'],
    options: ['config'],
    about: 'say that USER of NETWORK is PERSON',
    details: ['For example: msn-bridge link alice libera alice_nick'],
  },
  { name: 'unlink', words: ['PERSON', 'NETWORK', 'USER'], options: ['config'], about: 'undo link' },
  {
    name: 'reconnect',
    words: ['ACCOUNT'],
    options: ['config'],
    about: 'try an account, or those of a network, again now',
  },
  { name: 'status', words: [], options: ['config'], about: 'what the running daemon is doing' },
  {
    name: 'backup',
    words: ['FILE'],
    options: ['config'],
    about: 'copy the database to FILE, also while the daemon runs',
    details: [
      'Accounts, links, history and the certificate are in it; files that the config names are not: copy those too.',
    ],
  },
]

export type Parsed =
  | {
      readonly kind: 'command'
      readonly name: string
      readonly words: readonly string[]
      readonly options: Readonly<Partial<Record<OptionName, string>>>
    }
  | { readonly kind: 'help'; readonly of: CommandShape | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'wrong'; readonly message: string }

export const parseArgs = (argv: readonly string[]): Parsed => {
  const words: string[] = []
  const options: Partial<Record<OptionName, string>> = {}
  let help = false
  for (let index = 0; index < argv.length; index++) {
    const arg = argv[index] ?? ''
    if (arg === '--') {
      words.push(...argv.slice(index + 1))
      break
    }
    if (arg === '--help' || arg === '-h') help = true
    else if (arg === '--version' || arg === '-V') return { kind: 'version' }
    else if (!arg.startsWith('-') || arg === '-') words.push(arg)
    else {
      const [given = '', inline] = split(arg)
      const name = optionNamed(given)
      if (name === undefined) return wrong(`there is no option ${given}${meant(given)}`)
      const value = inline ?? argv[++index]
      if (value === undefined || value === '') return wrong(`${given} needs a ${OPTIONS[name].value}`)
      if (options[name] !== undefined) return wrong(`${given} is given twice`)
      options[name] = value
    }
  }
  if (words[0] === 'help') {
    help = true
    words.shift()
  }
  const shape = shapeOf(words)
  if (help) return { kind: 'help', of: shape }
  if (shape === undefined) return wrong(unknownCommand(words))
  const rest = words.slice(shape.name.split(' ').length)
  if (rest.length !== shape.words.length) return wrong(`write: ${usageOf(shape)}`)
  for (const name of Object.keys(options) as OptionName[])
    if (!shape.options.includes(name)) return wrong(`${shape.name} takes no --${name}`)
  return { kind: 'command', name: shape.name, words: rest, options }
}

const wrong = (message: string): Parsed => ({ kind: 'wrong', message })

const split = (arg: string): readonly string[] => {
  const at = arg.indexOf('=')
  return arg.startsWith('--') && at > 0 ? [arg.slice(0, at), arg.slice(at + 1)] : [arg]
}

const optionNamed = (given: string): OptionName | undefined =>
  (Object.keys(OPTIONS) as OptionName[]).find(
    (name) => given === `--${name}` || given === `-${OPTIONS[name].short ?? '-'}`,
  )

const meant = (given: string): string => {
  const near = nearest(given.replace(/^-+/, ''), [...Object.keys(OPTIONS), 'help', 'version'])
  return near === undefined ? '' : `; did you mean --${near}?`
}

const shapeOf = (words: readonly string[]): CommandShape | undefined =>
  COMMANDS.find(({ name }) => name.split(' ').every((part, index) => part === words[index]))

const unknownCommand = (words: readonly string[]): string => {
  const [first, second] = words
  if (first === undefined) return 'say what to do; msn-bridge --help lists the commands'
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (group.length > 0) {
    const near = second === undefined ? undefined : nearest(`${first} ${second}`, group)
    return near === undefined
      ? `write one of: ${group.join(', ')}`
      : `there is no ${first} ${second ?? ''}; did you mean ${near}?`
  }
  const near = nearest(first, [...new Set(COMMANDS.flatMap(({ name }) => name.split(' ')[0] ?? []))])
  return `there is no command ${first}${near === undefined ? '' : `; did you mean ${near}?`}`
}

export const usageOf = ({ name, words, options }: CommandShape): string =>
  ['msn-bridge', name, ...words, ...options.map((option) => `[--${option} ${OPTIONS[option].value}]`)].join(' ')

export const helpText = (of: CommandShape | undefined): string => {
  if (of !== undefined) {
    const options = of.options.map((name) => {
      const { value, about, short } = OPTIONS[name]
      return `  --${name} ${value}${short === undefined ? '' : `, -${short} ${value}`}\n      ${about}`
    })
    return [
      usageOf(of),
      '',
      `  ${of.about}`,
      ...(of.details ?? []).map((line) => `  ${line}`),
      '',
      ...options,
      '',
    ].join('\n')
  }
  const rows = COMMANDS.map((shape) => [[shape.name, ...shape.words].join(' '), shape.about] as const)
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return [
    'msn-bridge: MSN Messenger, IRC and more in one conversation',
    '',
    'msn-bridge COMMAND [--config FILE]',
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`),
    '',
    '  --help, -h     this text, or more about a command: msn-bridge run --help',
    '  --version, -V  the version',
    '',
    'Exit codes: 0 done, 1 failed, 2 a mistake in the command line or the config.',
    '',
  ].join('\n')
}
