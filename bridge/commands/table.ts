/** The commands, one row each. */
import type { Account, CommandRequest, RosterRequest } from '../adapter.ts'
import { allowedAccounts, chatAccounts, chooseAccount, portalOf } from './accounts.ts'
import type { Call, Command, CommandDeps } from './deps.ts'
import { linkChat, unlinkChat } from './links.ts'
import type { MessageId, UserId } from '../model/ids.ts'
import type { Availability } from '../model/presence.ts'
import type { SessionState } from '../model/result.ts'
import type { Contact } from '../roster.ts'

/** A network that does not answer a roster request within this is given up. */
const ROSTER_MS = 30_000
/** Names in one line of `who`; the rest is counted. */
const MAX_NAMES = 40

const who = async ({ request, words, deps }: Call): Promise<readonly string[]> => {
  const choice = chooseAccount(words, request, deps, 'chat')
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const state = deps.stateOf(account.id)
  if (state !== undefined && state.kind !== 'online')
    return [`${account.id} is not connected, so nobody can be seen: ${stateWords(state, deps.clock.now(), false)}`]
  const wanted = rest[0]?.toLowerCase()
  const contacts = deps.roster
    .who(account.id)
    .filter((contact) => isNamed(contact, wanted) && inChat(contact, request, deps))
  if (contacts.length === 0)
    return [
      wanted === undefined ? `${account.id} has no contacts here.` : `${account.id} has no contact ${rest[0] ?? ''}.`,
    ]
  const groups = Map.groupBy(contacts, ({ presence }) => presence?.show ?? 'offline')
  return [...groups].map(([show, some]) => `${SHOWN[show]}: ${nameList(some)}`)
}

const isNamed = ({ user, name }: Contact, wanted: string | undefined): boolean =>
  wanted === undefined || user.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted)

/** Who is meant by `who` in a chat: the people on its other side. A lobby has everybody. */
const inChat = ({ user, account }: Contact, request: CommandRequest, deps: CommandDeps): boolean => {
  const legs = portalOf(request, deps)?.portal.legs.filter(({ via }) => via === account) ?? []
  const closed = legs.flatMap(({ request: place }) =>
    place.kind === 'direct' ? [place.with] : place.kind === 'group' ? place.members : [],
  )
  return closed.length === 0 || closed.includes(user)
}

