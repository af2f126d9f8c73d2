/** Which of our accounts a command is about: named, or the one that the chat makes plain, or else the person is asked. */
import type { Account, CommandRequest } from '../adapter.ts'
import type { Call, Chosen, CommandDeps } from './deps.ts'
import type { Found } from '../portals.ts'

/** chat: something in the chat where it is said. roster: what belongs to the account itself. */
export type Scope = 'chat' | 'roster'

export type Choice = ({ readonly kind: 'account' } & Chosen) | { readonly wrong: string }

export interface ChoiceRules {
  readonly scope: Scope
  /** Words that the command needs besides the account: an address there is no account. */
  readonly least?: number
  /** Of several that fit, these are meant rather. */
  readonly rather?: (account: Account) => boolean
}

export const portalOf = (request: CommandRequest, deps: CommandDeps): Found | undefined =>
  request.chat === undefined ? undefined : deps.portals.find(request.chat)

/** The accounts on the other side of the chat where the command was said. */
export const chatAccounts = (request: CommandRequest, deps: CommandDeps): readonly Account[] => {
  const found = portalOf(request, deps)
  if (found === undefined) return []
  const ids = new Set(found.portal.legs.filter(({ id }) => id !== found.leg.id).map(({ via }) => via))
  return deps.accounts.all().filter(({ id }) => ids.has(id))
}

/** Accounts of people; the bot of a network that speaks for everyone is nobody's, and has no contacts. */
const elsewhere = (request: CommandRequest, deps: CommandDeps): readonly Account[] =>
  deps.accounts
    .all()
    .filter(
      ({ id, network }) =>
        id !== request.via && network !== request.from.network && deps.accounts.originOf(id) !== 'own',
    )

/** Those of whoever asks. */
export const ownAccounts = (request: CommandRequest, deps: CommandDeps): readonly Account[] => {
  const person = deps.identity.personOf(request.from)
  const held = deps.heldBy(request.from)
  if (person === undefined && held === undefined) return []
  return elsewhere(request, deps).filter((account) => account.id === held || account.person === person)
}

/** Admins may use every account; others their own, and within a linked chat those that are linked there: not in one that was made for somebody else. */
export const allowedAccounts = (request: CommandRequest, deps: CommandDeps, scope: Scope): readonly Account[] => {
  if (request.role === 'admin') return elsewhere(request, deps)
  const own = ownAccounts(request, deps)
  if (scope === 'roster' || portalOf(request, deps)?.leg.request.kind === 'portal') return own
  const usable = new Set(elsewhere(request, deps))
  return [...new Set([...own, ...chatAccounts(request, deps).filter((one) => usable.has(one))])]
}

/** Takes the name of an account, or its address, off the end of the words, if there is one. */
export const chooseAccount = (
  words: readonly string[],
  request: CommandRequest,
  deps: CommandDeps,
  { scope, least = 0, rather }: ChoiceRules,
): Choice => {
  const allowed = allowedAccounts(request, deps, scope)
  const last = words.length > least ? words.at(-1)?.toLowerCase() : undefined
  if (last !== undefined) {
    const named = withName(last, allowed)
    if (named.length > 1) return { wrong: `Which account? Write one of these at the end: ${idsOf(named)}` }
    const [account] = named
    if (account !== undefined) return { kind: 'account', account, rest: words.slice(0, -1) }
    if (withName(last, deps.accounts.all()).length > 0)
      return { wrong: `You may not use the account ${last} for that.` }
  }
  const fitting = preferred(request, deps, meantUnnamed(request, deps, allowed), rather)
  const [only, ...others] = fitting
  if (only === undefined) return { wrong: nothingToUse(request, deps) }
  if (others.length > 0) return { wrong: `Which account? Write one of these at the end: ${idsOf(fitting)}` }
  return { kind: 'account', account: only, rest: words }
}

/** The same where nothing but the account is written. */
export const chooseOnly = ({
  request,
  words,
  deps,
}: Pick<Call, 'request' | 'words' | 'deps'>): Account | { readonly wrong: string } => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster' })
  if ('wrong' in choice) return choice
  const { account, rest } = choice
  return rest.length > 0 ? { wrong: `There is no account ${rest.join(' ')}.` } : account
}

/** What people signed in with is used by others only when it is named, or linked here. */
export const meantUnnamed = (
  request: CommandRequest,
  deps: CommandDeps,
  allowed: readonly Account[],
): readonly Account[] => {
  const known = new Set([...ownAccounts(request, deps), ...chatAccounts(request, deps)])
  return allowed.filter((one) => known.has(one) || deps.accounts.originOf(one.id) !== 'signed-in')
}

/** Those of the chat, else those with which they signed in, else their own, of these what the command means rather; else all that they may use. */
const preferred = (
  request: CommandRequest,
  deps: CommandDeps,
  allowed: readonly Account[],
  rather: ChoiceRules['rather'],
): readonly Account[] => {
  const ofChat = new Set(chatAccounts(request, deps))
  const own = new Set(ownAccounts(request, deps))
  let fitting = allowed
  const steps = [
    (one: Account) => ofChat.has(one),
    (one: Account) => own.has(one) && deps.isVisitor?.(one) !== true,
    (one: Account) => own.has(one),
    rather ?? (() => false),
  ]
  for (const better of steps) {
    const some = fitting.filter(better)
    if (some.length > 0) fitting = some
  }
  return fitting
}

/** By id, or by the address of a login. */
export const withName = (word: string, accounts: readonly Account[]): readonly Account[] => {
  const byId = accounts.filter(({ id }) => id === word)
  return byId.length > 0 || !word.includes('@') ? byId : accounts.filter(({ login }) => login.toLowerCase() === word)
}

export const idsOf = (accounts: readonly Account[]): string => accounts.map(({ id }) => id).join(', ')

const nothingToUse = (request: CommandRequest, deps: CommandDeps): string =>
  deps.adapters.get(request.from.network)?.homes === undefined
    ? 'There is no account that you may use for that.'
    : `You are not signed in. Say: ${request.trigger ?? ''}login`
