/** Presence codes of the wire and of the core, both ways. Pure tables; docs/protocol.md, Presence. */
import type { Availability } from '../../bridge/model/presence.ts'
import type { Status } from '../../msnp/index.ts'

const SHOWN: Readonly<Record<Status, Availability>> = {
  NLN: 'online',
  BSY: 'busy',
  IDL: 'idle',
  BRB: 'brb',
  AWY: 'away',
  PHN: 'phone',
  LUN: 'lunch',
  HDN: 'hidden',
}

const ASKED: Readonly<Record<Availability, Status>> = {
  online: 'NLN',
  idle: 'IDL',
  away: 'AWY',
  brb: 'BRB',
  busy: 'BSY',
  phone: 'PHN',
  lunch: 'LUN',
  // Only ever when a person asked for it: who is hidden cannot open a switchboard.
  hidden: 'HDN',
  // Away keeps us reachable, and CHG knows no FLN.
  offline: 'AWY',
}

/** How a contact appears; undefined: they are offline, or do not let us see them. */
export const availabilityOf = (status: Status | undefined): Availability =>
  status === undefined ? 'offline' : SHOWN[status]

/** What to ask for with CHG. */
export const statusFor = (show: Availability): Status => ASKED[show]
