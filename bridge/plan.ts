/** Pure. What one network said becomes what each other leg of the portal is asked to do. */
import { degrade, type Degraded, type Op } from './degrade.ts'
import type { MessageBody } from './model/body.ts'
import type { Capabilities } from './model/capabilities.ts'
import type { PassingInbound, Puppet, Quote, StoredInbound } from './model/events.ts'
import type { AccountId, EventId, NetworkId, PersonId, UserId, UserRef } from './model/ids.ts'
import type { PresenceState } from './model/presence.ts'
import type { Reason } from './model/result.ts'
import { shownName } from './names.ts'
import { placeOf } from './place.ts'
import type { Leg, LegId, Place, Portal } from './store/port.ts'

export interface Cast {
  readonly personOf: (user: UserRef) => PersonId | undefined
  /** Who that person is on a network. */
  readonly userOn: (person: PersonId, network: NetworkId) => UserId | undefined
  /** Whose account that is. */
  readonly ownerOf: (account: AccountId) => PersonId | undefined
  /** Who that account is on its network. */
  readonly selfOf: (account: AccountId) => UserRef | undefined
  /** What the roster of the observing account calls them. */
  readonly rosterName: (user: UserRef, observer: AccountId) => string | undefined
}

export interface PlanContext {
  readonly portal: Portal
  readonly origin: Leg
  readonly cast: Cast
  /** unknown: its network has not started; the lane degrades before it delivers. `undefined`: that account is there no more. */
  readonly capabilitiesOf: (leg: Leg) => Capabilities | 'unknown' | undefined
  /** The events that the networks' ids in it mean; absent where we never saw them. */
  readonly target?: EventId
  readonly replyTo?: EventId
  /** How the message that is answered, reacted to or taken back began. */
  readonly quote?: Quote
  /** What is taken back was a reaction. */
  readonly takesBackReaction?: true
  /** What a lobby calls the sender, so that an answer finds them. */
  readonly handle?: string
  /** Between two: no other leg gets it, and this one there. */
  readonly only?: { readonly leg: LegId; readonly place: Place; readonly to: UserRef }
  /** Said in a lobby's channel to one contact: what that contact gets. */
  readonly addressed?: { readonly leg: LegId; readonly place: Place; readonly body: MessageBody }
}

export interface Planned {
  readonly leg: Leg
  readonly place: Place
  readonly op: Op
}

export interface Plan {
  readonly ops: readonly Planned[]
  /** What a leg cannot carry in any form: the sender is told. */
  readonly refused: readonly {
    readonly leg: Leg
    readonly place: Place
    readonly reason: Reason
    readonly detail: string
  }[]
}

/** One entry at most for every other leg, already degraded to what that leg can do. */
export const plan = (event: StoredInbound, context: PlanContext): Plan => {
  const ops: Planned[] = []
  const refused: Plan['refused'][number][] = []
  for (const leg of context.portal.legs) {
    if (leg.id === context.origin.id || leg.flow === 'in') continue
    const place = placeOn(leg, context)
    if (place === undefined) continue
    const op = operation(event, leg, context)
    if (op === undefined) continue
    const able = planned(op, context.capabilitiesOf(leg), event.at)
    if (able.kind === 'op') ops.push({ leg, place, op: able.op })
    else if (able.kind === 'refused') refused.push({ leg, place, reason: able.reason, detail: able.detail })
  }
  return { ops, refused }
}

const planned = (op: Op, capabilities: Capabilities | 'unknown' | undefined, at: number): Degraded => {
  if (capabilities === undefined) return NO_ACCOUNT
  return capabilities === 'unknown' ? { kind: 'op', op } : degrade(op, capabilities, at)
}

const NO_ACCOUNT: Degraded = { kind: 'refused', reason: 'not-found', detail: 'that account is there no more' }

const placeOn = (leg: Leg, { addressed, only }: PlanContext): Place | undefined => {
  if (only !== undefined) return only.leg === leg.id ? only.place : undefined
  if (leg.request.kind !== 'lobby') return placeOf(leg.request)
  return addressed?.leg === leg.id ? addressed.place : undefined
}

