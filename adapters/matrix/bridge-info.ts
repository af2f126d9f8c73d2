/** Pure. What a room says about itself to clients: that it is bridged, to whom, and who in it is only a servant. */
import type { PortalRequest } from '../../bridge/adapter.ts'
import type { PortalId } from '../../bridge/model/ids.ts'
import { oneLine } from './clean.ts'
import type { Mxid, RoomId } from './types.ts'

export interface StateEvent {
  readonly type: string
  readonly state_key: string
  readonly content: Readonly<Record<string, unknown>>
}

/** In `m.room.create` of rooms that we make, and in the bridge info: which of ours it is. */
export const MARK = 'org.msn-bridge.id'

/** The stable type and the one that clients know so far. Their key is the same for good: the portal's. */
const BRIDGE_TYPES = ['m.bridge', 'uk.half-shot.bridge'] as const

const bridgeKey = (portal: PortalId): string => `org.msn-bridge://${portal}`

/** MSC2346. */
export const bridgeInfo = (bot: Mxid, request: PortalRequest): readonly StateEvent[] => {
  const network = String(request.with[0]?.user.network ?? 'msn')
  const people = request.with.map(({ user, name }) => ({ id: user.user, displayname: name }))
  const [only] = people
  const content = {
    bridgebot: bot,
    creator: request.owner,
    protocol: { id: 'msn', displayname: 'MSN' },
    network: { id: network, displayname: network },
    channel: request.direct && only !== undefined ? only : { id: request.portal, displayname: nameOfGroup(request) },
    'com.beeper.room_type': request.direct ? 'dm' : 'group_dm',
    [MARK]: request.portal,
  }
  return BRIDGE_TYPES.map((type) => ({ type, state_key: bridgeKey(request.portal), content }))
}

/** MSC4171: the bot does not count when a client makes up the room's name. */
export const functionalMembers = (bot: Mxid): StateEvent => ({
  type: 'io.element.functional_members',
  state_key: '',
  content: { service_members: [bot] },
})

/** UTF-16 units. */
const MAX_NAME = 255
/** People named in the name of a group; the others are a number. */
const MAX_NAMED = 4

/** "Bob, Carol", "Bob, Carol, Dan, Eve and 3 others". */
export const nameOfGroup = ({ with: people }: Pick<PortalRequest, 'with'>): string => {
  const names = people.map(({ user, name }) => (name === '' ? user.user : name))
  const more = names.length - MAX_NAMED
  const shown = names.slice(0, MAX_NAMED).join(', ')
  return more <= 0 ? shown : `${shown} and ${more} ${more === 1 ? 'other' : 'others'}`
}

/** What to call the room; undefined: nothing, clients call a direct one as the contact. */
export const roomNameOf = (request: PortalRequest): string | undefined => {
  const name = oneLine(request.title ?? (request.direct ? '' : nameOfGroup(request)), MAX_NAME)
  return name === '' ? undefined : name
}

/** The room's place in the space of the account. `domain`: where the space can be found. */
export const spaceParent = (space: RoomId, domain: string): StateEvent => ({
  type: 'm.space.parent',
  state_key: space,
  content: { via: [domain], canonical: true },
})
