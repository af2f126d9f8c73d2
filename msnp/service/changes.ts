import { Buffer } from 'node:buffer'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import type { NsEvent, Who } from '../session/notification-server-events.ts'
import type { Accounts } from './accounts.ts'
import type { AccountRecord, GroupRecord, ServiceLimits } from './contract.ts'
import { formsOf, type Answer, type Forms } from './forms.ts'
import { contactByGuid } from './guids.ts'
import {
  addGroup,
  addTo,
  addWatcher,
  allows,
  changed,
  contactOf,
  hasGroupNamed,
  isOn,
  removeFrom,
  removeGroup,
  removeWatcher,
  renameContact,
  renameGroup,
  settle,
} from './lists.ts'
import type { Online } from './online.ts'
import {
  phoneCard,
  phoneChanges,
  phoneLines,
  samePhones,
  visiblePhones,
  withPhone,
  type Phones,
  type ShownPhone,
} from './phones.ts'
import { announce, appearance, canSee, offlineLine, tellBeside, tellPersonal } from './presence.ts'

/** The requests that change an account. */
export type Change = Extract<
  NsEvent,
  {
    readonly kind:
      | 'add'
      | 'remove'
      | 'settle'
      | 'rename'
      | 'own-name'
      | 'add-group'
      | 'rename-group'
      | 'remove-group'
      | 'phone'
      | 'privacy'
      | 'prompt'
      | 'personal'
  }
>

