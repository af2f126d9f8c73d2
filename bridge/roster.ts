/** Contacts of our accounts: names and flags are stored, presence is not. */
import type { FileRef } from './model/body.ts'
import type { PassingInbound, Phone, RosterEntry } from './model/events.ts'
import type { AccountId, UserId, UserRef } from './model/ids.ts'
import type { Availability, PresenceState } from './model/presence.ts'
import { type ContactRow, type Store, StoreUnavailable } from './store/port.ts'

export interface Contact extends ContactRow {
  /** Names of the groups of the contact list in which they are; not stored, so absent until the list has come. */
  readonly groups?: readonly string[]
  /** They were let in, on the list or not; not stored either. */
  readonly allowed?: true
  /** Not stored either. */
  readonly phones?: readonly Phone[]
  /** Absent: offline or unknown. */
  readonly presence?: PresenceState
}

/** One contact of an account is another one now, or, without `user`, perhaps everybody. */
export type RosterListener = (account: AccountId, user?: UserId) => void

export type RosterEvent = Extract<PassingInbound, { kind: 'presence' | 'profile' | 'contact' | 'roster' | 'own' }>

export type Own = Omit<Extract<RosterEvent, { kind: 'own' }>, 'kind' | 'account'>

/** Contacts remembered for one account; further ones are not. */
const CONTACTS_LIMIT = 5_000

const OFFLINE: PresenceState = { show: 'offline' }

/** From the most to the least available. */
const ladder: readonly Availability[] = ['online', 'idle', 'phone', 'lunch', 'busy', 'brb', 'away', 'hidden', 'offline']

/** For sorting: the more available one first. */
export const moreAvailable = (a: PresenceState, b: PresenceState): number => rank(a) - rank(b)

export const isPresent = (state: PresenceState | undefined): boolean =>
  state !== undefined && state.show !== 'offline' && state.show !== 'hidden'

interface List {
  readonly contacts: Map<UserId, ContactRow>
  readonly presence: Map<UserId, PresenceState>
  readonly groups: Map<UserId, readonly string[]>
  readonly allowed: Set<UserId>
  readonly phones: Map<UserId, readonly Phone[]>
  /** Pictures of contacts; null: they have none. */
  readonly avatars: Map<UserId, FileRef | null>
  /** Not stored yet. */
  dirty: Set<UserId>
  own: Own | undefined
  saving: Promise<void> | undefined
}

export class Roster {
  readonly #store: Store
  readonly #lists = new Map<AccountId, List>()
  readonly #changed: RosterListener
  #revision = 0

  constructor(store: Store, changed: RosterListener = () => undefined) {
    this.#store = store
    this.#changed = changed
  }

  /** Changes with every change of names or flags. */
  get revision(): number {
    return this.#revision
  }

