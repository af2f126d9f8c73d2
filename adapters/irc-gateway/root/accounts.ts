/** Which account is meant: by its number, its tag, its protocol or a part of its address, as BitlBee takes it. */
import type { AccountView } from '../../../bridge/adapter.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { PersonPort } from '../types.ts'
import type { RootDeps } from './deps.ts'
import { accountKey } from './settings.ts'

export interface Tagged {
  readonly account: AccountView
  readonly index: number
  /** How its owner calls it. */
  readonly tag: string
  /** "msn" */
  readonly protocol: string
}

/** In their steady order. Without a tag of its own an account is called like its network, the second one "msn2". */
export const taggedAccounts = (person: PersonPort, deps: Pick<RootDeps, 'knownNetworks'>): readonly Tagged[] => {
  const seen = new Map<NetworkId, number>()
  const types = new Map(deps.knownNetworks().map(({ id, type }) => [id, type]))
  return person.accounts().map((account, index) => {
    const count = (seen.get(account.network) ?? 0) + 1
    seen.set(account.network, count)
    const tag =
      person.settings.own(accountKey(account.id, 'tag')) ?? `${account.network}${count === 1 ? '' : String(count)}`
    return { account, index, tag, protocol: types.get(account.network) ?? account.network }
  })
}

export const findAccount = (
  word: string,
  person: PersonPort,
  deps: Pick<RootDeps, 'knownNetworks'>,
): Tagged | { readonly wrong: string } => {
  const all = taggedAccounts(person, deps)
  const name = word.toLowerCase()
  const rules: readonly ((one: Tagged) => boolean)[] = [
    ({ index }) => String(index) === name,
    ({ tag }) => tag.toLowerCase() === name,
    ({ account }) => account.id.toLowerCase() === name || account.login.toLowerCase() === name,
    ({ account, protocol }) => protocol === name || account.network.toLowerCase() === name,
    ({ account }) => name !== '' && account.login.toLowerCase().includes(name),
  ]
  for (const rule of rules) {
    const [only, ...others] = all.filter(rule)
    if (only === undefined) continue
    if (others.length === 0) return only
    return { wrong: `Several accounts are called so: ${[only, ...others].map(({ tag }) => tag).join(', ')}.` }
  }
  if (all.length === 0) return { wrong: 'You have no accounts yet. To add one say: account add msn you@example.com' }
  return { wrong: 'There is no such account. See: account list' }
}

/** A protocol stands for its first network; the id of a network for itself. */
export const findNetwork = (
  word: string,
  deps: Pick<RootDeps, 'knownNetworks'>,
): NetworkId | { readonly wrong: string } => {
  const all = deps.knownNetworks()
  const name = word.toLowerCase()
  const found = all.find(({ id }) => id.toLowerCase() === name) ?? all.find(({ type }) => type.toLowerCase() === name)
  if (found !== undefined) return found.id
  const names = [...new Set(all.flatMap(({ id, type }) => [type, id]))]
  return {
    wrong:
      names.length === 0
        ? 'There is no network to sign in to: the operator of the bridge adds one to its config.'
        : `Unknown protocol. There is: ${names.join(', ')}`,
  }
}
