/** `account`: the accounts of a person with networks; and `nick`, how their contacts see them there. */
import { findAccount, findNetwork, type Tagged, taggedAccounts } from './accounts.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { setIn, type SettingPlace } from './set.ts'
import type { SettingRow } from './setting-rows.ts'
import { accountKey, accountSetting, isAccountOn, rowsOf } from './settings.ts'
import { accountAsked } from './questions.ts'
import { confirmed, signIn } from './sign-in.ts'
import { oneOf } from './words.ts'
import { shown } from './contacts.ts'
import { playingWords } from '../../../bridge/model/playing-words.ts'
import type { SessionState } from '../../../bridge/model/result.ts'

const ALL = ['add', 'list', 'on', 'off'] as const
const ONE = ['on', 'off', 'del', 'set'] as const

const account = async (call: PersonCall): Promise<Answer> => {
  const [first = '', second, ...rest] = call.words
  const verb = oneOf(first, ALL)
  if (verb === 'add') return add(call)
  if (verb === 'list') return list(call)
  if (second === undefined) return verb === undefined ? 'usage' : allAccounts(verb, call)
  // BitlBee's older order: "account on msn", "account set msn/tag work".
  const older = ONE.find((each) => each === first.toLowerCase())
  const [id = '', name] = older === undefined ? [first] : older === 'set' ? second.split('/', 2) : [second]
  const what = older ?? oneOf(second, ONE)
  const tagged = findAccount(id, call.person, call.deps)
  if ('wrong' in tagged) return [tagged.wrong]
  if (what === undefined) return 'usage'
  const words = older === undefined ? rest : [...(name === undefined ? [] : [name]), ...rest]
  switch (what) {
    case 'on':
      return switchOn(tagged, call)
    case 'off':
      return switchOff(tagged, call)
    case 'del':
      return remove(tagged, call)
    case 'set':
      return setIn(placeOf(tagged, call), words, call)
  }
}

const add = async ({ client, person, words, deps, passwords }: PersonCall): Promise<Answer> => {
  const [, protocol, address, password = '', ...more] = words
  if (protocol === undefined || address === undefined || address === '') return 'usage'
  if (more.length > 0) return ['That are too many words. A password with blanks is written in quotes.']
  const network = findNetwork(protocol, deps)
  if (typeof network !== 'string') return [network.wrong]
  if (/\s/.test(address)) return ['That is no address.']
  if (password !== '') return signIn(person, network, address, password)
  passwords.wait(client, { kind: 'login', network, address })
  return [
    `You can now use the /OPER command to enter the password of ${shown(address)}: /OPER you PASSWORD`,
    'Then I sign in with it.',
  ]
}

const list = async ({ person, deps }: PersonCall): Promise<Answer> => {
  const all = taggedAccounts(person, deps)
  if (all.length === 0) return ['You have no accounts yet. To add one say: account add msn you@example.com']
  return [
    ...all.map(({ account: { login, state, wanted }, index, tag, protocol }) => {
      const words = wanted ? STATES[state.kind] : ''
      return `${String(index).padStart(2)} (${tag}): ${protocol}, ${login}${words === '' ? '' : ` (${words})`}`
    }),
    'End of account list',
  ]
}

/** BitlBee's words. */
const STATES: Readonly<Record<SessionState['kind'], string>> = {
  online: 'connected',
  connecting: 'connecting',
  waiting: 'awaiting reconnect',
  offline: '',
  stopped: 'stopped',
}

const allAccounts = async (verb: 'on' | 'off', { person, deps }: PersonCall): Promise<Answer> => {
  const all = taggedAccounts(person, deps)
  if (all.length === 0) return ['You have no accounts yet. To add one say: account add msn you@example.com']
  const some = all.filter(({ account: { id, state, wanted } }) =>
    verb === 'on' ? state.kind !== 'online' && isAccountOn(person.settings, id, 'auto_connect') : wanted,
  )
  if (some.length === 0)
    return [verb === 'on' ? 'All accounts are online already.' : 'All accounts are offline already.']
  const lines: string[] = []
  for (const { account: one } of some)
    lines.push(...(await person.command(`${verb === 'on' ? 'reconnect' : 'disconnect'} ${one.id}`)))
  return lines
}

const switchOn = async ({ account: { id, state, wanted } }: Tagged, { person }: PersonCall): Promise<Answer> =>
  wanted && state.kind === 'online' ? ['Account already online'] : person.command(`reconnect ${id}`)

const switchOff = async ({ account: { id, wanted } }: Tagged, { person }: PersonCall): Promise<Answer> =>
  wanted ? person.command(`disconnect ${id}`) : ['Account already offline']

const remove = async ({ account: { id, fixed } }: Tagged, { person, questions }: PersonCall): Promise<Answer> => {
  if (fixed) return ["The account is locked, it can't be deleted: it stands in the config of the bridge."]
  const lines = await confirmed(person, `logout ${id}`)
  if (person.accounts().some((one) => one.id === id)) return lines
  await questions.settle(person.user, (question) => accountAsked(question.yes) === id)
  for (const { name } of rowsOf('account'))
    if (person.settings.own(accountKey(id, name)) !== undefined)
      await person.settings.set(accountKey(id, name), undefined)
  return ['Account deleted', ...lines]
}

