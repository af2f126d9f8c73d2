/**
 * Who is online: each device of a user has a state, the best one is shown. What a device does makes it online when it was
 * unavailable; nobody refreshes it: it is offline again.
 */
import { badRequest } from './errors.ts'
import type { FakeUser } from './state.ts'

export interface PresenceOptions {
  /** `busy` is known (MSC3026). */
  readonly busy: boolean
  /** Milliseconds after which somebody who does nothing is offline; absent: never. */
  readonly timeoutMs?: number
  readonly now: () => number
  readonly changed: (user: FakeUser) => void
}

/** The last one counts most. */
const STATES = ['offline', 'unavailable', 'online', 'busy']

export class PresenceBoard {
  readonly #options: PresenceOptions
  readonly #devices = new Map<string, Map<string, string>>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  set(user: FakeUser, device: string | undefined, presence: string, status?: string): void {
    const known = presence === 'busy' ? this.#options.busy : STATES.includes(presence)
    if (!known) throw badRequest('Invalid presence state')
    this.#of(user).set(device ?? '', presence)
    this.#refresh(user)
    this.#show(user, status === '' ? undefined : status)
  }

  /** Typing, a receipt or a message. */
  active(user: FakeUser, device: string | undefined): void {
    const devices = this.#of(user)
    if (devices.get(device ?? '') === 'unavailable') devices.set(device ?? '', 'online')
    this.#refresh(user)
    this.#show(user, user.presence.status)
  }

  /** As a homeserver that stops. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#devices.clear()
  }

  #of(user: FakeUser): Map<string, string> {
    const devices = this.#devices.get(user.id) ?? new Map<string, string>()
    this.#devices.set(user.id, devices)
    return devices
  }

  #show(user: FakeUser, status: string | undefined): void {
    const best = Math.max(...[...this.#of(user).values()].map((state) => STATES.indexOf(state)), 0)
    const presence = STATES[best] ?? 'offline'
    const before = user.presence
    if (before.presence === presence && before.status === status) return
    user.presence = { presence, since: this.#options.now(), ...(status === undefined ? {} : { status }) }
    this.#options.changed(user)
  }

  #refresh(user: FakeUser): void {
    const { timeoutMs } = this.#options
    if (timeoutMs === undefined) return
    clearTimeout(this.#timers.get(user.id))
    const over = (): void => {
      this.#timers.delete(user.id)
      this.#devices.delete(user.id)
      this.#show(user, undefined)
    }
    this.#timers.set(user.id, setTimeout(over, timeoutMs))
  }
}
