/** Cuts what does not fit into one event of 65,536 bytes. Whole characters, in order; nothing is lost. Pure. */
import type { MessageBody } from '../../bridge/model/body.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import { sliceOf, textOf, type RichText } from '../../bridge/model/text.ts'
import { costOf, isStyled, MAX_IMAGE_BYTES, MAX_TAG_BYTES } from './html-out.ts'

/** Bytes of JSON for one text, plain and as HTML together: 20,000 plain letters. The rest of an event is ours. */
const ROOM = 40_000
/** An edit carries its text twice: for clients that know edits and for those that do not. */
const EDIT_ROOM = ROOM / 2

/** What fits comes back as it is. */
export const splitOp = (op: Outbound): readonly Outbound[] => {
  switch (op.kind) {
    case 'message': {
      const pieces = textPieces(op.body, ROOM)
      if (pieces.length < 2) return [op]
      return pieces.map((body, index) =>
        index === 0 ? { ...op, body } : { kind: 'message', as: op.as, body, at: op.at },
      )
    }
    case 'edit': {
      // Only one event can take the place of another: what does not fit follows as messages, sent now.
      const pieces = op.body.kind === 'nudge' ? [] : cut(op.body.text, EDIT_ROOM)
      if (pieces.length < 2) return [op]
      return pieces.map((text, index) =>
        index === 0
          ? { ...op, body: withText(op.body, text) }
          : { kind: 'message', as: op.as, body: { kind: 'text', text }, at: 0 },
      )
    }
    case 'status': {
      const pieces = cut(op.text, ROOM)
      if (pieces.length < 2) return [op]
      // What one can do about it belongs under the last line.
      return pieces.map((text, index) => (index === pieces.length - 1 ? { ...op, text } : { kind: 'status', text }))
    }
    case 'redact':
    case 'reaction':
    case 'title':
    case 'member':
    case 'topic':
    case 'typing':
    case 'read':
    case 'company':
    case 'presence':
    case 'profile':
    case 'delivery':
      return [op]
  }
}

/** A file comes behind all that was said with it. */
const textPieces = (body: MessageBody, room: number): readonly MessageBody[] => {
  if (body.kind === 'nudge') return [body]
  const pieces = cut(body.text, room)
  if (body.kind !== 'file') return pieces.map((text) => ({ ...body, text }))
  return pieces.map((text, index) => (index === pieces.length - 1 ? { ...body, text } : { kind: 'text', text }))
}

const withText = (body: MessageBody, text: RichText): MessageBody => (body.kind === 'nudge' ? body : { ...body, text })

/** Pieces of at most `room` that make up the text again. */
const cut = (rich: RichText, room: number): readonly RichText[] => {
  const text = textOf(rich)
  // No character costs more than eight bytes, and no span more than its tags.
  if (text.length * 8 + rich.length * MAX_IMAGE_BYTES <= room) return [rich]
  const pieces: RichText[] = []
  const fits = fitter(rich)
  for (let at = 0; at < text.length;) {
    const most = fits(text, at, room)
    const end = most === text.length ? most : goodEnd(text, at, most)
    pieces.push(sliceOf(rich, at, end))
    at = end
  }
  return pieces
}

/** Answers where the longest run of whole characters ends that begins at `from`; at least one character. `from` only grows. */
const fitter = (rich: RichText): ((text: string, from: number, room: number) => number) => {
  const starts: number[] = []
  let length = 0
  for (const span of rich) {
    starts.push(length)
    length += span.text.length
  }
  let first = 0
  return (text, from, room) => {
    while ((starts[first + 1] ?? Number.POSITIVE_INFINITY) <= from) first++
    let at = from
    let span = first
    let left = room - tagBytes(rich, span)
    while (at < text.length) {
      while ((starts[span + 1] ?? Number.POSITIVE_INFINITY) <= at) {
        span++
        left -= tagBytes(rich, span)
      }
      const point = text.codePointAt(at) ?? 0
      left -= costOf(point)
      if (left < 0 && at > from) return at
      at += point > 0xffff ? 2 : 1
    }
    return at
  }
}

const tagBytes = (rich: RichText, index: number): number => {
  const span = rich[index]
  if (span?.image !== undefined) return MAX_IMAGE_BYTES
  return span !== undefined && isStyled(span) ? MAX_TAG_BYTES : 0
}

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })
/** So much is looked at behind the last character that fits, to see whether it belongs to one that does not. */
const LOOKAHEAD = 64

/** After a line end or else a blank in the second half; else between two letters as people see them. */
const goodEnd = (text: string, from: number, most: number): number => {
  const half = from + Math.floor((most - from) / 2)
  for (const mark of ['\n', ' ']) {
    const at = text.slice(half, most).lastIndexOf(mark)
    if (at >= 0) return half + at + 1
  }
  const letter = graphemes.segment(text.slice(half, most + LOOKAHEAD)).containing(most - half)
  const end = half + (letter?.index ?? most - half)
  return end > half ? end : most
}
