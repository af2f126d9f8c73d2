/** Which handler answers a request: patterns like `/rooms/:room/state/:type`, found by method, length and first word. */
import type { Content } from './power.ts'
import type { Pusher } from './pusher.ts'

export interface Incoming {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** {} where there is none. */
  readonly body: Content
  readonly raw: Buffer
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Without the query, as it came. */
  readonly path: string
  /** Whom it is made for. */
  readonly user: string
  readonly device?: string
  /** The application service that made it. */
  readonly service?: Pusher
}

/** Bytes, or what is answered as JSON. Rejects or throws with MatrixError. */
export type Handler = (request: Incoming) => unknown

export interface Route {
  readonly method: string
  readonly path: string
  readonly open: boolean
  readonly handler: Handler
}

/** `METHOD /path`; open: without a token. */
export const route = (what: string, handler: Handler, open = false): Route => {
  const [method = '', path = ''] = what.split(' ')
  return { method, path, open, handler }
}

export class Router {
  readonly #routes = new Map<string, { readonly route: Route; readonly words: readonly string[] }[]>()
  readonly #paths = new Map<string, true>()

  constructor(routes: readonly Route[]) {
    for (const each of routes) {
      const words = each.path.split('/')
      const key = keyOf(each.method, words)
      this.#routes.set(key, [...(this.#routes.get(key) ?? []), { route: each, words }])
      this.#paths.set(keyOf('', words), true)
    }
  }

  find(method: string, path: string): { readonly route: Route; readonly params: Record<string, string> } | undefined {
    const words = path.replace('/_matrix/client/r0/', '/_matrix/client/v3/').split('/')
    for (const { route: found, words: pattern } of this.#routes.get(keyOf(method, words)) ?? []) {
      const params: Record<string, string> = {}
      const fits = pattern.every((word, index) => {
        const given = words[index] ?? ''
        if (!word.startsWith(':')) return word === given
        params[word.slice(1)] = decode(given)
        return true
      })
      if (fits) return { route: found, params }
    }
    return undefined
  }
}

const keyOf = (method: string, words: readonly string[]): string =>
  `${method} ${words.length} ${words[2] ?? ''} ${words[4] ?? ''}`

const decode = (word: string): string => {
  try {
    return decodeURIComponent(word)
  } catch {
    return word
  }
}
