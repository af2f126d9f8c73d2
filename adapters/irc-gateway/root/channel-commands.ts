/** Channels: more control channels, and groups. */
import { fold } from '../../../irc/casemap.ts'
import type { AccountId } from '../../../bridge/model/ids.ts'
import type { ChannelPort, ContactKey, PersonPort } from '../types.ts'
import { findAccount, findNetwork, taggedAccounts } from './accounts.ts'
import { findContact, shown } from './contacts.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { setIn, type SettingPlace } from './set.ts'
import { channelKey, channelSetting, rowsOf } from './settings.ts'
import { oneOf } from './words.ts'

/** Members that `chat add` takes. */
const MOST_MEMBERS = 50
/** Channels of one person whose settings are kept besides the joined ones. */
const MOST_KNOWN = 100
/** Where the names of channels with settings of their own are kept, with blanks between them. */
export const KNOWN_CHANNELS = 'channels'

const same = (one: string, other: string): boolean => fold(one, 'rfc1459') === fold(other, 'rfc1459')

const channel = async (call: PersonCall): Promise<Answer> => {
  const { person, words, where, deps } = call
  const [first = '', second, ...rest] = words
  if (oneOf(first, ['list']) !== undefined && second === undefined) return list(call)
  const name = findChannel(first, call)
  if (name === undefined) {
    // Said in a channel, its name may be left out.
    if (where !== 'query' && oneOf(first, ['set']) !== undefined)
      return setIn(placeOf(where, call), words.slice(1), call)
    return [`Could not find channel \`${shown(first)}'. See: channel list`]
  }
  switch (oneOf(second, ['set', 'del'])) {
    case 'set':
      return setIn(placeOf(name, call), rest, call)
    case 'del':
      return remove(name, person, deps.control)
    case undefined:
      return 'usage'
  }
}

const list = async ({ person }: PersonCall): Promise<Answer> => [
  ...channelsOf(person).map((name, index) => {
    const joined = person.channel(name)
    const type = joined === undefined ? channelSetting(person.settings, name, 'type') : typeOf(joined)
    return `${String(index).padStart(2)}. ${name}, ${type} channel${joined === undefined ? '' : ' (joined)'}`
  }),
  'End of channel list',
]

const typeOf = ({ kind }: ChannelPort): string => (kind === 'control' ? 'control' : 'chat')

/** Joined ones first, then those that only have settings. */
const channelsOf = (person: PersonPort): readonly string[] => {
  const joined = [...person.channels()].map(({ name }) => name)
  const known = knownOf(person).filter((name) => !joined.some((other) => same(name, other)))
  return [...joined, ...known]
}

const knownOf = (person: PersonPort): readonly string[] =>
  (person.settings.own(KNOWN_CHANNELS) ?? '').split(' ').filter((name) => name !== '')

/** By its number in the list, or its name; the prefix may be left out. */
const findChannel = (word: string, { person }: PersonCall): string | undefined => {
  const all = channelsOf(person)
  if (/^\d+$/.test(word)) return all[Number(word)]
  return all.find((name) => same(name, word)) ?? all.find((name) => same(name.slice(1), word))
}

const placeOf = (name: string, { person, deps }: PersonCall): SettingPlace => {
  const { settings } = person
  const known = async (): Promise<void> => {
    const all = knownOf(person)
    if (all.some((other) => same(name, other))) return
    await settings.set(KNOWN_CHANNELS, [...all, name].slice(-MOST_KNOWN).join(' '))
  }
  return {
    scope: 'channel',
    keyOf: (row) => channelKey(name, row.name),
    valueOf: (row) => {
      const value = channelSetting(settings, name, row.name)
      const isAccount = row.name === 'account' && value !== ''
      const tagged = isAccount ? taggedAccounts(person, deps).find(({ account }) => account.id === value) : undefined
      return tagged?.tag ?? value
    },
    act: async (row, value) => {
      if (row.name === 'account' && value !== undefined) {
        const tagged = findAccount(value, person, deps)
        if ('wrong' in tagged) return { keep: false, lines: [tagged.wrong] }
        await known()
        // The tag may change; the account is the same.
        await settings.set(channelKey(name, 'account'), tagged.account.id)
        return { keep: false, lines: [`account = \`${tagged.tag}'`] }
      }
      if (row.name === 'protocol' && value !== undefined) {
        const network = findNetwork(value, deps)
        if (typeof network !== 'string') return { keep: false, lines: [network.wrong] }
        await known()
        await settings.set(channelKey(name, 'protocol'), network)
        return { keep: false, lines: [`protocol = \`${network}'`] }
      }
      await known()
      return { keep: true }
    },
  }
}

const remove = async (name: string, person: PersonPort, control: string): Promise<Answer> => {
  if (same(name, control)) return [`The main channel ${control} cannot be deleted.`]
  if (person.channel(name) !== undefined) return [`Leave ${name} first: /part ${name}`]
  for (const row of rowsOf('channel')) {
    const key = channelKey(name, row.name)
    if (person.settings.own(key) !== undefined) await person.settings.set(key, undefined)
  }
  const left = knownOf(person).filter((other) => !same(name, other))
  await person.settings.set(KNOWN_CHANNELS, left.length === 0 ? undefined : left.join(' '))
  return [`Channel ${name} deleted.`]
}

