/**
 * Passwords and tokens that people write to the bot. They are taken out of the event before it is stored, and kept in
 * memory until the bot acts on it; that one was asked for is on disk, so that a restart does not store the answer.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import { withoutFallback } from './body-in.ts'
import { isCancel, mayAsk, secretIn, type Spoken } from './spoken.ts'
import type { MatrixEventId, Mxid, RoomEvent, RoomId } from './types.ts'
import { jsonOf, recordOf, textIn } from './untrusted.ts'

/** Who asked: the bridge, or we for a token of Matrix. */
export type Asker = 'core' | 'puppet'
export type Change = readonly [key: string, value: string | undefined]

/**
 * What an event was before it was taken out. answer: of a question. late: of one that is over. inline: behind its command.
 * perhaps: written before the bot could say whether it asks. edit: of something that was taken out.
 */
export type Concealed = 'answer' | 'late' | 'inline' | 'perhaps' | 'edit'
const KINDS: ReadonlySet<unknown> = new Set<Concealed>(['answer', 'late', 'inline', 'perhaps', 'edit'])

/** In the content of an event whose words were taken out. */
const MARK = 'org.msn-bridge.secret'
const KEY = 'secret/'
/** A question is over after this. */
export const ASKED_MS = 5 * 60_000
/** Secrets in memory, and questions: past it the oldest is forgotten. */
export const MAX_KEPT = 500

interface Question {
  readonly asker: Asker
  readonly until: number
  answered: boolean
}

export class Secrets {
  readonly #context: Pick<AdapterContext, 'state' | 'clock'>
  readonly #questions = new Map<string, Question>()
  /** Commands under way that may ask. */
  readonly #asking = new Map<string, MatrixEventId>()
  readonly #kept = new Map<
    MatrixEventId,
    { readonly kind: Concealed; readonly left: string; readonly secret: string }
  >()
  /** Events that were taken out, for their corrections. */
  readonly #taken = new Set<string>()

