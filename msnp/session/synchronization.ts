import { TRAITS } from '../model/dialect.ts'
import type { Frame } from '../wire/frame.ts'
import type { NotificationContext, Pending } from './notification-context.ts'
import type { SignedIn, Synchronization } from './notification-states.ts'
import { applyChange } from './roster-changes.ts'
import { Roster } from './roster.ts'

/**
 * `SYN 8 27 3 2`: version, then how many LST and LSG lines follow; the end is known by counting alone. From MSNP10 on
 * there are two versions. Without counts what we know is up to date. Source: docs/protocol.md, Synchronisation.
 */
export function beginSync(context: NotificationContext, session: SignedIn, what: Pending, frame: Frame): void {
  const [, version, ...more] = frame.params
  // A service that knows no ids may say one version at MSNP10, too.
  const count = TRAITS[session.dialect].guidIds && more.length !== 2 ? more[1] : more[0]
  const request = what.kind === 'request' ? what.id : undefined
  if (version === undefined || (count !== undefined && !/^\d{1,9}$/.test(count))) {
    if (request === undefined) {
      context.line.violation('SYN without its counts', frame)
      return
    }
    context.line.malformedLines++
    context.line.emit({ kind: 'answer', id: request, answer: { kind: 'unreadable', verb: 'SYN' } })
    return
  }
  abandonSync(context, session)
  const fresh = new Roster()
  fresh.privacy = session.roster.privacy
  fresh.prompt = session.roster.prompt
  const sync: Synchronization = {
    fresh,
    expected: Number(count ?? 0),
    listed: 0,
    deadline: context.line.now + context.timings.commandMs,
    since: [],
    request,
  }
  session.sync = sync
  if (count === undefined) sync.fresh.replaceWith(session.roster)
  if (sync.expected === 0) finishSync(context, session, sync)
}

/** All is told. */
export function finishSync(context: NotificationContext, session: SignedIn, sync: Synchronization): void {
  const { roster } = session
  session.sync = undefined
  roster.replaceWith(sync.fresh)
  for (const change of sync.since) applyChange(roster, change)
  const first = sync.request === undefined
  if (first) context.enter({ kind: 'online', session })
  context.line.emit({ kind: 'synchronized', first })
  if (sync.request !== undefined) context.line.emit({ kind: 'answer', id: sync.request, answer: { kind: 'done' } })
}

/** It will not be finished: what we knew before stays. */
export function abandonSync(context: NotificationContext, session: SignedIn): void {
  const { sync } = session
  session.sync = undefined
  if (sync?.request !== undefined) {
    context.line.emit({ kind: 'answer', id: sync.request, answer: { kind: 'timeout', verb: 'LST' } })
  }
}
