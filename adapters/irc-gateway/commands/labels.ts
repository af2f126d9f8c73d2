/**
 * labeled-response: everything that goes to a client because of one line of its is one answer. Which messages those are
 * is known by the asynchronous context in which they are sent, so what others cause meanwhile stays out.
 * Source: ircv3.net, labeled-response.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientPort } from '../types.ts'
import { works } from '../wire/caps.ts'
import type { ServerMessage } from '../wire/message.ts'

/** "The value MUST NOT exceed 64 bytes." */
const MAX_LABEL_BYTES = 64

const current = new AsyncLocalStorage<LabeledAnswer | undefined>()

/**
 * Whether the messages were taken into the answer that is being made for that client. To be asked first by whatever
 * sends: what is taken comes back with its tags.
 */
export const takenIntoAnswer = (client: ClientPort, messages: readonly ServerMessage[]): boolean =>
  current.getStore()?.take(client, messages) ?? false

/** What `work` sends is no part of the answer, whatever it is. */
export const outsideAnswer = <Result>(work: () => Result): Result => current.run(undefined, work)

/** The label of a line, where the client may use labels. */
export const labelOf = (client: ClientPort, tags: ReadonlyMap<string, string>): string | undefined => {
  const label = tags.get('label')
  if (label === undefined || label === '' || Buffer.byteLength(label) > MAX_LABEL_BYTES) return undefined
  return works(client.caps, 'labeled-response') ? label : undefined
}

/** The answer is complete when `work` is. `ref` names the batch if there is one. */
export const answerLabeled = (
  client: ClientPort,
  label: string,
  ref: () => string,
  work: () => Promise<void> | undefined,
): Promise<void> | undefined => {
  const answer = new LabeledAnswer(client, label, ref)
  try {
    const working = current.run(answer, work)
    if (working !== undefined) return working.finally(() => answer.end())
  } catch (error) {
    answer.end()
    throw error
  }
  answer.end()
  return undefined
}

/** nothing: no message yet. one: held back, since it may stay alone. batch: ours. theirs: a batch is the whole answer. */
type State =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'one'; readonly message: ServerMessage }
  | { readonly kind: 'batch' | 'theirs'; readonly ref: string }
  | { readonly kind: 'over' }

class LabeledAnswer {
  readonly #client: ClientPort
  readonly #label: string
  readonly #ref: () => string
  #state: State = { kind: 'nothing' }

  constructor(client: ClientPort, label: string, ref: () => string) {
    this.#client = client
    this.#label = label
    this.#ref = ref
  }

  take(client: ClientPort, messages: readonly ServerMessage[]): boolean {
    if (client !== this.#client) return false
    this.#say(messages.flatMap((message) => this.#next(message)))
    return true
  }

  end(): void {
    const state = this.#state
    this.#state = { kind: 'over' }
    switch (state.kind) {
      case 'nothing':
        this.#say([this.#labeled({ verb: 'ACK', params: [] })])
        break
      case 'one':
        this.#say([this.#labeled(state.message)])
        break
      case 'batch':
        this.#say([{ verb: 'BATCH', params: [`-${state.ref}`] }])
        break
      case 'theirs':
      case 'over':
        break
    }
  }

  /** What can be said now that this one has come. */
  #next(message: ServerMessage): readonly ServerMessage[] {
    const state = this.#state
    switch (state.kind) {
      case 'nothing': {
        const opened = refOf(message, '+')
        // "The batch type MUST be one of: An existing type applicable to the entire response"
        this.#state = opened === undefined ? { kind: 'one', message } : { kind: 'theirs', ref: opened }
        return opened === undefined ? [] : [this.#labeled(message)]
      }
      case 'one': {
        const ref = this.#ref()
        this.#state = { kind: 'batch', ref }
        const open = this.#labeled({ verb: 'BATCH', params: [`+${ref}`, 'labeled-response'] })
        return [open, within(state.message, ref), within(message, ref)]
      }
      case 'batch':
        return [within(message, state.ref)]
      case 'theirs':
        if (refOf(message, '-') === state.ref) this.#state = { kind: 'over' }
        return [message]
      case 'over':
        return [message]
    }
  }

  #labeled(message: ServerMessage): ServerMessage {
    return { ...message, tags: { ...message.tags, label: this.#label } }
  }

  #say(messages: readonly ServerMessage[]): void {
    if (messages.length > 0) outsideAnswer(() => this.#client.send(...messages))
  }
}

const refOf = ({ verb, params: [ref = ''] }: ServerMessage, sign: '+' | '-'): string | undefined =>
  verb === 'BATCH' && ref.startsWith(sign) ? ref.slice(1) : undefined

/** What is in a batch of its own within ours says so; its beginning and its end are in ours. */
const within = (message: ServerMessage, ref: string): ServerMessage =>
  message.tags?.['batch'] === undefined ? { ...message, tags: { ...message.tags, batch: ref } } : message
