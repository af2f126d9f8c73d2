/** Which conversations can be asked for, and what groups are kept for it. */
import type { AdapterContext, ChatRequest } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, ChatRef, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { OpenResult } from '../../bridge/model/result.ts'
import { isGroupId, type Groups } from './groups.ts'
import { BUSY_MS, refused, retry } from './results.ts'
import { parseAddress } from './words.ts'

export interface OpeningsOptions {
  readonly network: NetworkId
  readonly account: AccountId
  readonly own: UserId
  readonly groups: Groups
  readonly context: AdapterContext
}

export class Openings {
  readonly #options: OpeningsOptions

  constructor(options: OpeningsOptions) {
    this.#options = options
  }

  async open(request: ChatRequest): Promise<OpenResult> {
    switch (request.kind) {
      case 'direct': {
        const user = parseAddress(request.with)
        if (user === undefined) return refused('not-found', `${request.with} is no MSN address`)
        if (user === this.#options.own) return refused('not-found', 'an MSN account cannot talk to itself')
        return { kind: 'opened', chat: this.#ref(user as string as ChatId) }
      }
      case 'group':
        try {
          return await this.#group(request.members)
        } catch (error) {
          return notKept(error)
        }
      case 'portal':
      case 'home':
        return refused('unsupported', 'nobody of ours lives on an MSN network')
      case 'channel':
        try {
          return await this.#known(request.name)
        } catch (error) {
          return notKept(error)
        }
    }
  }

  /** What people of MSN opened stays theirs; a group need not be kept for good any more. */
  async drop(chat: ChatId): Promise<void> {
    try {
      await this.#options.groups.load()
      await this.#options.groups.unlink(chat)
    } catch (error) {
      this.#options.context.log.warn(
        { account: this.#options.account, error: String(error) },
        'a group stays linked in the store',
      )
    }
  }

  async #group(names: readonly UserId[]): Promise<OpenResult> {
    const members = names.map(parseAddress)
    const others = members.filter((member) => member !== undefined && member !== this.#options.own)
    if (members.includes(undefined) || others.length === 0) {
      return refused('not-found', `no group of MSN addresses: ${names.join(', ')}`)
    }
    await this.#options.groups.load()
    const known = this.#options.groups.findLinked(others as readonly UserId[])
    if (known !== undefined) {
      await this.#options.groups.link(known)
      return { kind: 'opened', chat: this.#ref(known) }
    }
    const { chat, stored } = this.#options.groups.mint(others as readonly UserId[], true)
    await stored
    return { kind: 'opened', chat: this.#ref(chat) }
  }

  /** A group that somebody of MSN opened, and that is linked now. */
  async #known(chat: ChatId): Promise<OpenResult> {
    if (!isGroupId(chat)) return refused('unsupported', 'MSN has no channels: link a contact, a group or a lobby')
    await this.#options.groups.load()
    if (this.#options.groups.members(chat) === undefined)
      return refused('not-found', 'this MSN group is not known any more')
    await this.#options.groups.link(chat)
    return { kind: 'opened', chat: this.#ref(chat) }
  }

  #ref(chat: ChatId): ChatRef {
    return { network: this.#options.network, chat, account: this.#options.account }
  }
}

const notKept = (error: unknown): OpenResult =>
  retry('network', BUSY_MS, `the group cannot be kept in the store: ${String(error)}`)
