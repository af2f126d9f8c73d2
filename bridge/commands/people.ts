/** Who there is, and who is on the contact list. */
import { playingWords } from '../model/playing-words.ts'
import { askRoster, parseUser } from './ask-roster.ts'
import { allowedAccounts, chooseAccount, meantUnnamed, portalOf, withName } from './accounts.ts'
import { membersOf } from './chats.ts'
import { confirm } from './confirm.ts'
import type { Answer, Call, Command, CommandDeps } from './deps.ts'
import { contactWords, counted, isNamed, nameList, SHOWN, stateWords } from './words.ts'
import type { Account, CommandRequest } from '../adapter.ts'
import type { UserId } from '../model/ids.ts'
import type { Contact } from '../roster.ts'

/** Lines of `contacts` and of `search`; the rest is counted. */
const CONTACT_LINES = 100
const FOUND_LINES = 20
/** Characters of a nickname. */
const LONGEST_NICKNAME = 100

const who = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'chat' })
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const away = notConnected(account, deps)
  if (away !== undefined) return [away]
  const contacts = deps.roster
    .who(account.id)
    .filter((contact) => isNamed(contact, lower(rest)) && inChat(contact, request, deps))
  if (contacts.length === 0)
    return [
      rest.length === 0 ? `${account.id} has no contacts here.` : `${account.id} has no contact ${rest.join(' ')}.`,
    ]
  return [...byPresence(contacts)].map(([show, some]) => `${show}: ${nameList(some)}`)
}

const contacts = async ({ request, words, deps }: Call): Promise<Answer> => {
  const allowed = allowedAccounts(request, deps, 'roster')
  const named = withName(words.at(-1)?.toLowerCase() ?? '', allowed)
  const choice = chooseAccount(words, request, deps, { scope: 'roster' })
  const accounts = 'wrong' in choice ? ownOf(request, deps) : [choice.account]
  const filter = lower(named.length > 0 ? words.slice(0, -1) : words)
  if (accounts.length === 0) return ['wrong' in choice ? choice.wrong : 'There is no account.']
  return accounts.flatMap((account) => {
    const away = notConnected(account, deps)
    const all = deps.roster.who(account.id).filter((contact) => isNamed(contact, filter))
    const shown = [...byPresence(all.slice(0, CONTACT_LINES))].flatMap(([show, some]) => [
      `${show} (${some.length}):`,
      ...some.map((contact) => `  ${contactWords(contact)}`),
    ])
    const more = all.length - CONTACT_LINES
    return [
      ...(away === undefined ? [] : [away]),
      ...(accounts.length > 1 ? [`${account.id}, ${counted(all.length, 'contact')}`] : []),
      ...(all.length === 0 ? [`${account.id} has no ${filter.length > 0 ? 'such ' : ''}contacts.`] : shown),
      ...(more > 0 ? [`and ${more} more: write a part of a name, as in contacts bob`] : []),
    ]
  })
}

const search = async ({ request, words, deps }: Call): Promise<Answer> => {
  const wanted = lower(words)
  const found = ownOf(request, deps).flatMap((account) =>
    deps.roster
      .contacts(account.id)
      .filter((contact) => isNamed(contact, wanted))
      .map((contact) => `${contactWords(contact)} (${account.id}${contact.listed ? '' : ', not on the list'})`),
  )
  if (found.length === 0) return ['Nobody of your contacts is called so. To write to an address: start-chat ADDRESS']
  const more = found.length - FOUND_LINES
  return [...found.slice(0, FOUND_LINES), ...(more > 0 ? [`and ${more} more`] : [])]
}

/** All that is known of somebody. */
const info: About = async (user, account, { deps }) => {
  const contact = deps.roster.contact(account.id, user)
  if (contact === undefined) return [`Nothing is known of ${user} (${account.id}).`]
  const { name, nickname, presence, groups = [], phones = [], listed, hasUs, blocked } = contact
  const { show = 'offline', text = '', playing } = presence ?? {}
  return [
    `${user}, ${listed ? 'on' : 'not on'} the list of ${account.id}${hasUs ? ', and has you on theirs' : ''}`,
    ...(name === '' || name === user ? [] : [`Name: ${name}`]),
    ...(nickname === undefined ? [] : [`You call them: ${nickname}`]),
    `Status: ${SHOWN[show]}${text === '' ? '' : ` (${text})`}`,
    ...(playing === undefined ? [] : [`Listens to: ${playingWords(playing)}`]),
    ...(groups.length === 0 ? [] : [`Groups: ${groups.join(', ')}`]),
    ...phones.map(({ kind, number }) => `Phone (${kind}): ${number}`),
    ...(blocked ? [`They are blocked. To undo that: unblock ${user}`] : []),
  ]
}

