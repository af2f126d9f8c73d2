import { Buffer } from 'node:buffer'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import { LIST_BITS, NETWORK_IDS } from '../model/lists.ts'
import { formatKeyedEntry } from '../session/list-words.ts'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { AccountRecord, ContactRecord } from './contract.ts'
import { contactGuid, groupGuid } from './guids.ts'
import { isOn } from './lists.ts'
import { nameWord } from './name-word.ts'
import { contactPhones, ownPhones } from './sync-phones.ts'

/**
 * `SYN 8 <version> <version> 3 2` and everything, as from MSNP10 on. Always everything: clients of these dialects keep
 * nothing that a shorter answer could rest on. Source: docs/protocol.md, Synchronisation.
 */
export function keyedLists(
  trid: string,
  record: AccountRecord,
  dialect: Dialect,
  phonesOf: (email: string) => AccountRecord | undefined,
): Uint8Array {
  const version = versionWord(record.version)
  const { email: owner, groups, contacts } = record
  return Buffer.concat([
    encodeFrame('SYN', [trid, version, version, contacts.length, groups.length]),
    encodeFrame('GTC', [record.prompt]),
    encodeFrame('BLP', [record.privacy]),
    encodeFrame('PRP', ['MFN', nameWord(record)]),
    ...ownPhones(record.phones),
    ...groups.map((group) => encodeFrame('LSG', [encodeNick(group.name), groupGuid(owner, group)])),
    ...contacts.flatMap((contact) => [
      entryLine(record, contact, dialect),
      ...contactPhones(record, contact, phonesOf),
    ]),
  ])
}

/** `LST N=bob@example.com F=Bob C=guid 11 1 guid,guid` */
function entryLine(record: AccountRecord, contact: ContactRecord, dialect: Dialect): Uint8Array {
  const { email: owner, groups } = record
  const { email, name, lists } = contact
  const isContact = isOn(contact, 'FL')
  return encodeFrame(
    'LST',
    formatKeyedEntry({
      email,
      name: name === '' ? email : name,
      ...(isContact ? { id: contactGuid(owner, email) } : {}),
      // Who waits for an answer is on PL until there is one, then on RL: clients ask about the former.
      lists: isOn(contact, 'PL') ? lists & ~LIST_BITS.RL : lists,
      ...(TRAITS[dialect].networkIds ? { network: NETWORK_IDS.messenger } : {}),
      groups: groups.filter(({ id }) => contact.groups.includes(id)).map((group) => groupGuid(owner, group)),
    }),
  )
}

/** A list version as a time, which is what these clients expect: so many seconds after the beginning of 2000. */
export const versionWord = (version: number): string =>
  new Date(Date.UTC(2000, 0, 1) + version * 1_000).toISOString().replace(/\.\d+Z$/, '.0-00:00')
