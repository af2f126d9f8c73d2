/** Pure. The ids of chats of this network, there and back: a person's talk with one contact, with several, and with root. */
import type { AccountId, ChatId, UserId } from '../../../bridge/model/ids.ts'
import type { ContactKey } from '../types.ts'

export type ChatKind =
  | { readonly kind: 'direct'; readonly owner: UserId; readonly with: ContactKey }
  | { readonly kind: 'group'; readonly owner: UserId }
  | { readonly kind: 'home'; readonly owner: UserId }

const part = encodeURIComponent
/** A second id of the same conversation, for asking the core which one it knows. */
const PROBE = '2'

export const directChat = (owner: UserId, { account, user }: ContactKey): ChatId =>
  `direct/${part(owner)}/${part(account)}/${part(user)}` as ChatId

export const probeChat = (chat: ChatId): ChatId => `${chat}/${PROBE}` as ChatId

/** `mark`: never the same twice. */
export const groupChat = (owner: UserId, mark: string): ChatId => `group/${part(owner)}/${part(mark)}` as ChatId

export const homeChat = (owner: UserId): ChatId => `home/${part(owner)}` as ChatId

/** `undefined`: it is none of ours. */
export const readChat = (chat: ChatId): ChatKind | undefined => {
  const words = chat.split('/').map(decoded)
  const [kind, owner, first, second, probe] = words
  if (owner === undefined || owner === '') return undefined
  const person = owner as UserId
  if (kind === 'home' && words.length === 2) return { kind: 'home', owner: person }
  // `first` is the account, or the mark of a group.
  if (first === undefined || first === '') return undefined
  if (kind === 'group' && words.length <= 4) return { kind: 'group', owner: person }
  if (kind !== 'direct' || second === undefined || second === '') return undefined
  if (words.length > 5 || (probe !== undefined && probe !== PROBE)) return undefined
  return { kind: 'direct', owner: person, with: { account: first as AccountId, user: second as UserId } }
}

const decoded = (word: string): string | undefined => {
  try {
    return decodeURIComponent(word)
  } catch {
    return undefined
  }
}

/** One string for a contact of an account; neither has a line feed. */
export const contactId = ({ account, user }: ContactKey): string => `${account}\n${user}`

export const contactOf = (id: string): ContactKey => {
  const end = id.indexOf('\n')
  return { account: id.slice(0, end) as AccountId, user: id.slice(end + 1) as UserId }
}
