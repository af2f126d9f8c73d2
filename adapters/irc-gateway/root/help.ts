/** What `help` says. Data, and how it is looked up. Pure. */
import type { Scope, SettingRow } from './setting-rows.ts'
import { rowsOf, settingRow } from './settings.ts'
import type { SettingType } from './setting-values.ts'
import type { RootCommand } from './deps.ts'
import { nearest, shortFor } from './words.ts'

export interface HelpTopic {
  readonly name: string
  readonly about: string
  readonly lines: readonly string[]
}

export const helpTopics: readonly HelpTopic[] = [
  {
    name: 'quickstart',
    about: 'the first steps',
    lines: [
      '1. Make an account here: register PASSWORD. When you connect again say: identify PASSWORD',
      '2. Where this bridge has an MSN service of its own you have an MSN account now, with the same password. To use one that you have elsewhere say: account add msn you@example.com - and enter the password with /OPER.',
      '3. account list shows whether you are connected. Your contacts come into this channel; those with a voice (+) are there, the others are away.',
      '4. Talk to somebody: /msg NICK hello, or here in the channel: NICK: hello. An answer comes where you spoke last.',
      '5. Put a friend on your list: add msn friend@example.com. When somebody wants to be your contact I ask you: answer yes or no.',
      '6. Call people as you like: rename OLDNICK NEWNICK',
      'What else there is: help commands, help settings, help away, help groupchats',
    ],
  },
  {
    name: 'away',
    about: 'how you look to your contacts',
    lines: [
      '/away WORDS sets your status on all accounts, and /away alone takes it back.',
      'The first words say which status: Away, NA, Busy or DND, BRB, Phone, Lunch or Food, Invisible or Hidden. Everything else is away.',
      'What follows a hyphen is your text: /away Busy - fixing bugs',
      'set away does the same. When somebody whom you write to is away, their words are told to you once in a while (away_reply_timeout).',
    ],
  },
  {
    name: 'groupchats',
    about: 'conversations of several',
    lines: [
      'A conversation of several is a channel with #. chat with NICK opens one, /invite NICK #CHANNEL brings somebody in, /part leaves it.',
      'When others open one you join its channel by yourself.',
      'chat add msn bob,carol #tea makes a group that you are in again whenever you connect.',
    ],
  },
  {
    name: 'clients',
    about: 'several clients at once, and what you missed',
    lines: [
      'Any number of clients may use your account at the same time: each sees what the others say.',
      'What is said while none is connected is shown to the next one; clients that know CHATHISTORY ask for it by themselves.',
      'Your accounts stay connected without a client, until you say: account off',
    ],
  },
  {
    name: 'nicks',
    about: 'how nicks are made',
    lines: [
      'A nick is made from the address, or as nick_format says; rename gives another one, which stays.',
      'Your own nick is the same everywhere. /nick changes it, and with it the name that your contacts see.',
    ],
  },
]

const WORDS: Readonly<Record<Scope, string>> = { user: 'set', account: 'account set', channel: 'channel set' }

/** The names of all that is about a row of commands or topics. */
export const helpFor = (topic: readonly string[], commands: readonly RootCommand[]): readonly string[] => {
  const [first, second, third] = topic.map((word) => word.toLowerCase())
  if (first === undefined) return index
  if (first === 'index') return index
  if (first === 'commands') return commandList(commands)
  if (first === 'settings') return settingLists()
  const names = commands.map(({ name }) => name)
  const meant = shortFor(first, [...names, ...helpTopics.map(({ name }) => name)])
  const scope = meant.kind === 'one' ? scopeOf(meant.name, second) : undefined
  if (scope !== undefined) {
    const setting = scope === 'user' ? second : third
    if (setting !== undefined) return aboutSetting(setting, scope)
    if (scope !== 'user') return settingList(scope)
  }
  if (meant.kind === 'one') return aboutName(meant.name, commands)
  const row = settingRow(first)
  if (row !== undefined) return settingHelp(row)
  if (meant.kind === 'several') return [`That may be: ${meant.names.join(', ')}`]
  const near = nearest(first, [
    ...names,
    ...helpTopics.map(({ name }) => name),
    ...rowsOf('user').map(({ name }) => name),
  ])
  return [`There is no help about that${near === undefined ? '.' : `; did you mean ${near}?`} See: help`]
}

