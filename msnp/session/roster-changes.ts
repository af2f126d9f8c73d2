/** What the server says of our lists, put into the roster and told. */
import type { ListLine } from './list-lines.ts'
import type { NotificationContext } from './notification-context.ts'
import type { RosterChange, SignedIn } from './notification-states.ts'
import type { Roster } from './roster.ts'

/** Changes during one synchronisation that are applied again at its end. */
export const MAX_SINCE = 1_000

/** Whether they were not on that list before, or are not any more. */
export function applyChange(roster: Roster, { change, list, email, name, group, ...more }: RosterChange): boolean {
  if (change === 'added') return roster.add(list, email, name, group, more.id)
  if (list !== 'FL' || group === undefined || more.staysListed !== true) return roster.remove(list, email, group)
  roster.ungroup(email, group)
  return false
}

export function applyToLists(
  { line }: NotificationContext,
  session: SignedIn,
  change: RosterChange['change'],
  about: ListLine,
  asked: boolean,
): void {
  const { roster, sync } = session
  const { list, email } = about
  const before = roster.get(email)
  const changed = applyChange(roster, { change, ...about })
  if (sync !== undefined && sync.since.length < MAX_SINCE) sync.since.push({ change, ...about })
  if (!changed) return
  const known = roster.get(email) ?? before
  line.emit({ kind: 'list', list, change, email, name: known?.name ?? email, asked })
}
