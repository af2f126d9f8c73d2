/** Pure. Presence in BitlBee's words, there and back. */
import type { Availability, PresenceState } from '../../../bridge/model/presence.ts'

/** undefined: there, and not away. */
export const STATE_WORDS: Readonly<Record<Availability, string | undefined>> = {
  online: undefined,
  idle: 'Idle',
  away: 'Away',
  brb: 'Be Right Back',
  busy: 'Busy',
  phone: 'On the Phone',
  lunch: 'Out to Lunch',
  hidden: 'Offline',
  offline: 'Offline',
}

/** What 301 says of somebody; undefined: they are not away. "Busy (fixing bugs)". */
export const awayWords = ({ show, text }: PresenceState): string | undefined => {
  const state = STATE_WORDS[show]
  if (state === undefined || isOffline(show)) return state
  const own = oneLine(text ?? '')
  return own === '' ? state : `${state} (${own})`
}

export const isOffline = (show: Availability): boolean => show === 'offline' || show === 'hidden'

/** In lower case, without blanks and strokes. The longest that fits wins. */
const WORDS: readonly (readonly [word: string, show: Availability])[] = [
  ['away', 'away'],
  ['na', 'away'],
  ['notavailable', 'away'],
  ['busy', 'busy'],
  ['dnd', 'busy'],
  ['donotdisturb', 'busy'],
  ['brb', 'brb'],
  ['berightback', 'brb'],
  ['phone', 'phone'],
  ['onthephone', 'phone'],
  ['lunch', 'lunch'],
  ['food', 'lunch'],
  ['outtolunch', 'lunch'],
  ['idle', 'idle'],
  ['invisible', 'hidden'],
  ['hidden', 'hidden'],
]
/** Characters of a personal message that are passed on. */
const LONGEST = 500

/**
 * `/away WORDS`: "Busy", "Busy - fixing bugs", "Lunch: back at two" are a state with text; anything else is Away with those
 * words. `undefined` or nothing: back.
 */
export const presenceOf = (words: string | undefined): PresenceState => {
  const said = oneLine(words ?? '')
  if (said === '') return { show: 'online' }
  const match = /^([\p{L}/' ]+?)\s*(?:[-:,;(]+\s*(.*?)\)?)?$/u.exec(said)
  const show = match === null ? undefined : showOf(match[1] ?? '')
  if (show === undefined) return { show: 'away', text: said.slice(0, LONGEST).toWellFormed() }
  const text = (match?.[2] ?? '').slice(0, LONGEST).toWellFormed()
  return text === '' ? { show } : { show, text }
}

const showOf = (said: string): Availability | undefined => {
  const key = said.toLowerCase().replace(/[^\p{L}]/gu, '')
  return WORDS.find(([word]) => word === key)?.[1]
}

const oneLine = (text: string): string => text.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim()