  constructor(context: Pick<AdapterContext, 'state' | 'clock'>) {
    this.#context = context
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.#context.state.list(KEY)) {
      const { asker, until } = recordOf(jsonOf(value))
      if ((asker === 'core' || asker === 'puppet') && typeof until === 'number')
        this.#questions.set(key.slice(KEY.length), { asker, until, answered: false })
    }
  }

  /** The next thing that they say there is a secret. To be stored before they read the question. */
  ask(user: Mxid, room: RoomId, asker: Asker): Change {
    const key = keyOf(user, room)
    const question = { asker, until: this.#context.clock.now() + ASKED_MS, answered: false }
    trim(this.#questions)
    this.#questions.set(key, question)
    return [KEY + key, JSON.stringify({ asker, until: question.until })]
  }

  /** It was answered, or is not wanted any more. */
  close(user: Mxid, room: RoomId): Change | undefined {
    const key = keyOf(user, room)
    return this.#questions.delete(key) ? [KEY + key, undefined] : undefined
  }

  /** What was asked there, whether in time or not. */
  asked(user: Mxid, room: RoomId): Asker | undefined {
    return this.#questions.get(keyOf(user, room))?.asker
  }

  /** Takes a secret out. `corrected`: what a correction says now. The same event may come again, until it is stored. */
  conceal(event: RoomEvent, spoken: Spoken | undefined, corrected?: Spoken): RoomEvent {
    const clean = withoutMark(event)
    const known = this.#kept.get(event.event_id)
    if (known !== undefined) return marked(clean, known.kind, known.left)
    const kind = event.type === 'm.room.message' ? this.#kindOf(clean, spoken, corrected) : undefined
    const key = keyOf(event.sender, event.room_id)
    const line = spoken?.line
    if (spoken !== undefined && isAlone(spoken) && mayAsk(spoken.line)) {
      trim(this.#asking)
      this.#asking.set(key, event.event_id)
    }
    if (kind === undefined) return clean
    const question = this.#questions.get(key)
    if (kind === 'answer' && question !== undefined) question.answered = true
    const inline = kind === 'inline' && line !== undefined ? secretIn(line) : undefined
    const left = inline === undefined ? '' : `${spoken?.trigger ?? ''}${inline.line}`
    trim(this.#kept)
    this.#kept.set(event.event_id, { kind, left, secret: inline?.secret ?? bodyOf(clean.content) })
    trim(this.#taken)
    this.#taken.add(event.event_id)
    return marked(clean, kind, left)
  }

  /** What was taken out, once; undefined: it is lost. */
  take(event: MatrixEventId): string | undefined {
    const kept = this.#kept.get(event)
    this.#kept.delete(event)
    return kept?.secret
  }

  /** The bot has acted on the event: nothing more comes of it. */
  settled({ event_id, sender, room_id }: RoomEvent): void {
    this.#kept.delete(event_id)
    const key = keyOf(sender, room_id)
    if (this.#asking.get(key) === event_id) this.#asking.delete(key)
  }

  #kindOf({ sender, room_id, content }: RoomEvent, spoken?: Spoken, corrected?: Spoken): Concealed | undefined {
    const key = keyOf(sender, room_id)
    const question = this.#questions.get(key)
    const relation = recordOf(content['m.relates_to'])
    if (relation['rel_type'] === 'm.replace') {
      const of = relation['event_id']
      const says = corrected !== undefined && secretIn(corrected.line) !== undefined
      const hides = question !== undefined || this.#asking.has(key) || says
      return hides || (typeof of === 'string' && this.#taken.has(of)) ? 'edit' : undefined
    }
    // Whatever kind of words it is said in; the name of a file is none.
    if (typeof content['body'] !== 'string' || 'url' in content || 'file' in content) return undefined
    const isOver = question !== undefined && question.until <= this.#context.clock.now()
    if (question !== undefined && spoken !== undefined && isCancel(spoken.line)) return undefined
    if (question !== undefined && !question.answered) return isOver ? 'late' : 'answer'
    if (spoken !== undefined && secretIn(spoken.line) !== undefined) return 'inline'
    const mayBeAsked = question !== undefined || this.#asking.has(key)
    return mayBeAsked && spoken !== undefined && isAlone(spoken) ? 'perhaps' : undefined
  }
}

/** How the words of a stored event were taken out, if they were. */
export const concealedOf = ({ content }: RoomEvent): Concealed | undefined => {
  const kind = content[MARK]
  return KINDS.has(kind) ? (kind as Concealed) : undefined
}

/** Without the quote of what it answers. */
const bodyOf = (content: RoomEvent['content']): string => {
  const body = textIn(content, 'body') ?? ''
  return recordOf(content['m.relates_to'])['m.in_reply_to'] === undefined ? body : withoutFallback(body)
}

/** Nobody else reads it: only there we ask. */
const isAlone = ({ trigger }: Spoken): boolean => trigger === undefined

const keyOf = (user: Mxid, room: RoomId): string => `${user} ${room}`

/** Nothing of it is left: not the formatted text, nor what it was before. */
const marked = (
  { type, room_id, event_id, sender, origin_server_ts }: RoomEvent,
  kind: Concealed,
  body: string,
): RoomEvent => ({
  type,
  room_id,
  event_id,
  sender,
  origin_server_ts,
  content: { msgtype: 'm.text', body, [MARK]: kind },
})

/** Somebody else wrote our mark. */
const withoutMark = (event: RoomEvent): RoomEvent =>
  MARK in event.content
    ? { ...event, content: Object.fromEntries(Object.entries(event.content).filter(([key]) => key !== MARK)) }
    : event

/** Makes room for one more. */
const trim = (kept: Map<string, unknown> | Set<string>): void => {
  const [oldest] = kept.keys()
  if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest)
}
