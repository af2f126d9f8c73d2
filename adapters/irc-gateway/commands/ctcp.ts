/** What a line says when it is spoken to a contact or a group: words, a nudge, typing, or a question of the client. Pure. */
import type { MessageBody } from '../../../bridge/model/body.ts'
import { parse } from '../../../irc/formatting.ts'
import { parseOffer, type FileOffer } from '../dcc-offer.ts'
import { isNudge } from '../../../irc/nudge.ts'

/** answer: what the asked would say, as a NOTICE of theirs. */
export type Spoken =
  | { readonly kind: 'say'; readonly body: MessageBody }
  | { readonly kind: 'typing'; readonly forMs: number }
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'offer'; readonly offer: FileOffer }
  | { readonly kind: 'nothing' }

/** "6 seconds": how long typing is believed that nobody has confirmed. Source: ircv3.net, typing. */
export const TYPING_MS = 6_000

const NOTHING: Spoken = { kind: 'nothing' }
/** What a CTCP question may carry back. */
const MAX_ECHO = 200

interface Ctcp {
  readonly command: string
  readonly rest: string
}

/** `\x01ACTION waves\x01`; the last byte may be missing. */
const ctcpOf = (text: string): Ctcp | undefined => {
  if (!text.startsWith('\x01')) return undefined
  const inner = text.slice(1).replace(/\x01.*$/s, '')
  const blank = inner.indexOf(' ')
  return blank === -1
    ? { command: inner.toUpperCase(), rest: '' }
    : { command: inner.slice(0, blank).toUpperCase(), rest: inner.slice(blank + 1) }
}

/** What mIRC says besides of a file that it offers, with its own address. */
const DCC_NOTICE = /^DCC Send .+ \([0-9A-Fa-f.:]+\)$/i

/** `version`: what somebody says of their client who is not there to be asked. */
export const spokenIn = (verb: 'PRIVMSG' | 'NOTICE', text: string, version: string): Spoken => {
  const ctcp = ctcpOf(text)
  if (ctcp === undefined && verb === 'NOTICE' && DCC_NOTICE.test(text)) return NOTHING
  if (ctcp === undefined)
    return { kind: 'say', body: { kind: verb === 'NOTICE' ? 'notice' : 'text', text: parse(text) } }
  const { command, rest } = ctcp
  // An answer to a question that nobody has asked here.
  if (verb === 'NOTICE') return NOTHING
  switch (command) {
    case 'ACTION':
      if (rest.trim() === '') return NOTHING
      return { kind: 'say', body: isNudge(rest) ? { kind: 'nudge' } : { kind: 'action', text: parse(rest) } }
    case 'NUDGE':
    case 'BUZZ':
      return { kind: 'say', body: { kind: 'nudge' } }
    // `TYPING 1`; 0 and 2 (has written something, and thinks) are none.
    case 'TYPING':
      return { kind: 'typing', forMs: rest.trim() === '1' ? TYPING_MS : 0 }
    case 'PING':
      return { kind: 'answer', text: `\x01PING ${rest.slice(0, MAX_ECHO)}\x01` }
    case 'VERSION':
      return { kind: 'answer', text: `\x01VERSION ${version}\x01` }
    case 'CLIENTINFO':
      return { kind: 'answer', text: '\x01CLIENTINFO ACTION CLIENTINFO DCC NUDGE PING TYPING VERSION\x01' }
    case 'DCC': {
      const offer = parseOffer(rest)
      return offer === undefined ? unknown(command) : { kind: 'offer', offer }
    }
    default:
      return unknown(command)
  }
}

const unknown = (command: string): Spoken => ({
  kind: 'answer',
  text: `\x01ERRMSG ${command.slice(0, MAX_ECHO)} :not known here\x01`,
})

/** `+typing=active`; "paused" and "done" end it: MSN knows no pause. */
export const typingOf = (value: string | undefined): number | undefined =>
  value === 'active' ? TYPING_MS : value === 'paused' || value === 'done' ? 0 : undefined