const index: readonly string[] = [
  'This is msn-bridge: your MSN contacts are people on this IRC server. I am root; talk to me here or with /msg root.',
  'help quickstart: the first steps',
  'help commands: all commands. help COMMAND: one of them',
  'help settings: all settings. help set SETTING: one of them',
  `Also: ${helpTopics
    .slice(1)
    .map(({ name }) => `help ${name}`)
    .join(', ')}`,
  'All commands may be shortened as long as it is plain which one is meant: acc li',
]

const commandList = (commands: readonly RootCommand[]): readonly string[] => [
  ...commands.map(({ name, about }) => `${name}: ${about}`),
  'More about one: help COMMAND',
]

/** The commands, `help TOPIC` and `set SETTING`, as BitlBee lists them for scripts. */
export const completions = (commands: readonly RootCommand[]): readonly string[] => {
  const names = commands.map(({ name }) => name)
  const topics = [...new Set([...helpTopics.map(({ name }) => name), ...names])]
  return [...names, ...topics.map((name) => `help ${name}`), ...rowsOf('user').map(({ name }) => `set ${name}`)]
}

const scopeOf = (name: string, second: string | undefined): Scope | undefined => {
  if (name === 'set') return 'user'
  if (second !== 'set') return undefined
  return name === 'account' || name === 'channel' ? name : undefined
}

const settingLists = (): readonly string[] => [
  ...settingList('user'),
  ...settingList('account'),
  ...settingList('channel'),
  'What one does: help set SETTING, help account set SETTING, help channel set SETTING',
]

const settingList = (scope: Scope): readonly string[] => [
  `${WORDS[scope]}: ${rowsOf(scope)
    .map(({ name }) => name)
    .join(', ')}`,
]

const aboutName = (name: string, commands: readonly RootCommand[]): readonly string[] => {
  const topic = helpTopics.find((each) => each.name === name)
  if (topic !== undefined) return topic.lines
  const command = commands.find((each) => each.name === name)
  return command === undefined ? index : commandHelp(command)
}

const commandHelp = ({ usage, about, help }: RootCommand): readonly string[] => [
  ...usageLines(usage),
  `${about.charAt(0).toUpperCase()}${about.slice(1)}.`,
  ...help,
]

export const usageLines = (usage: readonly string[]): readonly string[] =>
  usage.map((form, at) => (at === 0 ? `Syntax: ${form}` : `    or: ${form}`))

const aboutSetting = (name: string, scope: Scope): readonly string[] => {
  const row = settingRow(name, scope) ?? settingRow(name)
  if (row !== undefined) return settingHelp(row)
  const near = nearest(
    name,
    rowsOf(scope).map((each) => each.name),
  )
  return [`There is no such setting${near === undefined ? '.' : `; did you mean ${near}?`} See: help settings`]
}

const settingHelp = (row: SettingRow): readonly string[] => [
  `${row.name} (${row.scopes.map((scope) => WORDS[scope]).join(', ')}): ${typeWords(row.type)}${
    row.default === '' ? '' : `, at first \`${row.default}'`
  }`,
  row.about,
  ...(row.fixed === undefined ? [] : [`It cannot be changed. ${row.fixed}`]),
]

/** "yes or no", "one of lifo, fifo". */
const typeWords = (type: SettingType): string => {
  switch (type.kind) {
    case 'boolean':
      return 'yes or no'
    case 'boolean-or':
      return `yes, no or one of ${type.of.join(', ')}`
    case 'number':
      return `a number from ${type.least} to ${type.most}`
    case 'choice':
      return `one of ${type.of.join(', ')}`
    case 'text':
      return 'text'
    case 'word':
      return 'one word'
    case 'nick':
      return 'a nick'
    case 'delay':
      return 'seconds, such as 5*3<900'
    case 'users':
      return 'groups of people with their mode, such as online+,away'
    case 'nick-format':
      return 'parts of a contact, such as %-@nick'
    case 'timezone':
      return 'a time zone'
  }
}
