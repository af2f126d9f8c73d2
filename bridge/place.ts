/** Names of lanes: an account and a place. Stored in the database, so changing the format needs a migration. */
import type { AccountId, ChatId, NetworkId, PortalId, UserId } from './model/ids.ts'
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
    case 'portal':
      return [account, 'portal', place.portal]
    case 'home':
      return [account, 'home', place.user]
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
    case 'portal':
      return { account: owner, place: { kind, portal: first as PortalId } }
    case 'home':
      return { account: owner, place: { kind, user: first as UserId } }
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
export const laneOfLeg = (leg: Leg): LaneKey | undefined => {
  const place = placeOf(leg.request)
  return place === undefined ? undefined : laneKey(leg.via, place)
}

/** Where a leg speaks. */
export const placeOf = (request: Leg['request']): Place | undefined => {
  switch (request.kind) {
    case 'lobby':
      return undefined
    case 'portal':
      return { kind: 'portal', portal: request.portal }
    case 'direct':
    case 'group':
    case 'channel':
    case 'home':
    case 'chat':
      return request
  }
}
