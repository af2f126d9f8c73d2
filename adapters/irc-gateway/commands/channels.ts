/** JOIN, PART, NAMES, TOPIC, INVITE, KICK and LIST. */
import { parseChannel } from '../../../irc/casemap.ts'
import type { ChannelPort, ClientPort } from '../types.ts'
import { works } from '../wire/caps.ts'
import { ISUPPORT_LIMITS } from '../wire/isupport.ts'
import type { ServerMessage } from '../wire/message.ts'
import { namesOf } from '../world/names.ts'
import type { Answering, Asked, AskedByPerson, Commands } from './desk.ts'
import { listOf, numericFor, quoted, reply, sendAll } from './replies.ts'
import { isChannel, same } from './sight.ts'
import { askWhoTheyAre } from './strangers.ts'

/** Why a name cannot be one of a channel here. */
const wrongName = (name: string): boolean =>
  !isChannel(name) || typeof parseChannel(name) !== 'string' || Buffer.byteLength(name) > ISUPPORT_LIMITS.channelBytes

const HINT = 'No such channel: "/invite NICK #name" makes a group chat of that name, and "help chat" says more'

const join = (asked: Asked): Answering => {
  const { client, person, sight, params } = asked
  if (params[0] === '0') return person === undefined ? undefined : partAll(person)
  const joining: Promise<void>[] = []
  for (const name of listOf(params[0])) {
    if (isChannel(name) && sight.channel(name) !== undefined) continue
    if (wrongName(name)) reply(client, isChannel(name) ? 'ERR_BADCHANMASK' : 'ERR_NOSUCHCHANNEL', [quoted(name)])
    else if (person === undefined) askWhoTheyAre(client, 'JOIN')
    else if (name.startsWith('&')) joining.push(joinControl(client, person, name))
    else if (person.rejoin?.(name) !== true) reply(client, 'ERR_NOSUCHCHANNEL', [name], HINT)
  }
  return joining.length === 0 ? undefined : Promise.all(joining).then(() => undefined)
}

const joinControl = async (client: ClientPort, person: AskedByPerson['person'], name: string): Promise<void> => {
  const wrong = await person.joinControl(name)
  if (wrong !== undefined) reply(client, 'ERR_NOSUCHCHANNEL', [name], wrong)
}

const partAll = async (person: AskedByPerson['person']): Promise<void> => {
  for (const { name } of [...person.channels()]) await person.part(name)
}

const part = async ({ client, person, params }: AskedByPerson): Promise<void> => {
  const [names, reason] = params
  for (const name of listOf(names)) {
    const channel = person.channel(name)
    if (channel === undefined) reply(client, 'ERR_NOSUCHCHANNEL', [quoted(name)])
    else if (reason === undefined) await person.part(channel.name)
    else await person.part(channel.name, reason)
  }
}

const names = ({ client, sight, params, desk }: Asked): Answering => {
  const asked = params[0] === undefined ? Array.from(sight.channels(), ({ name }) => name) : listOf(params[0])
  for (const name of asked) {
    const channel = sight.channel(name)
    if (channel === undefined) reply(client, 'RPL_ENDOFNAMES', [quoted(name)])
    else sendAll(client, namesOf(channel, client, desk.deps.server))
  }
  if (asked.length === 0) reply(client, 'RPL_ENDOFNAMES', ['*'])
  return undefined
}

const topic = (asked: Asked): Answering => {
  const { client, person, sight, params } = asked
  const [name = '', words] = params
  const channel = sight.channel(name)
  if (channel === undefined) {
    reply(client, 'ERR_NOSUCHCHANNEL', [quoted(name)])
    return
  }
  if (words === undefined) {
    if (channel.topic === '') {
      reply(client, 'RPL_NOTOPIC', [channel.name])
      return
    }
    reply(client, 'RPL_TOPIC', [channel.name], channel.topic)
    reply(client, 'RPL_TOPICWHOTIME', [channel.name, channel.topicBy, seconds(channel.topicAt)])
    return
  }
  if (person === undefined) {
    askWhoTheyAre(client, 'TOPIC')
    return
  }
  return person.setTopic(channel.name, words).then((wrong) => {
    if (wrong !== undefined) reply(client, 'ERR_CHANOPRIVSNEEDED', [channel.name], wrong)
  })
}

