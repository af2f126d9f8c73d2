import { createHash } from 'node:crypto'
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

/** Ids are of people on FL only. */
export const contactByGuid = (record: AccountRecord, guid: string): ContactRecord | undefined => {
  const wanted = plainId(guid)
  return record.contacts.find((contact) => isOn(contact, 'FL') && contactGuid(record.email, contact.email) === wanted)
}

export const groupByGuid = (record: AccountRecord, guid: string): GroupRecord | undefined => {
  const wanted = plainId(guid)
  return record.groups.find((group) => groupGuid(record.email, group) === wanted)
}

const derived = (...words: readonly string[]): string =>
  guidFrom(createHash('sha256').update(words.join('\0'), 'utf8').digest())