  async start(): Promise<void> {
    for (const row of await this.#store.allContacts()) this.#list(row.account).contacts.set(row.user, row)
  }

  /** Takes an event in; answers whether something changed. Memory is right at once, the disk follows. */
  apply(event: RosterEvent): boolean {
    const changed = this.#apply(event)
    if (changed && (event.kind === 'roster' || event.kind === 'own')) this.#changed(event.account)
    // Whoever is on no list is not shown to anybody as a contact.
    else if (changed && event.kind !== 'roster' && event.kind !== 'own' && this.#isKnown(event))
      this.#changed(event.account, event.user.user)
    return changed
  }

  /** Somebody who was taken off the list just now counts, too. */
  #isKnown({ kind, account, user }: Exclude<RosterEvent, { kind: 'roster' | 'own' }>): boolean {
    return kind !== 'presence' || this.#lists.get(account)?.contacts.has(user.user) === true
  }

  #apply(event: RosterEvent): boolean {
    switch (event.kind) {
      case 'presence':
        return this.#presence(event.account, event.user.user, event.state)
      case 'profile': {
        const known = this.contact(event.account, event.user.user)
        if (known === undefined) return false
        const isSeen = event.avatar !== undefined && this.#picture(event.account, event.user.user, event.avatar)
        return this.#put({ ...rowOf(known), name: event.name }) || isSeen
      }
      case 'contact': {
        const { account, user, change, name } = event
        const known = this.#lists.get(account)?.contacts.get(user.user)
        return this.#put({
          ...(known ?? unknownRow(account, user.user)),
          ...changes[change],
          ...(name === undefined ? {} : { name }),
        })
      }
      case 'roster':
        return this.#replace(event.account, event.contacts)
      case 'own':
        return this.#own(event)
    }
  }

  /** As its network last told; not stored. */
  own(account: AccountId): Own | undefined {
    return this.#lists.get(account)?.own
  }

  contact(account: AccountId, user: UserId): Contact | undefined {
    const list = this.#lists.get(account)
    const row = list?.contacts.get(user)
    return list === undefined || row === undefined ? undefined : shown(row, list)
  }

  /** What the owner of the account calls somebody, for themselves alone. `undefined` takes it back. Resolves when it is on disk. */
  async setNickname(account: AccountId, user: UserId, nickname: string | undefined): Promise<void> {
    const known = this.contact(account, user)
    const row = known === undefined ? unknownRow(account, user) : rowOf(known)
    if (this.#put(called(row, nickname))) this.#changed(account, user)
    await this.#lists.get(account)?.saving
  }

  /** The account is there no more; what is stored of it goes with it. */
  forget(account: AccountId): void {
    this.#lists.get(account)?.dirty.clear()
    this.#lists.delete(account)
    this.#revision++
  }

  /** Everybody we know of that account, by user id. */
  contacts(account: AccountId): readonly Contact[] {
    const list = this.#lists.get(account)
    if (list === undefined) return []
    return [...list.contacts.values()].map((row) => shown(row, list)).toSorted((a, b) => (a.user < b.user ? -1 : 1))
  }

  /** Listed contacts, the present ones first, then by name. */
  who(account: AccountId): readonly Contact[] {
    return this.contacts(account)
      .filter((contact) => contact.listed)
      .toSorted(
        (a, b) => rank(a.presence) - rank(b.presence) || (a.name || a.user).localeCompare(b.name || b.user) || 0,
      )
  }

  /** undefined: nothing is known of it. */
  avatar(account: AccountId, user: UserId): FileRef | null | undefined {
    return this.#lists.get(account)?.avatars.get(user)
  }

  presence(account: AccountId, user: UserId): PresenceState | undefined {
    return this.#lists.get(account)?.presence.get(user)
  }

  /** As every one of these signed-in observers sees them at least: the least available state counts, so that a block leaks nothing. */
  effective(user: UserRef, observers: readonly AccountId[]): PresenceState {
    const seen = observers
      .filter((account) => this.contact(account, user.user)?.listed === true)
      .map((account) => this.presence(account, user.user) ?? OFFLINE)
    return seen.toSorted((a, b) => rank(b) - rank(a))[0] ?? OFFLINE
  }

  /** The session of this account ended: nobody is known to be present. Answers who was. */
  sessionGone(account: AccountId): readonly UserId[] {
    const list = this.#lists.get(account)
    if (list === undefined) return []
    const present = [...list.presence].filter(([, state]) => isPresent(state)).map(([user]) => user)
    const seen = list.presence.size > 0
    list.presence.clear()
    if (seen) this.#changed(account)
    return present
  }

  /** All that was taken in is durable. */
  async settled(): Promise<void> {
    for (const list of this.#lists.values()) while (list.saving !== undefined) await list.saving
  }

  #list(account: AccountId): List {
    const known = this.#lists.get(account)
    if (known !== undefined) return known
    const list: List = {
      contacts: new Map(),
      presence: new Map(),
      groups: new Map(),
      allowed: new Set(),
      phones: new Map(),
      avatars: new Map(),
      dirty: new Set(),
      own: undefined,
      saving: undefined,
    }
    this.#lists.set(account, list)
    return list
  }

  #presence(account: AccountId, user: UserId, state: PresenceState): boolean {
    const { presence } = this.#list(account)
    const before = presence.get(user)
    if (state.show === 'offline') presence.delete(user)
    else if (before !== undefined || presence.size < CONTACTS_LIMIT) presence.set(user, state)
    return JSON.stringify(before ?? OFFLINE) !== JSON.stringify(state)
  }

  #own(event: Extract<RosterEvent, { kind: 'own' }>): boolean {
    const { account, name, groups, strangers, text, playing, picture, beside } = event
    const list = this.#list(account)
    const before = list.own
    list.own = {
      name,
      groups,
      strangers,
      ...(text === undefined ? {} : { text }),
      ...(playing === undefined ? {} : { playing }),
      ...(picture === undefined ? {} : { picture }),
      ...(beside === undefined ? {} : { beside }),
    }
    return JSON.stringify(before) !== JSON.stringify(list.own)
  }

  /** Whether it is another one now. */
  #picture(account: AccountId, user: UserId, avatar: FileRef | null): boolean {
    const { avatars } = this.#list(account)
    const before = avatars.get(user)
    avatars.set(user, avatar)
    return before?.ref !== avatar?.ref || before === undefined
  }

  #put(row: ContactRow): boolean {
    const list = this.#list(row.account)
    const before = list.contacts.get(row.user)
    const gone = !row.listed && !row.blocked && !row.hasUs && row.nickname === undefined
    if (gone ? before === undefined : before !== undefined && sameRow(before, row)) return false
    if (!row.listed) list.groups.delete(row.user)
    if (gone || row.blocked) list.allowed.delete(row.user)
    if (!row.listed) list.phones.delete(row.user)
    if (gone) list.avatars.delete(row.user)
    if (gone) list.contacts.delete(row.user)
    else if (before === undefined && list.contacts.size >= CONTACTS_LIMIT) return false
    else list.contacts.set(row.user, row)
    this.#revision++
    this.#save(row.account, list, row.user)
    return true
  }

  /** What is known of the whole list only: groups and phone numbers; of who is on no list, it is not kept. */
  #more(account: AccountId, { user: { user }, groups, phones }: RosterEntry): boolean {
    const list = this.#list(account)
    const isKept = list.contacts.has(user)
    const isGrouped = note(list.groups, user, isKept ? groups : undefined)
    return note(list.phones, user, isKept ? phones : undefined) || isGrouped
  }

  #allow(account: AccountId, user: UserId, allowed: boolean): boolean {
    const list = this.#list(account)
    if (allowed === list.allowed.has(user) || (allowed && !list.contacts.has(user))) return false
    if (allowed) list.allowed.add(user)
    else list.allowed.delete(user)
    return true
  }

  #replace(account: AccountId, entries: readonly RosterEntry[]): boolean {
    const named = new Set(entries.map((entry) => entry.user.user))
    let changed = false
    for (const row of [...this.#list(account).contacts.values()])
      if (!named.has(row.user)) changed = this.#put({ ...row, listed: false, blocked: false, hasUs: false }) || changed
    for (const entry of entries) {
      const { user, name, listed, blocked, hasUs } = entry
      const nickname = this.contact(account, user.user)?.nickname
      changed = this.#put(called({ account, user: user.user, name, listed, blocked, hasUs }, nickname)) || changed
      changed = this.#more(account, entry) || changed
      changed = this.#allow(account, user.user, entry.allowed === true) || changed
    }
    return changed
  }

  #save(account: AccountId, list: List, user: UserId): void {
    list.dirty.add(user)
    list.saving ??= this.#write(account, list).finally(() => {
      list.saving = undefined
    })
  }

  async #write(account: AccountId, list: List): Promise<void> {
    // What changes within one turn goes out together.
    await Promise.resolve()
    while (list.dirty.size > 0) {
      const users = [...list.dirty]
      list.dirty = new Set()
      const rows = users.map((user) => list.contacts.get(user)).filter((row) => row !== undefined)
      const gone = users.filter((user) => !list.contacts.has(user))
      try {
        await this.#store.updateContacts(account, rows, gone)
      } catch (error) {
        // A closed store: the next sign-in brings the whole list again.
        if (!(error instanceof StoreUnavailable)) return
        for (const user of users) list.dirty.add(user)
        await this.#store.whenAvailable()
      }
    }
  }
}

