/** Pure. Which contacts a control channel shows, and with which prefix: fill_by and show_users. */
import type { AccountView } from '../../../bridge/adapter.ts'
import type { Filled, Seen } from './presence.ts'

export type Condition = 'online' | 'away' | 'offline'

/** "online+,special%,away" -> online with +, away with nothing; who is offline is not shown. */
export const parseShowUsers = (text: string): ReadonlyMap<Condition, string> => {
  const shown = new Map<Condition, string>()
  for (const word of text.split(',')) {
    const [, name, prefix = ''] = /^\s*(online|away|offline)([@%+]?)\s*$/i.exec(word) ?? []
    if (name !== undefined) shown.set(name.toLowerCase() as Condition, prefix)
  }
  return shown
}

export interface Filling {
  /** all, group, account, protocol; "!" before it: all but those. */
  readonly by: string
  /** Of the group, account or protocol. */
  readonly value: string
  readonly show: ReadonlyMap<Condition, string>
}

/** How an account may be called: its tag, id, network, address. */
export type AccountNames = (account: AccountView['id']) => readonly string[]

export const filledBy = (name: string, { by, value, show }: Filling, namesOf: AccountNames): Filled => {
  const isNot = by.startsWith('!')
  const kind = isNot ? by.slice(1) : by
  const wanted = value.toLowerCase()
  const fits = (seen: Seen): boolean => {
    switch (kind) {
      case 'group':
        return seen.groups?.some((group) => group.toLowerCase() === wanted) ?? false
      case 'account':
      case 'protocol':
        return namesOf(seen.account).some((each) => each.toLowerCase() === wanted)
      default:
        return true
    }
  }
  return { name, prefixes: (seen) => (fits(seen) === isNot ? undefined : show.get(conditionOf(seen))) }
}

const conditionOf = ({ online, away }: Seen): Condition =>
  !online ? 'offline' : away === undefined ? 'online' : 'away'

/** Prefixes of root and of the person, by the setting `ops`. */
export const opsOf = (setting: string): { readonly root: string; readonly self: string } => ({
  root: setting === 'both' || setting === 'root' ? '@' : '',
  self: setting === 'both' || setting === 'user' ? '@' : '',
})