const chat = async (call: PersonCall): Promise<Answer> => {
  const [verb, ...rest] = call.words
  switch (oneOf(verb, ['add', 'with', 'list', 'set', 'del'])) {
    case 'add':
      return add(rest, call)
    case 'with':
      return talkWith(rest, call)
    case 'list':
      return groups(call)
    case 'set':
      return channel({ ...call, words: [rest[0] ?? '', 'set', ...rest.slice(1)] })
    case 'del':
      return channel({ ...call, words: [rest[0] ?? '', 'del'] })
    case undefined:
      return 'usage'
  }
}

const talkWith = async (words: readonly string[], { person, deps }: PersonCall): Promise<Answer> => {
  if (words.length === 0 || words.length > 2) return 'usage'
  const somebody = findContact(words, person, deps)
  if ('wrong' in somebody) return [somebody.wrong]
  const opened = await person.openGroup([{ account: somebody.account, user: somebody.user }])
  if ('wrong' in opened) return [opened.wrong]
  return [
    `The channel ${opened.name} is your conversation with ${somebody.nick ?? somebody.user}. To bring others in: /invite NICK ${opened.name}`,
  ]
}

const CHANNEL = /^#[^\s,\0\x07:]{1,49}$/

const add = async ([id, room, wanted, ...more]: readonly string[], call: PersonCall): Promise<Answer> => {
  const { person, deps } = call
  if (id === undefined || room === undefined || more.length > 0) return 'usage'
  const tagged = findAccount(id, person, deps)
  if ('wrong' in tagged) return [tagged.wrong]
  const names = room.split(',').filter((name) => name !== '')
  if (names.length === 0 || names.length > MOST_MEMBERS)
    return [`Write 1 to ${MOST_MEMBERS} nicks or addresses, with commas.`]
  const keys: ContactKey[] = []
  for (const name of names) {
    const somebody = findContact([tagged.tag, name], person, deps)
    if ('wrong' in somebody) return [somebody.wrong]
    // Completed with the domain of the account it would be somebody whom nobody has heard of.
    if (!name.includes('@') && person.face(name) === undefined && person.contact(somebody) === undefined)
      return [`Nick \`${shown(name)}' does not exist`]
    keys.push({ account: tagged.account.id, user: somebody.user })
  }
  const first = names[0]?.split('@')[0] ?? ''
  const name = wanted === undefined ? `#${first}` : wanted.startsWith('#') ? wanted : `#${wanted}`
  if (!CHANNEL.test(name)) return [`\`${shown(name)}' is no name of a channel.`]
  if (person.channel(name) !== undefined) return [`You are in ${name} already. Write another name behind it.`]
  const opened = await person.openGroup(keys, name)
  if ('wrong' in opened) return [opened.wrong]
  await keepRoom(opened.name, tagged.account.id, keys, call)
  return [`${opened.name} is added with ${keys.map(({ user }) => user).join(', ')}, and joined whenever you connect.`]
}

const keepRoom = async (
  name: string,
  account: AccountId,
  keys: readonly ContactKey[],
  { person }: PersonCall,
): Promise<void> => {
  const all = knownOf(person)
  if (!all.some((other) => same(name, other)))
    await person.settings.set(KNOWN_CHANNELS, [...all, name].slice(-MOST_KNOWN).join(' '))
  await person.settings.set(channelKey(name, 'account'), account)
  await person.settings.set(channelKey(name, 'room'), keys.map(({ user }) => user).join(','))
  await person.settings.set(channelKey(name, 'chat_type'), 'room')
  await person.settings.set(channelKey(name, 'auto_join'), 'true')
}

const groups = ({ person }: PersonCall): readonly string[] => {
  const all = [...person.channels()].filter(({ kind }) => kind === 'group')
  if (all.length === 0) return ['You are in no group. To begin one say: chat with NICK']
  return [
    ...all.map((one) => {
      const nicks = one.members().flatMap(({ nick, face }) => (face === undefined ? [] : [nick]))
      return `${one.name}: ${nicks.length === 0 ? 'nobody yet' : nicks.join(', ')}`
    }),
    'End of list.',
  ]
}

export const channelCommands: readonly RootCommand[] = [
  {
    name: 'channel',
    who: 'identified',
    usage: ['channel list', 'channel [<channel>] set [-del] [<setting> [<value>]]', 'channel <channel> del'],
    about: 'your channels and what is in them',
    help: [
      'A control channel shows contacts and root, as the first one does. Join another one with /join &NAME; its settings say who is in it, see: help channel set',
      'Said in a channel, the name of it may be left out: channel set fill_by group',
      'del: forgets the settings of a channel that you have left.',
    ],
    least: 1,
    run: channel,
  },
  {
    name: 'chat',
    who: 'identified',
    usage: ['chat with <nick>', 'chat add <account> <nick|address>[,...] [<channel>]', 'chat list'],
    about: 'conversations of several',
    help: [
      'with: a channel for the conversation with one contact. /invite brings others in, /part leaves it.',
      'add: a group with these people, whose channel is joined again whenever you connect.',
      'list: the groups that you are in. set and del are those of: help channel',
    ],
    least: 1,
    run: chat,
  },
]
