/**
 * Pure. A lobby is one channel for all contacts of an account that have no link of their own. "bob: hello" there goes to
 * bob alone: this file knows who is called how, and reads the address off a text.
 */
import type { ChatRef, UserId } from './model/ids.ts'
import { type RichText, sliceOf, textOf } from './model/text.ts'
import { localPart } from './names.ts'
import type { LegId, Place } from './store/port.ts'

/** A name longer than this addresses nobody. In characters. */
const WORD_LIMIT = 200

export interface LobbyContact {
  readonly leg: LegId
  readonly user: UserId
  readonly name: string
}

/** A conversation of several that somebody opened; `handle` is stored: g1, g2 ... */
export interface LobbyGroup {
  readonly leg: LegId
  readonly handle: string
  readonly chat: ChatRef
}

export interface Addressee {
  readonly leg: LegId
  readonly handle: string
  readonly place: Place
}

/** Who can be addressed, by each word that means them, in lower case. */
export interface LobbyBook {
  readonly byWord: ReadonlyMap<string, readonly Addressee[]>
  /** What to call a contact so that an answer finds them. */
  readonly handles: ReadonlyMap<string, string>
}

const contactKey = (leg: LegId, user: UserId): string => `${leg}\n${user}`

/**
 * Handles are the part before the @ as long as nobody else has the same: a short name that could mean two people means
 * neither, because a line that reaches the wrong one cannot be taken back.
 */
export const lobbyBook = (contacts: readonly LobbyContact[], groups: readonly LobbyGroup[]): LobbyBook => {
  const locals = Map.groupBy(contacts, (contact) => localPart(contact.user).toLowerCase())
  const taken = new Set(groups.map((group) => group.handle.toLowerCase()))
  const handles = new Map<string, string>()
  const addressees = contacts.map((contact): { contact: LobbyContact; addressee: Addressee } => {
    const local = localPart(contact.user)
    const alone = locals.get(local.toLowerCase())?.length === 1 && !taken.has(local.toLowerCase())
    const handle = alone ? local : contact.user
    handles.set(contactKey(contact.leg, contact.user), handle)
    return { contact, addressee: { leg: contact.leg, handle, place: { kind: 'direct', with: contact.user } } }
  })
  // The first layer that knows a word decides: a display name must not catch what is meant for an address.
  const layers = [
    addressees.map(({ contact, addressee }) => [contact.user, addressee] as const),
    groups.map(
      (group) =>
        [group.handle, { leg: group.leg, handle: group.handle, place: { kind: 'chat', chat: group.chat } }] as const,
    ),
    addressees.map(({ contact, addressee }) => [localPart(contact.user), addressee] as const),
    addressees.map(({ contact, addressee }) => [contact.name.replaceAll(/\s+/gu, ''), addressee] as const),
  ]
  const byWord = new Map<string, Addressee[]>()
  for (const layer of layers) {
    const here = new Map<string, Addressee[]>()
    for (const [word, addressee] of layer) {
      const key = word.toLowerCase()
      if (key === '' || byWord.has(key)) continue
      here.set(key, [...(here.get(key) ?? []), addressee])
    }
    for (const [word, list] of here) byWord.set(word, list)
  }
  return { byWord, handles }
}

export const handleOf = (book: LobbyBook, leg: LegId, user: UserId): string | undefined =>
  book.handles.get(contactKey(leg, user))

export type Address =
  | { readonly kind: 'to'; readonly to: Addressee; readonly text: RichText }
  /** Nobody is named at the beginning. */
  | { readonly kind: 'nobody' }
  /** It looks like an address, but it is nobody's. */
  | { readonly kind: 'unknown'; readonly word: string }
  | { readonly kind: 'ambiguous'; readonly word: string; readonly handles: readonly string[] }

/** Reads "bob: hello" or "bob, hello"; what follows keeps its styling. */
export const address = (text: RichText, book: LobbyBook): Address => {
  const words = textOf(text)
  const match = /^\s*(?<word>[^\s:,]+)[:,](?:\s+|$)/u.exec(words)
  const word = match?.groups?.['word']
  if (match === null || word === undefined || word.length > WORD_LIMIT) return { kind: 'nobody' }
  const found = book.byWord.get(word.toLowerCase()) ?? []
  const [to, ...more] = found
  if (to === undefined) return { kind: 'unknown', word }
  if (more.length > 0) return { kind: 'ambiguous', word, handles: found.map((one) => one.handle) }
  const rest = sliceOf(text, match[0].length)
  return textOf(rest) === '' ? { kind: 'nobody' } : { kind: 'to', to, text: rest }
}
