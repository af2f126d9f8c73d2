/** Puts the parts of the daemon together: who knows whom, and nothing else. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { HostingAdapter } from './adapters/module.ts'
import { AccountNews } from './bridge/account-news.ts'
import { Accounts } from './bridge/accounts.ts'
import type { Account, AdapterContext, Clock, Files, Logger, Secrets, Session } from './bridge/adapter.ts'
import { askRoster } from './bridge/commands/ask-roster.ts'
import { pictureWords } from './bridge/commands/pictures.ts'
import { Commands } from './bridge/commands.ts'
import type { DataFolder } from './bridge/data-folder.ts'
import { madeItself } from './bridge/ends.ts'
import { FriendRequests } from './bridge/friend-requests.ts'
import { NetworkHistory } from './bridge/history.ts'
import { Hub } from './bridge/hub.ts'
import { Logins } from './bridge/logins.ts'
import { BLOBS, BlobStore } from './bridge/media/blobs.ts'
import { MediaLinks } from './bridge/media/links.ts'
import { MediaServer } from './bridge/media/server.ts'
import type { FileRef } from './bridge/model/body.ts'
import type { AccountId, NetworkId, PersonId } from './bridge/model/ids.ts'
import type { MediaResult, SessionState } from './bridge/model/result.ts'
import type { RichText } from './bridge/model/text.ts'
import { Networks } from './bridge/networks.ts'
import type { MetricsPage } from './bridge/ops/metrics.ts'
import { OutageNotices } from './bridge/outage.ts'
import { OwnPictures } from './bridge/own-pictures.ts'
import { OwnStatus } from './bridge/own-status.ts'
import { Leaving } from './bridge/leaving.ts'
import { PeopleWatch } from './bridge/people-news.ts'
import { NetworkPeople } from './bridge/people-view.ts'
import type { SecretBox } from './bridge/secrets.ts'
import { type AddAccount, NetworkSignUp } from './bridge/sign-up.ts'
import { Supervisor } from './bridge/supervisor.ts'
import { NetworkVisitors } from './bridge/visitors.ts'
import { configuredAccounts, friendPolicy, offlineAs, patienceOf, tellsPresence, timingOf } from './config/apply.ts'
import type { Environment } from './config/load.ts'
import { addressElsewhere, isVisitor, signUpPlace } from './config/own-service.ts'
import { CONFIG_PICTURES, openPicture } from './config/pictures.ts'
import type { Config } from './config/schema.ts'

export interface DaemonOptions {
  readonly config: Config
  readonly env: Environment
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: MetricsPage
}

/** What there is once the data folder is open and the adapters are made. */
export interface Parts {
  readonly data: DataFolder
  readonly adapters: ReadonlyMap<NetworkId, HostingAdapter>
  readonly accounts: Accounts
  readonly logins: Logins
  readonly hub: Hub
  readonly networks: Networks
  readonly supervisor: Supervisor
  readonly news: AccountNews
  readonly friends: FriendRequests
  readonly outage: OutageNotices
  readonly ownStatus: OwnStatus
  readonly ownPictures: OwnPictures
  /** Absent where no network has files, or there is no key to sign links with. */
  readonly media: MediaServer | undefined
  readonly blobs: BlobStore
}

/** What is secret of a data folder. */
export interface Keys {
  readonly box: SecretBox
  /** Signs links to files. */
  readonly media: string | undefined
}

