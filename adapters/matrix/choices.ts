/** Questions that can be answered with one touch: the possible answers stand under them as reactions of the bot. */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { Choice } from '../../bridge/model/events.ts'
import { isEventId, isMxid } from './ids.ts'
import type { Change } from './secrets.ts'
import type { MatrixEventId, Mxid, Room, RoomEvent } from './types.ts'
import { jsonOf, recordOf, textIn } from './untrusted.ts'

const KEY = 'ask/'
/** Open questions; past it the oldest can be answered by command only. */
export const MAX_ASKS = 1_000

interface Ask {
  readonly at: number
  /** Who may answer. */
  readonly user: Mxid
  readonly choices: readonly Pick<Choice, 'key' | 'line'>[]
}

/** What a reaction means. */
export interface Chosen {
  readonly ask: MatrixEventId
  /** A command. */
  readonly line: string
}

export class Choices {
  readonly #context: Pick<AdapterContext, 'state' | 'clock'>
  /** Oldest first. */
  readonly #asks = new Map<MatrixEventId, Ask>()

  constructor(context: Pick<AdapterContext, 'state' | 'clock'>) {
    this.#context = context
  }

  async load(): Promise<void> {
    const read = (await this.#context.state.list(KEY)).flatMap(([key, value]) => {
      const event = key.slice(KEY.length)
      const ask = readAsk(value)
      return isEventId(event) && ask !== undefined ? [[event, ask] as const] : []
    })
    for (const [event, ask] of read.toSorted(([, one], [, other]) => one.at - other.at)) this.#asks.set(event, ask)
  }

  /** This notice asks the owner of the room. Rejects when that cannot be stored; harmless when it is told twice. */
  async note({ owner }: Room, event: MatrixEventId, choices: readonly Choice[]): Promise<void> {
    if (owner === undefined) return
    const ask: Ask = {
      at: this.#context.clock.now(),
      user: owner,
      choices: choices.map(({ key, line }) => ({ key, line })),
    }
    this.#asks.set(event, ask)
    const changes: Change[] = [[KEY + event, JSON.stringify(ask)]]
    for (const oldest of this.#asks.keys()) {
      if (this.#asks.size <= MAX_ASKS) break
      changes.push(this.close(oldest))
    }
    await this.#context.state.update(changes)
  }

  /** undefined: the reaction answers nothing, or whoever made it was not asked. */
  chosenBy({ type, sender, content }: RoomEvent): Chosen | undefined {
    if (type !== 'm.reaction') return undefined
    const { event_id: event, key } = recordOf(content['m.relates_to'])
    const ask = isEventId(event) ? this.#asks.get(event) : undefined
    if (!isEventId(event) || ask === undefined || ask.user !== sender || typeof key !== 'string') return undefined
    const choice = ask.choices.find((each) => bare(each.key) === bare(key))
    return choice === undefined ? undefined : { ask: event, line: choice.line }
  }

  /** It was answered: each is answered once. */
  close(ask: MatrixEventId): Change {
    this.#asks.delete(ask)
    return [KEY + ask, undefined]
  }
}

/** Clients add the variation selector to an emoji, or leave it out. */
const bare = (key: string): string => key.replaceAll('\ufe0f', '')

const readAsk = (value: string): Ask | undefined => {
  const { at, user, choices } = recordOf(jsonOf(value))
  if (typeof at !== 'number' || !isMxid(user) || !Array.isArray(choices)) return undefined
  const read = choices.flatMap((choice) => {
    const key = textIn(choice, 'key')
    const line = textIn(choice, 'line')
    return key === undefined || line === undefined ? [] : [{ key, line }]
  })
  return { at, user, choices: read }
}
