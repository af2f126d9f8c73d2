/** What a person has `set`. */
import type { SettingsPort } from '../types.ts'
import type { Shelf } from './shelf.ts'

export interface SettingsOptions {
  readonly shelf: Shelf
  /** By name, of all that can be set. */
  readonly defaults: ReadonlyMap<string, string>
  readonly rows: readonly (readonly [name: string, value: string])[]
  /** `before`: what `get` said of it. */
  readonly changed: (name: string, before: string) => void
}

const KIND = 'set'
/** Own values of one person. */
export const MAX_SETTINGS = 1_000

/** What a channel's own `auto_join` says; undefined: nothing. */
export const autoJoin = (settings: Pick<SettingsPort, 'own'>, folded: string): boolean | undefined => {
  const own = settings.own(`channel/${folded}/auto_join`)
  return own === undefined ? undefined : isOn(own)
}

const isOn = (value: string): boolean => /^(true|yes|on|1)$/i.test(value)

export class Settings implements SettingsPort {
  readonly #options: SettingsOptions
  readonly #own: Map<string, string>

  constructor(options: SettingsOptions) {
    this.#options = options
    this.#own = new Map(options.rows)
  }

  get(name: string): string {
    return this.#own.get(name) ?? this.#options.defaults.get(name) ?? ''
  }

  isOn(name: string): boolean {
    return isOn(this.get(name))
  }

  own(name: string): string | undefined {
    return this.#own.get(name)
  }

  async set(name: string, value: string | undefined): Promise<void> {
    const before = this.#own.get(name)
    if (before === value) return
    if (before === undefined && this.#own.size >= MAX_SETTINGS) throw new Error('too many settings')
    const shown = this.get(name)
    await this.#options.shelf.put([`${KIND}/${name}`, value])
    if (value === undefined) this.#own.delete(name)
    else this.#own.set(name, value)
    this.#options.changed(name, shown)
  }
}
