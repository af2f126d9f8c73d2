/**
 * Chats that the person begins: they become conversations of an account of theirs. Whether the core knows one already is
 * not kept here: it is asked once in each run, with a second id where it says that the first is taken.
 */
import type { ClaimResult } from '../../../bridge/adapter.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import type { ContactKey } from '../types.ts'
import { contactId, directChat, probeChat } from './chats.ts'
import type { Self } from './types.ts'

export type Claimed =
  { readonly kind: 'chat'; readonly chat: ChatId } | { readonly kind: 'refused'; readonly detail: string }

/** Conversations that are remembered; past it all are forgotten, and asked for again. */
export const MAX_KNOWN = 5_000

export class Claims {
  readonly #self: Self
  /** Conversations with one contact that the core knows. */
  readonly #known = new Map<string, ChatId>()

  constructor(self: Self) {
    this.#self = self
  }

  /** The core opened it, or something was said there. */
  opened(key: ContactKey, chat: ChatId): void {
    const id = contactId(key)
    if (this.#known.get(id) === chat) return
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(id, chat)
  }

  dropped(key: ContactKey): void {
    this.#known.delete(contactId(key))
  }

  /** The chat with one contact, whether the core knows it or not. */
  chatOf(key: ContactKey): ChatId {
    return this.#known.get(contactId(key)) ?? directChat(this.#self.user, key)
  }

  /** Only if nothing has to be asked. */
  known(key: ContactKey): ChatId | undefined {
    return this.#known.get(contactId(key))
  }

  async direct(key: ContactKey): Promise<Claimed> {
    const known = this.known(key)
    if (known !== undefined) return { kind: 'chat', chat: known }
    const chat = directChat(this.#self.user, key)
    const first = await this.#claim([key], chat)
    const claimed = first.kind === 'refused' ? await this.#claim([key], probeChat(chat)) : first
    // What the first answer says is the reason; the second was only asked to be sure.
    if (claimed.kind === 'refused') return first.kind === 'refused' ? first : claimed
    this.opened(key, claimed.chat)
    return claimed
  }

  /** `chat` becomes the conversation with these, unless there is one already. */
  several(keys: readonly ContactKey[], chat: ChatId): Promise<Claimed> {
    return this.#claim(keys, chat)
  }

  async #claim(keys: readonly ContactKey[], chat: ChatId): Promise<Claimed> {
    const { user, deps, context } = this.#self
    const account = keys[0]?.account
    const view = this.#self.accounts().find(({ id }) => id === account)
    if (account === undefined || view === undefined)
      return { kind: 'refused', detail: 'That account is there no more.' }
    let result: ClaimResult
    try {
      result = await context.claim({
        by: { network: deps.network, user },
        with: keys.map((key) => ({ network: view.network, user: key.user })),
        chat: { network: deps.network, chat },
        account,
      })
    } catch (error) {
      context.log.warn({ user, error: String(error) }, 'a chat could not be begun')
      return { kind: 'refused', detail: 'The bridge cannot begin a conversation now.' }
    }
    switch (result.kind) {
      case 'claimed':
        return { kind: 'chat', chat }
      case 'elsewhere':
        return { kind: 'chat', chat: result.chat.chat }
      case 'refused':
        return result
    }
  }
}
