/** What the core wants said -> events of Matrix. Pure. */
import type { FileRef, MessageBody } from '../../bridge/model/body.ts'
import type { Choice, Outbound } from '../../bridge/model/events.ts'
import type { MessageId, NetworkId } from '../../bridge/model/ids.ts'
import type { RichText } from '../../bridge/model/text.ts'
import { cleaned, oneLine, shortened } from './clean.ts'
import { wordsOf } from './html-out.ts'
import { mentionsOf } from './mentions.ts'
import type { MatrixEventId, Mxid } from './types.ts'

/** In the content of all that we send: which bridge did. So what we send as a person is not taken for that person's own. */
export const SOURCE = 'org.msn-bridge.source'
/** In the content of a nudge. */
export const NUDGE = 'org.msn-bridge.nudge'

/** UTF-16 units; both leave room in the event. */
const MAX_TOPIC = 10_000
const MAX_KEY = 100
const MAX_NAME = 200

export type Content = Readonly<Record<string, unknown>>

export type Sending =
  | { readonly kind: 'event'; readonly type: string; readonly content: Content }
  | { readonly kind: 'state'; readonly type: string; readonly content: Content }
  | { readonly kind: 'redaction'; readonly target: MatrixEventId; readonly content: Content }

/** What goes into the room as an event of somebody. */
export type Said = Extract<Outbound, { kind: 'message' | 'edit' | 'redact' | 'reaction' | 'topic' | 'status' }>

export interface Voice {
  readonly network: NetworkId
  readonly bot: Mxid
  /** Of the room; whom a notice can ring for. */
  readonly owner: Mxid | undefined
}

/** undefined: there is nothing to say. */
export const sendingOf = (op: Said, voice: Voice): Sending | undefined => {
  const source = { [SOURCE]: voice.bot }
  switch (op.kind) {
    case 'message': {
      const content = contentOf(op.body, voice.network)
      if (content === undefined) return undefined
      const relation = op.replyTo === undefined ? {} : { 'm.relates_to': inReplyTo(op.replyTo) }
      return messageOf({ ...content, 'm.mentions': mentionsOf(), ...relation, ...source })
    }
    case 'edit': {
      const content = contentOf(op.body, voice.network)
      if (content === undefined) return undefined
      return messageOf({
        ...content,
        ...starred(content),
        'm.new_content': { ...content, 'm.mentions': mentionsOf() },
        'm.mentions': mentionsOf(),
        'm.relates_to': { rel_type: 'm.replace', event_id: op.target },
        ...source,
      })
    }
    case 'redact':
      return { kind: 'redaction', target: eventOf(op.target), content: source }
    case 'reaction': {
      const key = oneLine(op.key, MAX_KEY)
      return key === ''
        ? undefined
        : { kind: 'event', type: 'm.reaction', content: { ...reactionTo(op.target, key), ...source } }
    }
    case 'topic':
      return {
        kind: 'state',
        type: 'm.room.topic',
        content: { topic: shortened(cleaned(op.topic), MAX_TOPIC), ...source },
      }
    case 'status': {
      const words = wordsOf(op.choices === undefined ? op.text : [...op.text, ...choiceWords(op.choices)])
      if (words.body.trim() === '') return undefined
      const rings = op.mention === true && voice.owner !== undefined
      // Clients never ring for a notice, whoever it mentions.
      return messageOf({
        msgtype: op.mention === true ? 'm.text' : 'm.notice',
        ...words,
        'm.mentions': rings ? mentionsOf(voice.owner) : mentionsOf(),
        ...source,
      })
    }
  }
}

/** An answer of the bot to a message. */
export const answerTo = (target: MatrixEventId | undefined, text: RichText, bot: Mxid): Content => ({
  msgtype: 'm.notice',
  ...wordsOf(text),
  'm.mentions': mentionsOf(),
  ...(target === undefined ? {} : { 'm.relates_to': inReplyTo(target) }),
  [SOURCE]: bot,
})

export const reactionTo = (target: MatrixEventId | MessageId, key: string): Content => ({
  'm.relates_to': { rel_type: 'm.annotation', event_id: target, key },
})

/** Ids of messages in our rooms are ids of events. */
export const eventOf = (id: MessageId): MatrixEventId => String(id) as MatrixEventId

const inReplyTo = (target: MatrixEventId | MessageId): Content => ({ 'm.in_reply_to': { event_id: target } })

const messageOf = (content: Content): Sending => ({ kind: 'event', type: 'm.room.message', content })

const contentOf = (body: MessageBody, network: NetworkId): Content | undefined => {
  switch (body.kind) {
    case 'text':
      return saying('m.text', body.text)
    case 'action':
      return saying('m.emote', body.text)
    case 'notice':
      return saying('m.notice', body.text)
    case 'nudge':
      return { msgtype: 'm.emote', body: 'sends a nudge', [NUDGE]: true }
    case 'file':
      return body.file.network === network
        ? fileContent(body.file, body.text)
        : saying('m.text', fileWords(body.file, body.text))
  }
}

const saying = (msgtype: string, text: RichText): Content | undefined => {
  const words = wordsOf(text)
  return words.body.trim() === '' ? undefined : { msgtype, ...words }
}

/** For clients that do not know edits. */
const starred = (content: Content): Content => ({
  body: `* ${String(content['body'])}`,
  ...(typeof content['formatted_body'] === 'string' ? { formatted_body: `* ${content['formatted_body']}` } : {}),
})

/** It lies on a homeserver already. */
const fileContent = (file: FileRef, text: RichText): Content => {
  const name = nameOf(file)
  const words = wordsOf(text)
  return {
    msgtype: `m.${file.media}`,
    ...(words.body.trim() === '' ? { body: name } : words),
    filename: name,
    url: file.ref,
    info: {
      ...(file.mime === undefined ? {} : { mimetype: file.mime }),
      ...(file.size === undefined ? {} : { size: file.size }),
    },
  }
}

const fileWords = (file: FileRef, text: RichText): RichText => {
  const caption = text.length === 0 ? [] : [...text, { text: '\n' }]
  return [...caption, { text: file.url === undefined ? `File: ${nameOf(file)}` : `${nameOf(file)}: ${file.url}` }]
}

const nameOf = (file: FileRef): string => {
  const name = oneLine(file.name, MAX_NAME)
  return name === '' ? file.media : name
}

/** "✅ accept, ❌ decline" under what they answer. */
const choiceWords = (choices: readonly Choice[]): RichText => [
  { text: `\n${choices.map(({ key, words }) => `${key} ${words}`).join(', ')}` },
]
