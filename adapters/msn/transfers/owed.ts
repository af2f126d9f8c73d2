/**
 * Links that stand in for files which were offered. On disk from before the offer until the file, or the link, has arrived: nobody
 * loses a file to a crash, or to somebody who signs out in the middle.
 */
import type { AdapterState, Clock, Logger } from '../../../bridge/adapter.ts'
import type { AccountId, ChatId, EventId } from '../../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import { textMessage } from '../../../msnp/index.ts'

export interface OwedLink {
  readonly chat: ChatId
  /** One message. */
  readonly words: string
}

interface Deliver {
  deliver(id: EventId, payload: Uint8Array, signal: AbortSignal): Promise<DeliveryResult>
}

/** More are not waited for: the oldest is given up. */
export const MAX_OWED = 500

export class OwedLinks {
  readonly #account: AccountId
  readonly #state: AdapterState
  readonly #clock: Clock
  readonly #log: Logger
  readonly #links = new Map<EventId, OwedLink>()
  readonly #giving = new Set<EventId>()
  /** Owed since before this process: whoever brings such a one again does not know that it was offered. */
  readonly #inherited = new Set<EventId>()
  #loading: Promise<void> | undefined

  constructor(account: AccountId, deps: { readonly state: AdapterState; readonly clock: Clock; readonly log: Logger }) {
    this.#account = account
    this.#state = deps.state
    this.#clock = deps.clock
    this.#log = deps.log
  }

  /** Again is harmless. Rejects when the store does not answer. */
  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  /** Resolves when it is on disk. */
  async note(id: EventId, link: OwedLink): Promise<void> {
    const [oldest] = this.#links.keys()
    if (oldest !== undefined && this.#links.size >= MAX_OWED) await this.settle(oldest)
    await this.#state.update([[this.#key(id), JSON.stringify(link)]])
    this.#links.set(id, link)
    // Whoever noted it will say when it is to be given.
    this.#giving.add(id)
  }

  /** Its link is given, or was, although nobody is known to have been told so. */
  isInherited(id: EventId): boolean {
    return this.#inherited.has(id)
  }

  /** Nothing is owed. */
  async settle(id: EventId): Promise<void> {
    this.#links.delete(id)
    this.#giving.delete(id)
    await this.#state.update([[this.#key(id), undefined]]).catch((error: unknown) => {
      this.#log.warn({ error: String(error) }, 'a link that was given may be given again')
    })
  }

  /** Now, and again for as long as it may work later. */
  async give(id: EventId, words: Deliver, signal: AbortSignal): Promise<void> {
    const link = this.#links.get(id)
    if (link === undefined) return
    this.#giving.add(id)
    for (let over = false; !over;) {
      const result = await words.deliver(`${id}~link` as EventId, textMessage(link.words), signal)
      if (result.kind !== 'retry') {
        await this.settle(id)
        return
      }
      // Whoever comes online, or signs in, asks again.
      over = typeof result.wait !== 'number'
      if (typeof result.wait === 'number') await this.#clock.sleep(result.wait, signal)
      if (signal.aborted) over = true
    }
    this.leave(id)
  }

  /** Those that nobody is about to give. */
  waiting(): readonly (readonly [EventId, OwedLink])[] {
    return [...this.#links].filter(([id]) => !this.#giving.has(id))
  }

  /** It is not about to be given any more, and still owed. */
  leave(id: EventId): void {
    this.#giving.delete(id)
  }

  async #load(): Promise<void> {
    const start = this.#key('' as EventId)
    for (const [key, value] of await this.#state.list(start)) {
      const link = read(value)
      const id = key.slice(start.length) as EventId
      if (link === undefined) await this.#state.update([[key, undefined]])
      else {
        this.#links.set(id, link)
        this.#inherited.add(id)
      }
    }
  }

  #key(id: EventId): string {
    return `owed/${this.#account}/${id}`
  }
}

const read = (text: string): OwedLink | undefined => {
  try {
    const { chat, words } = JSON.parse(text) as Readonly<Record<string, unknown>>
    return typeof chat === 'string' && typeof words === 'string' ? { chat: chat as ChatId, words } : undefined
  } catch {
    return undefined
  }
}
