/**
 * What the bot has answered, by the event that asked for it: a command that was carried out before a crash is answered
 * after it, not carried out again.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { RichText, Span } from '../../bridge/model/text.ts'
import { isEventId } from './ids.ts'
import type { Change } from './secrets.ts'
import type { MatrixEventId } from './types.ts'
import { jsonOf, recordOf, textIn } from './untrusted.ts'

const KEY = 'answer/'
/** Answers that are remembered. An event that comes again after so many others is none that we have half done. */
export const MAX_ANSWERS = 200

export class SaidOnce {
  readonly #context: Pick<AdapterContext, 'state' | 'clock'>
  /** Oldest first. */
  readonly #answers = new Map<MatrixEventId, readonly RichText[]>()

  constructor(context: Pick<AdapterContext, 'state' | 'clock'>) {
    this.#context = context
  }

  async load(): Promise<void> {
    const read = (await this.#context.state.list(KEY)).flatMap(([key, value]) => {
      const event = key.slice(KEY.length)
      const { at, texts } = recordOf(jsonOf(value))
      return isEventId(event) && typeof at === 'number' && Array.isArray(texts) ? [{ event, at, texts }] : []
    })
    for (const { event, texts } of read.toSorted((one, other) => one.at - other.at))
      this.#answers.set(event, texts.map(readRich))
  }

  of(event: MatrixEventId): readonly RichText[] | undefined {
    return this.#answers.get(event)
  }

  /** In memory at once; the changes are to be stored. */
  put(event: MatrixEventId, texts: readonly RichText[]): readonly Change[] {
    this.#answers.set(event, texts)
    const changes: Change[] = [[KEY + event, JSON.stringify({ at: this.#context.clock.now(), texts })]]
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS) break
      this.#answers.delete(oldest)
      changes.push([KEY + oldest, undefined])
    }
    return changes
  }
}

const readRich = (value: unknown): RichText =>
  Array.isArray(value) ? value.filter((span): span is Span => textIn(span, 'text') !== undefined) : []
