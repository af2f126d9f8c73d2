import { Buffer } from 'node:buffer'
import { LIST_BITS, type ListName } from '../model/lists.ts'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { AccountRecord, ContactRecord } from './contract.ts'
import { isOn } from './lists.ts'
import { nameWord } from './name-word.ts'
import { contactPhones, ownPhones } from './sync-phones.ts'

/** How the lists of an account look on the wire, up to MSNP9. Source: docs/protocol.md, Contact lists. */

/** `SYN 8 27`: the client has it all. */
export const upToDate = (trid: string, { version }: AccountRecord): Uint8Array => encodeFrame('SYN', [trid, version])

/** `SYN 8 27 3 2` and everything. `phonesOf`: the numbers of a contact as far as the owner may see them. */
export function fullLists(
  trid: string,
  record: AccountRecord,
  phonesOf: (email: string) => AccountRecord | undefined,
): Uint8Array {
  const lines = [
    encodeFrame('SYN', [trid, record.version, record.contacts.length, record.groups.length + 1]),
    encodeFrame('GTC', [record.prompt]),
    encodeFrame('BLP', [record.privacy]),
    ...ownPhones(record.phones),
    ...groupsOf(record).map(({ id, name }) => encodeFrame('LSG', [id, encodeNick(name), 0])),
  ]
  for (const contact of record.contacts) {
    const isContact = isOn(contact, 'FL')
    const lists = contact.lists & ~LIST_BITS.PL
    lines.push(
      encodeFrame('LST', [contact.email, nameWord(contact), lists, ...(isContact ? [groupWord(contact)] : [])]),
      ...contactPhones(record, contact, phonesOf),
    )
  }
  return Buffer.concat(lines)
}

/** `LST 6 RL 27 1 2 bob@example.com Bob`, one line for each; an empty list is `LST 6 RL 27 0 0`. */
export function oneList(trid: string, record: AccountRecord, list: ListName): Uint8Array {
  const contacts = record.contacts.filter((contact) => isOn(contact, list))
  if (contacts.length === 0) return encodeFrame('LST', [trid, list, record.version, 0, 0])
  return Buffer.concat(
    contacts.map((contact, index) =>
      encodeFrame('LST', [
        trid,
        list,
        record.version,
        index + 1,
        contacts.length,
        contact.email,
        nameWord(contact),
        ...(list === 'FL' ? [groupWord(contact)] : []),
      ]),
    ),
  )
}

/** `LSG 7 27 1 2 0 Other%20Contacts 0`, one line for each. */
export function allGroups(trid: string, record: AccountRecord): Uint8Array {
  const groups = groupsOf(record)
  return Buffer.concat(
    groups.map(({ id, name }, index) =>
      encodeFrame('LSG', [trid, record.version, index + 1, groups.length, id, encodeNick(name), 0]),
    ),
  )
}

const groupsOf = ({ group0, groups }: AccountRecord): AccountRecord['groups'] => [
  { id: 0, name: group0 === '' ? '~' : group0 },
  ...groups,
]

const groupWord = ({ groups }: ContactRecord): string => (groups.length === 0 ? '0' : groups.join(','))
