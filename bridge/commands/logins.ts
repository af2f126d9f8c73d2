/** Signing in and out, and how an account is doing. */
import { allowedAccounts, chooseAccount, idsOf, ownAccounts, withName } from './accounts.ts'
import { confirm } from './confirm.ts'
import type { Answer, Call, Command, CommandDeps, News } from './deps.ts'
import { counted, sinceWords, stateWords } from './words.ts'
import type { Account, CommandRequest } from '../adapter.ts'
import { accountName, FAULT_WORDS, remedy } from '../fault-words.ts'
import type { LoginOutcome, LoginRequest } from '../logins.ts'
import type { NetworkId, UserId } from '../model/ids.ts'
import { nearest } from '../nearest.ts'
import { shownName } from '../names.ts'
import { duration } from '../tell.ts'

/** Who signs in, to what: all but the password. */
interface Target {
  readonly network: NetworkId
  readonly user: UserId
}

const login = async ({ request, words, deps }: Call): Promise<Answer> => {
  const { trigger = '', from } = request
  const networks = deps.logins.networks()
  if (networks.length === 0) return ['There is no network to sign in to: its operator adds one to the config.']
  // Elsewhere everybody could read the password, and a name is proved by nothing.
  if (deps.adapters.get(from.network)?.homes === undefined)
    return [`Nobody can sign in from ${from.network}: a password would not be safe here.`]
  if (words.length > 2)
    return [
      `Never write a password behind the command: I ask for it. Change it, if that was one; then say: ${trigger}login ${words[0] ?? ''} ${words[1] ?? ''}`,
    ]
  const target = targetOf(words, trigger, networks, deps)
  if ('wrong' in target) return [target.wrong]
  return {
    kind: 'secret',
    lines: [`The password of ${target.user} on ${target.network}? Write it as your next message, or "cancel".`],
    go: (password) => signIn(target, password, request, deps),
  }
}

const targetOf = (
  words: readonly string[],
  trigger: string,
  networks: readonly NetworkId[],
  deps: CommandDeps,
): Target | { readonly wrong: string } => {
  const [first = '', second] = words
  const named = networks.find((network) => network === first.toLowerCase())
  const [only] = networks.length === 1 ? networks : []
  // With one network its name may be left out.
  const network = named ?? (second === undefined && (first === '' || first.includes('@')) ? only : undefined)
  const address = named === undefined ? first : (second ?? '')
  if (network === undefined) {
    const list = `There is: ${networks.join(', ')}`
    if (first === '' || (second === undefined && first.includes('@')))
      return { wrong: `Write: ${trigger}login NETWORK ADDRESS. ${list}` }
    const meant = nearest(first, networks)
    return { wrong: `There is no network ${first}${meant === undefined ? '.' : `; did you mean ${meant}?`} ${list}` }
  }
  if (address === '') return { wrong: `With which address? Write: ${trigger}login ${network} ADDRESS` }
  const user = deps.adapters.get(network)?.parseUser(address) ?? { wrong: `${network} is not running.` }
  return typeof user === 'string' ? { network, user } : user
}

const signIn = async (
  { network, user }: Target,
  password: string,
  { from, fromName }: CommandRequest,
  deps: CommandDeps,
): Promise<readonly string[] | News> => {
  const person = await deps.identity.become(from, shownName(fromName, from.user))
  const request: LoginRequest = { person, network, user, password }
  const outcome = await deps.logins.signIn(request)
  const lines = [outcomeWords(outcome, request, deps)]
  if (outcome.kind !== 'online') return lines
  return { kind: 'news', lines, about: { account: outcome.account.id, network, login: user, state: 'CONNECTED' } }
}

