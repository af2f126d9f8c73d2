/** What is not stored: where it goes, and what it changes in the roster. */
import type { Ephemeral } from './ephemeral.ts'
import type { Identity } from './identity.ts'
import type { Lobbies } from './lobbies.ts'
import type { PassingInbound } from './model/events.ts'
import type { AccountId, UserId } from './model/ids.ts'
import type { Outbox } from './outbox.ts'
import { type PassingContext, type PassingToChat, planPassing, type PlanContext } from './plan.ts'
import type { Found, Portals } from './portals.ts'
import { isPresent, type Roster } from './roster.ts'
import type { Router } from './route.ts'
import type { Leg, Store } from './store/port.ts'

export interface PassingDeps {
  readonly store: Store
  readonly portals: Portals
  readonly roster: Roster
  readonly identity: Identity
  readonly lobbies: Lobbies
  readonly router: Router
  readonly outbox: Outbox
  readonly ephemeral: Ephemeral
  readonly contextOf: (found: Found) => PlanContext
  /** Accounts that are signed in. */
  readonly online: ReadonlySet<AccountId>
}

export class Passing {
  readonly #deps: PassingDeps

  constructor(deps: PassingDeps) {
    this.#deps = deps
  }

  async accept(event: PassingInbound): Promise<void> {
    const { store, router, roster, outbox, contextOf } = this.#deps
    switch (event.kind) {
      case 'typing':
      case 'read': {
        const route = router.known(event)
        const via = route?.leg.via ?? event.chat.account
        // Whoever writes is there, hidden or not; so is whoever has just called us.
        if (via !== undefined && event.kind === 'typing') outbox.recipientOnline(via, event.sender.user)
        if (route === undefined || route.leg.flow === 'out') return
        if (event.kind === 'typing') outbox.chatAlive(route.back)
        const target = event.kind === 'read' ? await store.eventOf(event.chat, route.back, event.upTo) : undefined
        this.#send(event, { ...contextOf(route), ...(target === undefined ? {} : { target }) })
        return
      }
      case 'presence':
      case 'profile': {
        const changed = roster.apply(event)
        if (event.kind === 'presence' && isPresent(event.state)) outbox.recipientOnline(event.account, event.user.user)
        if (changed) this.#spread(event)
        return
      }
      case 'contact':
      case 'roster':
        roster.apply(event)
    }
  }

  /** The session of this account ended: whoever it saw is seen no more. */
  sessionGone(account: AccountId): void {
    const network = this.#deps.identity.account(account)?.network
    const gone = this.#deps.roster.sessionGone(account)
    if (network === undefined) return
    for (const user of gone)
      this.#spread({ kind: 'presence', account, user: { network, user }, state: { show: 'offline' } })
  }

  /** To every chat in which that contact takes part. */
  #spread(event: Extract<PassingInbound, { kind: 'presence' | 'profile' }>): void {
    const { portals, identity, roster, lobbies, online, contextOf } = this.#deps
    const { account, user } = event
    const hasLink = portals.directWith(account, user.user) !== undefined
    const observers = [...online].filter((one) => identity.account(one)?.network === user.network)
    const effective = roster.effective(user, observers)
    for (const found of portals.legsVia(account)) {
      const { portal, leg } = found
      if (!takesPart(leg, user.user, hasLink)) continue
      const handle = leg.request.kind === 'lobby' ? { handle: lobbies.handle(portal, leg, user.user) } : {}
      this.#send(event, { ...contextOf(found), ...handle, effective })
    }
  }

  #send(event: PassingToChat, context: PassingContext): void {
    for (const { leg, place, op } of planPassing(event, context)) this.#deps.ephemeral.send(leg.via, place, op)
  }
}

const takesPart = ({ request }: Leg, user: UserId, hasLink: boolean): boolean => {
  switch (request.kind) {
    case 'direct':
      return request.with === user
    case 'group':
      return request.members.includes(user)
    case 'lobby':
      return !hasLink
    case 'channel':
    case 'chat':
    case 'portal':
    case 'home':
      return false
  }
}
