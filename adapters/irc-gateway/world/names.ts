/** Pure. A channel as a client gets to see it when it enters: JOIN, topic, names. Also what NAMES answers. */
import { MAX_LINE_BYTES } from '../../../irc/guard.ts'
import { maskOf, type ChannelMember, type ChannelPort, type ClientPort } from '../types.ts'
import { works } from '../wire/caps.ts'
import type { ServerMessage } from '../wire/message.ts'
import { joinLine } from './shapes.ts'
import type { Self } from './types.ts'

/** `self`: the person who enters; without an account the user is ''. */
export const entryOf = (
  channel: ChannelPort,
  client: ClientPort,
  self: Pick<Self, 'deps' | 'markOf'> & { readonly user: string },
): readonly ServerMessage[] => {
  const { nick, caps } = client
  const { server } = self.deps
  const numeric = (verb: string, ...params: readonly string[]): ServerMessage => ({ verb, params: [nick, ...params] })
  const { name, topic, topicBy, topicAt } = channel
  const quiet = caps.has('no-implicit-names') || caps.has('draft/no-implicit-names')
  return [
    joinLine(client.mask, name, caps, self.user, client.realname),
    ...markFor(channel, client, self),
    ...(topic === ''
      ? []
      : [numeric('332', name, topic), numeric('333', name, topicBy || server, String(Math.floor(topicAt / 1_000)))]),
    ...(quiet ? [] : namesOf(channel, client, server)),
  ]
}

/** "The MARKREAD command MUST be sent by the server after a JOIN", and before 366. Source: ircv3.net, read-marker. */
export const markFor = (
  channel: ChannelPort,
  { caps }: ClientPort,
  self: Pick<Self, 'markOf'>,
): readonly ServerMessage[] => {
  const mark = works(caps, 'draft/read-marker') ? self.markOf(channel) : undefined
  return mark === undefined ? [] : [mark]
}

/** 353 as often as is needed, and 366. */
export const namesOf = (channel: ChannelPort, client: ClientPort, server: string): readonly ServerMessage[] => {
  const { nick } = client
  const room = MAX_LINE_BYTES - Buffer.byteLength(`:${server} 353 ${nick} = ${channel.name} :`)
  const lines: ServerMessage[] = []
  let line = ''
  let bytes = 0
  const flush = (): void => {
    if (line !== '') lines.push({ verb: '353', params: [nick, '=', channel.name, line] })
    line = ''
    bytes = 0
  }
  for (const member of channel.members()) {
    const word = nameOf(member, client)
    const more = Buffer.byteLength(word)
    if (line !== '' && bytes + 1 + more > room) flush()
    line = line === '' ? word : `${line} ${word}`
    bytes += more + (bytes === 0 ? 0 : 1)
  }
  flush()
  return [...lines, { verb: '366', params: [nick, channel.name, 'End of /NAMES list'] }]
}

const nameOf = ({ nick, face, prefixes }: ChannelMember, { caps, mask }: ClientPort): string => {
  const shown = caps.has('multi-prefix') ? prefixes : prefixes.slice(0, 1)
  if (!caps.has('userhost-in-names')) return shown + nick
  return shown + (face === undefined ? mask : maskOf(face))
}
