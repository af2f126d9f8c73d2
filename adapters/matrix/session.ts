/** Our one account on the homeserver: connected while the homeserver is there, knows us and reaches us. */
import type { AdapterContext, ChatRequest, Delivery, Session } from '../../bridge/adapter.ts'
import type { Capabilities } from '../../bridge/model/capabilities.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import type { AccountId, ChatRef } from '../../bridge/model/ids.ts'
import type { DeliveryResult, Fault, OpenResult, RosterResult, SessionState } from '../../bridge/model/result.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { Parts } from './parts.ts'
import { path } from './paths.ts'
import { splitOp } from './split.ts'
import { textIn } from './untrusted.ts'

/** Whether the homeserver knew our devices when we last asked: what was under way at a crash depends on it. */
const DEVICES = 'homeserver/devices'

const OFFLINE = {
  kind: 'retry',
  reason: 'network',
  wait: 'session-online',
  detail: 'the homeserver is not connected',
} as const

export interface MatrixSessionOptions {
  readonly account: AccountId
  readonly botName: string
  readonly context: AdapterContext
  readonly parts: Parts
}

export class MatrixSession implements Session {
  readonly account: AccountId
  readonly #options: MatrixSessionOptions
  #state: SessionState = { kind: 'offline' }
  #idempotent = false
  #watching: AbortController | undefined

  constructor(options: MatrixSessionOptions) {
    this.account = options.account
    this.#options = options
  }

  get state(): SessionState {
    return this.#state
  }

  /** Before anything else. */
  async load(): Promise<void> {
    this.#idempotent = (await this.#options.context.state.get(DEVICES)) === 'yes'
  }

  async connect(signal: AbortSignal): Promise<void> {
    const { context, parts } = this.#options
    const { homeserver, presence, service } = parts
    this.#watching?.abort()
    await homeserver.connect(signal)
    const { devices } = homeserver.features
    if (devices !== this.#idempotent) await context.state.update([[DEVICES, devices ? 'yes' : undefined]])
    this.#idempotent = devices
    await this.#nameBot(signal)
    const watching = new AbortController()
    this.#watching = watching
    this.#change({ kind: 'online', since: context.clock.now() })
    const lost = (fault: Fault): void => {
      if (this.#watching !== watching) return
      this.#watching = undefined
      parts.ephemeral.clear()
      this.#change({ kind: 'waiting', until: context.clock.now(), fault })
    }
    homeserver.watch(watching.signal, lost, () => parts.catchUp.alive())
    void this.#askWhoIsThere(watching.signal)
    parts.catchUp.all()
    presence.online()
    void service.rooms.resume().catch((error: unknown) => {
      context.log.warn({ error: String(error) }, 'what was left half done waits for the next connection')
    })
  }

  close(): Promise<void> {
    this.#watching?.abort()
    this.#watching = undefined
    this.#change({ kind: 'offline' })
    return Promise.resolve()
  }

  capabilities(): Capabilities {
    return capabilitiesOf(this.#idempotent)
  }

  open(request: ChatRequest, signal: AbortSignal): Promise<OpenResult> {
    return this.#state.kind === 'online'
      ? this.#options.parts.service.rooms.open(request, signal)
      : Promise.resolve(OFFLINE)
  }

  split(op: Outbound): readonly Outbound[] {
    return splitOp(op)
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    if (this.#state.kind !== 'online') return OFFLINE
    const result = await this.#options.parts.deliveries.deliver(delivery, signal)
    if (result.kind === 'delivered') await this.#news(delivery, signal)
    return result
  }

  /** Rooms have members of many networks; only the core knows which of them a conversation is with. */
  members(): undefined {
    return undefined
  }

  async drop({ chat }: ChatRef): Promise<void> {
    const { service, deliveries, catchUp } = this.#options.parts
    const room = service.table.byChat(chat)?.room
    await service.rooms.drop(chat)
    if (room !== undefined) await catchUp.forget(room)
    await deliveries.marks.forget(chat).catch((error: unknown) => {
      this.#options.context.log.warn({ error: String(error) }, 'marks of a room that is gone are left over')
    })
  }

  roster(): Promise<RosterResult> {
    return Promise.resolve({
      kind: 'refused',
      reason: 'unsupported',
      detail: 'Matrix has no contact list: invite people to a room.',
    })
  }

  /** People with accounts, one after the other: their presence decides how they look elsewhere. */
  async #askWhoIsThere(signal: AbortSignal): Promise<void> {
    const { parts } = this.#options
    for (const { kind, owner } of [...parts.service.table.all()]) {
      if (signal.aborted) return
      if (kind === 'home' && owner !== undefined) await parts.ephemeral.ask(owner, parts.homeserver, signal)
    }
  }

  /** An account of theirs is signed in: it has a space. */
  async #news({ op, chat }: Delivery, signal: AbortSignal): Promise<void> {
    const { service } = this.#options.parts
    if (op.kind !== 'status' || op.about?.state !== 'CONNECTED' || chat === undefined) return
    const owner = service.table.byChat(chat.chat)?.owner
    const { account, network, login } = op.about
    if (owner !== undefined) await service.spaces.ensure({ owner, account, network, login }, signal)
  }

  async #nameBot(signal: AbortSignal): Promise<void> {
    const { parts, botName, context } = this.#options
    const { homeserver } = parts
    const at = path`/_matrix/client/v3/profile/${homeserver.bot}/displayname`
    // A name that is set again is told in every room.
    const now = await homeserver.request<unknown>({ method: 'GET', path: at, signal })
    if (now.ok && textIn(now.value, 'displayname') === botName) return
    const body = { displayname: botName }
    const named = await homeserver.request({ method: 'PUT', path: at, as: homeserver.bot, body, signal })
    if (!named.ok) context.log.debug({ detail: named.failure.detail }, 'the bot keeps its old name')
  }

  #change(state: SessionState): void {
    if (state.kind === this.#state.kind && state.kind === 'offline') return
    this.#state = state
    this.#options.context.sessionChanged(this.account, state)
  }
}
