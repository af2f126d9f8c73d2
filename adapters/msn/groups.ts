/**
 * Groups of people as chats. MSN has no names for them, so ids are ours: minted once, kept, and found again by the exact
 * set of members. Ids of switchboard sessions are never kept: they mean nothing after the session.
 */
import type { AdapterState } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, UserId } from '../../bridge/model/ids.ts'

const PREFIX = 'group:'
/** Groups that one account keeps; with more, the oldest one that people of the network made is forgotten. */
export const MAX_GROUPS = 5_000

export const isGroupId = (chat: ChatId): boolean => chat.startsWith(PREFIX)

interface Group {
  readonly members: readonly UserId[]
  /** Rises with each group: of several ids for one set the newest counts. */
  readonly number: number
  /** Linked, not only made by somebody's invitation: never forgotten. */
  readonly linked: boolean
  /** Whom a link asks for, where others were invited since. */
  readonly asked?: readonly UserId[]
}

export class Groups {
  readonly #account: AccountId
  readonly #state: AdapterState
  /** 32 or more hexadecimal digits, never the same twice. */
  readonly #random: () => string
  #groups: Map<ChatId, Group> | undefined
  /** The store has not taken them yet, or would not. */
  readonly #unstored = new Set<ChatId>()
  #newest = 0
  #loading: Promise<Map<ChatId, Group>> | undefined

  constructor(account: AccountId, state: AdapterState, random: () => string) {
    this.#account = account
    this.#state = state
    this.#random = random
  }

  /** To be awaited before anything else; again is harmless. Rejects when the store does not answer. */
  async load(): Promise<void> {
    this.#loading ??= this.#read()
    try {
      this.#groups = await this.#loading
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  /** Addresses in lower case; undefined: no such group, or not read from the store yet. */
  members(chat: ChatId): readonly UserId[] | undefined {
    return this.#groups?.get(chat)?.members
  }

  /** The id of exactly these people; or of those whom a link asks for, though others were invited since. */
  find(members: Iterable<UserId>): ChatId | undefined {
    const wanted = setOf(members)
    return this.#best((group) => isSame(group.members, wanted)) ?? this.#asked(wanted)
  }

  /** The id that a link of these people has, whoever was invited since. */
  findLinked(members: Iterable<UserId>): ChatId | undefined {
    const wanted = setOf(members)
    return this.#asked(wanted) ?? this.#best((group) => isSame(group.members, wanted))
  }

  /** A new id for these people. It counts at once; `stored` resolves when it is on disk. */
  mint(members: Iterable<UserId>, linked: boolean): { readonly chat: ChatId; readonly stored: Promise<void> } {
    const chat = `${PREFIX}${this.#random()}` as ChatId
    const changes = this.#makeRoom()
    const group: Group = { members: setOf(members), number: ++this.#newest, linked }
    return { chat, stored: this.#keep(chat, group, changes) }
  }

  /** What is linked is kept for good. */
  async link(chat: ChatId): Promise<void> {
    const group = this.#loaded.get(chat)
    if (group === undefined || (group.linked && !this.#unstored.has(chat))) return
    await this.#keep(chat, { ...group, linked: true })
  }

  /** It is linked no more. */
  async unlink(chat: ChatId): Promise<void> {
    const group = this.#loaded.get(chat)
    if (group?.linked !== true) return
    await this.#keep(chat, { members: group.members, number: group.number, linked: false })
  }

  /** Somebody was invited for good. */
  async extend(chat: ChatId, member: UserId): Promise<void> {
    const group = this.#loaded.get(chat)
    if (group === undefined || group.members.includes(member)) return
    const asked = group.linked ? { asked: group.asked ?? group.members } : {}
    await this.#keep(chat, { ...group, ...asked, members: setOf([...group.members, member]) })
  }

  get #loaded(): Map<ChatId, Group> {
    if (this.#groups === undefined) throw new Error('the groups are not loaded')
    return this.#groups
  }

  #asked(wanted: readonly UserId[]): ChatId | undefined {
    return this.#best(({ asked }) => asked !== undefined && isSame(asked, wanted))
  }

  #best(fits: (group: Group) => boolean): ChatId | undefined {
    let found: readonly [ChatId, Group] | undefined
    for (const [id, group] of this.#loaded)
      if (fits(group) && (found === undefined || better(group, found[1]))) found = [id, group]
    return found?.[0]
  }

  async #read(): Promise<Map<ChatId, Group>> {
    const start = this.#key('' as ChatId)
    const groups = new Map<ChatId, Group>()
    for (const [key, value] of await this.#state.list(start)) {
      const group = JSON.parse(value) as Group
      groups.set(key.slice(start.length) as ChatId, group)
      this.#newest = Math.max(this.#newest, group.number)
    }
    return groups
  }

  #keep(chat: ChatId, group: Group, changes: readonly (readonly [string, undefined])[] = []): Promise<void> {
    this.#loaded.set(chat, group)
    this.#unstored.add(chat)
    return this.#state.update([...changes, [this.#key(chat), JSON.stringify(group)]]).then(() => {
      if (this.#loaded.get(chat) === group) this.#unstored.delete(chat)
    })
  }

  #makeRoom(): readonly (readonly [string, undefined])[] {
    const groups = this.#loaded
    if (groups.size < MAX_GROUPS) return []
    const [oldest] = [...groups].filter(([, group]) => !group.linked).toSorted(([, a], [, b]) => a.number - b.number)
    if (oldest === undefined) return []
    groups.delete(oldest[0])
    this.#unstored.delete(oldest[0])
    return [[this.#key(oldest[0]), undefined]]
  }

  #key(chat: ChatId): string {
    return `group/${this.#account}/${chat}`
  }
}

const setOf = (members: Iterable<UserId>): readonly UserId[] => [...new Set(members)].toSorted()

/** Both in order, each once. */
const isSame = (a: readonly UserId[], b: readonly UserId[]): boolean =>
  a.length === b.length && a.every((user, index) => user === b[index])

const better = (group: Group, than: Group): boolean =>
  group.linked === than.linked ? group.number > than.number : group.linked
