/**
 * What became of the lines that we wrote. A line is delivered when the server has echoed or acknowledged it, or has
 * answered a PING that was written after it; refused when the server says so; uncertain when the connection ends first.
 * Time is an argument.
 */
import type { Reason } from '../../bridge/model/result.ts'

export type LineOutcome =
  | { readonly kind: 'delivered'; readonly msgid?: string }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'uncertain'; readonly detail: string }
  /** Never written. */
  | { readonly kind: 'unsent'; readonly reason: Reason; readonly detail: string }

export type Refusal = Extract<LineOutcome, { kind: 'refused' }>

export interface Written {
  /** Folded by the server's case mapping. */
  readonly target: string
  readonly text: string
  /** The label it was sent with (labeled-response). */
  readonly label?: string
  readonly settle: (outcome: LineOutcome) => void
}

interface Pending extends Written {
  readonly at: number
  /** Number of the PING that covers it. */
  ping: number | undefined
}

const PING_TOKEN = /^mb(\d+)$/

export class Confirmations {
  readonly #pending = new Set<Pending>()
  /** Refusals without a label, by target, until a PONG tells how many lines they can be about. */
  readonly #refusals = new Map<string, Refusal[]>()
  #pings = 0

  /** Lines that no PING covers yet. */
  get uncovered(): number {
    let count = 0
    for (const entry of this.#pending) if (entry.ping === undefined) count++
    return count
  }

  /** When the oldest uncovered line was written. */
  get uncoveredSince(): number | undefined {
    for (const entry of this.#pending) if (entry.ping === undefined) return entry.at
    return undefined
  }

  get size(): number {
    return this.#pending.size
  }

  written(line: Written, now: number): void {
    this.#pending.add({ ...line, at: now, ping: undefined })
  }

  /** The token of the next PING. Call `pinged` with it when the PING has been written. */
  nextToken(): string {
    return `mb${++this.#pings}`
  }

  pinged(token: string): void {
    const number = numberOf(token)
    for (const entry of this.#pending) entry.ping ??= number
  }

  /** Our own words have come back. True: a line of ours was waiting for that. */
  echoed(target: string, text: string, label: string | undefined, msgid: string | undefined): boolean {
    for (const entry of this.#pending) {
      const hit = label === undefined ? entry.target === target && entry.text === text : entry.label === label
      if (hit) return this.#settle(entry, { kind: 'delivered', ...(msgid === undefined ? {} : { msgid }) })
    }
    return false
  }

  /** labeled-response: the server has taken the line and has nothing to say about it. */
  acknowledged(label: string): boolean {
    for (const entry of this.#pending) if (entry.label === label) return this.#settle(entry, { kind: 'delivered' })
    return false
  }

  /** The server would not have it. True: a line of ours can be meant. */
  refused(target: string, label: string | undefined, refusal: Refusal): boolean {
    const open = [...this.#pending].filter((entry) =>
      label === undefined ? entry.target === target : entry.label === label,
    )
    const [only] = open
    if (only === undefined) return false
    if (label !== undefined || open.length === 1) return this.#settle(only, refusal)
    const known = this.#refusals.get(target) ?? []
    // More refusals than lines cannot be about our lines.
    if (known.length < open.length) this.#refusals.set(target, [...known, refusal])
    return true
  }

  /** Settles what was written before that PING. */
  pong(token: string): void {
    const number = numberOf(token)
    if (number === undefined) return
    const covered = new Map<string, Pending[]>()
    for (const entry of this.#pending) {
      if (entry.ping === undefined || entry.ping > number) continue
      covered.set(entry.target, [...(covered.get(entry.target) ?? []), entry])
    }
    for (const [target, entries] of covered) {
      // Without labels a refusal does not say which line it means. A channel falls silent more often than it opens up
      // in the middle of our lines, so the last ones are those that were refused.
      const refusals = this.#refusals.get(target) ?? []
      const first = entries.length - refusals.length
      for (const [index, entry] of entries.entries())
        this.#settle(entry, refusals[index - first] ?? { kind: 'delivered' })
      this.#refusals.delete(target)
    }
  }

  expire(before: number): void {
    for (const entry of this.#pending) {
      if (entry.at > before) return
      this.#settle(entry, { kind: 'uncertain', detail: 'the IRC server has not confirmed the line in time' })
    }
  }

  lost(): void {
    for (const entry of this.#pending) {
      this.#settle(entry, { kind: 'uncertain', detail: 'the IRC connection ended before the line was confirmed' })
    }
  }

  #settle(entry: Pending, outcome: LineOutcome): true {
    this.#pending.delete(entry)
    entry.settle(outcome)
    return true
  }
}

const numberOf = (token: string): number | undefined => {
  const digits = PING_TOKEN.exec(token)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * 412 is not among them: servers that trim lines say it to the space that stands for an empty line, and then nothing
 * is lost that anybody could see.
 */
const REFUSALS: Readonly<Record<string, Reason>> = {
  '401': 'not-found',
  '402': 'not-found',
  '403': 'not-found',
  '404': 'forbidden',
  '406': 'not-found',
  '407': 'forbidden',
  '408': 'forbidden',
  '415': 'forbidden',
  '417': 'too-large',
  '437': 'forbidden',
  '442': 'forbidden',
  '477': 'forbidden',
  '482': 'forbidden',
  '486': 'forbidden',
  '489': 'forbidden',
  '531': 'forbidden',
  '716': 'forbidden',
}

/** A numeric that refuses a line: `:server 404 me #chan :Cannot send to channel (+m)`. */
export const readRefusal = (
  command: string,
  params: readonly string[],
): { readonly target: string; readonly refusal: Refusal } | undefined => {
  const reason = REFUSALS[command]
  const [, target = '', ...rest] = params
  if (reason === undefined || target === '') return undefined
  return { target, refusal: { kind: 'refused', reason, detail: `${target}: ${rest.at(-1) ?? `refused (${command})`}` } }
}
