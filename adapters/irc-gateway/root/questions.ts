/** What root has asked of people and not heard yet, mostly whether somebody may be their contact. Kept over restarts. */
import type { AdapterState } from '../../../bridge/adapter.ts'
import type { Choice } from '../../../bridge/model/events.ts'
import type { AccountId, UserId } from '../../../bridge/model/ids.ts'
import type { ClientPort, PersonPort } from '../types.ts'
import { isAccountOn } from './settings.ts'

/** Something that root wants to know of somebody; what they choose is run as a command of the bridge. */
export interface Asking {
  readonly text: string
  /** The first is a yes, the second a no. */
  readonly choices: readonly Choice[]
}

export interface QuestionsPort {
  /** Durable when it resolves. What waits for an answer already is not asked again. */
  ask(person: PersonPort, asking: Asking): Promise<void>
}

/** Questions of one person; past it the oldest is forgotten. */
const LIMIT = 100
const PREFIX = 'question/'

export interface Question {
  readonly text: string
  /** Commands of the bridge. */
  readonly yes: string
  readonly no: string
}

interface Kept {
  readonly key: string
  readonly question: Question
}

export class Questions implements QuestionsPort {
  readonly #state: AdapterState
  /** Oldest first. */
  readonly #people = new Map<UserId, Promise<Kept[]>>()

  /** The core has asked one of them for a yes: what they say next answers that. */
  readonly #confirming = new WeakSet<ClientPort>()

  constructor(state: AdapterState) {
    this.#state = state
  }

  expect(client: ClientPort): void {
    this.#confirming.add(client)
  }

  /** Whether it was so; it is no more. */
  expected(client: ClientPort): boolean {
    return this.#confirming.delete(client)
  }

  async ask(person: PersonPort, { text, choices }: Asking): Promise<void> {
    const [yes, no] = choices
    if (yes === undefined || no === undefined) {
      person.rootSays(text)
      return
    }
    const account = accountAsked(yes.line)
    if (account !== undefined && isAccountOn(person.settings, account, 'ignore_auth_requests')) return
    const kept = await this.#of(person.user)
    if (kept.some(({ question }) => question.yes === yes.line)) return
    // What the bridge says everywhere ends in commands to type; here a yes is enough.
    const question = {
      text: (text.split(` Say: ${yes.line}`)[0] ?? text).slice(0, 1_000),
      yes: yes.line,
      no: no.line,
    }
    const key = `${prefixOf(person.user)}${String(numberAfter(kept)).padStart(12, '0')}`
    const gone = kept.slice(0, Math.max(0, kept.length + 1 - LIMIT))
    const one = { key, question }
    // Before it is on disk, so that another one right behind it gets another number.
    kept.splice(0, gone.length)
    kept.push(one)
    try {
      await this.#state.update([
        [key, JSON.stringify(question)],
        ...gone.map(({ key: old }) => [old, undefined] as const),
      ])
    } catch (error) {
      kept.splice(kept.indexOf(one), 1)
      throw error
    }
    person.rootSays(`New request: ${question.text}`, 'Answer with yes or no; qlist shows what else I want to know.')
  }

  /** The one that is answered first comes first. */
  async list(person: PersonPort): Promise<readonly Question[]> {
    const questions = (await this.#of(person.user)).map(({ question }) => question)
    return person.settings.get('query_order') === 'fifo' ? questions : questions.toReversed()
  }

  /** It has been answered, here or by a command: all that one of its lines stands for. */
  async settle(user: UserId, isAnswered: (question: Question) => boolean): Promise<void> {
    const kept = await this.#of(user)
    const gone = kept.filter(({ question }) => isAnswered(question))
    if (gone.length === 0) return
    await this.#state.update(gone.map(({ key }) => [key, undefined] as const))
    for (const one of gone) kept.splice(kept.indexOf(one), 1)
  }

  /** They have no account here any more. */
  async forget(user: UserId): Promise<void> {
    await this.settle(user, () => true)
    this.#people.delete(user)
  }

  #of(user: UserId): Promise<Kept[]> {
    const known = this.#people.get(user)
    if (known !== undefined) return known
    const loading = this.#state.list(prefixOf(user)).then((pairs) => pairs.flatMap(([key, value]) => parse(key, value)))
    this.#people.set(user, loading)
    loading.catch(() => this.#people.delete(user))
    return loading
  }
}

/** For which account something is asked: its lines end with it. */
export const accountAsked = (yes: string): AccountId | undefined => yes.split(' ').at(-1) as AccountId | undefined

const prefixOf = (user: UserId): string => `${PREFIX}${encodeURIComponent(user)}/`

const numberAfter = (kept: readonly Kept[]): number => Number(kept.at(-1)?.key.slice(-12) ?? -1) + 1

/** What is damaged was no question. */
const parse = (key: string, value: string): readonly Kept[] => {
  try {
    const { text, yes, no } = JSON.parse(value) as Readonly<Record<string, unknown>>
    if (typeof text !== 'string' || typeof yes !== 'string' || typeof no !== 'string') return []
    return [{ key, question: { text, yes, no } }]
  } catch {
    return []
  }
}