/** The accounts of whoever asks; an admin without any looks into those of the config. */
const ownOf = (request: CommandRequest, deps: CommandDeps): readonly Account[] => {
  const allowed = allowedAccounts(request, deps, 'roster')
  const person = deps.identity.personOf(request.from)
  const own = allowed.filter((account) => account.person === person)
  return own.length > 0 ? own : meantUnnamed(request, deps, allowed)
}

const lower = (words: readonly string[]): readonly string[] => words.map((word) => word.toLowerCase())

const byPresence = (some: readonly Contact[]): ReadonlyMap<string, readonly Contact[]> =>
  Map.groupBy(some, ({ presence }) => SHOWN[presence?.show ?? 'offline'])

const notConnected = ({ id }: Account, deps: CommandDeps): string | undefined => {
  const state = deps.stateOf(id)
  return state === undefined || state.kind === 'online'
    ? undefined
    : `${id} is not connected, so nobody can be seen: ${stateWords(state, deps.clock.now(), false)}`
}

/** Who is meant by `who` in a chat: the people on its other side. A lobby has everybody. */
const inChat = ({ user, account }: Contact, request: CommandRequest, deps: CommandDeps): boolean => {
  const portal = portalOf(request, deps)?.portal
  const legs = portal?.legs.filter(({ via }) => via === account) ?? []
  if (portal === undefined || legs.length === 0 || portal.kind === 'lobby') return true
  return legs.some((leg) => membersOf({ portal, leg }, deps).includes(user))
}

/** Somebody, as one account knows them. */
type About = (user: UserId, account: Account, call: Call) => Promise<Answer>

const onSomebody =
  (act: About) =>
  async (call: Call): Promise<Answer> => {
    const { request, words, deps } = call
    const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1 })
    if ('wrong' in choice) return [choice.wrong]
    const user = parseUser(choice.rest, choice.account, deps)
    return typeof user === 'string' ? act(user, choice.account, call) : [user.wrong]
  }

type Change = 'add' | 'remove' | 'block' | 'unblock'

const change = async (
  kind: Change,
  user: UserId,
  account: Account,
  deps: CommandDeps,
  done: string,
): Promise<readonly string[]> => {
  const wrong = await askRoster({ kind, user }, account, deps)
  return [wrong === undefined ? done : `${kind} ${user} failed: ${wrong}`]
}

const add: About = (user, account, { deps }) =>
  change('add', user, account, deps, `${user} was added to the contacts of ${account.id}.`)

const remove: About = async (user, account, { request, deps }) => {
  const wrong = notNow(account, deps)
  if (wrong !== undefined) return [`remove ${user} failed: ${wrong}`]
  return confirm(request, `Take ${user} off the contact list of ${account.id}?`, () =>
    change('remove', user, account, deps, `${user} was removed from the contacts of ${account.id}.`),
  )
}

const notNow = ({ id }: Account, deps: CommandDeps): string | undefined => {
  const state = deps.stateOf(id)
  return state === undefined || state.kind === 'online' ? undefined : `${id} is not connected now`
}

const block: About = (user, account, { deps }) =>
  change('block', user, account, deps, `${user} was blocked for ${account.id}.`)

const unblock: About = (user, account, { deps }) =>
  change('unblock', user, account, deps, `${user} was unblocked for ${account.id}.`)

const accept: About = async (user, account, { deps }) => {
  const wrong = await askRoster({ kind: 'add', user }, account, deps)
  if (wrong !== undefined) return [`accept ${user} failed: ${wrong}`]
  await deps.friends.answered(account.id, user, 'accepted')
  return [`${user} is your contact now (${account.id}). To write to them: start-chat ${user}`]
}

