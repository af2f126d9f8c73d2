/** What goes wrong on command. */
export interface RequestFacts {
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Whom it was made for; '' without a valid token. */
  readonly user: string
}

/** Part of the path, a pattern for `METHOD path`, or anything. */
export type Matcher = string | RegExp | ((request: RequestFacts) => boolean)

export interface Failing {
  readonly status: number
  readonly errcode?: string
  readonly retryAfterMs?: number
  /** Absent: until `clear`. */
  readonly times?: number
  /** `after`: it is carried out all the same. */
  readonly when?: 'before' | 'after'
}

type Action =
  | { readonly kind: 'fail'; readonly failing: Failing }
  /** The socket is closed instead of an answer, before or after the request is carried out. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  /** It is carried out when `released`. */
  | { readonly kind: 'hold'; readonly released: Promise<void> }

interface Fault {
  readonly matches: (request: RequestFacts) => boolean
  readonly action: Action
  left: number
  used: number
}

/** Takes a fault back; `used` says how often it struck. */
export interface FaultHandle {
  readonly used: number
  clear(): void
}

export class Faults {
  readonly #faults = new Set<Fault>()

  add(matcher: Matcher, action: Action, times = Infinity): FaultHandle {
    const fault: Fault = { matches: testOf(matcher), action, left: times, used: 0 }
    this.#faults.add(fault)
    return {
      get used() {
        return fault.used
      },
      clear: () => this.#faults.delete(fault),
    }
  }

  clear(): void {
    this.#faults.clear()
  }

  /** The action for a request, counted as used. */
  take(request: RequestFacts): Action | undefined {
    for (const fault of this.#faults) {
      if (!fault.matches(request)) continue
      fault.used++
      if (--fault.left <= 0) this.#faults.delete(fault)
      return fault.action
    }
    return undefined
  }
}

const testOf = (matcher: Matcher): ((request: RequestFacts) => boolean) => {
  if (typeof matcher === 'function') return matcher
  if (typeof matcher === 'string') return ({ path }) => path.includes(matcher)
  return ({ method, path }) => matcher.test(`${method} ${path}`)
}