const outcomeWords = (outcome: LoginOutcome, { network, user }: LoginRequest, deps: CommandDeps): string => {
  const name = accountName({ network, login: user })
  switch (outcome.kind) {
    case 'online': {
      const contacts = counted(deps.roster.who(outcome.account.id).length, 'contact')
      return outcome.again
        ? `Signed in again as ${name}, with the new password. ${contacts}.`
        : `Signed in as ${name}. ${contacts}. Chats open when somebody writes, or with: start-chat ADDRESS`
    }
    case 'slow':
      return `${network} has not answered yet. I keep trying and tell you how it ends; to give up say: logout ${outcome.account.id}`
    case 'waiting':
      return `Not signed in yet: ${FAULT_WORDS[outcome.fault.code]} (${outcome.fault.detail}). I keep trying and tell you when it works; to give up say: logout ${outcome.account.id}`
    case 'stopped':
      return `Not signed in: ${FAULT_WORDS[outcome.fault.code]}. ${remedy(outcome.account, outcome.fault, true)}`
    case 'rejected': {
      const why =
        outcome.fault.code === 'banned' ? FAULT_WORDS.banned : `${network} does not accept that password for ${user}`
      return `Not signed in: ${why}. ${outcome.again ? 'The password from before stays.' : 'Nothing was kept.'} To try again say: login ${network} ${user}`
    }
    case 'taken':
      return `${name} is signed in by somebody else here. They must log out first.`
    case 'underway':
      return `${name} is being signed in right now. Wait for that to end.`
    case 'ended':
      return `${name} was logged out or disconnected before the network answered.`
    case 'configured':
      return `${name} is in the config (${outcome.account.id}): its password is changed there. To try it now say: reconnect ${outcome.account.id}`
    case 'too-many':
      return `You are signed in with ${outcome.limit} accounts, and more are not allowed. Log out of one first.`
    case 'throttled':
      return `Too many attempts. Try again in ${duration(outcome.waitMs)}.`
    case 'unkept':
      return `Not signed in: the password cannot be kept, because ${outcome.detail}. Tell the operator of the bridge.`
  }
}

const logout = async ({ request, words, deps }: Call): Promise<Answer> => {
  const account = oneOf(words, request, deps)
  if ('wrong' in account) return [account.wrong]
  if (deps.accounts.originOf(account.id) !== 'signed-in')
    return [
      `${account.id} is in the config: take it out there. To keep it away meanwhile say: disconnect ${account.id}`,
    ]
  const name = accountName(account)
  const question = `Log out of ${name}? Its password, contact list and nicknames are forgotten here; the chats stay, but nothing goes through them until you log in again.`
  return confirm(request, question, async () => {
    await deps.logins.signOut(account)
    deps.linksChanged()
    return [`Logged out of ${name}.`]
  })
}

const disconnect = async ({ request, words, deps }: Call): Promise<Answer> => {
  const account = oneOf(words, request, deps)
  if ('wrong' in account) return [account.wrong]
  if (!(await deps.logins.disconnect(account))) return [`${account.id} is disconnected already.`]
  return [`${account.id} is disconnected, and stays so. Messages wait. To undo that say: reconnect ${account.id}`]
}

const reconnect = async ({ request, words, deps }: Call): Promise<Answer> => {
  const name = words[0]?.toLowerCase()
  const mine = request.role === 'admin' ? deps.accounts.all() : ownAccounts(request, deps)
  const accounts =
    name === undefined
      ? mine
      : [...new Set([...withName(name, mine), ...mine.filter(({ network }) => String(network) === name)])]
  if (accounts.length === 0)
    return [name === undefined ? 'You have no account here.' : `There is no account or network ${words[0] ?? ''}.`]
  const tried: Account[] = []
  for (const account of accounts) {
    // Somebody has disconnected it: then it must be named.
    if (name === undefined && !deps.accounts.isWanted(account.id)) continue
    if (await deps.logins.reconnect(account)) tried.push(account)
  }
  return [tried.length === 0 ? 'Nothing to do: no account waits.' : `Reconnecting ${idsOf(tried)}.`]
}

/** The account that is named, or the only one that they have. Admins may name any. */
const oneOf = (
  words: readonly string[],
  request: CommandRequest,
  deps: CommandDeps,
): Account | { readonly wrong: string } => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster' })
  if ('wrong' in choice) return choice
  const [surplus] = choice.rest
  return surplus === undefined ? choice.account : { wrong: `There is no account ${surplus}.` }
}

const listLogins = async ({ request, deps }: Call): Promise<Answer> => {
  const own = ownAccounts(request, deps)
  if (own.length === 0) return [`You are not signed in. Say: ${request.trigger ?? ''}login`]
  return own.map((account) => {
    const config = deps.accounts.originOf(account.id) === 'config' ? ', from the config' : ''
    return `${account.id}: ${accountLine(account, deps)}${config}`
  })
}

