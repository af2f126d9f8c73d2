import { Buffer } from 'node:buffer'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { Accounts } from './accounts.ts'
import type { AccountRecord } from './contract.ts'
import { allows, allowsContact, isOn } from './lists.ts'
import type { Online } from './online.ts'

/**
 * Who sees whom. Somebody is seen by those who have them on FL (their own RL) as far as they allow it, while they are
 * visible. Blocking is one-sided: whoever blocks still sees the other. Source: docs/protocol.md, Presence.
 */

/** Calls for each signed-in person who watches this account and may see it. The own RL is the index. */
export function eachViewer(accounts: Accounts, record: AccountRecord, visit: (viewer: Online) => void): void {
  for (const contact of record.contacts) {
    if (!isOn(contact, 'RL') || !allowsContact(record, contact)) continue
    for (const viewer of accounts.sessions(contact.email)) if (viewer.presence !== undefined) visit(viewer)
  }
}

/** `NLN` to everybody who may see it: encoded once for each form, not once for each viewer. */
export function announce(accounts: Accounts, online: Online): void {
  if (!online.isVisible) return
  let plain: Uint8Array | undefined
  let withObject: Uint8Array | undefined
  eachViewer(accounts, online.record, (viewer) => {
    viewer.push(
      TRAITS[viewer.dialect].msnObject
        ? (withObject ??= presenceLine(online, viewer.dialect))
        : (plain ??= presenceLine(online, viewer.dialect)),
    )
  })
}

/** `FLN` to everybody who could see them. `record`: as it was then. */
export function vanish(accounts: Accounts, record: AccountRecord): void {
  let bytes: Uint8Array | undefined
  eachViewer(accounts, record, (viewer) => {
    viewer.push((bytes ??= offlineLine(record.email)))
  })
}

/** `ILN` for each contact on FL who is there and allows it; undefined if there is none. */
export function initialPresence(accounts: Accounts, online: Online, trid: string): Uint8Array | undefined {
  const lines: Uint8Array[] = []
  for (const contact of online.record.contacts) {
    if (!isOn(contact, 'FL')) continue
    const other = accounts.online(contact.email)
    if (other !== undefined && canSee(online, other)) lines.push(presenceLine(other, online.dialect, trid))
  }
  return lines.length === 0 ? undefined : Buffer.concat(lines)
}

export const canSee = (viewer: Online, other: Online): boolean => other.isVisible && allows(other.record, viewer.email)

/** `NLN AWY bob@example.com Bob 268435456 %3Cmsnobj...`; with a transaction id, the same as ILN. */
export function presenceLine(online: Online, dialect: Dialect, trid?: string): Uint8Array {
  const { record, presence } = online
  const { status = 'NLN', clientId = '0', object } = presence ?? {}
  const words = [status, record.email, nameWord(record), clientId]
  if (object !== undefined && TRAITS[dialect].msnObject) words.push(object)
  return trid === undefined ? encodeFrame('NLN', words) : encodeFrame('ILN', [trid, ...words])
}

export const offlineLine = (email: string): Uint8Array => encodeFrame('FLN', [email])

/** Never empty, as a word of a line cannot be. */
export const nameWord = ({ name, email }: { readonly name: string; readonly email: string }): string =>
  name === '' ? email : encodeNick(name)
