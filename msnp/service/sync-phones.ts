import { PHONE_CODES } from '../model/phones.ts'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { AccountRecord, ContactRecord } from './contract.ts'
import { allows, isOn } from './lists.ts'
import { phoneLine, visiblePhones, type Phones } from './phones.ts'

/** Phone numbers among the lists, the same in all dialects. Source: docs/protocol.md, Synchronisation. */

/** `PRP PHH 555%201234`, one line for each that is set. */
export const ownPhones = (phones: Phones): readonly Uint8Array[] =>
  PHONE_CODES.flatMap((code) => {
    const value = phones[code]
    return value === undefined || value === '' ? [] : [encodeFrame('PRP', [code, encodeNick(value)])]
  })

/** `BPR PHM 1%20555` under the LST of a contact, as far as the owner of the list may see them. */
export function contactPhones(
  owner: AccountRecord,
  contact: ContactRecord,
  phonesOf: (email: string) => AccountRecord | undefined,
): readonly Uint8Array[] {
  const theirs = isOn(contact, 'FL') ? phonesOf(contact.email) : undefined
  if (theirs === undefined || !allows(theirs, owner.email)) return []
  return visiblePhones(theirs).map(([code, value]) => phoneLine(code, value))
}