const ping = async ({ request, words, deps }: Call): Promise<Answer> => {
  const name = words[0]?.toLowerCase()
  const allowed = allowedAccounts(request, deps, 'roster')
  const own = ownAccounts(request, deps)
  const accounts = name === undefined ? (own.length > 0 ? own : allowed) : withName(name, allowed)
  if (accounts.length === 0) {
    if (name !== undefined) return [`There is no account ${words[0] ?? ''} of yours.`]
    return ['The bridge is here. You have no account.']
  }
  return accounts.map((account) => {
    const waiting = deps.waitingOf(account.id)
    const messages = waiting === 0 ? 'no messages wait' : `${counted(waiting, 'message')} waiting`
    return `${account.id}: ${accountLine(account, deps)}; ${messages}`
  })
}

const accountLine = ({ id }: Account, deps: CommandDeps): string => {
  if (!deps.accounts.isWanted(id)) return 'disconnected'
  const state = deps.stateOf(id)
  return state === undefined ? 'not connected' : sinceWords(state, deps.clock.now())
}

const status = async ({ request, deps }: Call): Promise<Answer> => {
  const isAdmin = request.role === 'admin'
  const accounts = isAdmin ? deps.accounts.all() : allowedAccounts(request, deps, 'chat')
  const here = new Set(chatIds(request, deps))
  const lines = accounts.flatMap(({ id, network }) => {
    const state = deps.stateOf(id)
    if (state === undefined) return []
    const linked = here.has(id) ? ', linked here' : ''
    const name = String(id) === String(network) ? id : `${id} (${network})`
    return [`${name}: ${stateWords(state, deps.clock.now(), isAdmin)}${linked}`]
  })
  return lines.length === 0 ? ['There is no account here.'] : lines
}

const chatIds = (request: CommandRequest, deps: CommandDeps) => {
  const found = request.chat === undefined ? undefined : deps.portals.find(request.chat)
  return found?.portal.legs.filter(({ id }) => id !== found.leg.id).map(({ via }) => via) ?? []
}

const version = async ({ deps }: Call): Promise<Answer> => [`msn-bridge ${deps.version}`]

const common = { group: 'Accounts', role: 'user' } as const

/** In the order of `help`. */
export const loginCommands: readonly (readonly [string, Command])[] = [
  [
    'login',
    {
      ...common,
      usage: 'login NETWORK ADDRESS',
      about: 'sign in with an account of yours; the password is asked for',
      least: 0,
      most: Number.POSITIVE_INFINITY,
      run: login,
    },
  ],
  [
    'logout',
    {
      ...common,
      usage: 'logout [ACCOUNT]',
      about: 'sign out and forget the password',
      least: 0,
      most: 1,
      run: logout,
    },
  ],
  [
    'disconnect',
    {
      ...common,
      usage: 'disconnect [ACCOUNT]',
      about: 'sign out until you reconnect; nothing is forgotten',
      least: 0,
      most: 1,
      run: disconnect,
    },
  ],
  [
    'reconnect',
    {
      ...common,
      usage: 'reconnect [ACCOUNT]',
      about: 'try again now what waits, has stopped or was disconnected',
      least: 0,
      most: 1,
      run: reconnect,
    },
  ],
  [
    'list-logins',
    { ...common, usage: 'list-logins', about: 'your accounts and how they are', least: 0, most: 0, run: listLogins },
  ],
  [
    'ping',
    {
      ...common,
      usage: 'ping [ACCOUNT]',
      about: 'whether it is connected, since when, and how much waits',
      least: 0,
      most: 1,
      run: ping,
    },
  ],
]

/** In the order of `help`. */
export const stateCommands: readonly (readonly [string, Command])[] = [
  [
    'status',
    {
      usage: 'status',
      about: 'what is connected',
      group: 'The bridge',
      role: 'user',
      least: 0,
      most: 0,
      run: status,
    },
  ],
  [
    'version',
    {
      usage: 'version',
      about: 'which msn-bridge this is',
      group: 'The bridge',
      role: 'user',
      least: 0,
      most: 0,
      run: version,
    },
  ],
]
