/** What the server says -> what the core is told. Pure. */
import type { IrcMessage } from 'irc-framework'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { StoredInbound } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, UserRef } from '../../bridge/model/ids.ts'
import { textOf, type RichText } from '../../bridge/model/text.ts'
import { chatIdOf, isChannelName, sameName, userIdOf, type CaseMapping } from '../../irc/casemap.ts'
import { parse } from '../../irc/formatting.ts'
import { isNudge } from '../../irc/nudge.ts'
import { withoutZeroWidth } from './highlight.ts'

export interface View {
  readonly network: NetworkId
  readonly account: AccountId
  /** One of our own connections: what they say is not news. */
  readonly isOurs: (nick: string) => boolean
  /** Our nickname now. */
  readonly nick: string
  readonly mapping: CaseMapping
  /** The word that a command begins with in a channel. */
  readonly trigger: string
  /** The channel of ours that a name means. */
  readonly channelOf: (name: string) => ChatId | undefined
  /** Queries with this person are a linked chat, not a talk with the bridge. */
  readonly isDirect: (chat: ChatId) => boolean
  /** A playback that the server has announced (`BATCH`): it is no news. */
  readonly isPlayback: (batch: string) => boolean
  readonly now: number
  /** For a message without `msgid`. */
  readonly mint: () => MessageId
}

export interface Asker {
  readonly user: UserRef
  readonly nick: string
  /** nick!user@host */
  readonly mask: string
  /** Services account, if the server says it with each message. */
  readonly account: string | undefined
}

export type Reading =
  | { readonly kind: 'event'; readonly event: StoredInbound }
  | { readonly kind: 'command'; readonly from: Asker; readonly chat?: ChatRef; readonly line: string }

export const readMessage = (message: IrcMessage, view: View): Reading | undefined => {
  // A server speaking, our own echo, a replay: not somebody saying something now.
  if (message.nick === '' || sameName(message.nick, view.nick, view.mapping)) return undefined
  if (view.isOurs(message.nick)) return undefined
  const batch = message.tags['batch']
  if (batch !== undefined && view.isPlayback(batch)) return undefined
  switch (message.command) {
    case 'PRIVMSG':
      return readSpeech(message, view)
    case 'TOPIC':
      return readTopic(message, view)
    default:
      return undefined
  }
}

const readSpeech = (message: IrcMessage, view: View): Reading | undefined => {
  const [target, raw] = message.params
  if (target === undefined || raw === undefined) return undefined
  const chat = chatOf(target, message.nick, view)
  if (chat === undefined) return undefined
  const said = readText(raw)
  if (said === undefined) return undefined
  const inQuery = chat.account !== undefined
  if (said.kind === 'text') {
    const line = withoutTrigger(textOf(said.text).trim(), view.trigger)
    if (line !== undefined || (inQuery && !view.isDirect(chat.chat))) {
      const command = {
        kind: 'command',
        from: askerOf(message, view.network),
        line: line ?? textOf(said.text).trim(),
      } as const
      return inQuery ? command : { ...command, chat }
    }
  }
  return {
    kind: 'event',
    event: { kind: 'message', chat, body: said, ...originOf(message, view) },
  }
}

const readTopic = (message: IrcMessage, view: View): Reading | undefined => {
  const [target = '', topic = ''] = message.params
  const chat = view.channelOf(target)
  if (chat === undefined) return undefined
  return {
    kind: 'event',
    event: {
      kind: 'topic',
      chat: { network: view.network, chat },
      topic: textOf(parse(topic)),
      ...originOf(message, view),
    },
  }
}

/** Messages to a part of a channel (`@#chan`) are not for everybody, so they stay where they are. */
const chatOf = (target: string, nick: string, view: View): ChatRef | undefined => {
  if (sameName(target, view.nick, view.mapping)) {
    return { network: view.network, chat: chatIdOf(nick), account: view.account }
  }
  if (!isChannelName(target)) return undefined
  const chat = view.channelOf(target)
  return chat === undefined ? undefined : { network: view.network, chat }
}

const CTCP = '\x01'

export const readText = (raw: string): MessageBody | undefined => {
  const text = withoutZeroWidth(raw)
  if (!text.startsWith(CTCP)) return bodyOf('text', parse(text))
  const [, verb = '', rest = ''] = /^\x01(\S*) ?([^\x01]*)/.exec(text) ?? []
  // VERSION is answered by the library; whatever else is asked of a client is not for people.
  if (verb.toUpperCase() !== 'ACTION') return undefined
  return isNudge(rest) ? { kind: 'nudge' } : bodyOf('action', parse(rest))
}

const bodyOf = (kind: 'text' | 'action', text: RichText): MessageBody | undefined =>
  textOf(text) === '' ? undefined : { kind, text }

/** "!msn who" -> "who"; undefined when the line is no command. */
const withoutTrigger = (line: string, trigger: string): string | undefined => {
  if (line.slice(0, trigger.length).toLowerCase() !== trigger.toLowerCase()) return undefined
  const rest = line.slice(trigger.length)
  return rest === '' || /^\s/.test(rest) ? rest.trim() : undefined
}

const originOf = (message: IrcMessage, view: View) => ({
  sender: { network: view.network, user: userIdOf(message.nick) },
  senderName: message.nick,
  id: (message.tags['msgid'] as MessageId | undefined) ?? view.mint(),
  at: timeOf(message.tags['time']) ?? view.now,
})

export const timeOf = (tag: string | undefined): number | undefined => {
  const time = tag === undefined ? Number.NaN : Date.parse(tag)
  return Number.isNaN(time) ? undefined : time
}

export const askerOf = (message: IrcMessage, network: NetworkId): Asker => ({
  user: { network, user: userIdOf(message.nick) },
  nick: message.nick,
  mask: `${message.nick}!${message.ident}@${message.hostname}`,
  account: message.tags['account'],
})
