/** MSN's ladder, because it is the longest of the three; every adapter maps to and from it with a pure table. */
export type Availability = 'online' | 'idle' | 'away' | 'brb' | 'busy' | 'phone' | 'lunch' | 'hidden' | 'offline'

export interface PresenceState {
  readonly show: Availability
  /** Personal message (MSN11+), status_msg (Matrix), away reason (IRC). */
  readonly text?: string
  readonly playing?: { readonly title: string; readonly artist?: string; readonly album?: string }
  readonly since?: number
}
