/** CHATHISTORY: what was said in a conversation, from the store of the bridge. Source: ircv3.net, chathistory. */
import type { HistoryPoint, HistoryRange, Said } from '../../../bridge/adapter.ts'
import type { MessageEvent } from '../../../bridge/model/events.ts'
import type { ChatId, ChatRef } from '../../../bridge/model/ids.ts'
import { maskOf, type Face, type PersonPort } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'
import type { AskedByPerson, Commands } from './desk.ts'
import { historyLines, type Author, type HistoryView } from './history-lines.ts'
import { isoTime, quoted, reply, sendAll, standard } from './replies.ts'
import { askOf, type HistoryAsk } from './selectors.ts'
import { isChannel } from './sight.ts'

/** Requests of one client at once; one more is refused, so that nobody keeps the store busy alone. */
export const MAX_READING = 16

const LOST = 'Messages could not be retrieved'

type TargetAsk = Exclude<HistoryAsk, { kind: 'targets' }>

const chathistory = async (asked: AskedByPerson): Promise<void> => {
  const { client, params, desk } = asked
  if (!client.caps.has('draft/chathistory')) {
    reply(client, 'ERR_UNKNOWNCOMMAND', [asked.verb])
    return
  }
  const ask = askOf(params)
  if ('code' in ask) {
    standard(client, 'FAIL', 'CHATHISTORY', ask.code, ask.context, ask.words)
    return
  }
  const context = [quoted(params[0] ?? ''), ...(ask.kind === 'targets' ? [] : [quoted(ask.target)])]
  const reading = desk.reading.get(client) ?? 0
  if (reading >= MAX_READING) {
    standard(client, 'FAIL', 'CHATHISTORY', 'MESSAGE_ERROR', context, 'Too many requests at once')
    return
  }
  desk.reading.set(client, reading + 1)
  try {
    await (ask.kind === 'targets' ? tellTargets(asked, ask) : tellMessages(asked, ask, context))
  } catch (error) {
    desk.deps.context.log.warn({ error: String(error) }, 'history could not be read')
    standard(client, 'FAIL', 'CHATHISTORY', 'MESSAGE_ERROR', context, LOST)
  } finally {
    desk.reading.set(client, (desk.reading.get(client) ?? 1) - 1)
  }
}

/** Where history is, and what it looks like; `chat` absent: nothing is kept of it. */
interface Place {
  readonly name: string
  readonly chat: ChatRef | undefined
  readonly view: HistoryView
}

const placeOf = (asked: AskedByPerson, target: string): Place | undefined => {
  const { person, client, desk } = asked
  const self = { nick: client.nick, mask: client.mask, account: person.user }
  if (isChannel(target)) {
    const channel = person.channel(target)
    if (channel === undefined) return undefined
    const { name, chat } = channel
    return {
      name,
      chat: chat === undefined ? undefined : refOf(asked, chat),
      view: {
        self,
        place: { kind: 'channel', name },
        author: (event) => authorInGroup(person, desk.deps.network, event),
      },
    }
  }
  const face = person.face(target)
  if (face === undefined) return undefined
  const { contact, nick } = face
  return {
    name: nick,
    chat: contact === undefined ? undefined : refOf(asked, person.chatOf(contact)),
    view: {
      self,
      place: { kind: 'query', nick },
      // There are two in it: who is not the contact is the person, wherever they wrote.
      author: ({ sender, own }) => (own !== true && sender.user === contact?.user ? authorOf(face) : undefined),
    },
  }
}

const refOf = ({ desk }: AskedByPerson, chat: ChatId): ChatRef => ({ network: desk.deps.network, chat })

const authorOf = (face: Face): Author => ({ mask: maskOf(face), account: face.address })

const authorInGroup = (
  person: PersonPort,
  network: AskedByPerson['desk']['deps']['network'],
  { sender, senderName, own }: MessageEvent,
): Author | undefined => {
  if (own === true || (sender.network === network && sender.user === person.user)) return undefined
  for (const { id, network: theirs, login } of person.accounts()) {
    if (theirs !== sender.network) continue
    if (login === sender.user) return undefined
    const face = person.faceOf({ account: id, user: sender.user })
    if (face !== undefined) return authorOf(face)
  }
  // Whoever has no nick here any more: from their address, as nicks are made.
  const [local = '', host = ''] = sender.user.split('@')
  const nick = word(senderName ?? '') || word(local) || 'somebody'
  return { mask: `${nick}!${word(local) || nick}@${word(host) || sender.network}`, account: sender.user }
}

const word = (text: string): string =>
  text
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^[\d_-]+|_+$/g, '')
    .slice(0, 30)

