/** The CAP command. Source: ircv3.net, capability-negotiation. */
import { MAX_LINE_BYTES } from '../../../irc/guard.ts'
import { CAP_NAMES, offered, requested, wordLines, type Cap } from '../wire/caps.ts'
import type { ClientLine } from '../wire/line.ts'
import type { ServerMessage } from '../wire/message.ts'
import type { Client, Outputs } from './client.ts'

/** What it means for a registration that is under way. */
export type Negotiation = 'begins' | 'ends' | 'stays'

const MODERN = 302

export const capability = (client: Client, server: string, line: ClientLine, out: Outputs): Negotiation => {
  const [subcommand = '', ...rest] = line.params
  const lines = (verb: string, words: readonly string[], marked: boolean): readonly ServerMessage[] =>
    capLines(server, client.target, verb, words, marked)
  switch (subcommand.toUpperCase()) {
    case 'LS': {
      const modern = Number(rest[0]) >= MODERN
      client.answer(out, line, lines('LS', offered(modern), modern))
      if (modern && !client.modern) {
        client.modern = true
        enable(client, out, new Set([...client.caps, 'cap-notify']))
      }
      return 'begins'
    }
    case 'LIST': {
      const enabled = CAP_NAMES.filter((name) => client.caps.has(name))
      client.answer(out, line, lines('LIST', enabled, client.modern))
      return 'stays'
    }
    case 'REQ': {
      const words = rest.join(' ').split(' ').filter(Boolean)
      const next = requested(client.caps, words, client.modern ? 'cap-notify' : undefined)
      client.answer(out, line, lines(next === undefined ? 'NAK' : 'ACK', words, false))
      // "a server MUST NOT change the capabilities of the client until the last ACK of the set has been sent"
      if (next !== undefined) enable(client, out, next)
      return 'begins'
    }
    case 'END':
      client.answer(out, line, [])
      return 'ends'
    default:
      client.answer(out, line, [client.numeric('ERR_INVALIDCAPCMD', [subcommand])])
      return 'stays'
  }
}

/** Several lines when one is not enough; all but the last are marked by `*` for who understands it. */
const capLines = (
  server: string,
  target: string,
  subcommand: string,
  words: readonly string[],
  marked: boolean,
): readonly ServerMessage[] => {
  const room = MAX_LINE_BYTES - Buffer.byteLength(`:${server} CAP ${target} ${subcommand} * :`)
  const lines = wordLines(words, room)
  return lines.map((list, index) => ({
    verb: 'CAP',
    params: [target, subcommand, ...(marked && index < lines.length - 1 ? ['*'] : []), list],
  }))
}

const enable = (client: Client, out: Outputs, caps: ReadonlySet<Cap>): void => {
  const { caps: before } = client
  if (caps.size === before.size && [...caps].every((cap) => before.has(cap))) return
  client.caps = caps
  out.push({ kind: 'event', event: { kind: 'caps', enabled: caps } })
}
