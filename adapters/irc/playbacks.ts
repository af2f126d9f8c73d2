/** History that a server plays by itself on joining (announced by BATCH): it was news once, and is not bridged again. */
import type { IrcMessage } from 'irc-framework'

/** Playbacks that may be open at once. */
export const MAX_PLAYBACKS = 64
const TYPES = new Set(['chathistory', 'draft/chathistory', 'znc.in/playback', 'playback'])

export class Playbacks {
  readonly #open = new Set<string>()

  message({ command, params }: IrcMessage): void {
    const [reference = '', type = ''] = params
    if (command !== 'BATCH') return
    if (reference.startsWith('-')) this.#open.delete(reference.slice(1))
    else if (TYPES.has(type) && this.#open.size < MAX_PLAYBACKS) this.#open.add(reference.slice(1))
  }

  has(reference: string): boolean {
    return this.#open.has(reference)
  }
}
