/** Cuts a text into pieces that fit into one message each, where it hurts least. Nothing is lost. Pure. */
import { sliceOf, textOf, type RichText } from '../../bridge/model/text.ts'

/** Pieces of at most `room` bytes that make up the text again. */
export const cut = (rich: RichText, room: number): readonly RichText[] => {
  const text = textOf(rich)
  const pieces: RichText[] = []
  for (let at = 0; at < text.length;) {
    const end = endOfPiece(text, at, room)
    pieces.push(sliceOf(rich, at, end))
    at = end
  }
  return pieces
}

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })
/** So much is looked at behind the last character that fits, to see whether it belongs to one that does not. */
const LOOKAHEAD = 64

/**
 * Where the piece that begins at `from` ends: after a line end or else a blank in its second half; else between two
 * letters as people see them; within one only when it alone is too long.
 */
const endOfPiece = (text: string, from: number, room: number): number => {
  const most = lastFit(text, from, room)
  if (most === text.length) return most
  const half = from + (most - from) / 2
  let line = -1
  let blank = -1
  let letter = -1
  for (const { index, segment } of graphemes.segment(text.slice(from, most + LOOKAHEAD))) {
    const end = from + index + segment.length
    if (end > most) break
    letter = end
    if (segment === '\n') line = end
    else if (segment.trim() === '') blank = end
  }
  if (line > half) return line
  if (blank > half) return blank
  return letter === -1 ? most : letter
}

/** The end of the longest run of whole characters that takes at most `room` bytes; at least one character. */
const lastFit = (text: string, from: number, room: number): number => {
  let at = from
  let left = room
  while (at < text.length) {
    const point = text.codePointAt(at) ?? 0
    left -= bytesOf(point)
    if (left < 0 && at > from) return at
    at += point > 0xffff ? 2 : 1
  }
  return at
}

const bytesOf = (point: number): number => {
  if (point === 10) return 2
  if (point < 0x80) return 1
  if (point < 0x800) return 2
  return point < 0x10000 ? 3 : 4
}

/** Bytes of a text on the wire. */
export const sizeOf = (text: string): number => Buffer.byteLength(text.replace(/\n/g, '\r\n'))