const placeOf = (tagged: Tagged, call: PersonCall): SettingPlace => {
  const { account: one, tag } = tagged
  const { settings } = call.person
  return {
    scope: 'account',
    keyOf: ({ name }) => accountKey(one.id, name),
    valueOf: ({ name }) => {
      if (name === 'tag') return settings.own(accountKey(one.id, name)) ?? tag
      if (name === 'username') return one.login
      if (name === 'server') return one.network
      // Changed elsewhere, too: what the network says is so.
      if (name === 'display_name' && one.own !== undefined) return one.own.name
      if (name === 'privacy' && one.own !== undefined) return PRIVACY[one.own.strangers]
      if (name === 'status') return one.own?.text ?? ''
      if (name === 'now_playing') return one.own?.playing === undefined ? '' : playingWords(one.own.playing)
      if (name === 'picture') return one.picture
      return accountSetting(settings, one.id, name)
    },
    act: (row, value) => act(row, value, tagged, call),
  }
}

const act = (
  row: SettingRow,
  value: string | undefined,
  tagged: Tagged,
  call: PersonCall,
): ReturnType<SettingPlace['act']> => {
  switch (row.name) {
    case 'tag':
      return Promise.resolve(value === undefined ? { keep: true } : tagWanted(value, tagged, call))
    case 'display_name':
      return value === undefined || value === ''
        ? Promise.resolve({ keep: true, lines: ['Your name stays as it is with the service; set another one.'] })
        : nameWanted(value, tagged, call)
    case 'privacy':
      return askedOf(`set-privacy ${value ?? 'everyone'} ${tagged.account.id}`, call)
    case 'status':
      return askedOf(`set-message ${value ?? ''} ${tagged.account.id}`, call)
    case 'picture':
      return value === undefined
        ? askedOf(`remove-picture ${tagged.account.id}`, call)
        : Promise.resolve(pictureWanted(tagged, call))
    case 'password':
      return passwordWanted(value, tagged, call)
    default:
      return undefined
  }
}

const PRIVACY = { allowed: 'everyone', blocked: 'contacts' } as const

/** Kept by the network, not by us. */
const askedOf = async (line: string, { person }: PersonCall) => ({ keep: false, lines: await person.command(line) })

const pictureWanted = ({ account: { id } }: Tagged, { client, pictures }: PersonCall) => {
  pictures.wait(client, id)
  const nick = client.person?.settings.get('root_nick') ?? 'root'
  return {
    keep: false,
    lines: [`Now offer me the image within five minutes: /dcc send ${nick} FILE`, 'It will be for this account alone.'],
  }
}

const nameWanted = async (value: string, { account: { id } }: Tagged, { person }: PersonCall) => {
  const lines = await person.command(`set-name ${value} ${id}`)
  return { keep: !lines.some((line) => line.includes(' failed: ')), lines }
}

const tagWanted = (value: string, tagged: Tagged, { person, deps }: PersonCall) => {
  const name = value.toLowerCase()
  if (/^\d+$/.test(name) || [...ONE, ...ALL].some((each) => each.startsWith(name)))
    return { keep: false, lines: ['That is no tag: a number or a command is none.'] }
  const others = taggedAccounts(person, deps).filter(({ account: { id } }) => id !== tagged.account.id)
  return others.some(({ tag }) => tag.toLowerCase() === name)
    ? { keep: false, lines: ['Another account has that tag.'] }
    : { keep: true }
}

const passwordWanted = async (value: string | undefined, { account: one }: Tagged, call: PersonCall) => {
  if (one.fixed)
    return { keep: false, lines: ['The account stands in the config of the bridge, and its password, too.'] }
  if (value !== undefined && value !== '')
    return { keep: false, lines: await signIn(call.person, one.network, one.login, value) }
  call.passwords.wait(call.client, { kind: 'login', network: one.network, address: one.login })
  return { keep: false, lines: [`You can now use the /OPER command to enter the password of ${one.login}.`] }
}

const nick = async (call: PersonCall): Promise<Answer> => {
  const [id = '', ...name] = call.words
  const tagged = findAccount(id, call.person, call.deps)
  if ('wrong' in tagged) return [tagged.wrong]
  return setIn(placeOf(tagged, call), ['display_name', ...name], call)
}

export const accountCommands: readonly RootCommand[] = [
  {
    name: 'account',
    who: 'identified',
    usage: [
      'account add <protocol> <address> [<password>]',
      'account list',
      'account [<account>] on',
      'account [<account>] off',
      'account <account> del',
      'account <account> set [-del] [<setting> [<value>]]',
    ],
    about: 'your accounts with networks',
    help: [
      'An account is named by its number in the list, its tag, its protocol, or a part of its address.',
      'add: signs in. The protocol is msn, or the name of a network in the config of the bridge. Without a password you enter it by /OPER, which clients do not log.',
      'off: signs out until you say on; on and off without an account mean all of them. del: signs out and forgets the password.',
      'set: its settings, see: help account set',
    ],
    least: 1,
    run: account,
  },
  {
    name: 'nick',
    who: 'identified',
    usage: ['nick <account> [<name>]'],
    about: 'how your contacts see you',
    help: [
      'Short for: account <account> set display_name <name>. The IRC command /nick does it for all accounts at once.',
    ],
    least: 1,
    run: nick,
  },
]
