/**
 * What nobody of a person's clients has seen: notes of messages, whose text stays in the history, and words of the bridge,
 * which is in no history. Durable, in order, bounded; what had to go is counted.
 */
import type { ChatId, MessageId } from '../../../bridge/model/ids.ts'
import type { Shelf } from './shelf.ts'

export type Note =
  | {
      readonly kind: 'message'
      readonly chat: ChatId
      readonly id: MessageId
      readonly at: number
      /** It may have been shown. */
      readonly doubt?: true
    }
  /** chat absent: root says it. */
  | { readonly kind: 'words'; readonly chat?: ChatId; readonly at: number; readonly text: string }

export interface Missing {
  readonly notes: readonly Note[]
  /** How many older ones are lost of a chat; '': of root's words. */
  readonly dropped: ReadonlyMap<string, number>
  /** Takes them off the disk. */
  forget(): Promise<void>
  /** Nobody has seen them after all. */
  keep(): void
}

export interface MissedOptions {
  readonly shelf: Pick<Shelf, 'put'>
  /** Rows of the kinds `missed` and `lost`. */
  readonly rows: readonly (readonly [number: string, value: string])[]
  readonly lost: readonly (readonly [chat: string, count: string])[]
  /** Messages of one chat. */
  readonly limit: number
}

export const KIND = 'missed'
const LOST = 'lost'
/** Words of the bridge, of one chat. */
export const MAX_WORDS = 200
const DIGITS = 12

export class Missed {
  readonly #options: MissedOptions
  #notes = new Map<string, Note>()
  #lost: Map<string, number>
  readonly #counts = new Map<string, number>()
  #next = 0

  constructor(options: MissedOptions) {
    this.#options = options
    for (const [number, value] of options.rows) {
      this.#put(number, JSON.parse(value) as Note)
      this.#next = Math.max(this.#next, Number(number) + 1)
    }
    this.#lost = new Map(options.lost.map(([chat, count]) => [decodeURIComponent(chat), Number(count)]))
  }

  get size(): number {
    return this.#notes.size
  }

  /** Durable when it resolves. */
  note(note: Note): Promise<void> {
    const number = String(this.#next++).padStart(DIGITS, '0')
    const changes: (readonly [string, string | undefined])[] = [[`${KIND}/${number}`, JSON.stringify(note)]]
    const group = groupOf(note)
    if ((this.#counts.get(group) ?? 0) >= (note.kind === 'words' ? MAX_WORDS : this.#options.limit)) {
      const oldest = this.#oldest(group)
      if (oldest !== undefined) {
        this.#drop(oldest)
        const chat = note.chat ?? ''
        const count = (this.#lost.get(chat) ?? 0) + 1
        this.#lost.set(chat, count)
        changes.push([`${KIND}/${oldest}`, undefined], [`${LOST}/${encodeURIComponent(chat)}`, String(count)])
      }
    }
    this.#put(number, note)
    return this.#options.shelf.put(...changes)
  }

  /** All there is; from now on it is the caller's. */
  take(): Missing {
    const notes = this.#notes
    const lost = this.#lost
    this.#notes = new Map()
    this.#lost = new Map()
    this.#counts.clear()
    return {
      notes: [...notes.values()],
      dropped: lost,
      forget: () =>
        this.#options.shelf.put(
          ...[...notes.keys()].map((number) => [`${KIND}/${number}`, undefined] as const),
          ...[...lost.keys()].map((chat) => [`${LOST}/${encodeURIComponent(chat)}`, undefined] as const),
        ),
      keep: () => {
        const newer = [...this.#notes]
        this.#notes = new Map()
        this.#counts.clear()
        for (const [number, note] of [...notes, ...newer]) this.#put(number, note)
        for (const [chat, count] of lost) this.#lost.set(chat, (this.#lost.get(chat) ?? 0) + count)
      },
    }
  }

  #put(number: string, note: Note): void {
    this.#notes.set(number, note)
    const group = groupOf(note)
    this.#counts.set(group, (this.#counts.get(group) ?? 0) + 1)
  }

  #drop(number: string): void {
    const note = this.#notes.get(number)
    if (note === undefined) return
    this.#notes.delete(number)
    this.#counts.set(groupOf(note), (this.#counts.get(groupOf(note)) ?? 1) - 1)
  }

  #oldest(group: string): string | undefined {
    for (const [number, note] of this.#notes) if (groupOf(note) === group) return number
    return undefined
  }
}

const groupOf = (note: Note): string => `${note.kind} ${note.chat ?? ''}`
