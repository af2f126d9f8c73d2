/**
 * `m.status` in the profiles of ghosts (MSC4426): what Element shows beside a name. A profile stays when nobody asserts
 * it, so what we wrote is remembered on disk and taken out when it is no longer true.
 */
import type { AdapterState } from '../../bridge/adapter.ts'
import { isMxid } from './ids.ts'
import { path } from './paths.ts'
import type { Look } from './presence.ts'
import type { Answer, HomeserverPort, Mxid } from './types.ts'

const KEY = 'm.status/'

export interface StatusFieldDeps {
  readonly homeserver: Pick<HomeserverPort, 'request'>
  readonly state: AdapterState
}

export class StatusField {
  readonly #deps: StatusFieldDeps
  /** What stands in the profile, as we know. */
  readonly #written = new Map<Mxid, string>()
  #unsupported = false

  constructor(deps: StatusFieldDeps) {
    this.#deps = deps
  }

  /** What was written before the start. */
  async load(): Promise<readonly Mxid[]> {
    for (const [key, value] of await this.#deps.state.list(KEY)) {
      const ghost = key.slice(KEY.length)
      if (isMxid(ghost)) this.#written.set(ghost, value)
    }
    return [...this.#written.keys()]
  }

  /** The homeserver may be another version by now. */
  online(): void {
    this.#unsupported = false
  }

  differs(ghost: Mxid, look: Look): boolean {
    return !this.#unsupported && this.#written.get(ghost) !== valueOf(look)
  }

  /** One attempt. A homeserver without such fields is not asked again. */
  async put(ghost: Mxid, look: Look, signal: AbortSignal): Promise<Answer<unknown>> {
    const value = valueOf(look)
    const answer = await this.#deps.homeserver.request<unknown>({
      ...(value === undefined
        ? { method: 'DELETE' }
        : { method: 'PUT', body: { 'm.status': { text: look.text, emoji: look.emoji } } }),
      path: path`/_matrix/client/v3/profile/${ghost}/m.status`,
      as: ghost,
      signal,
    })
    const failure = answer.ok ? undefined : answer.failure
    if (failure !== undefined && failure.kind !== 'refused') return answer
    if (failure !== undefined && (failure.errcode === 'M_UNRECOGNIZED' || failure.status === 405))
      this.#unsupported = true
    else {
      if (value === undefined) this.#written.delete(ghost)
      else this.#written.set(ghost, value)
      // What could not be noted is at worst written once more.
      await this.#deps.state.update([[KEY + ghost, value]]).catch(() => undefined)
    }
    return answer
  }
}

const valueOf = ({ text, emoji }: Look): string | undefined =>
  text === undefined ? undefined : `${emoji ?? ''} ${text}`
