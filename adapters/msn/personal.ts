/** What people write beside their names, there and back. Pure; docs/protocol.md, Personal message. */
import type { Availability, PresenceState } from '../../bridge/model/presence.ts'
import { mediaLine, songOf, type CurrentMedia, type PersonalMessage } from '../../msnp/index.ts'

/** What somebody of MSN says, as the core is told: a song by its parts, a game as it reads when there is no other text. */
export function stateOf(show: Availability, personal: PersonalMessage | undefined): PresenceState {
  if (show === 'offline' || personal === undefined) return { show }
  const { text, media } = personal
  const playing = songOf(media)
  const words = text === '' && media !== undefined && playing === undefined ? mediaLine(media) : text
  return { show, ...(words === '' ? {} : { text: words }), ...(playing === undefined ? {} : { playing }) }
}

/** What to say with UUX. */
export const personalOf = ({ text = '', playing }: PresenceState): PersonalMessage => ({
  text,
  media: playing === undefined ? undefined : music(playing),
})

const music = ({ title, artist, album }: NonNullable<PresenceState['playing']>): CurrentMedia => ({
  application: '',
  type: 'Music',
  format: artist === undefined ? '{0}' : '{0} - {1}',
  args: [title, ...(artist === undefined ? [] : [artist, ...(album === undefined ? [] : [album])])],
})
