/** What we say to a client -> one line, whatever is in it. The one place that every line to a client passes. Pure. */
import { cutToBytes, MAX_LINE_BYTES } from '../../../irc/guard.ts'
import type { Cap } from './caps.ts'
import { encodeTags } from './tags.ts'

export interface ServerMessage {
  /** "bob!bob@home.example"; absent: the server itself. */
  readonly source?: string
  readonly verb: string
  /** Only the last may have blanks; `encode` decides about ':'. */
  readonly params: readonly string[]
  /** time, msgid, account, batch, label, +typing, +draft/reply ...; values unescaped. */
  readonly tags?: Readonly<Record<string, string>>
}

/**
 * Where the words of people stand. They get their ':' even when they have no blank: ii finds texts by it alone.
 * `PART #a` has no words, so its last parameter stands before the place and gets none.
 */
const WORDS_AT: ReadonlyMap<string, number> = new Map([
  ['PRIVMSG', 1],
  ['NOTICE', 1],
  ['QUIT', 0],
  ['PART', 1],
  ['KICK', 2],
  ['TOPIC', 1],
  ['NICK', 0],
  ['AWAY', 0],
  ['SETNAME', 0],
  ['ERROR', 0],
  ['PING', 0],
  ['PONG', 1],
  ['CAP', 2],
  ['301', 2],
  ['302', 1],
  ['303', 1],
  ['311', 5],
  ['314', 5],
  ['319', 2],
  ['322', 3],
  ['332', 2],
  ['353', 3],
  ['354', 1],
  ['372', 1],
  ['730', 1],
  ['731', 1],
  ['732', 1],
])

/** Clients look for these at the very beginning of a line; everything else of ours names us. */
const WITHOUT_SOURCE: ReadonlySet<string> = new Set(['PING', 'ERROR', 'AUTHENTICATE'])

const BREAK = /[\r\n\0]/
const BREAKS = /[\r\n\0]+/g

const flat = (text: string): string => (BREAK.test(text) ? text.replace(BREAKS, ' ') : text)

/** A word that stays one, and one that is no trailing parameter. */
const word = (text: string): string => {
  if (text === '') return '*'
  const joined = /[ \r\n\0]/.test(text) ? text.replace(/[ \r\n\0]+/g, '_') : text
  return joined.startsWith(':') ? `_${joined.slice(1)}` : joined
}

/** Whoever is longer than this is cut, so that verb and words have their place in any case. */
const MAX_WHO_BYTES = 255
const MAX_VERB_BYTES = 32

/** One line with CR LF: at most 512 bytes of valid UTF-8, and at most 8191 of tags before them. */
export const encode = (message: ServerMessage, caps: ReadonlySet<Cap>, server: string): string => {
  const { verb, params } = message
  const source = message.source ?? (WITHOUT_SOURCE.has(verb) ? undefined : server)
  const command = cutToBytes(word(verb), MAX_VERB_BYTES)
  let line = source === undefined ? command : `:${cutToBytes(word(source), MAX_WHO_BYTES)} ${command}`
  const end = params.length - 1
  for (const [index, param] of params.entries()) {
    if (index < end) line += ` ${word(param)}`
    else {
      const text = flat(param)
      const colon =
        text === '' || text.includes(' ') || text.startsWith(':') || index >= (WORDS_AT.get(verb) ?? Infinity)
      line += colon ? ` :${text}` : ` ${text}`
    }
  }
  return `${encodeTags(message.tags, caps)}${cutToBytes(line, MAX_LINE_BYTES)}\r\n`.toWellFormed()
}
