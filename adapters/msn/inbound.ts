/** What arrives on a switchboard -> what the core is told. Pure. */
import type { MessageBody } from '../../bridge/model/body.ts'
import type { MessageEvent } from '../../bridge/model/events.ts'
import type { ChatRef, MessageId, NetworkId } from '../../bridge/model/ids.ts'
import type { RichText } from '../../bridge/model/text.ts'
import {
  OBJECT_TYPES,
  parseMsnObject,
  parseSaid,
  type MimeMessage,
  type Said,
  type TextFormat,
} from '../../msnp/index.ts'
import { applicationOf } from './applications.ts'
import type { Thing } from './things.ts'
import { cleaned, oneLine, userIdOf } from './words.ts'

/** Where and from whom a message came. */
export interface Heard {
  readonly network: NetworkId
  readonly chat: ChatRef
  readonly from: { readonly email: string; readonly name: string }
  readonly id: MessageId
  readonly at: number
}

export type Reading =
  | { readonly kind: 'message'; readonly event: MessageEvent }
  /** An invitation that we do not take up: to be declined, and told of once per cookie. */
  | { readonly kind: 'invitation'; readonly cookie: string; readonly event: MessageEvent }
  /** More than words: `event` is what it becomes, without its body. */
  | { readonly kind: 'thing'; readonly thing: Thing; readonly event: Omit<MessageEvent, 'body'> }
  /** Their pictures for codes in what they will say next. */
  | { readonly kind: 'emoticons'; readonly emoticons: Extract<Said, { kind: 'emoticons' }>['emoticons'] }
  /** Nothing for people. */
  | { readonly kind: 'nothing' }

const NOTHING: Reading = { kind: 'nothing' }
/** A client says again that somebody types every four or five seconds. */
export const TYPING_FOR_MS = 6_000
/** The mark of Unicode for right to left. */
const RLM = '\u200f'
/** Names of files and programs of others in our sentences, UTF-16 units. */
const MAX_QUOTED = 80

export const read = (message: MimeMessage, heard: Heard): Reading => {
  const said = parseSaid(message)
  switch (said.kind) {
    case 'text': {
      const text = cleaned(said.text)
      if (text === '') return NOTHING
      return reading({ kind: 'text', text: styled(text, said.format) }, heard, said.as)
    }
    case 'nudge':
      return reading({ kind: 'nudge' }, heard)
    case 'action': {
      const text = oneLine(said.text, said.text.length)
      return text === '' ? NOTHING : reading({ kind: 'action', text: [{ text }] }, heard)
    }
    case 'invite':
      if (said.command !== 'INVITE') return NOTHING
      return { kind: 'invitation', cookie: said.cookie, event: eventOf(noticeOf(said), heard) }
    case 'wink':
    case 'voice': {
      const object = parseMsnObject(said.object)
      const isFit = object?.type === (said.kind === 'wink' ? OBJECT_TYPES.wink : OBJECT_TYPES.voiceClip)
      if (!isFit) return NOTHING
      return { kind: 'thing', thing: { kind: said.kind, object, xml: said.object }, event: whereOf(heard) }
    }
    case 'ink':
      return { kind: 'thing', thing: said, event: whereOf(heard) }
    case 'emoticons':
      return { kind: 'emoticons', emoticons: said.emoticons }
    case 'typing':
    case 'client-info':
    case 'keep-alive':
    case 'direct':
    case 'profile':
    case 'mail':
    case 'going-down':
    case 'unknown':
      return NOTHING
  }
}

const reading = (body: MessageBody, heard: Heard, as?: string): Reading => ({
  kind: 'message',
  event: eventOf(body, heard, as),
})

const eventOf = (body: MessageBody, heard: Heard, as?: string): MessageEvent => ({ ...whereOf(heard, as), body })

const whereOf = (heard: Heard, as?: string): Omit<MessageEvent, 'body'> => ({
  kind: 'message',
  chat: heard.chat,
  sender: { network: heard.network, user: userIdOf(heard.from.email) },
  senderName: oneLine(as ?? heard.from.name, MAX_QUOTED),
  id: heard.id,
  at: heard.at,
})

const styled = (text: string, format: TextFormat | undefined): RichText => [
  {
    text: format?.rightToLeft === true ? rightToLeft(text) : text,
    ...(format?.bold === true ? { bold: true } : {}),
    ...(format?.italic === true ? { italic: true } : {}),
    ...(format?.underline === true ? { underline: true } : {}),
    ...(format?.strike === true ? { strike: true } : {}),
    ...(format !== undefined && isFixed(format) ? { mono: true } : {}),
    ...(format?.color === undefined ? {} : { color: format.color }),
  },
]

/** Names of fonts are shown to nobody, but a font in which all letters are equally wide says something. */
const isFixed = ({ font, family }: TextFormat): boolean =>
  (family & 0xf) === 1 || /^(Courier|Consolas|Lucida Console)/i.test(font)

/** Elsewhere the first letter of a line says in which direction it runs: a mark goes before lines that begin otherwise. */
const rightToLeft = (text: string): string =>
  text
    .split('\n')
    .map((line) =>
      /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(line) || line === '' ? line : `${RLM}${line}`,
    )
    .join('\n')

const noticeOf = (said: Extract<Said, { kind: 'invite' }>): MessageBody => {
  const file = said.fields.get('application-file')
  const text =
    file === undefined
      ? `invites you to ${applicationOf(said.guid, said.application)}; msn-bridge cannot do that`
      : `offers the file ${quoted(file)}, which the bridge cannot take yet`
  return { kind: 'notice', text: [{ text }] }
}

/** Fields of an invitation are UTF-8 as a byte string. */
const quoted = (field: string): string => `"${oneLine(Buffer.from(field, 'latin1').toString('utf8'), MAX_QUOTED)}"`

/** Somebody invited us to a session of that kind between their client and ours, and it was declined. */
export const peerInvitation = (guid: string, heard: Heard): MessageEvent =>
  eventOf(
    { kind: 'notice', text: [{ text: `invites you to ${applicationOf(guid)}; msn-bridge cannot do that` }] },
    heard,
  )