/** Nothing is started, and nothing is read. */
export const compose = (
  { config, env, version, clock, log, metrics: { metrics } }: DaemonOptions,
  data: DataFolder,
  adapters: ReadonlyMap<NetworkId, HostingAdapter>,
  keys: Keys,
): Parts => {
  const { store } = data
  const shared = { clock, log, metrics }
  const accounts: Accounts = new Accounts({
    store,
    clock,
    box: keys.box,
    configured: configuredAccounts(config, env),
    own: [...adapters.values()].flatMap((adapter) => adapter.ownAccounts()),
    ownerOf: (person): PersonId => hub.identity.ownerNow(person),
  })
  /** Somebody's, not the bot of a network. */
  const personal = (id: AccountId): Account | undefined =>
    accounts.originOf(id) === 'own' ? undefined : accounts.get(id)
  const isRunning = (network: NetworkId): boolean => networks.stateOf(network).kind === 'running'
  const sessionOf = (id: AccountId): Session | undefined => {
    const account = accounts.get(id)
    return account !== undefined && isRunning(account.network)
      ? adapters.get(account.network)?.session(account)
      : undefined
  }
  const stateOf = (id: AccountId): SessionState | undefined => supervisor.stateOf(id)
  const noticeAfterMs = (network: NetworkId): number => timingOf(config, network).noticeAfterMs
  const homesOf = (person: PersonId): readonly NetworkId[] =>
    [...adapters.values()]
      .filter(({ network, homes }) => homes !== undefined && hub.identity.userOn(person, network) !== undefined)
      .map(({ network }) => network)

  const place = signUpPlace(config)
  /** Where nobody lives, only those are as they are seen there who were brought from there. */
  const isSeenOn = (person: PersonId, network: NetworkId): boolean =>
    adapters.get(network)?.homes !== undefined ||
    accounts.all().some((account) => account.person === person && isVisitor(place, account))

  const blobs = new BlobStore({
    ...shared,
    folder: join(config.data, 'files'),
    maxBytes: maxFileBytes(config),
    maxTotalBytes: config.media.keep_mb * 1_000_000,
    maxShare: config.media.share_percent / 100,
    keepMs: linkMs(config),
  })
  const mediaOf = (network: NetworkId): MediaOf | undefined => {
    if (network === BLOBS) return (ref, signal) => blobs.open(ref, signal)
    if (network === CONFIG_PICTURES) return (ref) => openPicture(config, ref)
    const adapter = isRunning(network) ? adapters.get(network) : undefined
    return adapter?.media === undefined ? undefined : async (ref, signal) => adapter.media?.(ref, signal) ?? NO_FILE
  }
  const files: Files = {
    maxBytes: maxFileBytes(config),
    put: (body, about, signal) => blobs.put(body, about, signal),
    refusal: (from, bytes) => blobs.refusal(from, bytes),
    open: async ({ network, ref }, signal) => mediaOf(network)?.(ref, signal) ?? NO_FILE,
  }
  const links = keys.media === undefined ? undefined : mediaLinks(config, keys.media)
  const linkOf = links === undefined ? {} : { linkOf: (file: FileRef, at: number) => links.of(file, at) }
  const hub: Hub = new Hub({
    ...shared,
    store,
    adapters,
    sessionOf,
    accounts: () => accounts.all(),
    limits: { historyDays: config.history.days },
    patience: (id) => {
      const account = accounts.get(id)
      return account === undefined ? undefined : patienceOf(config, account.network)
    },
    rosterChanged: (account, user) => watch.rosterChanged(account, user),
    ownersChanged: () => watch.ownersChanged(),
    ownPresence: (person, user, state) => {
      if (isSeenOn(person, user.network)) ownStatus.seen(person, user, state)
    },
    ownPicture: (user, picture) => ownPictures.seen(user, picture),
    ...linkOf,
  })
  const watch: PeopleWatch = new PeopleWatch({ identity: hub.identity, accounts, adapters, log })
  const told = { store, clock, portals: hub.portals, ...linkOf }
  const pictureOf = (id: AccountId): string => pictureWords(id, { pictures: ownPictures, roster: hub.roster })
  const shown = { identity: hub.identity, accounts, roster: hub.roster, adapters, stateOf, pictureOf }
  const outage = new OutageNotices({
    clock,
    account: (id) => accounts.get(id),
    noticeAfterMs,
    announce: (account, text) => announceOutage(hub, log, account, text),
  })
  const news = new AccountNews({
    ...shared,
    store,
    account: personal,
    takesLogin: (id) => accounts.originOf(id) === 'signed-in',
    noticeAfterMs,
    tell: (person, op) => hub.tellPerson(person, op),
  })
  const friends = new FriendRequests({
    store,
    clock,
    log,
    account: personal,
    roster: hub.roster,
    policyOf: (person) => homesOf(person).map((network) => friendPolicy(config, network))[0],
    tell: (person, op) => hub.tellPerson(person, op),
    add: (account, user) => askRoster({ kind: 'add', user }, account, { clock, sessionOf, stateOf }),
    isOnline: (account) => stateOf(account)?.kind === 'online',
  })
  const ownStatus = new OwnStatus({
    clock,
    log,
    accounts: () => accounts.all(),
    linkedWith: (account) => hub.portals.linkedWith(account),
    isOnline: (account) => stateOf(account)?.kind === 'online',
    livesOn: (person) => homesOf(person).filter((network) => tellsPresence(config, network)),
    offlineAs: (network) => offlineAs(config, network),
    set: (account, state) => hub.setOwn(account, { kind: 'presence', as: { kind: 'self' }, state }),
    facts: (account) => store.accountFacts(account),
    setFact: (account, key, value) => store.setAccountFact(account, key, value),
  })
  const ownPictures: OwnPictures = new OwnPictures({
    clock,
    log,
    identity: hub.identity,
    accounts: () => accounts.all(),
    sessionOf,
    facts: (account) => store.accountFacts(account),
    setFact: (account, key, value) => store.setAccountFact(account, key, value),
  })
  const supervisor = new Supervisor({
    ...shared,
    random: Math.random,
    adapters,
    supervision: (network) => timingOf(config, network),
    obstacle: (account) => accounts.obstacle(account),
    changed: (account, state) => {
      hub.sessionChanged(account, state)
      outage.changed(account, state)
      news.changed(account, state, logins.isUnderway(account))
      logins.changed(account, state)
      if (state.kind === 'online') friends.online(account)
      if (state.kind === 'online') ownPictures.online(account)
      ownStatus.changed(state)
      watch.sessionChanged(account)
    },
  })
  const logins = new Logins({ ...shared, adapters, accounts, isRunning, supervisor, roster: hub.roster })
  accounts.onChange((gone) => {
    hub.accountsChanged()
    if (gone === undefined) return
    outage.forget(gone)
    news.forget(gone)
    friends.forget(gone)
    ownPictures.forget(gone)
  })
  const commands = new Commands({
    clock,
    log,
    version,
    adapters,
    accounts,
    isVisitor: (account) => isVisitor(place, account),
    logins,
    friends,
    sessionOf,
    stateOf,
    heldBy: ({ network, user }) => {
      const held = network === place?.service ? accounts.find(place.network, user)?.id : undefined
      return held !== undefined && stateOf(held)?.kind === 'online' ? held : undefined
    },
    waitingOf: (account) =>
      hub.status().lanes.reduce((sum, lane) => (lane.account === account ? sum + lane.depth : sum), 0),
    portals: hub.portals,
    chats: hub,
    link: (ends) => hub.link(ends),
    unlink: (leg) => hub.unlink(leg),
    roster: hub.roster,
    identity: hub.identity,
    accept: (event) => hub.accept(event),
    pictures: ownPictures,
    pin: (account, pin) => ownStatus.pin(account, pin),
    linksChanged: () => ownStatus.changed(),
    mint: randomUUID,
  })
  const { identity, portals } = hub
  const linksChanged = (): void => ownStatus.changed()
  const leaving = new Leaving({ identity, accounts, logins, portals, chats: hub, linksChanged })
  const signUpFor = (home: NetworkId): { readonly signUp?: NetworkSignUp } => {
    const hosting = place === undefined ? undefined : adapters.get(place.service)
    if (place === undefined || hosting === undefined || adapters.get(place.network) === undefined) return {}
    const add = (): AddAccount | undefined => {
      const book = isRunning(place.service) ? hosting.accounts : undefined
      return book && ((address, password) => book.add(address, password))
    }
    return { signUp: new NetworkSignUp(home, { ...shared, ...place, adapters, add, identity, logins }) }
  }
  const visitorsFor = (service: NetworkId): { readonly visitors?: NetworkVisitors } => {
    if (place?.service !== service || keys.box.trouble !== undefined) return {}
    const { network } = place
    return {
      visitors: new NetworkVisitors({
        ...shared,
        network,
        adapters,
        accounts,
        logins,
        friends,
        hub,
        sessionOf,
        stateOf,
      }),
    }
  }
  /** As accounts that sign in on that network have it. */
  const addressesOn = (network: NetworkId): Pick<AdapterContext, 'addressOf'> => {
    if (place?.network !== network) return {}
    return {
      addressOf: (user) => {
        const local = adapters.get(user.network)?.addressOf?.(user.user)
        return local === undefined ? undefined : addressElsewhere(local, user.network, place.domain)
      },
    }
  }
  const contextOf = (network: NetworkId): AdapterContext => ({
    ...shared,
    log: log.child({ network }),
    emit: async (event) => {
      await hub.accept(event)
      friends.seen(event)
    },
    sessionChanged: (account, state) => supervisor.sessionChanged(account, state),
    state: store.adapterState(network),
    command: (request) => commands.run(request),
    claim: (request) => hub.claim(request),
    leave: (user) => leaving.run({ network, user }),
    people: new NetworkPeople(network, { ...shown, networks: openTo(config, logins) }),
    history: new NetworkHistory(network, told),
    ...visitorsFor(network),
    ...addressesOn(network),
    files,
    ...(keys.box.trouble === undefined ? { secrets: secretsOf(keys.box, network), ...signUpFor(network) } : {}),
  })
  const networks = new Networks({
    clock,
    log,
    adapters,
    contextOf,
    random: Math.random,
    running: (network) => {
      for (const account of accounts.all()) {
        if (account.network !== network) continue
        if (accounts.isWanted(account.id)) supervisor.keep(account)
        else void supervisor.pause(account)
      }
    },
  })
  const media =
    links === undefined
      ? undefined
      : new MediaServer({
          ...config.media.listen,
          links,
          maxBytes: maxFileBytes(config),
          clock,
          metrics,
          media: mediaOf,
        })
  return {
    data,
    adapters,
    media,
    blobs,
    accounts,
    logins,
    hub,
    networks,
    supervisor,
    news,
    friends,
    outage,
    ownStatus,
    ownPictures,
  }
}