const nameList = (contacts: readonly Contact[]): string => {
  const names = contacts.slice(0, MAX_NAMES).map(({ user, name, presence, blocked }) => {
    const shown = name === '' || name === user ? user : `${name} <${user}>`
    const text = presence?.text === undefined || presence.text === '' ? '' : ` "${presence.text}"`
    return `${shown}${text}${blocked ? ' (blocked)' : ''}`
  })
  const more = contacts.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const SHOWN: Readonly<Record<Availability, string>> = {
  online: 'Online',
  idle: 'Idle',
  away: 'Away',
  brb: 'Back soon',
  busy: 'Busy',
  phone: 'On the phone',
  lunch: 'Out to lunch',
  hidden: 'Hidden',
  offline: 'Offline',
}

/** What is said when it was done; the reason follows when it was not. */
const DONE: Readonly<Record<'add' | 'remove' | 'block' | 'unblock', string>> = {
  add: 'was added to the contacts of',
  remove: 'was removed from the contacts of',
  block: 'was blocked for',
  unblock: 'was unblocked for',
}

const rosterCommand = (kind: 'add' | 'remove' | 'block' | 'unblock', about: string): Command => ({
  usage: `${kind} ADDRESS [ACCOUNT]`,
  about,
  role: 'user',
  least: 1,
  most: 2,
  run: async ({ request, words, deps }) => {
    const choice = chooseAccount(words, request, deps, 'roster')
    if ('wrong' in choice) return [choice.wrong]
    const { account, rest } = choice
    const user = parseUser(rest, account, deps)
    if (typeof user !== 'string') return [user.wrong]
    const wrong = await askRoster({ kind, user }, account, deps)
    return [wrong === undefined ? `${user} ${DONE[kind]} ${account.id}.` : `${kind} ${user} failed: ${wrong}`]
  },
})

/** The sentence why not, or `undefined` when it was done. */
const askRoster = async (roster: RosterRequest, account: Account, deps: CommandDeps): Promise<string | undefined> => {
  const state = deps.stateOf(account.id)
  const session = deps.sessionOf(account.id)
  if (session === undefined || (state !== undefined && state.kind !== 'online'))
    return `${account.id} is not connected now`
  const deadline = new AbortController()
  const answered = new AbortController()
  void deps.clock.sleep(ROSTER_MS, answered.signal).then(() => deadline.abort())
  const result = await session.roster(roster, deadline.signal).finally(() => answered.abort())
  return result.kind === 'done' ? undefined : result.detail
}

const parseUser = (
  rest: readonly string[],
  account: Account,
  deps: CommandDeps,
): UserId | { readonly wrong: string } => {
  const [name, surplus] = rest
  if (name === undefined) return { wrong: 'Who? Write the address.' }
  if (surplus !== undefined) return { wrong: `There is no account ${surplus}.` }
  return deps.adapters.get(account.network)?.parseUser(name) ?? { wrong: `${account.network} is not running.` }
}

const invite = async ({ request, words, deps }: Call): Promise<readonly string[]> => {
  const choice = chooseAccount(words, request, deps, 'chat')
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const user = parseUser(rest, account, deps)
  if (typeof user !== 'string') return [user.wrong]
  const wrong = await changeMembers('invite', account, user, request, deps)
  return [wrong ?? `Inviting ${user}.`]
}

const leave = async ({ request, words, deps }: Call): Promise<readonly string[]> => {
  const choice = chooseAccount(words, request, deps, 'chat')
  if ('wrong' in choice) return [choice.wrong]
  const self = deps.identity.userOf(choice.account.id)
  if (self === undefined) return [`${choice.account.id} is not connected now.`]
  const wrong = await changeMembers('leave', choice.account, self.user, request, deps)
  return [wrong ?? `${choice.account.id} leaves the conversation; a new message opens it again.`]
}

/** Goes the way of every other event, so that it comes behind what was said before, and a refusal is told in the chat. */
const changeMembers = async (
  change: 'invite' | 'leave',
  account: Account,
  user: UserId,
  request: CommandRequest,
  deps: CommandDeps,
): Promise<string | undefined> => {
  const found = portalOf(request, deps)
  const leg = found?.portal.legs.find(({ via }) => via === account.id)
  if (found === undefined || request.chat === undefined || leg === undefined)
    return 'Say it in a chat that is linked with that account.'
  if (leg.request.kind === 'lobby')
    return `A lobby has no conversation to ${change === 'leave' ? 'leave' : 'invite to'}.`
  await deps.accept({
    kind: 'member',
    chat: request.chat,
    sender: request.from,
    senderName: request.fromName,
    id: `command-${deps.mint()}` as MessageId,
    at: deps.clock.now(),
    user: { network: account.network, user },
    change,
  })
  return undefined
}

const status = async ({ request, deps }: Call): Promise<readonly string[]> => {
  const here = chatAccounts(request, deps)
  const accounts = request.role === 'admin' ? deps.accounts() : allowedAccounts(request, deps, 'chat')
  const lines = accounts.flatMap(({ id, network }) => {
    const state = deps.stateOf(id)
    if (state === undefined) return []
    const linked = here.some((account) => account.id === id) ? ', linked here' : ''
    const name = String(id) === String(network) ? id : `${id} (${network})`
    return [`${name}: ${stateWords(state, deps.clock.now(), request.role === 'admin')}${linked}`]
  })
  return lines.length === 0 ? ['There is no account here.'] : lines
}

/** `details` are for admins: they may name hosts and addresses. */
const stateWords = (state: SessionState, now: number, details: boolean): string => {
  const why = 'fault' in state && details ? `: ${state.fault.detail}` : ''
  switch (state.kind) {
    case 'online':
      return 'connected'
    case 'offline':
      return 'not connected'
    case 'connecting':
      return 'connecting'
    case 'waiting':
      return `trying again in ${Math.max(0, Math.ceil((state.until - now) / 1000))} s${why}`
    case 'stopped':
      return `stopped until somebody reconnects it${why}`
  }
}

const reconnect = async ({ words, deps }: Call): Promise<readonly string[]> => {
  const name = words[0]?.toLowerCase()
  const accounts = deps.accounts().filter(({ id, network }) => name === undefined || id === name || network === name)
  if (accounts.length === 0) return [`There is no account or network ${words[0] ?? ''}.`]
  const tried = accounts.filter(({ id }) => deps.reconnect(id))
  return [
    tried.length === 0 ? 'Nothing to do: no account waits.' : `Reconnecting ${tried.map(({ id }) => id).join(', ')}.`,
  ]
}

/** In the order of `help`. */
export const commandTable: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'who',
    {
      usage: 'who [NAME] [ACCOUNT]',
      about: 'who is there, or whether NAME is',
      role: 'user',
      least: 0,
      most: 2,
      run: who,
    },
  ],
  ['add', rosterCommand('add', 'put somebody on the contact list')],
  ['remove', rosterCommand('remove', 'take somebody off the contact list')],
  ['block', rosterCommand('block', 'let somebody neither see nor write to the account')],
  ['unblock', rosterCommand('unblock', 'undo block')],
  [
    'invite',
    {
      usage: 'invite ADDRESS [ACCOUNT]',
      about: 'bring somebody into this conversation',
      role: 'user',
      least: 1,
      most: 2,
      run: invite,
    },
  ],
  [
    'leave',
    {
      usage: 'leave [ACCOUNT]',
      about: 'leave this conversation on the other side',
      role: 'user',
      least: 0,
      most: 1,
      run: leave,
    },
  ],
  ['status', { usage: 'status', about: 'what is connected', role: 'user', least: 0, most: 0, run: status }],
  [
    'link',
    {
      usage: 'link ADDRESS[,ADDRESS...]|lobby [ACCOUNT]',
      about: 'make this channel one conversation with a contact, a group, or everybody else',
      role: 'admin',
      least: 1,
      most: 2,
      run: linkChat,
    },
  ],
  [
    'unlink',
    {
      usage: 'unlink [ADDRESS] [ACCOUNT]',
      about: 'undo link, for this channel or for a contact',
      role: 'admin',
      least: 0,
      most: 2,
      run: unlinkChat,
    },
  ],
  [
    'reconnect',
    {
      usage: 'reconnect [ACCOUNT]',
      about: 'try again now what waits or has stopped',
      role: 'admin',
      least: 0,
      most: 1,
      run: reconnect,
    },
  ],
])