const changes: Readonly<
  Record<Extract<RosterEvent, { kind: 'contact' }>['change'], Partial<Pick<ContactRow, 'listed' | 'blocked' | 'hasUs'>>>
> = {
  'added-us': { hasUs: true },
  'removed-us': { hasUs: false },
  added: { listed: true },
  removed: { listed: false },
  blocked: { blocked: true },
  unblocked: { blocked: false },
}

const rank = (state: PresenceState | undefined): number => ladder.indexOf((state ?? OFFLINE).show)

const shown = (row: ContactRow, list: List): Contact => {
  const presence = list.presence.get(row.user)
  const groups = list.groups.get(row.user)
  const phones = list.phones.get(row.user)
  const allowed = list.allowed.has(row.user)
  if (presence === undefined && groups === undefined && phones === undefined && !allowed) return row
  return {
    ...row,
    ...(groups === undefined ? {} : { groups }),
    ...(phones === undefined ? {} : { phones }),
    ...(allowed ? { allowed } : {}),
    ...(presence === undefined ? {} : { presence }),
  }
}

/** Whether it is another one now. */
const note = <Value>(known: Map<UserId, Value>, user: UserId, value: Value | undefined): boolean => {
  const before = known.get(user)
  if (value === undefined) return known.delete(user)
  known.set(user, value)
  return JSON.stringify(before) !== JSON.stringify(value)
}

const unknownRow = (account: AccountId, user: UserId): ContactRow => ({
  account,
  user,
  name: '',
  listed: false,
  blocked: false,
  hasUs: false,
})

/** Without what is not stored. */
const rowOf = (contact: Contact): ContactRow => called(contact, contact.nickname)

const called = (row: ContactRow, nickname: string | undefined): ContactRow => {
  const { account, user, name, listed, blocked, hasUs } = row
  return { account, user, name, listed, blocked, hasUs, ...(nickname === undefined ? {} : { nickname }) }
}

const sameRow = (a: ContactRow, b: ContactRow): boolean =>
  a.name === b.name &&
  a.listed === b.listed &&
  a.blocked === b.blocked &&
  a.hasUs === b.hasUs &&
  a.nickname === b.nickname