const tellMessages = async (asked: AskedByPerson, ask: TargetAsk, context: readonly string[]): Promise<void> => {
  const { client, desk } = asked
  const place = placeOf(asked, ask.target)
  if (place === undefined) {
    standard(client, 'FAIL', 'CHATHISTORY', 'INVALID_TARGET', context, LOST)
    return
  }
  const { chat, view, name } = place
  const said = chat === undefined ? [] : await read((range) => desk.deps.context.history.said(chat, range), ask)
  batch(
    asked,
    ['chathistory', name],
    said.flatMap((one) => historyLines(one, view)),
  )
}

type Read = (range: HistoryRange) => Promise<readonly Said[]>

const read = async (said: Read, ask: TargetAsk): Promise<readonly Said[]> => {
  const { limit } = ask
  switch (ask.kind) {
    case 'before':
      return said({ before: ask.point, from: 'newest', limit })
    case 'after':
      return said({ after: ask.point, from: 'oldest', limit })
    case 'latest':
      return said({ ...(ask.point === undefined ? {} : { after: ask.point }), from: 'newest', limit })
    case 'around':
      return around(said, ask.point, limit)
    case 'between':
      return between(said, ask.from, ask.to, limit)
  }
}

/** The message itself is one of them, so what comes after is asked for from the last one before it. */
const around = async (said: Read, point: HistoryPoint, limit: number): Promise<readonly Said[]> => {
  const before = limit < 2 ? [] : await said({ before: point, from: 'newest', limit: Math.floor(limit / 2) })
  const last =
    before.at(-1) ?? (limit < 2 ? (await said({ before: point, from: 'newest', limit: 1 })).at(-1) : undefined)
  const rest = await said({
    ...(last === undefined ? {} : { after: { kind: 'message', id: last.id } }),
    from: 'oldest',
    limit: limit - before.length,
  })
  // Nothing is around a message that is not there.
  if (point.kind === 'message' && !rest.some(({ id }) => id === point.id)) return []
  return [...before, ...rest]
}

/** "counted starting from and excluding the first message selector ... This may be forwards or backwards in time." */
const between = async (said: Read, from: HistoryPoint, to: HistoryPoint, limit: number): Promise<readonly Said[]> => {
  const back = (): Promise<readonly Said[]> => said({ after: to, before: from, from: 'newest', limit })
  if (from.kind === 'time' && to.kind === 'time' && from.at > to.at) return back()
  const forth = await said({ after: from, before: to, from: 'oldest', limit })
  // Which of two messages is the earlier one is known to the store alone.
  return forth.length > 0 || (from.kind === 'time' && to.kind === 'time') ? forth : back()
}

const tellTargets = async (asked: AskedByPerson, ask: Extract<HistoryAsk, { kind: 'targets' }>): Promise<void> => {
  const { person, desk } = asked
  const names = new Map<ChatId, string>()
  const chats: ChatRef[] = []
  const add = (chat: ChatRef, name: string): void => {
    if (names.has(chat.chat)) return
    names.set(chat.chat, name)
    chats.push(chat)
  }
  for (const { contact, nick } of person.faces())
    if (contact !== undefined) add(refOf(asked, person.chatOf(contact)), nick)
  for (const { chat, name } of person.channels()) if (chat !== undefined) add(refOf(asked, chat), name)
  const [after, before] = ask.from <= ask.to ? [ask.from, ask.to] : [ask.to, ask.from]
  const latest = await desk.deps.context.history.latest(chats, after, before, Math.max(1, chats.length))
  const counted = ask.from <= ask.to ? latest.slice(0, ask.limit) : latest.slice(-ask.limit)
  batch(
    asked,
    ['draft/chathistory-targets'],
    counted.flatMap(({ chat, at }) => {
      const name = names.get(chat.chat)
      return name === undefined ? [] : [{ verb: 'CHATHISTORY', params: ['TARGETS', name, isoTime(at)] }]
    }),
  )
}

const batch = ({ client, desk }: AskedByPerson, type: readonly string[], lines: readonly ServerMessage[]): void => {
  if (!client.caps.has('batch')) {
    sendAll(client, lines)
    return
  }
  const ref = desk.ref()
  sendAll(client, [
    { verb: 'BATCH', params: [`+${ref}`, ...type] },
    ...lines.map((line) => ({ ...line, tags: { ...line.tags, batch: ref } })),
    { verb: 'BATCH', params: [`-${ref}`] },
  ])
}

export const HISTORY: Commands = { CHATHISTORY: { min: 0, identified: true, run: chathistory } }
