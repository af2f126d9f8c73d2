/** AWAY, NICK and SETNAME: what somebody is called, and whether they are there. */
import { textOf } from '../../../bridge/model/text.ts'
import { parseNick } from '../../../irc/casemap.ts'
import { parse } from '../../../irc/formatting.ts'
import { cutToBytes } from '../../../irc/guard.ts'
import { works } from '../wire/caps.ts'
import { ISUPPORT_LIMITS } from '../wire/isupport.ts'
import type { Answering, Asked, AskedByPerson, Commands } from './desk.ts'
import { quoted, reply, standard } from './replies.ts'
import { same } from './sight.ts'

/** Elsewhere a name has no colours, and no digits of theirs. */
const unstyled = (text = ''): string => textOf(parse(text)).trim()

const away = async ({ client, person, params }: AskedByPerson): Promise<void> => {
  const words = unstyled(params[0])
  await person.setAway(words === '' ? undefined : cutToBytes(words, ISUPPORT_LIMITS.awayBytes))
  // All clients of one person have one state.
  for (const each of person.clients) reply(each, words === '' ? 'RPL_UNAWAY' : 'RPL_NOWAWAY')
  if (!person.clients.has(client)) reply(client, words === '' ? 'RPL_UNAWAY' : 'RPL_NOWAWAY')
}

const nick = ({ client, person, sight, params }: Asked): Answering => {
  const wanted = params[0] ?? ''
  if (wanted === '') {
    reply(client, 'ERR_NONICKNAMEGIVEN')
    return
  }
  if (typeof parseNick(wanted) !== 'string' || Buffer.byteLength(wanted) > ISUPPORT_LIMITS.nickBytes) {
    reply(client, 'ERR_ERRONEUSNICKNAME', [quoted(wanted)])
    return
  }
  if (wanted === client.nick) return undefined
  if (!same(wanted, client.nick) && sight.face(wanted) !== undefined) {
    reply(client, 'ERR_NICKNAMEINUSE', [wanted])
    return
  }
  if (person === undefined) {
    client.rename(wanted)
    return undefined
  }
  person.setNick(wanted)
  return tellName({ client, person, verb: 'NICK' }, wanted)
}

/** It is what contacts call them, too. Each account has its own answer where it does not work. */
const tellName = async (
  { client, person, verb }: Pick<AskedByPerson, 'client' | 'person' | 'verb'>,
  name: string,
): Promise<void> => {
  for (const words of await person.setName(name)) standard(client, 'NOTE', verb, 'ACCOUNT', [], words)
}

const setname = async ({ client, person, params }: AskedByPerson): Promise<void> => {
  const name = unstyled(params[0])
  if (name === '' || Buffer.byteLength(name) > ISUPPORT_LIMITS.realnameBytes) {
    standard(client, 'FAIL', 'SETNAME', 'INVALID_REALNAME', [], 'Realname is not valid')
    return
  }
  await tellName({ client, person, verb: 'SETNAME' }, name)
  for (const each of person.clients) each.setRealname(name)
  // "they MUST send the server-to-client version of the SETNAME message to ... the client from which it originated"
  person.tell((to) => (works(to.caps, 'setname') ? [{ source: to.mask, verb: 'SETNAME', params: [name] }] : []))
}

export const PEOPLE: Commands = {
  AWAY: { min: 0, identified: true, run: away },
  NICK: { min: 0, run: nick },
  SETNAME: { min: 1, identified: true, run: setname },
}
