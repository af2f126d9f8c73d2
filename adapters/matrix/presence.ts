/** How available somebody is, as Matrix and the core say it, both ways. Pure tables. */
import { cleaned } from './clean.ts'
import type { Availability, PresenceState } from '../../bridge/model/presence.ts'

/** MSC3026; only where the homeserver has it. */
export const BUSY = 'org.matrix.msc3026.busy'

export type Shown = 'online' | 'unavailable' | 'offline' | typeof BUSY

/** What a ghost shows. `text` is its status message. */
export interface Look {
  readonly presence: Shown
  readonly text?: string
  /** Stands before the text in `m.status` (MSC4426), which wants one. */
  readonly emoji?: string
}

/** MSC4426 allows 256 bytes in `m.status`; longer ones are refused. */
export const MAX_STATUS_BYTES = 256

interface Row {
  readonly presence: Exclude<Shown, typeof BUSY>
  readonly busy?: true
  /** Said where there is no personal message. */
  readonly word?: string
  readonly emoji: string
}

const TALK = '💬'

const ROWS: Readonly<Record<Availability, Row>> = {
  online: { presence: 'online', emoji: TALK },
  idle: { presence: 'unavailable', emoji: TALK },
  away: { presence: 'unavailable', word: 'Away', emoji: '🕒' },
  brb: { presence: 'unavailable', word: 'Be right back', emoji: '🔜' },
  busy: { presence: 'unavailable', busy: true, word: 'Busy', emoji: '⛔' },
  phone: { presence: 'unavailable', busy: true, word: 'On the phone', emoji: '📞' },
  lunch: { presence: 'unavailable', word: 'Out to lunch', emoji: '🍴' },
  hidden: { presence: 'offline', emoji: TALK },
  offline: { presence: 'offline', emoji: TALK },
}

/** `busy`: the homeserver has MSC3026. */
export const lookOf = (state: PresenceState, busy: boolean): Look => {
  const row = ROWS[state.show]
  if (row.presence === 'offline') return { presence: 'offline' }
  const presence = row.busy === true && busy ? BUSY : row.presence
  const own = cut(clean(state.text ?? ''))
  if (own !== '') return { presence, text: own, emoji: row.emoji }
  const song = cut(songOf(state))
  // Whoever is at lunch is not asked what is playing.
  if (song !== '' && row.word === undefined) return { presence, text: song, emoji: '🎵' }
  return row.word === undefined ? { presence } : { presence, text: row.word, emoji: row.emoji }
}

/** The content of `m.presence` of one of our people; undefined: it makes no sense. */
export const stateOf = (content: Readonly<Record<string, unknown>>): PresenceState | undefined => {
  const said = content['status_msg']
  const text = typeof said === 'string' ? cut(clean(said)) : ''
  switch (content['presence']) {
    case 'online':
      return withText('online', text)
    case 'unavailable':
      return worded(text, ['away', 'brb', 'lunch', 'busy', 'phone']) ?? withText('idle', text)
    case 'busy':
    case BUSY:
      return worded(text, ['busy', 'phone']) ?? withText('busy', text)
    case 'offline':
      return { show: 'offline' }
    default:
      return undefined
  }
}

/** Somebody who is not there may say how, in the words that we use ourselves. */
const worded = (text: string, among: readonly Availability[]): PresenceState | undefined => {
  const show = among.find((each) => ROWS[each].word?.toLowerCase() === text.toLowerCase())
  return show === undefined ? undefined : { show }
}

const withText = (show: Availability, text: string): PresenceState => (text === '' ? { show } : { show, text })

const songOf = ({ playing }: PresenceState): string =>
  playing === undefined ? '' : clean([playing.artist ?? '', playing.title].filter((part) => part !== '').join(' - '))

const clean = (text: string): string => cleaned(text).replace(/\s+/g, ' ').trim()

/** No longer than a status may be, and no character broken. */
const cut = (text: string): string => {
  let bytes = 0
  let end = 0
  for (const sign of text) {
    bytes += Buffer.byteLength(sign)
    if (bytes > MAX_STATUS_BYTES) return text.slice(0, end)
    end += sign.length
  }
  return text
}
