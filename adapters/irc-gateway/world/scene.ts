/** Pure. Words of contacts, of root and of the person's own other clients, as lines in the place of their talk. */
import type { MessageBody } from '../../../bridge/model/body.ts'
import { parse } from '../../../irc/formatting.ts'
import { maskOf, type Face } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'
import { messagesOf, speechOf, textsOf, type Tags } from './outbound.ts'
import { QUERY, type PlaceName } from './places.ts'

/** Where a talk goes on, and what the person is called there. */
export interface Spot {
  readonly place: PlaceName
  /** The person's nick. */
  readonly nick: string
  /** Setting `to_char`. */
  readonly toChar: string
}

const isControl = (place: PlaceName): boolean => place.startsWith('&')

/** In a control channel: "alice: hi". `stamp`: "[10:11] ". */
export const heard = (face: Face, body: MessageBody, spot: Spot, tags: Tags, stamp = ''): readonly ServerMessage[] => {
  const speech = speechOf(body)
  const source = maskOf(face)
  const target = spot.place === QUERY ? spot.nick : spot.place
  const lead = isControl(spot.place) && !speech.action ? `${spot.nick}${spot.toChar}` : ''
  const texts = textsOf(speech, { source, target, lead: lead + stamp })
  return messagesOf(texts, speech, { source, target }, { ...tags, account: face.address })
}

/** How the person's own words from elsewhere are shown: the setting `self_messages`. */
export type OwnStyle = 'own' | 'prefix' | 'prefix_notice' | 'none'

export const ownStyle = (setting: string): OwnStyle => {
  const word = setting.toLowerCase()
  if (word === 'prefix' || word === 'prefix_notice') return word
  return /^(false|no|off|0)$/.test(word) ? 'none' : 'own'
}

export interface Own {
  /** Mask of the client that is told: it takes the line for its own. */
  readonly mask: string
  readonly account: string
  readonly style: OwnStyle
}

/** `to`: with whom the talk is; absent in a channel of several. */
export const said = (
  own: Own,
  to: Face | undefined,
  body: MessageBody,
  spot: Spot,
  tags: Tags,
  stamp = '',
): readonly ServerMessage[] => {
  if (own.style === 'none') return []
  const speech = speechOf(body)
  const inQuery = spot.place === QUERY
  if (inQuery && to === undefined) return []
  if (inQuery && to !== undefined && own.style !== 'own') {
    const shape = own.style === 'prefix_notice' ? ({ ...speech, verb: 'NOTICE' } as const) : speech
    const line = { source: maskOf(to), target: spot.nick, lead: `${speech.action ? '' : '-> '}${stamp}` }
    return messagesOf(textsOf(shape, line), shape, line, tags)
  }
  const target = inQuery && to !== undefined ? to.nick : spot.place
  const lead = to !== undefined && isControl(spot.place) && !speech.action ? `${to.nick}: ` : ''
  const line = { source: own.mask, target, lead: lead + stamp }
  return messagesOf(textsOf(speech, line), speech, line, { ...tags, account: own.account })
}

/** Words about a talk, where it goes on: from the contact in a query, so that clients show it there, else from root. */
export const remarked = (
  text: string,
  spot: Spot,
  from: { readonly face: Face | undefined; readonly root: Face },
  at: number,
): readonly ServerMessage[] => {
  const inQuery = spot.place === QUERY
  const source = maskOf(inQuery ? (from.face ?? from.root) : from.root)
  const target = inQuery ? spot.nick : spot.place
  const speech = { verb: 'NOTICE', action: false, text: parse(text) } as const
  return messagesOf(textsOf(speech, { source, target, lead: '' }), speech, { source, target }, { at })
}

/** What root says where root speaks. */
export const rootLines = (
  text: string,
  root: Face,
  channel: string | undefined,
  nick: string,
  at: number,
): readonly ServerMessage[] => {
  const source = maskOf(root)
  const target = channel ?? nick
  const speech = { verb: 'PRIVMSG', action: false, text: parse(text) } as const
  return messagesOf(textsOf(speech, { source, target, lead: '' }), speech, { source, target }, { at })
}
