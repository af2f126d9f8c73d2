import { LIST_BITS, type ListName } from '../model/lists.ts'
import type { EditableList } from '../session/notification-server-events.ts'
import type { AccountRecord, ContactRecord, GroupRecord, ServiceLimits } from './contract.ts'

/**
 * Changes of one account's lists and groups, as functions from record to record. A number is the error code instead.
 * Each change raises the list version by one. Source: docs/protocol.md, Contact lists.
 */

type Changed = AccountRecord | number

export const contactOf = (record: AccountRecord, email: string): ContactRecord | undefined =>
  record.contacts.find((contact) => contact.email === email)

export const isOn = (contact: ContactRecord | undefined, list: ListName): boolean =>
  contact !== undefined && (contact.lists & LIST_BITS[list]) !== 0

/** Whether somebody may see this account and call it: BL forbids, AL permits, else what BLP says. */
export const allows = (record: AccountRecord, email: string): boolean => allowsContact(record, contactOf(record, email))

export const allowsContact = ({ privacy }: AccountRecord, contact: ContactRecord | undefined): boolean =>
  !isOn(contact, 'BL') && (isOn(contact, 'AL') || privacy === 'AL')

/** A new version of the record. */
export const changed = (record: AccountRecord, changes: Partial<AccountRecord>): AccountRecord => ({
  ...record,
  ...changes,
  version: record.version + 1,
})

/** The id of no group. */
export const NO_GROUP = -1

/**
 * Whether everybody on FL is in a group, as up to MSNP9, or may be in none, as later: those are in group 0 here, which
 * such clients do not see.
 */
export type Grouping = 'always' | 'optional'

/** `ADD`: 215 there already, 219 on the opposite list, 224 no such group, 210 full. */
export function addTo(
  record: AccountRecord,
  list: EditableList,
  person: { readonly email: string; readonly name: string },
  group: number | undefined,
  limits: ServiceLimits,
  grouping: Grouping = 'always',
): Changed {
  const contact = contactOf(record, person.email)
  const present = isOn(contact, list)
  if (person.email === record.email) return 215
  if (list === 'FL') {
    const id = group ?? 0
    if (!isGroup(record, id)) return 224
    if (present && (group === undefined || contact?.groups.includes(id) === true)) return 215
    if (!present && isFull(record, list, limits)) return 210
    const kept = (contact?.groups ?? []).filter((other) => grouping === 'always' || other !== 0)
    const groups = [...kept, id].sort((a, b) => a - b)
    return withContact(record, { ...add(contact, list, person), groups, ...(present ? {} : { name: person.name }) })
  }
  if (present) return 215
  if (isOn(contact, list === 'AL' ? 'BL' : 'AL')) return 219
  if (isFull(record, list, limits)) return 210
  return withContact(record, add(contact, list, person))
}

/**
 * `REM`: 216 not there, 224 no such group, 225 not in it. With a group they only leave that group. Where everybody is in
 * one, leaving the last is leaving the list, which is how third-party clients delete somebody.
 */
export function removeFrom(
  record: AccountRecord,
  list: EditableList,
  email: string,
  group: number | undefined,
  grouping: Grouping = 'always',
): Changed {
  const contact = contactOf(record, email)
  if (list === 'FL' && group !== undefined) {
    if (!isGroup(record, group)) return 224
    if (contact?.groups.includes(group) !== true) return 225
    const rest = contact.groups.filter((other) => other !== group)
    if (rest.length > 0) return withContact(record, { ...contact, groups: rest })
    if (grouping === 'optional') return withContact(record, { ...contact, groups: [0] })
  }
  if (contact === undefined || !isOn(contact, list)) return 216
  const lists = contact.lists & ~LIST_BITS[list]
  return withContact(record, { ...contact, lists, groups: list === 'FL' ? [] : contact.groups })
}

/** Somebody put this account on their FL. Whoever is on neither AL nor BL then waits for an answer. */
export function addWatcher(
  record: AccountRecord,
  watcher: { readonly email: string; readonly name: string },
): AccountRecord {
  const contact = contactOf(record, watcher.email)
  const name = contact?.name ?? watcher.name
  const isAnswered = isOn(contact, 'AL') || isOn(contact, 'BL') || isOn(contact, 'RL')
  return withContact(record, {
    ...(contact ?? NOBODY),
    email: watcher.email,
    name,
    lists: (contact?.lists ?? 0) | LIST_BITS.RL | (isAnswered ? 0 : LIST_BITS.PL),
  })
}

