/** Where the talk with each contact goes on: in a query, or in a channel. It stays where it was last. */
import type { ContactKey, SettingsPort } from '../types.ts'
import { contactId } from './chats.ts'
import type { Shelf } from './shelf.ts'

/** A query, root's words, or the name of a channel. */
export type PlaceName = string
export const QUERY: PlaceName = 'query'
/** Root tells of what they say. */
export const ROOT: PlaceName = 'root'

const KIND = 'place'
/** Places that are kept of one person; past it the oldest goes. */
export const MAX_PLACES = 5_000

export interface PlacesOptions {
  readonly shelf: Pick<Shelf, 'put'>
  /** Rows of the kind `place`. */
  readonly rows: readonly (readonly [contact: string, value: string])[]
  readonly settings: SettingsPort
  /** Whether the person is in that channel. */
  readonly isIn: (channel: string) => boolean
  /** The control channel, if they are in one. */
  readonly control: () => string | undefined
  readonly failed: (error: unknown) => void
}

export class Places {
  readonly #options: PlacesOptions
  readonly #places: Map<string, PlaceName>

  constructor(options: PlacesOptions) {
    this.#options = options
    this.#places = new Map(options.rows)
  }

  /** `listed`: they are on the contact list. undefined: what they say is not shown. */
  of(key: ContactKey, listed: boolean): PlaceName | undefined {
    const { settings, isIn, control } = this.#options
    const known = this.#places.get(contactId(key))
    if (known === QUERY || (known !== undefined && isIn(known))) return known
    if (!listed) {
      const how = settings.own(`account/${key.account}/handle_unknown`) ?? settings.get('handle_unknown')
      if (how === 'ignore') return undefined
      if (how === 'root') return ROOT
      return how === 'add_channel' ? (control() ?? QUERY) : QUERY
    }
    return settings.isOn('private') ? QUERY : (control() ?? QUERY)
  }

  moved(key: ContactKey, place: PlaceName): void {
    const id = contactId(key)
    if (this.#places.get(id) === place) return
    const changes: (readonly [string, string | undefined])[] = [[`${KIND}/${id}`, place]]
    this.#places.set(id, place)
    const [oldest] = this.#places.size > MAX_PLACES ? this.#places.keys() : []
    if (oldest !== undefined) {
      this.#places.delete(oldest)
      changes.push([`${KIND}/${oldest}`, undefined])
    }
    this.#options.shelf.put(...changes).catch(this.#options.failed)
  }

  /** A channel is there no more. */
  gone(channel: string): void {
    const gone = [...this.#places].filter(([, place]) => place === channel).map(([id]) => id)
    for (const id of gone) this.#places.delete(id)
    this.#options.shelf.put(...gone.map((id) => [`${KIND}/${id}`, undefined] as const)).catch(this.#options.failed)
  }
}
