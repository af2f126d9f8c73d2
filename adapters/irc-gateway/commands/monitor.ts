/** The verb MONITOR: + - C L S. Source: ircv3.net, monitor. */
import { parseNick } from '../../../irc/casemap.ts'
import type { Face } from '../types.ts'
import { ISUPPORT_LIMITS } from '../wire/isupport.ts'
import type { Answering, Asked, Commands } from './desk.ts'
import { monitorLines, offlineLines, onlineLines } from './monitors.ts'
import { listOf, numericFor, quoted, reply } from './replies.ts'
import { same } from './sight.ts'

const monitor = (asked: Asked): Answering => {
  const { client, params, desk } = asked
  const nicks = listOf(params[1]).filter((nick) => typeof parseNick(nick) === 'string')
  switch ((params[0] ?? '').toUpperCase()) {
    case '+':
      add(asked, nicks)
      break
    case '-':
      for (const nick of nicks) desk.monitors.remove(client, nick)
      break
    case 'C':
      desk.monitors.clear(client)
      break
    case 'L':
      client.send(
        ...monitorLines(client, desk.deps.server, 'RPL_MONLIST', [...desk.monitors.of(client).values()]),
        numericFor(client, 'RPL_ENDOFMONLIST'),
      )
      break
    case 'S':
      tellOf(asked, [...desk.monitors.of(client).values()])
      break
  }
  return undefined
}

const add = (asked: Asked, nicks: readonly string[]): void => {
  const { client, desk } = asked
  const full = nicks.findIndex((nick) => !desk.monitors.add(client, nick))
  tellOf(asked, full === -1 ? nicks : nicks.slice(0, full))
  if (full !== -1)
    reply(client, 'ERR_MONLISTFULL', [String(ISUPPORT_LIMITS.monitor), nicks.slice(full).map(quoted).join(',')])
}

/** Who of them is there, and who is not. */
const tellOf = ({ client, sight, desk }: Asked, nicks: readonly string[]): void => {
  const here: Pick<Face, 'nick' | 'ident' | 'host'>[] = []
  const gone: string[] = []
  for (const nick of nicks) {
    const face = sight.face(nick)
    if (face?.online === true) here.push(face)
    else if (same(nick, client.nick)) here.push({ nick: client.nick, ident: client.username, host: client.host })
    else gone.push(nick)
  }
  const { server } = desk.deps
  client.send(...onlineLines(client, server, here), ...offlineLines(client, server, gone))
}

export const MONITOR: Commands = { MONITOR: { min: 1, run: monitor } }
