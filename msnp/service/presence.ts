import { Buffer } from 'node:buffer'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import { formatPersonalMessage } from '../model/personal-message.ts'
import { decodeName } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { Accounts } from './accounts.ts'
import type { AccountRecord, SeenPresence } from './contract.ts'
import { allows, allowsContact, isOn } from './lists.ts'
import { nameWord } from './name-word.ts'
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

/** The forms that one and the same presence has on the wire: a fan-out encodes each once, not once for each viewer. */
const formOf = (dialect: Dialect): 0 | 1 | 2 => {
  const { msnObject, personalMessages } = TRAITS[dialect]
  return personalMessages ? 2 : msnObject ? 1 : 0
}

/** Each viewer gets what its dialect can read of it. */
function fanOut(accounts: Accounts, record: AccountRecord, encode: (dialect: Dialect) => Uint8Array | undefined): void {
  const made: (Uint8Array | undefined)[] = []
  eachViewer(accounts, record, (viewer) => {
    const bytes = (made[formOf(viewer.dialect)] ??= encode(viewer.dialect))
    if (bytes !== undefined) viewer.push(bytes)
  })
}

/** `NLN` to everybody who may see it; to those who did not see them before, with all that they show. */
export function announce(accounts: Accounts, online: Online, before: 'seen' | 'unseen'): void {
  if (!online.isVisible) return
  fanOut(accounts, online.record, (dialect) =>
    before === 'seen' ? presenceLine(online, dialect) : appearance(online, dialect),
  )
  accounts.shows(seen(online, 'here'))
}

/** `UBX` to everybody who may see them and can read it. */
export function tellPersonal(accounts: Accounts, online: Online): void {
  if (!online.isVisible) return
  fanOut(accounts, online.record, (dialect) => (TRAITS[dialect].personalMessages ? personalLine(online) : undefined))
  accounts.shows(seen(online, 'here'))
}

/** To the session beside the Messenger, how the Messenger is seen, or would be if it were not hidden. */
export function tellBeside(accounts: Accounts, email: string): void {
  const messenger = accounts.session(email, false)
  const beside = accounts.session(email, true)
  if (messenger?.presence === undefined || beside?.presence === undefined) return
  beside.push(appearance(messenger, beside.dialect))
}

/** The same when the Messenger has gone. */
export function tellBesideGone(accounts: Accounts, email: string): void {
  const beside = accounts.session(email, true)
  if (beside?.presence !== undefined) beside.push(offlineLine(email))
}

/** `FLN` to everybody who could see them; quietly: when everybody goes, that helps nobody. */
export function vanish(accounts: Accounts, online: Online, how: 'to all' | 'quietly' = 'to all'): void {
  const { record } = online
  let bytes: Uint8Array | undefined
  if (how === 'to all') eachViewer(accounts, record, (viewer) => viewer.push((bytes ??= offlineLine(record.email))))
  accounts.shows(seen(online, 'gone'))
}

/** `ILN` and `UBX` for each contact on FL who is there and allows it; undefined if there is none. */
export function initialPresence(accounts: Accounts, online: Online, trid: string): Uint8Array | undefined {
  const lines: Uint8Array[] = []
  for (const contact of online.record.contacts) {
    if (!isOn(contact, 'FL')) continue
    const other = accounts.online(contact.email)
    if (other !== undefined && canSee(online, other)) lines.push(appearance(other, online.dialect, trid))
  }
  return lines.length === 0 ? undefined : Buffer.concat(lines)
}

/** The service itself is there for Messengers: to a bridge that stands beside one it is nobody to talk to. */
export const canSee = (viewer: Online, other: Online): boolean =>
  other.isVisible && !(viewer.beside && other.resident) && allows(other.record, viewer.email)

/** `NLN AWY bob@example.com Bob 268435456 %3Cmsnobj...`; with a transaction id, the same as ILN. */
export function presenceLine(online: Online, dialect: Dialect, trid?: string): Uint8Array {
  const { record, presence } = online
  const { status = 'NLN', clientId = '0', object } = presence ?? {}
  const words = [status, record.email, nameWord(record), clientId]
  if (object !== undefined && TRAITS[dialect].msnObject) words.push(object)
  return trid === undefined ? encodeFrame('NLN', words) : encodeFrame('ILN', [trid, ...words])
}

/** Somebody comes into view: NLN or ILN, and from MSNP11 on what they write and play, if that is nothing, too. */
export function appearance(online: Online, dialect: Dialect, trid?: string): Uint8Array {
  const line = presenceLine(online, dialect, trid)
  return TRAITS[dialect].personalMessages ? Buffer.concat([line, personalLine(online)]) : line
}

/** `UBX bob@example.com 70` and the message. */
const personalLine = ({ email, personal }: Online): Uint8Array =>
  encodeFrame('UBX', [email], formatPersonalMessage(personal))

export const offlineLine = (email: string): Uint8Array => encodeFrame('FLN', [email])

/** For whoever runs the service. */
function seen({ record, presence, personal }: Online, as: 'here' | 'gone'): SeenPresence {
  const { status = 'HDN', clientId = '0', object } = presence ?? {}
  return {
    email: record.email,
    name: record.name === '' ? record.email : record.name,
    status: as === 'gone' || status === 'HDN' ? undefined : status,
    clientId,
    object: object === undefined || NO_OBJECT.test(object) ? undefined : decodeName(object),
    personal,
  }
}

/** How clients say that they have no display picture. Source: docs/protocol.md, Presence. */
const NO_OBJECT = /^(?:0?|%3Cmsnobj(?:%20)*(?:%2F|\/)%3E)$/i
