/** What was written to a client and not confirmed by it: should it die, nobody knows whether that was seen. */
import type { ClientPort } from '../types.ts'
import type { Note } from './missed.ts'

type MessageNote = Extract<Note, { kind: 'message' }>

/** Of one client; of what is older it is taken that it arrived. */
export const MAX_UNCONFIRMED = 2_000

interface Open {
  notes: MessageNote[]
  /** How many of them the confirmation that is under way is about; 0: none is. */
  asked: number
}

export class Written {
  readonly #confirm: ((client: ClientPort) => void) | undefined
  readonly #open = new Map<ClientPort, Open>()

  constructor(confirm: ((client: ClientPort) => void) | undefined) {
    this.#confirm = confirm
  }

  wrote(client: ClientPort, note: MessageNote): void {
    if (this.#confirm === undefined) return
    const open = this.#open.get(client) ?? { notes: [], asked: 0 }
    this.#open.set(client, open)
    open.notes.push(note)
    if (open.notes.length > MAX_UNCONFIRMED) {
      const gone = open.notes.length - MAX_UNCONFIRMED / 2
      open.notes = open.notes.slice(gone)
      open.asked = open.asked === 0 ? 0 : Math.max(1, open.asked - gone)
    }
    if (open.asked === 0) this.#ask(client, open)
  }

  /** It has seen all that was written before it was asked. */
  confirmed(client: ClientPort): void {
    const open = this.#open.get(client)
    if (open === undefined) return
    open.notes = open.notes.slice(open.asked)
    open.asked = 0
    if (open.notes.length === 0) this.#open.delete(client)
    else this.#ask(client, open)
  }

  /** What none of them has confirmed: a client that hangs may be the only one. */
  unseen(clients: Iterable<ClientPort>): readonly MessageNote[] {
    const [first, ...others] = [...clients].map((client) => this.#open.get(client)?.notes ?? [])
    if (first === undefined) return []
    const ids = others.map((notes) => new Set(notes.map(({ id }) => id)))
    return first.filter(({ id }) => ids.every((known) => known.has(id)))
  }

  /** It is gone: what it may not have seen. */
  take(client: ClientPort): readonly MessageNote[] {
    const notes = this.#open.get(client)?.notes ?? []
    this.#open.delete(client)
    return notes
  }

  #ask(client: ClientPort, open: Open): void {
    open.asked = open.notes.length
    this.#confirm?.(client)
  }
}
