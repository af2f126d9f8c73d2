/** `group`: the groups of the contact lists, as BitlBee shows them, and what can be done with them. */
import type { PersonPort } from '../types.ts'
import { findAccount, type Tagged, taggedAccounts } from './accounts.ts'
import { findContact } from './contacts.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { confirmed } from './sign-in.ts'
import { oneOf } from './words.ts'

const VERBS = ['list', 'info', 'add', 'rename', 'del', 'move'] as const

const group = async (call: PersonCall): Promise<Answer> => {
  const [verb, ...rest] = call.words
  switch (oneOf(verb, VERBS)) {
    case 'list':
      return rest.length > 0
        ? 'usage'
        : [...[...groupsOf(call).keys()].map((each, index) => `${index}. ${each}`), 'End of group list']
    case 'info':
      return rest.length === 0 ? 'usage' : members(rest.join(' '), call)
    case 'add':
      return inAccount(rest, 1, call, (names, id) => call.person.command(`add-group ${quote(names.join(' '))} ${id}`))
    case 'rename':
      return inAccount(rest, 2, call, ([old = '', wanted = '', ...more], id) =>
        more.length > 0
          ? Promise.resolve('usage')
          : call.person.command(`rename-group ${quote(old)} ${quote(wanted)} ${id}`),
      )
    case 'del':
      return inAccount(rest, 1, call, (names, id) =>
        confirmed(call.person, `delete-group ${quote(names.join(' '))} ${id}`),
      )
    case 'move':
      return move(rest, call)
    case undefined:
      return 'usage'
  }
}

type Act = (names: readonly string[], account: string) => Promise<Answer>

/** Of several accounts the first word says which; there is no group without one. */
const inAccount = (words: readonly string[], least: number, call: PersonCall, act: Act): Promise<Answer> | Answer => {
  const [only, ...others] = taggedAccounts(call.person, call.deps)
  if (only === undefined) return ['You have no accounts yet. To add one say: account add msn you@example.com']
  const [first = ''] = words
  const isNamed = words.length > least || others.length > 0
  const tagged = isNamed ? findAccount(first, call.person, call.deps) : undefined
  const named: Tagged | undefined = tagged === undefined || 'wrong' in tagged ? undefined : tagged
  if (named === undefined && others.length > 0)
    return [`Which account? Write it first: ${[only, ...others].map(({ tag }) => tag).join(', ')}`]
  const names = named === undefined ? words : words.slice(1)
  if (names.length < least || names.some((name) => name.includes('"'))) return 'usage'
  return act(names, (named ?? only).account.id)
}

const move = async ([nick, ...name]: readonly string[], { person, deps }: PersonCall): Promise<Answer> => {
  if (nick === undefined) return 'usage'
  const somebody = findContact([nick], person, deps)
  if ('wrong' in somebody) return [somebody.wrong]
  const { user, account } = somebody
  const wanted = name.length === 0 ? '' : ` ${quote(name.join(' '))}`
  return person.command(`move ${user}${wanted} ${account}`)
}

/** As the bridge's own commands read it; what is in the word is not a quote. */
export const quote = (name: string): string => `"${name.replaceAll('"', "'")}"`

const members = (name: string, call: PersonCall): readonly string[] => {
  const groups = groupsOf(call)
  const key = [...groups.keys()].find((each) => each.toLowerCase() === name.toLowerCase())
  if (key === undefined) return ['There is no such group. See: group list']
  return [...(groups.get(key) ?? []).map((nick, index) => `${index}. ${nick}`), 'End of member list']
}

/** Nicks by group, both in alphabetical order; groups without anybody, too. */
const groupsOf = ({ person, deps }: PersonCall): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>()
  for (const { account } of taggedAccounts(person, deps)) {
    for (const name of account.own?.groups ?? []) groups.set(name, groups.get(name) ?? [])
    for (const { user, groups: names = [] } of deps.context.people.contactsOf(account.id)) {
      const nick = nickOf(person, { account: account.id, user })
      for (const name of names) groups.set(name, [...(groups.get(name) ?? []), nick])
    }
  }
  return new Map(
    [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, nicks]) => [name, nicks.toSorted()]),
  )
}

const nickOf = (person: PersonPort, key: Parameters<PersonPort['faceOf']>[0]): string =>
  person.faceOf(key)?.nick ?? key.user

export const groupCommands: readonly RootCommand[] = [
  {
    name: 'group',
    who: 'identified',
    usage: [
      'group list',
      'group info <group>',
      'group add [<account>] <group>',
      'group rename [<account>] <group> <new name>',
      'group del [<account>] <group>',
      'group move <nick|address> [<group>]',
    ],
    about: 'the groups of your contact lists',
    help: [
      'Names with blanks are written in quotes. del: its contacts stay on the list. move: into that group and out of all others; without a group, into none.',
      'A channel shows one group: /join &friends, then: channel &friends set fill_by group, channel &friends set group Friends',
    ],
    least: 1,
    run: group,
  },
]
