/** What the core wants said -> MSN messages of at most 1664 bytes. MSN has one style for a whole message. Pure. */
import type { MessageBody } from '../../bridge/model/body.ts'
import type { Outbound, Puppet } from '../../bridge/model/events.ts'
import { takenBack } from '../../bridge/model/relayed.ts'
import { textOf, type RichText, type Style } from '../../bridge/model/text.ts'
import {
  inParts,
  MAX_MESSAGE_BYTES,
  nudgeMessage,
  PLAIN_FORMAT,
  textMessage,
  textRoom,
  type TextFormat,
} from '../../msnp/index.ts'
import { cut, sizeOf } from './cut.ts'
import { cleaned, cleanedText } from './words.ts'

/** Who speaks and to whom. */
export interface Voice {
  /** How our account is called there, for what it does itself. */
  readonly ownName: string
  /** Everybody who gets it has a client that knows nudges (7.0 and later). */
  readonly nudges: boolean
  /** Everybody who gets it puts messages in several parts together again. */
  readonly chunks: boolean
}

const FIXED_FONT = 'Courier New'
/** Family "modern", pitch "fixed". */
const FIXED_FAMILY = 0x31
/** Names in front of an action are cut here, so that there is always room for the words. */
const MAX_NAME = 64
/** Our name when the message is cut is not yet the one when it goes out. No UTF-16 unit takes more than three bytes. */
const LONGEST_NAME = '€'.repeat(MAX_NAME)

const WIDEST: TextFormat = {
  font: FIXED_FONT,
  bold: true,
  italic: true,
  underline: true,
  strike: true,
  color: '#ffffff',
  charset: 0xff,
  family: 0xff,
  rightToLeft: true,
}

/** Bytes of text that fit into one message, whatever it looks like; a line end counts two. */
export const TEXT_ROOM = textRoom(WIDEST)

/** The same, in one message of several parts. */
export const CHUNKED_ROOM = 8 * TEXT_ROOM

/** The wire's messages for it, in order; none where there is nothing to say. `makeId`: 32 hexadecimal digits, new each time. */
export const payloadsOf = (op: Outbound, voice: Voice, makeId: () => string): readonly Uint8Array[] => {
  const whole = payloadOf(op, voice)
  if (whole === undefined) return []
  if (whole.length <= MAX_MESSAGE_BYTES) return [whole]
  if (voice.chunks)
    return inParts(
      whole,
      makeId()
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
        .toUpperCase(),
    )
  // Whoever was there when it was cut took more.
  return partsOf(op).flatMap((part) => payloadOf(part, voice) ?? [])
}

/** What goes out as one message of text or nudge; undefined where there is nothing to say. */
export const payloadOf = (op: Outbound, voice: Voice): Uint8Array | undefined => {
  if (op.kind === 'message' && op.body.kind === 'nudge' && voice.nudges) return nudgeMessage()
  const speech = speechOf(op, voice.ownName)
  if (speech === undefined) return undefined
  const text = cleanedText([{ ...styleOf(speech.text), text: speech.lead }, ...speech.text])
  return text.length === 0 ? undefined : textMessage(textOf(text), formatOf(text))
}

/** The operation in parts of one message each, with so many bytes of text. What fits comes back as it is. */
export const partsOf = (op: Outbound, room = TEXT_ROOM): readonly Outbound[] => {
  if (op.kind === 'message' && op.body.kind === 'file') {
    const { text, ...file } = op.body
    const words = text.length === 0 ? [] : partsOf({ ...op, body: { kind: 'text', text } }, room)
    return [...words, { ...op, body: { ...file, text: [] } }]
  }
  const speech = speechOf(op, LONGEST_NAME)
  if (speech === undefined) return [op]
  const pieces = cut(cleanedText(speech.text), room - sizeOf(speech.lead))
  return pieces.length < 2 ? [op] : pieces.map((text) => withText(op, text))
}

/** `lead` stands before each part. */
interface Speech {
  readonly lead: string
  readonly text: RichText
}

const speechOf = (op: Outbound, ownName: string): Speech | undefined => {
  switch (op.kind) {
    case 'message':
      return wordsOf(op.body, nameOf(op.as, ownName))
    case 'status':
    case 'delivery':
      return { lead: '', text: op.text }
    case 'redact': {
      const name = op.as.kind === 'self' ? ownName : op.as.name
      return op.reaction === true ? undefined : { lead: '', text: [{ text: takenBack(name, op.quote) }] }
    }
    case 'edit':
    case 'reaction':
    case 'title':
    case 'member':
    case 'topic':
    case 'typing':
    case 'read':
    case 'company':
    case 'presence':
    case 'profile':
      return undefined
  }
}

const wordsOf = (body: MessageBody, name: string): Speech => {
  switch (body.kind) {
    case 'text':
    case 'notice':
      return { lead: '', text: body.text }
    case 'action':
      return { lead: `* ${name} `, text: body.text }
    case 'file':
      return { lead: '', text: body.text }
    case 'nudge':
      return { lead: `* ${name} `, text: [{ text: 'nudges you' }] }
  }
}

const nameOf = (as: Puppet, ownName: string): string =>
  cleaned(as.kind === 'self' ? ownName : as.name)
    .replace(/\s+/g, ' ')
    .slice(0, MAX_NAME)
    .toWellFormed()

const withText = (op: Outbound, text: RichText): Outbound => {
  if (op.kind === 'message') return op.body.kind === 'nudge' ? op : { ...op, body: { ...op.body, text } }
  return op.kind === 'status' || op.kind === 'delivery' ? { ...op, text } : op
}

/** What is common to the look of all words. Blanks and "<bob> " before a line have no look of their own. */
const styleOf = (rich: RichText): Style => {
  const [first, ...rest] = rich.filter((span) => span.text.trim() !== '' && !/^<[^<>\n]+> $/.test(span.text))
  if (first === undefined) return {}
  const shared = LOOKS.filter((look) => rest.every((span) => span[look] === first[look]))
  return Object.fromEntries(shared.map((look) => [look, first[look]]))
}

const LOOKS = ['bold', 'italic', 'underline', 'strike', 'mono', 'color'] as const satisfies readonly (keyof Style)[]

const formatOf = (rich: RichText): TextFormat => {
  const style = styleOf(rich)
  return {
    ...PLAIN_FORMAT,
    ...(style.mono === true ? { font: FIXED_FONT, family: FIXED_FAMILY } : {}),
    bold: style.bold === true,
    italic: style.italic === true,
    underline: style.underline === true,
    strike: style.strike === true,
    color: style.color,
    rightToLeft: /^(\u200f|\P{L}*[\p{Script=Hebrew}\p{Script=Arabic}])/u.test(textOf(rich)),
  }
}
