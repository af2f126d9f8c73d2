import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import { TRAITS } from '../model/dialect.ts'
import type { NsEvent } from '../session/notification-server-events.ts'
import type { Accounts } from './accounts.ts'
import type { AccountRecord, ServiceLimits } from './contract.ts'
import {
  addGroup,
  addTo,
  addWatcher,
  allows,
  changed,
  contactOf,
  isOn,
  removeFrom,
  removeGroup,
  removeWatcher,
  renameContact,
  renameGroup,
} from './lists.ts'
import type { Online } from './online.ts'
import { phoneCard, phoneChanges, samePhones, visiblePhones, withPhone, type Phones } from './phones.ts'
import { announce, canSee, nameWord, offlineLine, presenceLine } from './presence.ts'

/** The requests that change an account. */
export type Change = Extract<
  NsEvent,
  {
    readonly kind:
      'add' | 'remove' | 'rename' | 'add-group' | 'rename-group' | 'remove-group' | 'phone' | 'privacy' | 'prompt'
  }
>

/** What a change is made of: on disk first, then said. */
interface Outcome {
  /** The account itself, in its new version; absent when the request changes nothing. */
  readonly record?: AccountRecord
  /** Other accounts that change with it. */
  readonly others?: readonly AccountRecord[]
  /** The words of the answer after the transaction id. */
  readonly words: readonly (string | number)[]
  /** What else is said, after the answer. */
  readonly after?: () => void
}

/**
 * Changes of lists, names, phones and settings. Whoever calls sees to it that nobody else works on the accounts in
 * `accountsOf` meanwhile. Source: docs/protocol.md, Contact lists.
 */
export class Changes {
  readonly #accounts: Accounts
  readonly #limits: ServiceLimits

  constructor(accounts: Accounts, limits: ServiceLimits) {
    this.#accounts = accounts
    this.#limits = limits
  }

  /** Every account that the change may write to or whose view of this one it may change. */
  accountsOf(record: AccountRecord, change: Change): readonly string[] {
    switch (change.kind) {
      case 'add':
      case 'remove':
        return [...new Set([record.email, change.email])]
      case 'phone':
        return [record.email, ...watchersOf(record)]
      case 'privacy':
        return visiblePhones(record).length === 0 ? [record.email] : [record.email, ...watchersOf(record)]
      case 'rename':
      case 'add-group':
      case 'rename-group':
      case 'remove-group':
      case 'prompt':
        return [record.email]
    }
  }

  /** Makes the change, answers it, and tells the others. Rejects when the store fails; then nothing has changed. */
  async make(online: Online, record: AccountRecord, change: Change): Promise<void> {
    const outcome = await this.#plan(online, record, change)
    if (typeof outcome === 'number') {
      online.line.send({ kind: 'error', code: outcome, trid: change.trid })
      return
    }
    const written = [...(outcome.record === undefined ? [] : [outcome.record]), ...(outcome.others ?? [])]
    if (written.length > 0) await this.#accounts.commit(written)
    online.line.send({ kind: 'reply', verb: VERB[change.kind], trid: change.trid, words: outcome.words })
    if (outcome.record !== undefined) this.#tellBeside(online, encodeFrame(VERB[change.kind], [0, ...outcome.words]))
    outcome.after?.()
  }

  /** The other session of the same account, if there is one, hears of it as of something that it did not ask for. */
  #tellBeside(online: Online, bytes: Uint8Array): void {
    for (const other of this.#accounts.sessions(online.email)) if (other !== online && other.synced) other.push(bytes)
  }

