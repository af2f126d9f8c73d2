/** Pure. What is said -> lines of IRC, none longer than a line may be. */
import type { FileRef, MessageBody } from '../../../bridge/model/body.ts'
import { plain, type RichText } from '../../../bridge/model/text.ts'
import { render, withoutControls } from '../../../irc/formatting.ts'
import { MAX_LINE_BYTES } from '../../../irc/guard.ts'
import { LEAST_BUDGET, splitLine, splitLines } from '../../../irc/split.ts'
import type { ServerMessage } from '../wire/message.ts'

export interface Speech {
  readonly verb: 'PRIVMSG' | 'NOTICE'
  readonly action: boolean
  readonly text: RichText
}

/** BitlBee wraps there, so that other clients of its users need not. Bytes of text. */
export const WRAP_BYTES = 425
const ACTION_BYTES = Buffer.byteLength('\x01ACTION \x01')
export const NUDGE_WORDS = 'nudges you'

export const speechOf = (body: MessageBody): Speech => {
  switch (body.kind) {
    case 'text':
      return { verb: 'PRIVMSG', action: false, text: body.text }
    case 'action':
      return { verb: 'PRIVMSG', action: true, text: body.text }
    case 'notice':
      return { verb: 'NOTICE', action: false, text: body.text }
    case 'nudge':
      return { verb: 'PRIVMSG', action: true, text: plain(NUDGE_WORDS) }
    case 'file':
      return { verb: 'PRIVMSG', action: false, text: [...withBreak(body.text), { text: fileWords(body.file) }] }
  }
}

const withBreak = (text: RichText): RichText => (text.length === 0 ? [] : [...text, { text: '\n' }])

const fileWords = ({ name, url }: FileRef): string =>
  `sends a file: ${withoutControls(name.replace(/\s+/g, ' '))}${url === undefined ? '' : ` ${url}`}`

export interface Line {
  /** The longest mask that anybody sees before it. */
  readonly source: string
  readonly target: string
  /** Before each line: "alice: ". */
  readonly lead: string
}

/** Texts of the lines, in order. */
export const textsOf = ({ verb, action, text }: Speech, { source, target, lead }: Line): readonly string[] => {
  const head = withoutControls(lead)
  const frame = Buffer.byteLength(`:${source} ${verb} ${target} :`)
  const extra = Buffer.byteLength(head) + (action ? ACTION_BYTES : 0)
  const room = Math.max(LEAST_BUDGET, Math.min(WRAP_BYTES, MAX_LINE_BYTES - frame - extra))
  return splitLines(text).flatMap((line) =>
    splitLine(line, room).map((piece) => {
      const words = head + render(piece)
      return action ? `\x01ACTION ${words}\x01` : words
    }),
  )
}

export interface Tags {
  readonly at: number
  /** Stands on the first line only. */
  readonly id?: string
  /** Address of whoever says it. */
  readonly account?: string
}

export const messagesOf = (
  texts: readonly string[],
  { verb }: Pick<Speech, 'verb'>,
  { source, target }: Pick<Line, 'source' | 'target'>,
  { at, id, account }: Tags,
): readonly ServerMessage[] => {
  const rest = { time: timeTag(at), ...(account === undefined || account === '' ? {} : { account }) }
  return texts.map((text, index) => ({
    source,
    verb,
    params: [target, text],
    tags: index === 0 && id !== undefined ? { ...rest, msgid: id } : rest,
  }))
}

/** 2004-01-01T00:00:00.000Z */
export const timeTag = (at: number): string => {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}
