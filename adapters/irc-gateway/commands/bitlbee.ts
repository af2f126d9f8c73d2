/**
 * Verbs of BitlBee that no other server has. Scripts of irssi and WeeChat ask COMPLETIONS for what can be said to root; NS
 * and NICKSERV are root, for clients that are set up to identify with services.
 */
import { maskOf } from '../types.ts'
import type { Answering, Asked, Commands } from './desk.ts'
import { sendAll } from './replies.ts'
import { rootOf } from './sight.ts'

const completions = ({ client, sight, desk }: Asked): Answering => {
  const root = rootOf(sight)
  if (root === undefined) return undefined
  const source = maskOf(root)
  const lines = ['OK', ...desk.deps.root.completions(), 'END']
  sendAll(
    client,
    lines.map((line) => ({ source, verb: 'NOTICE', params: [client.nick, `COMPLETIONS ${line}`] })),
  )
  return undefined
}

/** "NS identify alice swordfish" and "NS :identify alice swordfish" are the same. */
const services = ({ client, params, desk }: Asked): Answering => desk.deps.root.hear(client, params.join(' '), 'query')

export const BITLBEE: Commands = {
  COMPLETIONS: { min: 0, run: completions },
  NICKSERV: { min: 1, run: services },
  NS: { min: 1, run: services },
}