/** What a change is made of: on disk first, then said. */
interface Outcome {
  /** The account itself, in its new version; absent when the request changes nothing. */
  readonly record?: AccountRecord
  /** Other accounts that change with it. */
  readonly others?: readonly AccountRecord[]
  /** The answer, as each dialect has it. */
  readonly answer: (forms: Forms) => Answer
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
        return [...new Set([record.email, emailOf(record, change.who) ?? record.email])]
      case 'phone':
        return [record.email, ...watchersOf(record)]
      case 'privacy':
        return visiblePhones(record).length === 0 ? [record.email] : [record.email, ...watchersOf(record)]
      case 'settle':
      case 'rename':
      case 'own-name':
      case 'add-group':
      case 'rename-group':
      case 'remove-group':
      case 'prompt':
      case 'personal':
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
    online.line.send({ kind: 'reply', trid: change.trid, ...outcome.answer(formsOf(online.dialect)) })
    if (outcome.record !== undefined && IS_TOLD[change.kind]) {
      const answers = besideAnswers(record, outcome.record, change, outcome.answer)
      this.#tellBeside(online, (dialect) => Buffer.concat(answers(dialect).map(unasked)))
    }
    outcome.after?.()
  }

  /** The other session of the same account, if there is one, hears of it as of something that it did not ask for. */
  #tellBeside(online: Online, bytes: (dialect: Dialect) => Uint8Array): void {
    for (const other of this.#besides(online)) other.push(bytes(other.dialect))
  }

  #besides(online: Online): readonly Online[] {
    return this.#accounts.sessions(online.email).filter((other) => other !== online && other.synced)
  }

  #plan(online: Online, record: AccountRecord, change: Change): Promise<Outcome | number> | Outcome | number {
    switch (change.kind) {
      case 'add':
        return this.#add(online, record, change)
      case 'remove':
        return this.#remove(online.dialect, record, change)
      case 'settle': {
        const next = settle(record, change.email)
        if (typeof next === 'number') return next
        const { verb, list, email } = change
        const words = verb === 'ADC' ? [list, `N=${email}`] : [list, email]
        return { ...(next === record ? {} : { record: next }), answer: () => ({ verb, words }) }
      }
      case 'rename':
        return this.#rename(record, change)
      case 'own-name':
        return this.#ownName(record, change.name)
      case 'add-group': {
        if (TRAITS[online.dialect].guidIds && hasGroupNamed(record, change.name)) return 228
        const made = addGroup(record, change.name, this.#limits)
        if (typeof made === 'number') return made
        return { record: made.record, answer: (forms) => forms.groupAdded(made.record, made.group) }
      }
      case 'rename-group':
        return this.#renameGroup(online.dialect, record, change)
      case 'remove-group': {
        const id = formsOf(online.dialect).group(record, change.group)
        const next = removeGroup(record, id)
        if (typeof next === 'number') return next
        const group = groupOf(record, id)
        return { record: next, answer: (forms) => forms.groupRemoved(next, group) }
      }
      case 'phone':
        return this.#phone(record, change)
      case 'privacy':
        return this.#privacy(online, record, change.value)
      case 'prompt': {
        if (record.prompt === change.value) return sameAgain(online, record, 'GTC', change.value)
        const next = changed(record, { prompt: change.value })
        return { record: next, answer: (forms) => forms.set(next, 'GTC', [change.value]) }
      }
      case 'personal':
        return this.#personal(online, record, change)
    }
  }

  async #add(
    online: Online,
    record: AccountRecord,
    { trid, list, who, name: given, group: word }: Extract<Change, { readonly kind: 'add' }>,
  ): Promise<Outcome | number> {
    const { dialect } = online
    const forms = formsOf(dialect)
    const email = emailOf(record, who)
    if (email === undefined) return 216
    const name = given ?? email
    const id = list === 'FL' && word !== undefined ? forms.group(record, word) : undefined
    const next = addTo(record, list, { email, name }, id, this.#limits, forms.grouping)
    if (typeof next === 'number') return next
    const isListed = list === 'FL' && isOn(contactOf(record, email), 'FL')
    const isNew = list === 'FL' && !isListed
    const introduction = isNew ? await this.#accounts.introduce(record.email, email) : 'as-it-is'
    if (introduction === 'wrong') return 201
    if (introduction === 'too-often') return 800
    const other = introduction === 'unknown' ? undefined : await this.#accounts.read(email)
    const group = id === undefined ? undefined : groupOf(next, id)
    const entry = { list, email, name: list === 'FL' ? name : given, group, isNew }
    const answer = (each: Forms): Answer => each.added(next, entry)
    // Groups are ours alone: whoever is listed may be put into one though their account is gone.
    if (other === undefined) return isListed ? { record: next, answer } : TRAITS[dialect].noSuchAccount
    if (!isNew) return { ...this.#seenBy(record, next, [other]), answer }
    const watched = addWatcher(other, record)
    return {
      record: next,
      others: [watched],
      answer,
      after: () => {
        if (online.synced) {
          const phones = allows(other, record.email) ? other.phones : NO_PHONES
          online.push(phoneLines(phoneCard(phones), forms.phonePlace(next, email)))
        }
        const friend = this.#accounts.online(email)
        if (friend === undefined) return
        if (canSee(online, friend)) online.push(appearance(friend, dialect, trid))
        for (const other of this.#besides(online))
          if (canSee(other, friend)) other.push(appearance(friend, other.dialect))
        for (const session of this.#accounts.sessions(email))
          session.push(unasked(formsOf(session.dialect).watched(watched, record)))
      },
    }
  }

  async #remove(
    dialect: Dialect,
    record: AccountRecord,
    { list, who, group: word }: Extract<Change, { readonly kind: 'remove' }>,
  ): Promise<Outcome | number> {
    const forms = formsOf(dialect)
    const email = emailOf(record, who)
    if (email === undefined) return 216
    const id = list === 'FL' && word !== undefined ? forms.group(record, word) : undefined
    const next = removeFrom(record, list, email, id, forms.grouping)
    if (typeof next === 'number') return next
    const entry = { list, email, group: id === undefined ? undefined : groupOf(record, id) }
    const answer = (each: Forms): Answer => each.removed(next, entry)
    const other = await this.#accounts.read(email)
    if (list !== 'FL') return { ...this.#seenBy(record, next, other === undefined ? [] : [other]), answer }
    if (other === undefined || isOn(contactOf(next, email), 'FL')) return { record: next, answer }
    const unwatched = removeWatcher(other, record.email)
    if (unwatched === other) return { record: next, answer }
    return {
      record: next,
      others: [unwatched],
      answer,
      after: () => {
        for (const session of this.#accounts.sessions(email))
          session.push(unasked(formsOf(session.dialect).unwatched(unwatched, record.email)))
      },
    }
  }

  #rename(record: AccountRecord, { who, name }: Extract<Change, { readonly kind: 'rename' }>): Outcome | number {
    const email = emailOf(record, who)
    if (email === undefined) return 216
    if (email === record.email) return this.#ownName(record, name)
    const next = renameContact(record, email, name)
    if (typeof next === 'number') return next
    return { record: next, answer: (forms) => forms.nicknamed(next, { email, name }) }
  }

  #ownName(record: AccountRecord, name: string): Outcome {
    const next = changed(record, { name })
    return {
      record: next,
      answer: (forms) => forms.renamed(next),
      after: () => {
        const self = this.#accounts.online(record.email)
        if (self !== undefined) announce(this.#accounts, self, 'seen')
      },
    }
  }

  #renameGroup(
    dialect: Dialect,
    record: AccountRecord,
    { group: word, name }: Extract<Change, { readonly kind: 'rename-group' }>,
  ): Outcome | number {
    const id = formsOf(dialect).group(record, word)
    const next = renameGroup(record, id, name)
    if (typeof next === 'number') return next
    if (TRAITS[dialect].guidIds && groupOf(record, id).name !== name && hasGroupNamed(record, name)) return 228
    const group = groupOf(next, id)
    return { record: next, answer: (forms) => forms.groupRenamed(next, group) }
  }

  async #phone(record: AccountRecord, { code, value }: Extract<Change, { readonly kind: 'phone' }>): Promise<Outcome> {
    const phones = withPhone(record.phones, code, value)
    const told = phones[code] ?? ''
    const words = told === '' ? [code] : [code, encodeNick(told)]
    if (samePhones(record.phones, phones)) return { answer: (forms) => forms.set(record, 'PRP', words) }
    const next = changed(record, { phones })
    const viewers = await this.#readAll(watchersOf(record).filter((email) => allows(record, email)))
    return { ...this.#seenBy(record, next, viewers), answer: (forms) => forms.set(next, 'PRP', words) }
  }

  async #privacy(online: Online, record: AccountRecord, value: 'AL' | 'BL'): Promise<Outcome | number> {
    if (record.privacy === value) return sameAgain(online, record, 'BLP', value)
    const next = changed(record, { privacy: value })
    const turned = watchersOf(record).filter((email) => allows(record, email) !== allows(next, email))
    // Without phone numbers the others' lists stay as they are: those who are offline need not be read.
    const viewers =
      visiblePhones(record).length > 0
        ? await this.#readAll(turned)
        : turned.flatMap((email) => this.#accounts.online(email)?.record ?? [])
    return { ...this.#seenBy(record, next, viewers), answer: (forms) => forms.set(next, 'BLP', [value]) }
  }

  /** What is written is kept, what is played ends with the session. No list changes, so the version stays. */
  #personal(
    online: Online,
    { personal: before = '', ...record }: AccountRecord,
    { personal: { text, media } }: Extract<Change, { readonly kind: 'personal' }>,
  ): Outcome {
    return {
      ...(text === before ? {} : { record: text === '' ? record : { ...record, personal: text } }),
      answer: () => ({ verb: 'UUX', words: [0] }),
      after: () => {
        const isSame = text === before && JSON.stringify(media) === JSON.stringify(online.media)
        online.media = media
        if (isSame) return
        tellPersonal(this.#accounts, online)
        tellBeside(this.#accounts, online.email)
      },
    }
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
      const numbers = phoneChanges(before, after)
      if (numbers.length > 0) others.push(raised)
      sayings.push(() => this.#tell(raised, record.email, numbers, before.shown, after.shown))
    }
    return {
      record: next,
      others,
      after: () => {
        for (const say of sayings) say()
      },
    }
  }

  #tell(
    viewer: AccountRecord,
    subject: string,
    numbers: readonly ShownPhone[],
    sawBefore: boolean,
    seesNow: boolean,
  ): void {
    const self = this.#accounts.online(subject)
    for (const online of this.#accounts.sessions(viewer.email)) {
      if (numbers.length > 0 && online.synced)
        online.push(phoneLines(numbers, formsOf(online.dialect).phonePlace(viewer, subject)))
      if (sawBefore === seesNow || self?.isVisible !== true || online.presence === undefined) continue
      online.push(seesNow ? appearance(self, online.dialect) : offlineLine(subject))
    }
  }

  async #readAll(emails: readonly string[]): Promise<readonly AccountRecord[]> {
    const records = await Promise.all(emails.map((email) => this.#accounts.read(email)))
    return records.filter((record) => record !== undefined)
  }
}

const NO_PHONES: Phones = {}

/** Whether the other session of the account can be told in the words of the answer. */
const IS_TOLD: Readonly<Record<Change['kind'], boolean>> = {
  add: true,
  remove: true,
  settle: false,
  rename: true,
  'own-name': true,
  'add-group': true,
  'rename-group': true,
  'remove-group': true,
  phone: true,
  privacy: true,
  prompt: true,
  personal: false,
}

const watchersOf = (record: AccountRecord): readonly string[] =>
  record.contacts.flatMap((contact) => (isOn(contact, 'RL') ? [contact.email] : []))

/** Whom a request means; an id that nobody has: undefined. */
const emailOf = (record: AccountRecord, who: Who): string | undefined =>
  typeof who === 'string' ? who : contactByGuid(record, who.id)?.email

/** A group that is there. */
const groupOf = ({ groups, group0 }: AccountRecord, id: number): GroupRecord =>
  groups.find((group) => group.id === id) ?? { id: 0, name: group0 }

/**
 * A change as a session hears it that did not ask for it. Dialects mean different things by leaving the last group, and by
 * being in none: so a contact who stays on FL is told group by group, and one who goes, without a group.
 */
function besideAnswers(
  before: AccountRecord,
  after: AccountRecord,
  change: Change,
  answer: (forms: Forms) => Answer,
): (dialect: Dialect) => readonly Answer[] {
  const plain = (dialect: Dialect): readonly Answer[] => [answer(formsOf(dialect))]
  if ((change.kind !== 'add' && change.kind !== 'remove') || change.list !== 'FL') return plain
  const email = emailOf(before, change.who) ?? ''
  const was = contactOf(before, email)
  const is = contactOf(after, email)
  if (!isOn(was, 'FL') || was === undefined) return plain
  if (!isOn(is, 'FL') || is === undefined)
    return (dialect) => [formsOf(dialect).removed(after, { list: 'FL', email, group: undefined })]
  return (dialect) => {
    const forms = formsOf(dialect)
    const shown = (id: number): boolean => id !== 0 || !TRAITS[dialect].guidIds
    const come = is.groups.filter((id) => shown(id) && !was.groups.includes(id))
    const gone = was.groups.filter((id) => shown(id) && !is.groups.includes(id))
    const { name } = is
    return [
      ...come.map((id) => forms.added(after, { list: 'FL', email, name, group: groupOf(after, id), isNew: false })),
      ...gone.map((id) => forms.removed(after, { list: 'FL', email, group: groupOf(before, id) })),
    ]
  }
}

const unasked = ({ verb, words }: Answer): Uint8Array => encodeFrame(verb, [0, ...words])

/**
 * BLP or GTC as it is already: clients say it at sign-in, where some would hang up on the 218 that is due later. From
 * MSNP10 on there is none.
 */
function sameAgain(online: Online, record: AccountRecord, verb: 'BLP' | 'GTC', value: string): Outcome | number {
  const isEcho = online.presence === undefined || TRAITS[online.dialect].guidIds
  return isEcho ? { answer: (forms) => forms.set(record, verb, [value]) } : 218
}
