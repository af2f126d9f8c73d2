/** Pure. What `m.room.member` says, and what the other networks are told of it. */
import type { Membership, StoredInbound } from '../../bridge/model/events.ts'
import type { ChatRef, MessageId, UserRef } from '../../bridge/model/ids.ts'
import { oneLine } from './clean.ts'
import type { RoomEvent } from './types.ts'
import { recordOf, textIn } from './untrusted.ts'

/** UTF-16 units. */
const MAX_SHOWN = 200

/** What they were in the room before, where the homeserver says so. */
const membershipBefore = (event: RoomEvent): string | undefined =>
  textIn(recordOf(event.unsigned)['prev_content'], 'membership')

/** undefined: nothing that others need to know, such as a new name, an invitation that was declined, an end of a ban. */
export const changeOf = (event: RoomEvent): Membership | undefined => {
  const before = membershipBefore(event)
  const bySelf = event.sender === event.state_key
  switch (textIn(event.content, 'membership')) {
    case 'invite':
      return 'invite'
    case 'join':
      return before === 'join' ? undefined : 'join'
    case 'leave':
      if (before !== undefined && before !== 'join') return undefined
      return bySelf ? 'leave' : 'kick'
    case 'ban':
      return before === undefined || before === 'join' ? 'kick' : undefined
    case undefined:
    default:
      return undefined
  }
}

export const memberEvent = (
  event: RoomEvent,
  chat: ChatRef,
  sender: UserRef,
  user: UserRef,
  change: Membership,
): StoredInbound => {
  // Both become part of a line on other networks.
  const userName = oneLine(textIn(event.content, 'displayname') ?? '', MAX_SHOWN)
  const reason = oneLine(textIn(event.content, 'reason') ?? '', MAX_SHOWN)
  return {
    kind: 'member',
    id: event.event_id as string as MessageId,
    at: event.origin_server_ts,
    chat,
    sender,
    user,
    ...(userName === '' ? {} : { userName }),
    change,
    ...(reason === '' ? {} : { reason }),
  }
}
