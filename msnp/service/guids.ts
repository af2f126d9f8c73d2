import { hash } from 'node:crypto'
import { guidFrom, plainId, type ContactId, type GroupId } from '../model/ids.ts'
import type { AccountRecord, ContactRecord, GroupRecord } from './contract.ts'
import { isOn } from './lists.ts'

/**
 * Ids for MSNP10 and later, made from what is stored instead of stored themselves: they are the same after every
 * restart, and contacts that an older client added have them, too. Source: docs/protocol.md, Ids.
 */

/** The same for somebody who was removed and added again. */
export const contactGuid = (owner: string, email: string): ContactId =>
  derived('contact', owner, email.toLowerCase()) as ContactId

/** No other group of that account ever has it, whatever became of this one. */
export const groupGuid = (owner: string, { id, since = 0 }: GroupRecord): GroupId =>
  derived('group', owner, `${id} ${since}`) as GroupId

/** Accounts whose ids are at hand, the last that were asked about. */
const MAX_INDEXES = 16
const indexes = new Map<AccountRecord, ReadonlyMap<string, ContactRecord>>()

/** Ids are of people on FL only. A client that asks for ids that nobody has must not make us derive all of them each time. */
export const contactByGuid = (record: AccountRecord, guid: string): ContactRecord | undefined =>
  (indexes.get(record) ?? indexOf(record)).get(plainId(guid))

function indexOf(record: AccountRecord): ReadonlyMap<string, ContactRecord> {
  const listed = record.contacts.filter((contact) => isOn(contact, 'FL'))
  const index = new Map(listed.map((contact) => [contactGuid(record.email, contact.email) as string, contact]))
  const [oldest] = indexes.size < MAX_INDEXES ? [] : indexes.keys()
  if (oldest !== undefined) indexes.delete(oldest)
  indexes.set(record, index)
  return index
}

export const groupByGuid = (record: AccountRecord, guid: string): GroupRecord | undefined => {
  const wanted = plainId(guid)
  return record.groups.find((group) => groupGuid(record.email, group) === wanted)
}

const derived = (...words: readonly string[]): string => guidFrom(hash('sha256', words.join('\0'), 'buffer'))
