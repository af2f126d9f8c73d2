/** What people say on one network: found out where it belongs and what it speaks of, and stored with the rows for the others. */
import type { Clock, Logger, Metrics } from './adapter.ts'
import type { Accepted } from './hub-contract.ts'
import type { FileRef, MessageBody } from './model/body.ts'
import type { Quote, StoredInbound } from './model/events.ts'
import type { EventId, MessageId, UserRef } from './model/ids.ts'
import { quoteOf, shownName } from './names.ts'
import type { Outbox } from './outbox.ts'
import { laneKey, laneTarget } from './place.ts'
import { invitedBy, plan, type PlanContext } from './plan.ts'
import type { Found } from './portals.ts'
import { privateWith, type PrivateTalks } from './private-talks.ts'
import { isShared, type Route, type Router } from './route.ts'
import type { LaneKey, NewRow, Store, Tell } from './store/port.ts'
import type { Told } from './tell.ts'
import { Turns } from './turns.ts'

export interface IntakeDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly mint: () => string
  readonly router: Router
  readonly outbox: Outbox
  readonly privately: PrivateTalks
  readonly contextOf: (found: Found) => PlanContext
  readonly linkOf: ((file: FileRef, at: number) => string) | undefined
}

/** An event that knows where it belongs and what it refers to. */
interface Placed {
  readonly event: StoredInbound
  readonly route: Route
  readonly about: Pick<PlanContext, 'target' | 'replyTo' | 'quote' | 'takesBackReaction'>
  /** With whom the message that it refers to was private. */
  readonly privateWith?: UserRef
}

interface Issued {
  readonly rows: NewRow[]
  readonly told: Told[]
  /** Somebody speaks in private with the contact at the end of this lane. */
  readonly talk?: LaneKey
  /** A contact answers in private by this lane. */
  readonly answer?: LaneKey
  /** Private talks that are over with it. */
  readonly over: readonly LaneKey[]
  /** The only one who gets it, or for whom it was meant. */
  readonly to?: UserRef
}

export class Intake {
  readonly #deps: IntakeDeps
  readonly #turns = new Turns()
  #accepted = 0
  #duplicates = 0
  #unlinked = 0

  constructor(deps: IntakeDeps) {
    this.#deps = deps
  }

  /** Since the start. */
  get counts(): { readonly accepted: number; readonly duplicates: number; readonly unlinked: number } {
    return { accepted: this.#accepted, duplicates: this.#duplicates, unlinked: this.#unlinked }
  }

  /** In order for each chat. */
  accept(event: StoredInbound): Promise<Accepted> {
    const key = `${event.chat.network}\n${event.chat.account ?? ''}\n${event.chat.chat}`
    return this.#turns.take(
      key,
      () => this.#place(event),
      (placed) => this.#issue(event, placed),
    )
  }

  #place(event: StoredInbound): Placed | undefined | Promise<Placed | undefined> {
    const route = this.#deps.router.route({ ...event, said: event.kind === 'message' })
    if (route instanceof Promise) return route.then((found) => this.#refer(event, found))
    return this.#refer(event, route)
  }

