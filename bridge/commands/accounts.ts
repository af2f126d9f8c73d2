/** Which of our accounts a command is about: named, or the one that the chat makes plain, or else the person is asked. */
import type { Account, CommandRequest } from '../adapter.ts'
import type { CommandDeps } from './deps.ts'
import type { Found } from '../portals.ts'

/** chat: something in the chat where it is said. roster: the contact list of an account. */
export type Scope = 'chat' | 'roster'

export type Choice =
  { readonly kind: 'account'; readonly account: Account; readonly rest: readonly string[] } | { readonly wrong: string }

export const portalOf = (request: CommandRequest, deps: CommandDeps): Found | undefined =>
  request.chat === undefined ? undefined : deps.portals.find(request.chat)

/** The accounts on the other side of the chat where the command was said. */
export const chatAccounts = (request: CommandRequest, deps: CommandDeps): readonly Account[] => {
  const found = portalOf(request, deps)
  if (found === undefined) return []
  const ids = new Set(found.portal.legs.filter(({ id }) => id !== found.leg.id).map(({ via }) => via))
  return deps.accounts().filter(({ id }) => ids.has(id))
}

/** The bot of a network that speaks for everyone: it is nobody's, and has no contacts. */
const isBot = ({ id, network }: Account, deps: CommandDeps): boolean =>
  deps.adapters
    .get(network)
    ?.ownAccounts()
    .some((own) => own.id === id) === true

/** Admins may use every account; others their own, and within a chat those that are linked there. */
export const allowedAccounts = (request: CommandRequest, deps: CommandDeps, scope: Scope): readonly Account[] => {
  const elsewhere = deps
    .accounts()
    .filter((one) => one.id !== request.via && one.network !== request.from.network && !isBot(one, deps))
  if (request.role === 'admin') return elsewhere
  const person = deps.identity.personOf(request.from)
  const own = person === undefined ? [] : elsewhere.filter((account) => account.person === person)
  const ownIds = new Set(own.map(({ id }) => id))
  return scope === 'roster' ? own : [...own, ...chatAccounts(request, deps).filter(({ id }) => !ownIds.has(id))]
}

/** Takes the name of an account off the end of the words, if there is one. */
export const chooseAccount = (
  words: readonly string[],
  request: CommandRequest,
  deps: CommandDeps,
  scope: Scope,
): Choice => {
  const allowed = allowedAccounts(request, deps, scope)
  const last = words.at(-1)
  const named = last === undefined ? undefined : allowed.find(({ id }) => id === last.toLowerCase())
  if (named !== undefined) return { kind: 'account', account: named, rest: words.slice(0, -1) }
  if (last !== undefined && deps.accounts().some(({ id }) => id === last.toLowerCase()))
    return { wrong: `You may not use the account ${last} for that.` }
  const ofChat = chatAccounts(request, deps).filter(({ id }) => allowed.some((account) => account.id === id))
  const fitting = ofChat.length > 0 ? ofChat : allowed
  const [only, ...others] = fitting
  if (only === undefined)
    return { wrong: allowed.length === 0 ? 'There is no account that you may use for that.' : 'No account fits.' }
  if (others.length > 0)
    return { wrong: `Which account? Write one of these at the end: ${fitting.map(({ id }) => id).join(', ')}` }
  return { kind: 'account', account: only, rest: words }
}
