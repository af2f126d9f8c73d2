/** Names of lanes: an account and a place. Stored in the database, so changing the format needs a migration. */
import type { AccountId, ChatId, NetworkId, UserId } from './model/ids.ts'
import type { LaneKey, Leg, Place } from './store/port.ts'

export interface LaneTarget {
  readonly account: AccountId
  readonly place: Place
}

/** Members of a group count as a set. */
export const laneKey = (account: AccountId, place: Place): LaneKey => JSON.stringify(parts(account, place)) as LaneKey

const parts = (account: AccountId, place: Place): readonly string[] => {
  switch (place.kind) {
    case 'direct':
      return [account, 'direct', place.with]
    case 'group':
      return [account, 'group', ...new Set(place.members.toSorted())]
    case 'channel':
      return [account, 'channel', place.name]
    case 'chat':
      return [
        account,
        'chat',
        place.chat.network,
        place.chat.chat,
        ...(place.chat.account === undefined ? [] : [place.chat.account]),
      ]
  }
}

/** Undoes `laneKey`. Throws on what `laneKey` did not make: that is a broken database. */
export const laneTarget = (key: LaneKey): LaneTarget => {
  const list = JSON.parse(key) as readonly string[]
  const [account, kind, first = '', second = '', third] = list
  const owner = account as AccountId
  switch (kind) {
    case 'direct':
      return { account: owner, place: { kind, with: first as UserId } }
    case 'group':
      return { account: owner, place: { kind, members: list.slice(2) as UserId[] } }
    case 'channel':
      return { account: owner, place: { kind, name: first as ChatId } }
    case 'chat': {
      const chat = { network: first as NetworkId, chat: second as ChatId }
      return {
        account: owner,
        place: { kind, chat: third === undefined ? chat : { ...chat, account: third as AccountId } },
      }
    }
    case undefined:
    default:
      throw new Error(`not a lane: ${key}`)
  }
}

/** The lane of a leg; a lobby has none of its own. */
export const laneOfLeg = (leg: Leg): LaneKey | undefined =>
  leg.request.kind === 'lobby' ? undefined : laneKey(leg.via, leg.request)
