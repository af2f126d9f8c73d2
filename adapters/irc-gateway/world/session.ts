/** The service account of the gateway, through which everything goes. It has no network behind it: it is always there. */
import {
  type ChatRequest,
  type Delivery,
  type PortalRequest,
  type Session,
  SessionFault,
} from '../../../bridge/adapter.ts'
import type { Capabilities } from '../../../bridge/model/capabilities.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, MessageId, UserId } from '../../../bridge/model/ids.ts'
import type { DeliveryResult, OpenResult, RosterResult, SessionState } from '../../../bridge/model/result.ts'
import { render } from '../../../irc/formatting.ts'
import { capabilities } from './capabilities.ts'
import { directChat, homeChat, readChat, type ChatKind } from './chats.ts'
import type { People } from './people.ts'
import type { WorldOptions } from './types.ts'

/** What the store does not take now is tried again after so long. Milliseconds. */
const STORE_MS = 5_000

const NOT_HERE = { kind: 'refused', reason: 'not-found', detail: 'there is no such account of the gateway' } as const
const OFFLINE = {
  kind: 'retry',
  reason: 'offline',
  wait: 'session-online',
  detail: 'the gateway does not run',
} as const
const ABORTED = 'the gateway is going down'
const NO_CHAT = { kind: 'refused', reason: 'not-found', detail: 'the gateway has no such chat' } as const

export class GatewaySession implements Session {
  readonly account: AccountId
  readonly #options: WorldOptions
  readonly #people: People
  #state: SessionState = { kind: 'offline' }

  constructor(options: WorldOptions, people: People) {
    this.account = options.deps.account
    this.#options = options
    this.#people = people
  }

  get state(): SessionState {
    return this.#state
  }

  connect(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(new SessionFault({ code: 'shutdown', detail: ABORTED }))
    if (this.#state.kind !== 'online') this.#change({ kind: 'online', since: this.#options.deps.context.clock.now() })
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (this.#state.kind !== 'offline') this.#change({ kind: 'offline' })
    return Promise.resolve()
  }

  capabilities(): Capabilities {
    return capabilities
  }

  async open(request: ChatRequest): Promise<OpenResult> {
    switch (request.kind) {
      case 'portal':
        return this.#knows(request.owner) ? this.#stored(() => this.#portal(request)) : NOT_HERE
      case 'home':
        return this.#knows(request.user) ? this.#opened(homeChat(request.user)) : NOT_HERE
      case 'direct':
      case 'group':
      case 'channel':
        return {
          kind: 'refused',
          reason: 'unsupported',
          detail: 'chats of the gateway belong to the people of the gateway',
        }
    }
  }

  /** Lines are cut where they are written: a message is one, with one id, however long. */
  split(op: Outbound): readonly Outbound[] {
    return [op]
  }

  async deliver(delivery: Delivery, signal?: AbortSignal): Promise<DeliveryResult> {
    if (this.#state.kind !== 'online') return OFFLINE
    if (signal?.aborted === true) return { kind: 'retry', reason: 'offline', wait: 0, detail: ABORTED }
    const { chat, id } = delivery
    const done: DeliveryResult = { kind: 'delivered', ids: [id as string as MessageId] }
    if (chat === undefined) return done
    const kind = readChat(chat.chat)
    if (kind === undefined) return NO_CHAT
    if (!this.#knows(kind.owner)) return NOT_HERE
    return this.#stored(async () => {
      await this.#tell(delivery, chat.chat, kind)
      return done
    })
  }

  /** Only the core knows who is in a conversation. */
  members(): undefined {
    return undefined
  }

  async drop({ chat }: ChatRef): Promise<void> {
    const kind = readChat(chat)
    if (kind === undefined || !this.#knows(kind.owner)) return
    try {
      const person = await this.#people.get(kind.owner)
      await person.dropped(chat, kind)
    } catch (error) {
      this.#options.deps.context.log.warn({ error: String(error) }, 'a chat that is gone is left over')
    }
  }

  roster(): Promise<RosterResult> {
    return Promise.resolve({
      kind: 'refused',
      reason: 'unsupported',
      detail: 'The gateway has no contact list of its own.',
    })
  }

  async #portal(request: PortalRequest): Promise<OpenResult> {
    const { owner, account, direct, with: people } = request
    const person = await this.#people.get(owner)
    const [only] = people
    if (!direct || only === undefined) return this.#opened(await person.open(request))
    const key = { account, user: only.user.user }
    const chat = directChat(owner, key)
    person.opened(key, chat)
    return this.#opened(chat)
  }

  async #tell(delivery: Delivery, chat: ChatId, kind: ChatKind): Promise<void> {
    const person = await this.#people.get(kind.owner)
    if (kind.kind !== 'home') return person.hear(delivery, chat, kind)
    const { op } = delivery
    if (op.kind === 'status' && op.choices !== undefined && op.choices.length > 0)
      return this.#options.questions.ask(person, { text: render(op.text), choices: op.choices })
    if (op.kind === 'status')
      return person.tellRoot(`${op.mention === true ? `${person.nick}: ` : ''}${render(op.text)}`)
    if (op.kind === 'message' && op.body.kind !== 'nudge') return person.tellRoot(render(op.body.text))
    if (op.kind === 'delivery' && op.outcome !== 'delivered') return person.tellRoot(render(op.text))
  }

  #knows(user: UserId): boolean {
    return this.#options.knows(user)
  }

  #opened(chat: ChatId): OpenResult {
    return { kind: 'opened', chat: { network: this.#options.deps.network, chat } }
  }

  async #stored<Result extends OpenResult | DeliveryResult>(work: () => Promise<Result>) {
    try {
      return await work()
    } catch (error) {
      this.#options.deps.context.log.warn({ error: String(error) }, 'what came for a person could not be stored')
      return { kind: 'retry', reason: 'network', wait: STORE_MS, detail: 'the bridge cannot store it now' } as const
    }
  }

  #change(state: SessionState): void {
    this.#state = state
    this.#options.deps.context.sessionChanged(this.account, state)
  }
}
