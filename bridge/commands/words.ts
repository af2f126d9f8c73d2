/** Pure. Accounts, contacts and presence in words. */
import type { SessionState } from '../model/result.ts'
import type { Availability } from '../model/presence.ts'
import { duration } from '../tell.ts'
import type { Contact } from '../roster.ts'

export const SHOWN: Readonly<Record<Availability, string>> = {
  online: 'Online',
  idle: 'Idle',
  away: 'Away',
  brb: 'Back soon',
  busy: 'Busy',
  phone: 'On the phone',
  lunch: 'Out to lunch',
  hidden: 'Hidden',
  offline: 'Offline',
}

/** "1 contact", "2 contacts". */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`

/** Names in one line; the rest is counted. */
const MAX_NAMES = 40

/** `Rob, Bob <bob@example.com> "at work" (blocked)`: as you call them, as they call themselves, and their address. */
export const contactWords = ({ user, name, nickname, presence, blocked }: Contact): string => {
  const called = [nickname, name === user ? '' : name].filter((one) => one !== undefined && one !== '')
  const shown = called.length === 0 ? user : `${called.join(', ')} <${user}>`
  const text = presence?.text === undefined || presence.text === '' ? '' : ` "${presence.text}"`
  return `${shown}${text}${blocked ? ' (blocked)' : ''}`
}

export const nameList = (contacts: readonly Contact[]): string => {
  const more = contacts.length - MAX_NAMES
  return `${contacts.slice(0, MAX_NAMES).map(contactWords).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Whether all of these words, in lower case, are somewhere in what they are called. */
export const isNamed = ({ user, name, nickname = '' }: Contact, words: readonly string[]): boolean => {
  const all = `${user} ${name} ${nickname}`.toLowerCase()
  return words.every((word) => all.includes(word))
}

/** `details` are for the owner and for admins: they may name hosts and addresses. */
export const stateWords = (state: SessionState, now: number, details: boolean): string => {
  const why = 'fault' in state && details ? `: ${state.fault.detail}` : ''
  switch (state.kind) {
    case 'online':
      return 'connected'
    case 'offline':
      return 'not connected'
    case 'connecting':
      return 'connecting'
    case 'waiting':
      return `trying again in ${Math.max(0, Math.ceil((state.until - now) / 1000))} s${why}`
    case 'stopped':
      return `stopped until somebody reconnects it${why}`
  }
}

/** With since when. */
export const sinceWords = (state: SessionState, now: number): string =>
  state.kind === 'online' ? `connected for ${duration(Math.max(0, now - state.since))}` : stateWords(state, now, true)
