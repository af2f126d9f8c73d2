/** Pure. How a contact is seen, and what clients are told when that changes. */
import type { AccountView, ContactView } from '../../../bridge/adapter.ts'
import type { AccountId } from '../../../bridge/model/ids.ts'
import { awayWords, isOffline } from './away-words.ts'

/** As clients have been told. */
export interface Seen {
  readonly account: AccountId
  readonly nick: string
  readonly online: boolean
  readonly away: string | undefined
  readonly name: string
  readonly groups: readonly string[] | undefined
}

/** undefined: they are not on the contact list. */
export const seenAs = (
  nick: string,
  view: ContactView | undefined,
  account: AccountView | undefined,
): Seen | undefined => {
  if (view?.listed !== true || account === undefined) return undefined
  const presence = account.state.kind === 'online' ? view.presence : undefined
  const online = presence !== undefined && !isOffline(presence.show)
  return {
    account: account.id,
    nick,
    online,
    away: online ? awayWords(presence) : 'Offline',
    name: shownAs(view),
    groups: view.groups,
  }
}

/** As the person calls them, else as they call themselves, else their address. */
export const shownAs = ({ nickname, name, user }: Pick<ContactView, 'nickname' | 'name' | 'user'>): string =>
  nickname !== undefined && nickname !== '' ? nickname : name === '' ? user : name

export type Change =
  | { readonly kind: 'join'; readonly channel: string; readonly prefixes: string }
  | { readonly kind: 'part'; readonly channel: string }
  | { readonly kind: 'mode'; readonly channel: string; readonly modes: string }
  | { readonly kind: 'quit'; readonly words: string }
  | { readonly kind: 'nick'; readonly to: string }
  | { readonly kind: 'away'; readonly words: string | undefined }
  | { readonly kind: 'name'; readonly name: string }

/** One channel that shows contacts: with which prefixes; undefined: not at all. */
export interface Filled {
  readonly name: string
  prefixes(seen: Seen): string | undefined
}

export interface HowTold {
  readonly channels: readonly Filled[]
  /** As they were filled before, where that has changed. */
  readonly were?: readonly Filled[]
  /** Words of the QUIT of somebody who is offline now; undefined: they part. */
  readonly quit: string | undefined
  /** The same of somebody who is no contact any more. */
  readonly removed: string
  /** They are in a channel of several, too, or in a query: clients know them though no control channel shows them. */
  readonly knownElsewhere: boolean
}

/** Each difference once, in the order in which BitlBee tells it. */
export const changesOf = (before: Seen | undefined, after: Seen | undefined, how: HowTold): readonly Change[] => {
  const changes: Change[] = []
  const was = how.channels.map((channel) => {
    const old = how.were === undefined ? channel : how.were.find(({ name }) => name === channel.name)
    return before && old?.prefixes(before)
  })
  const isIn = was.some((prefixes) => prefixes !== undefined)
  const wentOff = before?.online === true && after?.online !== true
  const quit = after === undefined && before !== undefined ? how.removed : wentOff ? how.quit : undefined
  if (before !== undefined && after !== undefined && before.nick !== after.nick && (isIn || how.knownElsewhere))
    changes.push({ kind: 'nick', to: after.nick })
  if (quit !== undefined && (isIn || how.knownElsewhere)) changes.push({ kind: 'quit', words: quit })
  const hasQuit = quit !== undefined
  let stayed = false
  let appeared = false
  const modes: Change[] = []
  for (const [index, channel] of how.channels.entries()) {
    const from = hasQuit ? undefined : was[index]
    const to = after && channel.prefixes(after)
    if (from === undefined && to !== undefined) {
      changes.push({ kind: 'join', channel: channel.name, prefixes: to })
      appeared = true
    } else if (from !== undefined && to === undefined) changes.push({ kind: 'part', channel: channel.name })
    else if (from !== undefined && to !== undefined) {
      stayed = true
      if (from !== to) modes.push({ kind: 'mode', channel: channel.name, modes: modesBetween(from, to) })
    }
  }
  if (after === undefined) return changes
  const awayNow = after.online ? after.away : undefined
  const awayThen = hasQuit || before?.online !== true ? undefined : before.away
  const back = awayThen !== undefined && awayNow === undefined
  const away: readonly Change[] =
    (stayed || appeared) && after.online && awayNow !== (stayed ? awayThen : undefined)
      ? [{ kind: 'away', words: awayNow }]
      : []
  // Gone away: -v, then the words. Back: no words, then +v.
  changes.push(...(back ? [...away, ...modes] : [...modes, ...away]))
  if (before !== undefined && stayed && before.name !== after.name) changes.push({ kind: 'name', name: after.name })
  return changes
}

const LETTERS: readonly (readonly [prefix: string, mode: string])[] = [
  ['@', 'o'],
  ['%', 'h'],
  ['+', 'v'],
]

/** "-v", "+o-v" */
export const modesBetween = (from: string, to: string): string => {
  const only = (here: string, there: string): string =>
    LETTERS.flatMap(([prefix, mode]) => (here.includes(prefix) && !there.includes(prefix) ? [mode] : [])).join('')
  const added = only(to, from)
  const taken = only(from, to)
  return (added === '' ? '' : `+${added}`) + (taken === '' ? '' : `-${taken}`)
}
