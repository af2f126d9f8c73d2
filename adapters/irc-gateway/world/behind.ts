/** What comes for a client while it is shown what was missed follows behind that, so that nothing overtakes. */
import type { ClientPort } from '../types.ts'
import type { Note } from './missed.ts'

export interface Follower {
  readonly note: Extract<Note, { kind: 'message' }>
  readonly write: () => void
}

/** For one client; past it the newest is written at once, before its turn. */
const MAX_BEHIND = 2_000

export class Behind {
  readonly #waiting = new Map<ClientPort, Follower[]>()

  begin(client: ClientPort): void {
    if (!this.#waiting.has(client)) this.#waiting.set(client, [])
  }

  /** Written now, or later. */
  write(client: ClientPort, follower: Follower): void {
    const waiting = this.#waiting.get(client)
    if (waiting === undefined || waiting.length >= MAX_BEHIND) follower.write()
    else waiting.push(follower)
  }

  end(client: ClientPort): void {
    for (const { write } of this.take(client)) write()
  }

  /** It is gone: what was never written to it. */
  take(client: ClientPort): readonly Follower[] {
    const waiting = this.#waiting.get(client) ?? []
    this.#waiting.delete(client)
    return waiting
  }
}
