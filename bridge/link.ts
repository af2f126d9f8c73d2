/** From the words of a config file or a command to the end of a link. */
import type { Account, Adapter } from './adapter.ts'
import type { AccountId, NetworkId, UserId } from './model/ids.ts'
import type { LinkEnd } from './portals.ts'

/** As it is written in the config's `links`. */
export type LinkWords =
  | { readonly account: string; readonly contact: string }
  | { readonly account: string; readonly group: readonly string[] }
  | { readonly account: string; readonly lobby: true }
  /** `account` where the network has more than one that could read the channel. */
  | { readonly network: string; readonly channel: string; readonly account?: string }

/** `wrong` is a sentence for the person who wrote it. */
export const linkEnd = (
  words: LinkWords,
  adapters: ReadonlyMap<NetworkId, Adapter>,
  accounts: readonly Account[],
): LinkEnd | { readonly wrong: string } => {
  if ('channel' in words) return channelEnd(words, adapters, accounts)
  const account = accounts.find((one) => one.id === words.account)
  const adapter = account === undefined ? undefined : adapters.get(account.network)
  if (account === undefined || adapter === undefined)
    return { wrong: `There is no account ${words.account}; there are: ${named(accounts.map((one) => one.id))}.` }
  const base = { network: account.network, account: account.id }
  if ('lobby' in words) return { kind: 'lobby', ...base }
  if ('contact' in words) {
    const user = adapter.parseUser(words.contact)
    return typeof user === 'string' ? { kind: 'contact', ...base, user } : user
  }
  const members: UserId[] = []
  for (const word of words.group) {
    const user = adapter.parseUser(word)
    if (typeof user !== 'string') return user
    if (!members.includes(user)) members.push(user)
  }
  return members.length < 2
    ? { wrong: 'A group needs two contacts at least; use `contact` for one.' }
    : { kind: 'group', ...base, members }
}

const channelEnd = (
  words: Extract<LinkWords, { channel: string }>,
  adapters: ReadonlyMap<NetworkId, Adapter>,
  accounts: readonly Account[],
): LinkEnd | { readonly wrong: string } => {
  const network = words.network as NetworkId
  const adapter = adapters.get(network)
  if (adapter === undefined)
    return { wrong: `There is no network ${words.network}; there are: ${named([...adapters.keys()])}.` }
  const chat = adapter.parseChat(words.channel)
  if (typeof chat !== 'string') return chat
  const account = readerOf(words.account as AccountId | undefined, adapter, accounts)
  return account === undefined
    ? { wrong: `Network ${words.network} has no account that could read ${words.channel}: name one with \`account\`.` }
    : { kind: 'channel', network, account, chat }
}

/** The one that is asked for, the adapter's own, or the only one there is. */
const readerOf = (
  asked: AccountId | undefined,
  adapter: Adapter,
  accounts: readonly Account[],
): AccountId | undefined => {
  const here = accounts.filter((one) => one.network === adapter.network)
  if (asked !== undefined) return here.find((one) => one.id === asked)?.id
  return adapter.ownAccounts()[0]?.id ?? (here.length === 1 ? here[0]?.id : undefined)
}

const named = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '))
