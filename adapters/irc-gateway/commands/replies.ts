/** Answers in the shapes that many handlers share. */
import { MAX_LINE_BYTES } from '../../../irc/guard.ts'
import type { ClientPort } from '../types.ts'
import { works } from '../wire/caps.ts'
import type { ServerMessage } from '../wire/message.ts'
import { NUMERICS, numeric, type NumericName } from '../wire/numerics.ts'

/** The numeric as it goes to that client; `words` in place of the fixed ones. */
export const numericFor = (
  client: Pick<ClientPort, 'nick'>,
  name: NumericName,
  params: readonly string[] = [],
  words: string = NUMERICS[name][1],
): ServerMessage => numeric(name, client.nick, params, words)

export const reply = (client: ClientPort, name: NumericName, params: readonly string[] = [], words?: string): void => {
  client.send(words === undefined ? numericFor(client, name, params) : numericFor(client, name, params, words))
}

/** Messages of one call of `send`. */
const AT_ONCE = 500

export const sendAll = (client: ClientPort, messages: readonly ServerMessage[]): void => {
  for (let from = 0; from < messages.length; from += AT_ONCE) client.send(...messages.slice(from, from + AT_ONCE))
}

export type StandardKind = 'FAIL' | 'WARN' | 'NOTE'

/** `FAIL CHATHISTORY INVALID_PARAMS BEFORE :Unknown command`; in words for a client that does not know such replies. */
export const standard = (
  client: ClientPort,
  kind: StandardKind,
  verb: string,
  code: string,
  context: readonly string[],
  words: string,
): void => {
  const notice = `${[verb, ...context].join(' ')}: ${words}`
  client.send(
    works(client.caps, 'standard-replies')
      ? { verb: kind, params: [verb, code, ...context, words] }
      : { verb: 'NOTICE', params: [client.nick === '' ? '*' : client.nick, notice] },
  )
}

/** Bytes of words behind these parameters of a numeric: `:server 353 nick = &bitlbee :`. */
export const roomFor = (server: string, client: Pick<ClientPort, 'nick'>, params: readonly string[]): number =>
  MAX_LINE_BYTES - Buffer.byteLength([`:${server}`, '000', client.nick, ...params, ':'].join(' '))

/** Words into lines of at most `room` bytes; one that is longer stands alone. */
export const packed = (words: Iterable<string>, room: number, between: ' ' | ','): readonly string[] => {
  const lines: string[] = []
  let line: string[] = []
  let bytes = 0
  for (const word of words) {
    const more = Buffer.byteLength(word) + 1
    if (line.length > 0 && bytes + more > room + 1) {
      lines.push(line.join(between))
      line = []
      bytes = 0
    }
    line.push(word)
    bytes += more
  }
  if (line.length > 0) lines.push(line.join(between))
  return lines
}

/** What may stand as one word among the parameters of an answer: what the client wrote, shortened. */
export const MAX_QUOTED = 64
export const quoted = (text: string): string => {
  const word = text
    .replace(/[\s\0]+/g, '_')
    .replace(/^:+/, '_')
    .slice(0, MAX_QUOTED)
  return word === '' ? '*' : word
}

export const isoTime = (at: number): string => new Date(at).toISOString()

/** "bob,carol" without empty ones and without anything twice, in order. */
export const listOf = (param: string | undefined): readonly string[] => [
  ...new Set((param ?? '').split(',').filter((word) => word !== '')),
]