  #plan(online: Online, record: AccountRecord, change: Change): Promise<Outcome | number> | Outcome | number {
    switch (change.kind) {
      case 'add':
        return this.#add(online, record, change)
      case 'remove':
        return this.#remove(record, change)
      case 'rename':
        return this.#rename(record, change)
      case 'add-group': {
        const made = addGroup(record, change.name, this.#limits)
        if (typeof made === 'number') return made
        return { record: made.record, words: [made.record.version, encodeNick(change.name), made.id, 0] }
      }
      case 'rename-group': {
        const next = renameGroup(record, change.group, change.name)
        if (typeof next === 'number') return next
        return { record: next, words: [next.version, change.group, encodeNick(change.name), 0] }
      }
      case 'remove-group': {
        const next = removeGroup(record, change.group)
        return typeof next === 'number' ? next : { record: next, words: [next.version, change.group] }
      }
      case 'phone':
        return this.#phone(record, change)
      case 'privacy':
        return this.#privacy(online, record, change.value)
      case 'prompt': {
        if (record.prompt === change.value) return sameAgain(online, record, change.value)
        const next = changed(record, { prompt: change.value })
        return { record: next, words: [next.version, change.value] }
      }
    }
  }

  async #add(
    online: Online,
    record: AccountRecord,
    { trid, list, email, name, group }: Extract<Change, { readonly kind: 'add' }>,
  ): Promise<Outcome | number> {
    const next = addTo(record, list, { email, name }, group, this.#limits)
    if (typeof next === 'number') return next
    const isNew = list === 'FL' && !isOn(contactOf(record, email), 'FL')
    const introduction = isNew ? await this.#accounts.introduce(record.email, email) : 'as-it-is'
    if (introduction === 'wrong') return 201
    if (introduction === 'too-often') return 800
    const other = introduction === 'unknown' ? undefined : await this.#accounts.read(email)
    if (other === undefined) return TRAITS[online.dialect].noSuchAccount
    const words = [
      list,
      next.version,
      email,
      encodeNick(name),
      ...(list === 'FL' && group !== undefined ? [group] : []),
    ]
    if (!isNew) return { ...this.#seenBy(record, next, [other]), words }
    const watched = addWatcher(other, record)
    return {
      record: next,
      others: [watched],
      words,
      after: () => {
        if (online.synced) {
          const phones = allows(other, record.email) ? other.phones : NO_PHONES
          online.push(phoneCard([next.version, email], phones))
        }
        const friend = this.#accounts.online(email)
        if (friend === undefined) return
        if (canSee(online, friend)) {
          online.push(presenceLine(friend, online.dialect, trid))
          this.#tellBeside(online, presenceLine(friend, online.dialect))
        }
        const added = encodeFrame('ADD', [0, 'RL', watched.version, record.email, nameWord(record)])
        for (const session of this.#accounts.sessions(email)) session.push(added)
      },
    }
  }

  async #remove(
    record: AccountRecord,
    { list, email, group }: Extract<Change, { readonly kind: 'remove' }>,
  ): Promise<Outcome | number> {
    const next = removeFrom(record, list, email, group)
    if (typeof next === 'number') return next
    const words = [list, next.version, email, ...(list === 'FL' && group !== undefined ? [group] : [])]
    const other = await this.#accounts.read(email)
    if (list !== 'FL') return { ...this.#seenBy(record, next, other === undefined ? [] : [other]), words }
    if (other === undefined || isOn(contactOf(next, email), 'FL')) return { record: next, words }
    const unwatched = removeWatcher(other, record.email)
    if (unwatched === other) return { record: next, words }
    return {
      record: next,
      others: [unwatched],
      words,
      after: () => {
        const removed = encodeFrame('REM', [0, 'RL', unwatched.version, record.email])
        for (const session of this.#accounts.sessions(email)) session.push(removed)
      },
    }
  }

  #rename(record: AccountRecord, { email, name }: Extract<Change, { readonly kind: 'rename' }>): Outcome | number {
    const isSelf = email === record.email
    const next = isSelf ? changed(record, { name }) : renameContact(record, email, name)
    if (typeof next === 'number') return next
    return {
      record: next,
      words: [next.version, email, encodeNick(name)],
      after: () => {
        const self = isSelf ? this.#accounts.online(email) : undefined
        if (self !== undefined) announce(this.#accounts, self)
      },
    }
  }

  async #phone(record: AccountRecord, { code, value }: Extract<Change, { readonly kind: 'phone' }>): Promise<Outcome> {
    const phones = withPhone(record.phones, code, value)
    const told = phones[code] ?? ''
    const words = (version: number): readonly (string | number)[] =>
      told === '' ? [version, code] : [version, code, encodeNick(told)]
    if (samePhones(record.phones, phones)) return { words: words(record.version) }
    const next = changed(record, { phones })
    const viewers = await this.#readAll(watchersOf(record).filter((email) => allows(record, email)))
    return { ...this.#seenBy(record, next, viewers), words: words(next.version) }
  }

  async #privacy(online: Online, record: AccountRecord, value: 'AL' | 'BL'): Promise<Outcome | number> {
    if (record.privacy === value) return sameAgain(online, record, value)
    const next = changed(record, { privacy: value })
    const turned = watchersOf(record).filter((email) => allows(record, email) !== allows(next, email))
    // Without phone numbers the others' lists stay as they are: those who are offline need not be read.
    const viewers =
      visiblePhones(record).length > 0
        ? await this.#readAll(turned)
        : turned.flatMap((email) => this.#accounts.online(email)?.record ?? [])
    return { ...this.#seenBy(record, next, viewers), words: [next.version, value] }
  }

  /**
   * What a change of an account means to those among `viewers` who have it on FL: numbers, which are part of their
   * lists and raise their version too, and whether they see it online.
   */
  #seenBy(
    record: AccountRecord,
    next: AccountRecord,
    viewers: readonly AccountRecord[],
  ): { readonly record: AccountRecord; readonly others: readonly AccountRecord[]; readonly after: () => void } {
    const others: AccountRecord[] = []
    const sayings: (() => void)[] = []
    for (const viewer of viewers) {
      if (!isOn(contactOf(next, viewer.email), 'RL')) continue
      const before = { phones: record.phones, shown: allows(record, viewer.email) }
      const after = { phones: next.phones, shown: allows(next, viewer.email) }
      const raised = changed(viewer, {})
      const numbers = phoneChanges([raised.version, record.email], before, after)
      if (numbers.length > 0) others.push(raised)
      sayings.push(() => this.#tell(viewer.email, record.email, numbers, before.shown, after.shown))
    }
    return {
      record: next,
      others,
      after: () => {
        for (const say of sayings) say()
      },
    }
  }

  #tell(viewer: string, subject: string, numbers: Uint8Array, sawBefore: boolean, seesNow: boolean): void {
    const self = this.#accounts.online(subject)
    for (const online of this.#accounts.sessions(viewer)) {
      if (numbers.length > 0 && online.synced) online.push(numbers)
      if (sawBefore === seesNow || self?.isVisible !== true || online.presence === undefined) continue
      online.push(seesNow ? presenceLine(self, online.dialect) : offlineLine(subject))
    }
  }

  async #readAll(emails: readonly string[]): Promise<readonly AccountRecord[]> {
    const records = await Promise.all(emails.map((email) => this.#accounts.read(email)))
    return records.filter((record) => record !== undefined)
  }
}

const VERB: Readonly<Record<Change['kind'], string>> = {
  add: 'ADD',
  remove: 'REM',
  rename: 'REA',
  'add-group': 'ADG',
  'rename-group': 'REG',
  'remove-group': 'RMG',
  phone: 'PRP',
  privacy: 'BLP',
  prompt: 'GTC',
}

const NO_PHONES: Phones = {}

const watchersOf = (record: AccountRecord): readonly string[] =>
  record.contacts.flatMap((contact) => (isOn(contact, 'RL') ? [contact.email] : []))

/** BLP or GTC as it is already: clients say it at sign-in, where some would hang up on the 218 that is due later. */
const sameAgain = (online: Online, record: AccountRecord, value: string): Outcome | number =>
  online.presence === undefined ? { words: [record.version, value] } : 218