type MediaOf = (ref: string, signal: AbortSignal) => Promise<MediaResult>

const NO_FILE: MediaResult = { kind: 'refused', reason: 'not-found', detail: 'that network gives no files now' }

const maxFileBytes = ({ media }: Config): number => media.max_mb * 1_000_000

/** A link works so long. */
const linkMs = ({ media }: Config): number => media.expire_hours * 60 * 60_000

/** Where people can sign in with accounts of their own. */
const openTo = ({ networks }: Config, logins: Logins) => {
  const open = new Set<string>(logins.networks())
  return networks.filter(({ id }) => open.has(id)).map(({ id, type }) => ({ id: id as NetworkId, type }))
}

const mediaLinks = (config: Config, key: string): MediaLinks => {
  const { media } = config
  const { host, port } = media.listen
  const publicUrl = media.public_url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return new MediaLinks({ key, publicUrl, expireMs: linkMs(config) })
}

/** What an adapter seals, no other can open. */
const secretsOf = (box: SecretBox, network: NetworkId): Secrets => ({
  // There is a key, so it seals.
  seal: (text) => box.seal(text, `adapter ${network}`) ?? '',
  open: (sealed) => box.open(sealed, `adapter ${network}`),
})

/** In linked chats. Chats that people have of their own are spared: they hear of it where the bridge speaks with them. */
const announceOutage = (hub: Hub, log: Logger, account: AccountId, text: RichText): void => {
  const portals = new Set(hub.portals.legsVia(account).map(({ portal }) => portal))
  for (const portal of portals)
    if (!madeItself(portal))
      hub.announce(portal.id, text, account).catch((error: unknown) => {
        log.warn({ account, error: String(error) }, 'a notice could not be stored')
      })
}
