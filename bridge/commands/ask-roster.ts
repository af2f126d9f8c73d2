/** Asks the network of an account to change its contact list. */
import type { Account, RosterRequest } from '../adapter.ts'
import type { UserId } from '../model/ids.ts'
import type { CommandDeps } from './deps.ts'

/** A network that does not answer within this is given up. */
const ROSTER_MS = 30_000

/** The sentence why not, or `undefined` when it was done. */
export const askRoster = async (
  request: RosterRequest,
  account: Account,
  deps: Pick<CommandDeps, 'clock' | 'stateOf' | 'sessionOf'>,
): Promise<string | undefined> => {
  const state = deps.stateOf(account.id)
  const session = deps.sessionOf(account.id)
  if (session === undefined || (state !== undefined && state.kind !== 'online'))
    return `${account.id} is not connected now`
  const deadline = new AbortController()
  const answered = new AbortController()
  void deps.clock.sleep(ROSTER_MS, answered.signal).then(() => deadline.abort())
  const result = await session.roster(request, deadline.signal).finally(() => answered.abort())
  return result.kind === 'done' ? undefined : result.detail
}

/**
 * Names may have blanks: then they stand in quotes. Without quotes all words are one name where one is wanted, and each is
 * one where there are several. undefined: a quote is not closed.
 */
export const quoted = (words: readonly string[]): readonly string[] | undefined => {
  const line = words.join(' ')
  if (!line.includes('"')) return words
  const found = [...line.matchAll(/"([^"]*)"|([^\s"]+)/g)].map(([, inside, bare]) => inside ?? bare ?? '')
  return (line.split('"').length - 1) % 2 === 0 ? found : undefined
}

export const parseUser = (
  [name, surplus]: readonly string[],
  account: Account,
  deps: CommandDeps,
): UserId | { readonly wrong: string } => {
  if (name === undefined) return { wrong: 'Who? Write the address.' }
  if (surplus !== undefined) return { wrong: `There is no account ${surplus}.` }
  return deps.adapters.get(account.network)?.parseUser(name) ?? { wrong: `${account.network} is not running.` }
}
