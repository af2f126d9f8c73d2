/** People of groups come and go with their switchboards; which of it is news. */
import type { ChatId, UserId } from '../../bridge/model/ids.ts'

export class Comings {
  /** People of a group whose leaving was told, and strangers whose coming was. */
  readonly #left = new Map<ChatId, Set<UserId>>()
  readonly #guests = new Map<ChatId, Set<UserId>>()

  /** Whether to tell. `belongs`: to the group. `moved`: they made another group of it. */
  joined(chat: ChatId, user: UserId, belongs: boolean, moved: boolean): boolean {
    const back = this.#left.get(chat)?.delete(user) === true
    const guests = setIn(this.#guests, chat)
    if (!moved && !back && (belongs || guests.has(user))) return false
    if (!belongs) guests.add(user)
    return true
  }

  left(chat: ChatId, user: UserId): void {
    this.#guests.get(chat)?.delete(user)
    setIn(this.#left, chat).add(user)
  }

  /** Of those who belong to the group who has not left, and guests. */
  present(chat: ChatId, belong: readonly UserId[]): readonly UserId[] {
    const left = this.#left.get(chat)
    const stayed = belong.filter((user) => left?.has(user) !== true)
    return [...new Set([...stayed, ...(this.#guests.get(chat) ?? [])])]
  }

  /** It has no switchboard any more. */
  closed(chat: ChatId): void {
    this.#guests.delete(chat)
  }

  forget(chat: ChatId): void {
    this.#left.delete(chat)
    this.#guests.delete(chat)
  }
}

const setIn = <Key, Value>(sets: Map<Key, Set<Value>>, key: Key): Set<Value> => {
  const set = sets.get(key) ?? new Set<Value>()
  sets.set(key, set)
  return set
}
