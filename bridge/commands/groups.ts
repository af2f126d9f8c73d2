/** Groups of a contact list: made, renamed, taken away, and who is in which. */
import type { Account, RosterRequest } from '../adapter.ts'
import { chooseAccount } from './accounts.ts'
import { askRoster, parseUser, quoted } from './ask-roster.ts'
import { confirm } from './confirm.ts'
import type { Answer, Call, Command, CommandDeps } from './deps.ts'
import { contactWords } from './words.ts'

/** Characters of a name; what fits on the wire is for the network to say. */
const LONGEST_NAME = 100
/** Names of contacts in one line of `list-groups`; the rest is counted. */
const MOST_NAMES = 40

/** Names, and the account at the end. */
const named = (
  { request, words, deps }: Call,
  least: number,
): { readonly account: Account; readonly names: readonly string[] } | { readonly wrong: string } => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least })
  if ('wrong' in choice) return choice
  const names = quoted(choice.rest)
  if (names === undefined) return { wrong: 'A quote is not closed.' }
  if (names.some((name) => name === '' || name.length > LONGEST_NAME))
    return { wrong: `The name of a group has 1 to ${LONGEST_NAME} characters.` }
  return { account: choice.account, names }
}

const change = async (request: RosterRequest, account: Account, deps: CommandDeps, verb: string, done: string) => {
  const wrong = await askRoster(request, account, deps)
  return [wrong === undefined ? done : `${verb} failed: ${wrong}`]
}

const addGroup = async (call: Call): Promise<Answer> => {
  const choice = named(call, 1)
  if ('wrong' in choice) return [choice.wrong]
  const { account, names } = choice
  const group = names.join(' ')
  return change(
    { kind: 'group-add', group },
    account,
    call.deps,
    'add-group',
    `${account.id} has a group ${group} now.`,
  )
}

const renameGroup = async (call: Call): Promise<Answer> => {
  const choice = named(call, 2)
  if ('wrong' in choice) return [choice.wrong]
  const { account, names } = choice
  const [group, name, ...more] = names
  if (group === undefined || name === undefined || more.length > 0)
    return [`Write both names in quotes: ${call.request.trigger ?? ''}rename-group "OLD NAME" "NEW NAME"`]
  const done = `The group ${group} of ${account.id} is called ${name} now.`
  return change({ kind: 'group-rename', group, name }, account, call.deps, 'rename-group', done)
}

const deleteGroup = async (call: Call): Promise<Answer> => {
  const choice = named(call, 1)
  if ('wrong' in choice) return [choice.wrong]
  const { account, names } = choice
  const group = names.join(' ')
  return confirm(
    call.request,
    `Take the group ${group} off the contact list of ${account.id}? Whoever is in it stays on the list.`,
    () => change({ kind: 'group-remove', group }, account, call.deps, 'delete-group', `The group ${group} is gone.`),
  )
}

const move = async (call: Call): Promise<Answer> => {
  const { deps } = call
  const choice = named(call, 1)
  if ('wrong' in choice) return [choice.wrong]
  const { account, names } = choice
  const user = parseUser(names.slice(0, 1), account, deps)
  if (typeof user !== 'string') return [user.wrong]
  const group = names.slice(1).join(' ')
  return change(
    { kind: 'move', user, ...(group === '' ? {} : { group }) },
    account,
    deps,
    'move',
    group === ''
      ? `${user} is in no group now (${account.id}).`
      : `${user} is in the group ${group} now (${account.id}).`,
  )
}

const listGroups = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster' })
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  if (rest.length > 0) return [`There is no account ${rest.join(' ')}.`]
  const groups = deps.roster.own(account.id)?.groups
  if (groups === undefined) return [`${account.id} was not connected yet, so its groups are not known.`]
  const listed = deps.roster.who(account.id)
  const lines = groups.map((group) => {
    const inside = listed.filter((contact) => contact.groups?.includes(group) === true)
    const more = inside.length - MOST_NAMES
    const names = inside.slice(0, MOST_NAMES).map(contactWords).join(', ')
    return `${group} (${inside.length})${names === '' ? '' : `: ${names}`}${more > 0 ? ` and ${more} more` : ''}`
  })
  const rest_ = listed.filter((contact) => (contact.groups ?? []).length === 0).length
  if (lines.length === 0) return [`The contact list of ${account.id} has no groups. To make one: add-group NAME`]
  return [...lines, ...(rest_ > 0 ? [`in no group: ${rest_}`] : [])]
}

const MANY = Number.POSITIVE_INFINITY
const common = { group: 'People', role: 'user', most: MANY } as const

/** In the order of `help`. */
export const groupCommands: readonly (readonly [string, Command])[] = [
  [
    'list-groups',
    { ...common, usage: 'list-groups [ACCOUNT]', about: 'the groups of your contact list', least: 0, run: listGroups },
  ],
  [
    'add-group',
    {
      ...common,
      usage: 'add-group NAME [ACCOUNT]',
      about: 'make a group in the contact list',
      least: 1,
      run: addGroup,
    },
  ],
  [
    'rename-group',
    {
      ...common,
      usage: 'rename-group "OLD" "NEW" [ACCOUNT]',
      about: 'call a group of the contact list by another name',
      least: 2,
      run: renameGroup,
    },
  ],
  [
    'delete-group',
    {
      ...common,
      usage: 'delete-group NAME [ACCOUNT]',
      about: 'take a group off the contact list; its contacts stay',
      least: 1,
      run: deleteGroup,
    },
  ],
  [
    'move',
    {
      ...common,
      usage: 'move ADDRESS [GROUP] [ACCOUNT]',
      about: 'put a contact into a group and out of all others; without a group, into none',
      least: 1,
      run: move,
    },
  ],
]