/**
 * An account of a time before PL: whoever is on RL and on neither AL nor BL waits for an answer. The record itself when
 * there is nobody; the version stays, since what clients of that time see does.
 */
export function withPending(record: AccountRecord): AccountRecord {
  const waits = ({ lists }: ContactRecord): boolean =>
    (lists & (LIST_BITS.RL | LIST_BITS.AL | LIST_BITS.BL | LIST_BITS.PL)) === LIST_BITS.RL
  if (!record.contacts.some(waits)) return record
  const contacts = record.contacts.map((contact) =>
    waits(contact) ? { ...contact, lists: contact.lists | LIST_BITS.PL } : contact,
  )
  return { ...record, contacts }
}

/** Somebody took this account off their FL. */
export function removeWatcher(record: AccountRecord, email: string): AccountRecord {
  const contact = contactOf(record, email)
  if (contact === undefined) return record
  return withContact(record, { ...contact, lists: contact.lists & ~(LIST_BITS.RL | LIST_BITS.PL) })
}

/**
 * `REM PL` or `ADC RL`, as later clients say when their person has decided: 216 did not add us. The record itself when it
 * was known already.
 */
export function settle(record: AccountRecord, email: string): Changed {
  const contact = contactOf(record, email)
  if (contact === undefined || !isOn(contact, 'RL')) return 216
  return isOn(contact, 'PL') ? withContact(record, { ...contact, lists: contact.lists & ~LIST_BITS.PL }) : record
}

/** `REA` of a contact; 216: on no list. */
export function renameContact(record: AccountRecord, email: string, name: string): Changed {
  const contact = contactOf(record, email)
  return contact === undefined ? 216 : withContact(record, { ...contact, name })
}

/** `ADG`: 223 too many. The new group has the lowest free number. */
export function addGroup(
  record: AccountRecord,
  name: string,
  limits: ServiceLimits,
): { readonly record: AccountRecord; readonly group: GroupRecord } | 223 {
  const { groups, version } = record
  if (groups.length >= limits.groups) return 223
  let id = 1
  while (groups.some((group) => group.id === id)) id++
  const group = { id, name, since: version + 1 }
  return { record: changed(record, { groups: [...groups, group].sort((a, b) => a.id - b.id) }), group }
}

/** `REG`: 224 no such group. Group 0 may be renamed. */
export function renameGroup(record: AccountRecord, id: number, name: string): Changed {
  if (!isGroup(record, id)) return 224
  if (id === 0) return changed(record, { group0: name })
  return changed(record, { groups: record.groups.map((one) => (one.id === id ? { ...one, name } : one)) })
}

/** `RMG`: 230 group 0, 224 no such group. Whoever was in it alone falls into group 0. */
export function removeGroup(record: AccountRecord, id: number): Changed {
  if (!isGroup(record, id)) return 224
  if (id === 0) return 230
  const contacts = record.contacts.map((contact) => {
    if (!contact.groups.includes(id)) return contact
    const rest = contact.groups.filter((other) => other !== id)
    return { ...contact, groups: rest.length > 0 ? rest : [0] }
  })
  return changed(record, { groups: record.groups.filter((one) => one.id !== id), contacts })
}

export const hasGroupNamed = ({ groups }: AccountRecord, name: string): boolean =>
  groups.some((group) => group.name === name)

const isGroup = (record: AccountRecord, id: number): boolean =>
  id === 0 || record.groups.some((group) => group.id === id)

const NOBODY = { groups: [] as readonly number[] }

const add = (
  contact: ContactRecord | undefined,
  list: EditableList,
  person: { readonly email: string; readonly name: string },
): ContactRecord => ({
  email: person.email,
  name: contact?.name ?? person.name,
  // Whom we allow or block has had our answer.
  lists: ((contact?.lists ?? 0) | LIST_BITS[list]) & (list === 'FL' ? ~0 : ~LIST_BITS.PL),
  groups: contact?.groups ?? [],
})

const isFull = (record: AccountRecord, list: EditableList, limits: ServiceLimits): boolean =>
  record.contacts.reduce((count, contact) => count + (isOn(contact, list) ? 1 : 0), 0) >= limits.contacts

/** In place of the contact with that address, or at the end; whoever is on no list any more goes. */
function withContact(record: AccountRecord, contact: ContactRecord): AccountRecord {
  const { contacts } = record
  const at = contacts.findIndex(({ email }) => email === contact.email)
  if (contact.lists === 0) return changed(record, { contacts: contacts.filter((_, index) => index !== at) })
  return changed(record, { contacts: at === -1 ? [...contacts, contact] : contacts.with(at, contact) })
}
