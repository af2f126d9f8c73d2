/** From a loaded config to what the core is given. */
import type { Account, Adapter } from '../bridge/adapter.ts'
import { DEFAULT_BACKOFF } from '../bridge/backoff.ts'
import type { FriendPolicy } from '../bridge/friend-requests.ts'
import type { AccountId, NetworkId, PersonId } from '../bridge/model/ids.ts'
import type { IdentityRow, PersonRow } from '../bridge/store/port.ts'
import type { Supervision } from '../bridge/supervisor.ts'
import { type Environment, readSecret } from './load.ts'
import type { Config, NetworkConfig } from './schema.ts'

/** An account without a person stands alone: it is its own. */
export const configuredAccounts = (config: Config, env: Environment): readonly Account[] =>
  config.accounts.map((account) => ({
    id: account.id as AccountId,
    network: account.network as NetworkId,
    person: (account.person ?? account.id) as PersonId,
    login: account.login,
    /** Read anew for each attempt, so that a changed file needs no restart. */
    get secret() {
      const secret = readSecret(account.password, env)
      return 'value' in secret ? secret.value : ''
    },
  }))

/** Those of the config, and one for each account that stands alone. */
export const configuredPeople = (config: Config, accounts: readonly Account[]): readonly PersonRow[] => {
  const people = config.people.map(({ id, name }) => ({ id: id as PersonId, name: name ?? id }))
  const known = new Set(people.map(({ id }) => id))
  const alone = new Set(accounts.map(({ person }) => person).filter((person) => !known.has(person)))
  return [...people, ...[...alone].map((id) => ({ id, name: id }))]
}

/** Users that the config gives to people; `problems` are sentences for those that are none on their network. */
export const configuredUsers = (
  config: Config,
  adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'parseUser'>>,
): { readonly users: readonly IdentityRow[]; readonly problems: readonly string[] } => {
  const users: IdentityRow[] = []
  const problems: string[] = []
  for (const { id, users: named } of config.people)
    for (const { network, user } of named) {
      const parsed = adapters.get(network as NetworkId)?.parseUser(user)
      if (typeof parsed === 'string')
        users.push({ user: { network: network as NetworkId, user: parsed }, person: id as PersonId })
      // A network that could not be made is told by itself.
      else if (parsed !== undefined) problems.push(`${id}: ${parsed.wrong}`)
    }
  return { users, problems }
}

/** Reads the key that the config names for stored passwords; absent: the bridge has one of its own. */
export const secretKey = (config: Config, env: Environment): (() => string) | undefined => {
  const { key } = config.secrets
  return key === undefined ? undefined : () => secretReader(env)(key)
}

/** What a network is asked here depends on the keys that its type has, not on the type. */
const networkOf = (config: Config, network: NetworkId): NetworkConfig | undefined =>
  config.networks.find(({ id }) => id === String(network))

/** What is to be done when somebody adds one of the people who live on that network. */
export const friendPolicy = (config: Config, network: NetworkId): FriendPolicy => {
  const found = networkOf(config, network)
  return found !== undefined && 'friend_requests' in found ? found.friend_requests : 'ask'
}

/** Whether we learn from that network who of its people is there. */
export const tellsPresence = (config: Config, network: NetworkId): boolean => {
  const found = networkOf(config, network)
  return found !== undefined && 'offline_as' in found && !('presence' in found && found.presence === 'off')
}

/** How somebody who is not there on that network looks elsewhere. On IRC nobody could read what is said to them later. */
export const offlineAs = (config: Config, network: NetworkId): 'away' | 'hidden' => {
  const found = networkOf(config, network)
  if (found?.type === 'irc') return 'hidden'
  return found !== undefined && 'offline_as' in found ? found.offline_as : 'away'
}

const DAY_MS = 24 * 60 * 60_000

/** Milliseconds that a message may wait for somebody on that network; undefined: as long as usual. */
export const patienceOf = (config: Config, network: NetworkId): number | undefined => {
  const found = networkOf(config, network)
  return found?.type === 'msn' ? found.hold_days * DAY_MS : undefined
}

export interface NetworkTiming extends Supervision {
  readonly noticeAfterMs: number
}

/** The defaults for networks that have nothing to connect to. */
export const timingOf = (config: Config, network: NetworkId): NetworkTiming => {
  const found = networkOf(config, network)
  const timing = found !== undefined && 'timing' in found ? found.timing : undefined
  if (timing === undefined || !('connect_timeout_ms' in timing))
    return { connectTimeoutMs: 60_000, backoff: DEFAULT_BACKOFF, stableMs: 60_000, noticeAfterMs: 60_000 }
  const { connect_timeout_ms, backoff_ms, stable_ms, notice_after_ms } = timing
  return {
    connectTimeoutMs: connect_timeout_ms,
    backoff: { waits: backoff_ms, jitter: DEFAULT_BACKOFF.jitter },
    stableMs: stable_ms,
    noticeAfterMs: notice_after_ms,
  }
}

/** What adapters ask for when a session needs a secret of the config. */
export const secretReader =
  (env: Environment) =>
  (reference: { readonly env: string } | { readonly file: string }): string => {
    const secret = readSecret(reference, env)
    if ('wrong' in secret) throw new Error(secret.wrong)
    return secret.value
  }