  #refer(event: StoredInbound, route: Route | undefined): Placed | undefined | Promise<Placed | undefined> {
    if (route === undefined || route.leg.flow === 'out') return undefined
    const native = spokenOf(event)
    if (native === undefined) return { event, route, about: {} }
    return this.#about(event, route, native)
  }

  async #about(event: StoredInbound, route: Route, native: MessageId): Promise<Placed> {
    const { store } = this.#deps
    const id = await store.eventOf(event.chat, route.back, native)
    if (id === undefined) return { event, route, about: {} }
    const key = event.kind === 'message' ? { replyTo: id } : { target: id }
    const spoken = await store.event(id)
    const between = spoken === undefined ? undefined : privateWith(spoken, event.chat)
    const quote = spoken === undefined || event.kind === 'edit' ? undefined : quoted(spoken)
    return {
      event,
      route,
      about: {
        ...key,
        ...(quote === undefined ? {} : { quote }),
        ...(event.kind === 'redact' && spoken?.kind === 'reaction' ? { takesBackReaction: true } : {}),
      },
      ...(between === undefined ? {} : { privateWith: between }),
    }
  }

  async #issue(event: StoredInbound, placed: Placed | undefined): Promise<Accepted> {
    const { network } = event.chat
    const { store, clock, log, metrics, mint, outbox, privately } = this.#deps
    if (placed === undefined) {
      this.#unlinked++
      metrics.count('events', { network, outcome: 'unlinked' })
      log.debug({ network, kind: event.kind }, 'an event belongs to no link')
      return 'unlinked'
    }
    const { route } = placed
    const id = mint() as EventId
    const storedAt = clock.now()
    const { rows, told, talk, answer, over, to } = this.#rows(placed, id, storedAt)
    if (talk !== undefined && event.kind === 'message') await privately.begin(talk, event, route.leg.id, id)
    if (answer !== undefined) await privately.answered(answer, event.at)
    const announced = outbox.announce(rows)
    try {
      const { target } = placed.about
      // What is kept of an answer says whom it was for, too.
      const kept = event.kind === 'message' && to !== undefined ? { ...event, to } : event
      const result = await store.accept({
        id,
        portal: route.portal.id,
        event: kept,
        storedAt,
        rows: announced.rows,
        ...(event.kind === 'redact' && target !== undefined ? { unsaid: target } : {}),
      })
      if (result.kind === 'duplicate') {
        announced.cancelled()
        if (talk !== undefined) privately.settled(talk, id, storedAt)
        this.#duplicates++
        metrics.count('events', { network, outcome: 'duplicate' })
        return 'duplicate'
      }
      announced.committed(result.seqs)
    } catch (error) {
      announced.cancelled()
      throw error
    }
    // A repetition ends nothing: what was answered since may be private.
    for (const lane of over) privately.end(lane)
    for (const one of told) outbox.count(one)
    this.#accepted++
    metrics.count('events', { network, outcome: 'stored' })
    // Who speaks is there: what waits for them may go.
    outbox.recipientOnline(route.leg.via, event.sender.user)
    outbox.chatAlive(route.back)
    return id
  }

  /** What becomes of an event: rows for the other legs, and what the sender has to hear at once. */
  #rows(placed: Placed, id: EventId, at: number): Issued {
    const { event, route, about } = placed
    const { router, outbox, privately, contextOf } = this.#deps
    const { portal, handle, back } = route
    const shown = this.#linked(event, at)
    const said = shown.kind === 'message' || shown.kind === 'edit' ? shown.body : undefined
    const isPrivate = event.kind === 'message' && event.to !== undefined
    const audience = privately.audience(event, route, back, placed.privateWith)
    const only = audience.kind === 'one' ? audience.only : undefined
    const lobby = said === undefined || isPrivate ? undefined : router.addressed(route, said)
    const context: PlanContext = {
      ...contextOf(route),
      ...about,
      ...(handle === undefined ? {} : { handle }),
      ...(lobby?.to === undefined ? {} : { addressed: lobby.to }),
      ...(only === undefined ? {} : { only }),
    }
    const quote = said === undefined ? undefined : quoteOf(lobby?.to?.body ?? said)
    const tell: Tell = {
      lane: back,
      name: !isPrivate && isShared(laneTarget(back).place) ? shownName(event.senderName, event.sender.user) : '',
      ...(quote === undefined ? {} : { quote }),
    }
    const invited = invitedBy(event)
    const answerable = said !== undefined || invited !== undefined
    const rows: NewRow[] = []
    const told: Told[] = []
    const say = (one: Told, lane: NewRow['lane']): void => {
      told.push(one)
      const subject = { tell, event: id, ...(invited === undefined ? {} : { invited }) }
      const row = answerable ? outbox.tellRow([subject], one, lane) : undefined
      if (row !== undefined) rows.push(row)
    }
    if (audience.kind === 'nobody') {
      say({ outcome: 'refused', reason: 'unsupported', words: audience.words }, back)
      return { rows, told, over: audience.over === undefined ? [] : [audience.over], to: audience.to }
    }
    let talk: LaneKey | undefined
    const over: LaneKey[] = []
    const { ops, refused } = plan(shown, context)
    for (const { leg: to, place, op } of ops) {
      const lane = laneKey(to.via, place)
      if (isPrivate) talk = lane
      else if (op.kind === 'message' && only === undefined) over.push(lane)
      if (outbox.full(lane)) say({ outcome: 'refused', reason: 'rate-limited' }, lane)
      else rows.push({ lane, event: id, at, ops: [op], split: false, attempted: 0, ...(answerable ? { tell } : {}) })
    }
    for (const { leg: to, place, reason, detail } of refused)
      say({ outcome: 'refused', reason, detail }, laneKey(to.via, place))
    const mayHint = event.kind === 'message' && event.own !== true && event.body.kind === 'text'
    const hint =
      mayHint && lobby?.hint !== undefined ? router.hint(portal, event.sender, lobby.word, lobby.hint) : undefined
    if (hint !== undefined) say(hint, back)
    return {
      rows,
      told,
      over,
      ...(talk === undefined ? {} : { talk }),
      ...(only === undefined ? {} : { to: only.to }),
      ...(only === undefined || isPrivate || said === undefined ? {} : { answer: back }),
    }
  }

  /** A file gets a link that anybody can open. */
  #linked(event: StoredInbound, at: number): StoredInbound {
    const { linkOf } = this.#deps
    if (linkOf === undefined || (event.kind !== 'message' && event.kind !== 'edit')) return event
    const { body } = event
    if (body.kind !== 'file') return event
    const linked: MessageBody = { ...body, file: { ...body.file, url: linkOf(body.file, at) } }
    return { ...event, body: linked }
  }
}

/** What an event speaks of, as its network calls it. */
const spokenOf = (event: StoredInbound): MessageId | undefined => {
  switch (event.kind) {
    case 'edit':
    case 'redact':
    case 'reaction':
      return event.target
    case 'message':
      return event.replyTo
    case 'member':
    case 'topic':
      return undefined
  }
}

const quoted = (event: StoredInbound): Quote | undefined => {
  const text = event.kind === 'message' || event.kind === 'edit' ? quoteOf(event.body) : undefined
  return text === undefined ? undefined : { name: shownName(event.senderName, event.sender.user), text }
}
