/**
 * A relayed "<alice> hi" must not ring the bell of the alice who sits in the channel, so the relayed name gets a
 * zero-width space after its first letter; people copy it into their answers, so it is taken out on the way in. Pure.
 */
import type { RichText, Span } from '../../bridge/model/text.ts'

export const ZERO_WIDTH_SPACE = '\u200b'

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** What stands before the name in a line of one who speaks through us: "<alice> hi", "* alice waves". */
const BEFORE_NAME = /^(?:<(?=[^<>\n]+>(?:\s|$))|\* (?=\S))/

export const quietName = (name: string): string => {
  const [first] = graphemes.segment(name)
  if (first === undefined || name.includes(ZERO_WIDTH_SPACE)) return name
  const rest = name.slice(first.segment.length)
  return /^[^\s>]/.test(rest) ? first.segment + ZERO_WIDTH_SPACE + rest : name
}

/** Quiets the name that a line begins with, wherever its spans divide. */
export const quietLine = (line: RichText): RichText => {
  const words = line.map((span) => span.text).join('')
  const before = BEFORE_NAME.exec(words)?.[0].length
  if (before === undefined) return line
  const name = words.slice(before)
  const end = before + (name.search(/[>\s]|$/) || name.length)
  const quiet = quietName(words.slice(before, end))
  const at = quiet.indexOf(ZERO_WIDTH_SPACE)
  return quiet.length === end - before || at < 0 ? line : insertAt(line, before + at, ZERO_WIDTH_SPACE)
}

/** Characters of the "<alice> " that a line begins with; 0 when it does not. */
export const leadOf = (line: RichText): number =>
  /^<[^<>\n]+> /.exec(line.map((span) => span.text).join(''))?.[0].length ?? 0

const insertAt = (text: RichText, position: number, what: string): RichText => {
  let passed = 0
  let done = false
  return text.map((span): Span => {
    const at = position - passed
    passed += span.text.length
    if (done || at > span.text.length) return span
    done = true
    return { ...span, text: span.text.slice(0, at) + what + span.text.slice(at) }
  })
}

export const withoutZeroWidth = (text: string): string => text.replaceAll(ZERO_WIDTH_SPACE, '')
