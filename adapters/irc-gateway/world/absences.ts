/** Who belongs to a group and is not seen in its channel, because they are offline. Not kept: another run sees for itself. */
import type { UserId } from '../../../bridge/model/ids.ts'
import type { ContactKey } from '../types.ts'
import type { Contacts } from './contacts.ts'
import type { GroupRow } from './group-rows.ts'
import { foldNick } from './nicks.ts'
import type { Self } from './types.ts'

export interface AbsencesOptions {
  readonly self: Pick<Self, 'settings'>
  readonly contacts: () => Pick<Contacts, 'faceOf'>
}

export class Absences {
  readonly #options: AbsencesOptions
  readonly #absent = new Map<string, Set<UserId>>()

  constructor(options: AbsencesOptions) {
    this.#options = options
  }

  has(channel: string, user: UserId): boolean {
    return this.#absent.get(foldNick(channel))?.has(user) === true
  }

  add(channel: string, user: UserId): void {
    const folded = foldNick(channel)
    const absent = this.#absent.get(folded) ?? new Set()
    this.#absent.set(folded, absent)
    absent.add(user)
  }

  delete(channel: string, user: UserId): void {
    this.#absent.get(foldNick(channel))?.delete(user)
  }

  clear(): void {
    this.#absent.clear()
  }

  /** A channel is entered; there may have been another one of its name before. */
  settle({ name, account, members }: Pick<GroupRow, 'name' | 'account' | 'members'>): void {
    for (const user of members)
      if (this.isOffline({ account, user })) this.add(name, user)
      else this.delete(name, user)
  }

  /** And so is seen nowhere. */
  isOffline(key: ContactKey): boolean {
    const { self, contacts } = this.#options
    const face = contacts().faceOf(key)
    return self.settings.isOn('offline_user_quits') && face?.listed === true && !face.online
  }
}
