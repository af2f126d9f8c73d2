/** Pure. A channel of several as it is kept, and what it is called. */
import type { AccountId, ChatId, PortalId, UserId } from '../../../bridge/model/ids.ts'
import { cutToBytes } from '../../../irc/guard.ts'

export interface GroupRow {
  readonly name: string
  readonly account: AccountId
  /** Absent: it is the talk with `direct` alone as yet. */
  readonly chat?: ChatId
  readonly portal?: PortalId
  readonly direct?: UserId
  readonly members: readonly UserId[]
  readonly topic: string
  readonly topicBy: string
  readonly topicAt: number
  readonly createdAt: number
  /** The person left it; it comes back when somebody says something. */
  readonly parted?: boolean
}

/** Bytes, with the #. */
const LONGEST = 50
/** Names that one is made of. */
const NAMES = 3

/** "Old friends" -> "#Old_friends"; without a title of the names of who is there. */
export const groupName = (title: string | undefined, names: readonly string[]): string => {
  const words = title === undefined || title.trim() === '' ? names.slice(0, NAMES).join('-') : title
  const clean = words
    .trim()
    .replace(/[\s\u0000-\u0020\u007f,:\u0007#&]+/gu, '_')
    .toWellFormed()
  return `#${cutToBytes(clean === '' || clean === '_' ? 'chat' : clean, LONGEST - 1)}`
}

export const isGroupName = (name: string): boolean =>
  /^#[^\0\x07\r\n ,:]+$/.test(name) && Buffer.byteLength(name) <= LONGEST

/** The first with a number behind it that is free. */
export const freeName = (wanted: string, isTaken: (name: string) => boolean): string => {
  if (!isTaken(wanted)) return wanted
  for (let number = 2; ; number++) {
    const tail = String(number)
    const name = cutToBytes(wanted, LONGEST - tail.length) + tail
    if (!isTaken(name)) return name
  }
}