export const seconds = (at: number): string => String(Math.floor(at / 1000))

const invite = async ({ client, person, params }: AskedByPerson): Promise<void> => {
  const [nick = '', name = ''] = params
  const face = person.face(nick)
  const channel = person.channel(name)
  if (face === undefined && !same(nick, client.nick)) {
    reply(client, 'ERR_NOSUCHNICK', [quoted(nick)])
    return
  }
  if (channel === undefined && (wrongName(name) || name.startsWith('&'))) {
    reply(client, 'ERR_NOSUCHCHANNEL', [quoted(name)])
    return
  }
  if (face === undefined || channel?.members().some((member) => same(member.nick, nick)) === true) {
    reply(client, 'ERR_USERONCHANNEL', [face?.nick ?? client.nick, channel?.name ?? name])
    return
  }
  if (face.contact === undefined || channel?.kind === 'control') {
    reply(client, 'ERR_CHANOPRIVSNEEDED', [channel?.name ?? name], "Can't invite people here")
    return
  }
  const wrong =
    channel === undefined ? await newGroup(person, face.contact, name) : await person.invite(channel.name, face.contact)
  if (wrong === undefined) {
    const place = channel?.name ?? name
    reply(client, 'RPL_INVITING', [face.nick, place])
    if (!face.online) reply(client, 'RPL_AWAY', [face.nick], face.away ?? 'Offline')
    const told = ({ mask }: ClientPort) => ({ source: mask, verb: 'INVITE', params: [face.nick, place] })
    person.tell((to) => (works(to.caps, 'invite-notify') ? [told(to)] : []), client)
  } else reply(client, 'ERR_CHANOPRIVSNEEDED', [channel?.name ?? name], wrong)
}

/** Whoever invites to a group that is not there wants one. */
const newGroup = async (
  person: AskedByPerson['person'],
  key: Parameters<AskedByPerson['person']['invite']>[1],
  name: string,
): Promise<string | undefined> => {
  const opened = await person.openGroup([key], name)
  return 'wrong' in opened ? opened.wrong : undefined
}

const kick = ({ client, sight, params }: Asked): Answering => {
  const [name = '', nicks = ''] = params
  const channel = sight.channel(name)
  if (channel === undefined) {
    reply(client, 'ERR_NOSUCHCHANNEL', [quoted(name)])
    return
  }
  for (const nick of listOf(nicks)) {
    const there = channel.members().some((member) => same(member.nick, nick))
    if (!there) reply(client, 'ERR_USERNOTINCHANNEL', [quoted(nick), channel.name])
    else reply(client, 'ERR_CHANOPRIVSNEEDED', [channel.name], KICK_WORDS[channel.kind])
  }
  return undefined
}

const KICK_WORDS: Readonly<Record<ChannelPort['kind'], string>> = {
  control: 'Can\'t kick people here: "remove NICK" takes a contact off the list',
  group: 'Nobody can be put out of a conversation on MSN: /part leaves it',
}

const list = ({ client, sight, params }: Asked): Answering => {
  // "ELIST" conditions (">3") are no names, and filter nothing.
  const wanted = listOf(params[0]).filter(isChannel)
  reply(client, 'RPL_LISTSTART', ['Channel'])
  for (const channel of sight.channels()) {
    if (wanted.length > 0 && !wanted.some((name) => same(name, channel.name))) continue
    const { name, topic: words } = channel
    client.send(numericListed(client, name, channel.members().length, words))
  }
  reply(client, 'RPL_LISTEND')
  return undefined
}

const numericListed = (client: ClientPort, name: string, count: number, words: string): ServerMessage => {
  const message = numericFor(client, 'RPL_LIST', [name, String(count)])
  return { ...message, params: [...message.params, words] }
}

export const CHANNELS: Commands = {
  JOIN: { min: 1, run: join },
  PART: { min: 1, identified: true, run: part },
  NAMES: { min: 0, run: names },
  TOPIC: { min: 1, run: topic },
  INVITE: { min: 2, identified: true, run: invite },
  KICK: { min: 2, run: kick },
  LIST: { min: 0, run: list },
}