const decline: About = async (user, account, { deps }) => {
  const wrong = await askRoster({ kind: 'block', user }, account, deps)
  if (wrong !== undefined) return [`decline ${user} failed: ${wrong}`]
  await deps.friends.answered(account.id, user, 'declined')
  return [`${user} is blocked for ${account.id}: they see you offline and cannot write. To undo that: unblock ${user}`]
}

/** In the owner's own rooms only: nobody else ever sees it. */
const rename = async ({ request, words, deps }: Call): Promise<Answer> => {
  const knows = (account: Account): boolean =>
    deps.roster.contacts(account.id).some(({ user }) => user === words[0]?.toLowerCase())
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1, rather: knows })
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const user = parseUser(rest.slice(0, 1), account, deps)
  if (typeof user !== 'string') return [user.wrong]
  const name = rest.slice(1).join(' ')
  if (name.length > LONGEST_NICKNAME) return [`That is too long: ${LONGEST_NICKNAME} characters at most.`]
  const nickname = name === '' ? undefined : name
  await deps.roster.setNickname(account.id, user, nickname)
  await deps.chats.retitle(account.id, user, nickname)
  return [nickname === undefined ? `${user} is called as they call themselves.` : `${user} is called ${name}, for you.`]
}

/** Who has you on their list and was neither let in nor blocked. */
const requests = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster' })
  const accounts = 'wrong' in choice ? ownOf(request, deps) : [choice.account]
  const lines = accounts.flatMap((account) =>
    deps.roster
      .contacts(account.id)
      .filter(({ hasUs, listed, blocked, allowed }) => hasUs && !listed && !blocked && allowed !== true)
      .slice(0, CONTACT_LINES)
      .map((contact) => `${contactWords(contact)} wants to be your contact (${account.id})`),
  )
  return lines.length === 0 ? ['Nobody waits for your answer.'] : [...lines, 'Say accept or decline, with the address.']
}

const roster = (kind: string, about: string, run: About, aliases?: readonly string[]): Command => ({
  usage: `${kind} ADDRESS [ACCOUNT]`,
  about,
  ...(aliases === undefined ? {} : { aliases }),
  group: 'People',
  role: 'user',
  least: 1,
  most: 2,
  run: onSomebody(run),
})

const MANY = Number.POSITIVE_INFINITY
const common = { group: 'People', role: 'user' } as const

/** In the order of `help`. */
export const peopleCommands: readonly (readonly [string, Command])[] = [
  [
    'who',
    {
      ...common,
      usage: 'who [NAME] [ACCOUNT]',
      about: 'who is there, or whether NAME is',
      least: 0,
      most: 2,
      run: who,
    },
  ],
  [
    'contacts',
    {
      ...common,
      usage: 'contacts [NAME] [ACCOUNT]',
      about: 'your contacts, the present ones first, or those that are called so',
      least: 0,
      most: MANY,
      run: contacts,
    },
  ],
  [
    'search',
    {
      ...common,
      usage: 'search NAME',
      about: 'find somebody by a part of a name or address, in all your accounts',
      least: 1,
      most: MANY,
      run: search,
    },
  ],
  ['info', roster('info', 'what is known of somebody: status, groups, phone numbers', info)],
  ['add', roster('add', 'put somebody on the contact list', add)],
  ['remove', roster('remove', 'take somebody off the contact list', remove)],
  ['block', roster('block', 'let somebody neither see nor write to the account', block)],
  ['unblock', roster('unblock', 'let somebody in; undoes block', unblock, ['allow'])],
  [
    'requests',
    {
      ...common,
      usage: 'requests [ACCOUNT]',
      about: 'who wants to be your contact and has no answer yet',
      least: 0,
      most: 1,
      run: requests,
    },
  ],
  ['accept', roster('accept', 'let somebody in who wants to be your contact', accept)],
  ['decline', roster('decline', 'block somebody who wants to be your contact', decline)],
  [
    'rename',
    {
      ...common,
      usage: 'rename ADDRESS [NAME] [ACCOUNT]',
      about: 'call somebody by another name, for yourself alone; without a name, as they call themselves',
      least: 1,
      most: MANY,
      run: rename,
    },
  ],
]