const operation = (event: StoredInbound, leg: Leg, context: PlanContext): Op | undefined => {
  const as = puppet(event.sender, event.senderName, leg, context)
  const { target, replyTo, addressed } = context
  const inLobby = leg.request.kind === 'lobby' && context.only === undefined
  const quoted = context.quote === undefined ? {} : { quote: context.quote }
  switch (event.kind) {
    case 'message': {
      const body = inLobby ? addressed?.body : event.body
      if (body === undefined) return undefined
      return { kind: 'message', as, body, at: event.at, ...(replyTo === undefined ? {} : { replyTo }), ...quoted }
    }
    case 'edit': {
      const body = inLobby ? addressed?.body : event.body
      if (body === undefined) return undefined
      if (target !== undefined) return { kind: 'edit', as, target, body }
      // What it corrects was before our time: the new words are still worth showing.
      return { kind: 'message', as, body, at: event.at }
    }
    case 'redact':
      if (target === undefined || inLobby) return undefined
      return { kind: 'redact', as, target, ...quoted, ...(context.takesBackReaction ? { reaction: true } : {}) }
    case 'reaction':
      return target === undefined || inLobby ? undefined : { kind: 'reaction', as, target, key: event.key, ...quoted }
    case 'member':
      if (inLobby) return undefined
      return {
        kind: 'member',
        as,
        user: memberOn(leg, event.user, context),
        userName: shownName(event.userName ?? context.cast.rosterName(event.user, context.origin.via), event.user.user),
        change: event.change,
        ...(event.reason === undefined ? {} : { reason: event.reason }),
      }
    case 'topic':
      return inLobby ? undefined : { kind: 'topic', as, topic: event.topic }
  }
}

/** Whom an operation is to bring in. */
export const invitedBy = (op: StoredInbound | Op): UserId | undefined =>
  op.kind === 'member' && op.change === 'invite' ? op.user.user : undefined

/** Whoever owns the account of a leg takes part there as that account: when they leave elsewhere, it leaves. */
const memberOn = (leg: Leg, user: UserRef, { cast }: PlanContext): UserRef => {
  const person = cast.personOf(user)
  return (person !== undefined && person === cast.ownerOf(leg.via) ? cast.selfOf(leg.via) : undefined) ?? user
}

/** A person speaks through their own account where this leg has it; everybody else is a ghost. */
const puppet = (user: UserRef, given: string | undefined, leg: Leg, context: PlanContext): Puppet => {
  const { cast, origin, handle } = context
  const name = handle ?? shownName(given ?? cast.rosterName(user, origin.via), user.user)
  const person = cast.personOf(user)
  if (person === undefined) return { kind: 'ghost', origin: user, name }
  if (person === cast.ownerOf(leg.via)) return { kind: 'person', person, name, origin: user }
  const here = cast.userOn(person, leg.network)
  // In somebody else's own chat they are a contact like any other.
  const isForeign = leg.request.kind === 'portal' && leg.request.owner !== here
  return here === undefined || isForeign
    ? { kind: 'ghost', origin: user, name }
    : { kind: 'person', person, name, origin: user, user: here }
}

/** What passes: in nobody's queue, the newest wins. */
export type PassingToChat = Extract<PassingInbound, { kind: 'typing' | 'read' | 'presence' | 'profile' }>

export interface PassingContext extends PlanContext {
  /** As every observer sees them at least; only where a ghost is one for all. */
  readonly effective?: PresenceState
}

export const planPassing = (event: PassingToChat, context: PassingContext): readonly Planned[] => {
  const planned: Planned[] = []
  for (const leg of context.portal.legs) {
    // Contacts of a lobby are not told who types or comes and goes in its channel.
    if (leg.id === context.origin.id || leg.flow === 'in' || leg.request.kind === 'lobby') continue
    const capabilities = context.capabilitiesOf(leg)
    if (capabilities === undefined || capabilities === 'unknown') continue
    const op = passingOperation(event, leg, context, capabilities)
    if (op === undefined) continue
    const able = degrade(op, capabilities, 0)
    const place = placeOf(leg.request)
    if (able.kind === 'op' && place !== undefined) planned.push({ leg, place, op: able.op })
  }
  return planned
}

const passingOperation = (
  event: PassingToChat,
  leg: Leg,
  context: PassingContext,
  capabilities: Capabilities,
): Op | undefined => {
  switch (event.kind) {
    case 'typing':
      if (context.origin.request.kind === 'lobby') return undefined
      return { kind: 'typing', as: puppet(event.sender, event.senderName, leg, context), forMs: event.forMs }
    case 'read':
      if (context.target === undefined) return undefined
      return { kind: 'read', as: puppet(event.sender, event.senderName, leg, context), upTo: context.target }
    case 'presence': {
      const as = puppet(event.user, undefined, leg, context)
      // How our own people appear is decided by their own status, not by what one account sees of another.
      if (as.kind !== 'ghost') return undefined
      const shared = capabilities.puppets === 'native' ? context.effective : undefined
      return { kind: 'presence', as, state: shared ?? event.state }
    }
    case 'profile': {
      const as = puppet(event.user, event.name, leg, context)
      if (as.kind !== 'ghost') return undefined
      const avatar = event.avatar === undefined ? {} : { avatar: event.avatar }
      return { kind: 'profile', as, name: shownName(event.name, event.user.user), ...avatar }
    }
  }
}
