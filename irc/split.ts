/**
 * Cuts text into pieces that fit into one IRC line each: at line breaks, then between words, else between graphemes.
 * White space goes to the beginning of the next piece, because some servers (ngIRCd) trim the end of a line; so the
 * pieces joined are the text. Pure.
 */
import { type RichText, sameStyle, type Span, type Style, withoutImage } from '../bridge/model/text.ts'
import { render, StyleWriter, withoutControls } from './formatting.ts'

/** A piece is cut at a word's end only if that leaves it this full; else a long word would waste lines. */
const LEAST_FILL = 0.5
/** Below this no text fits sensibly; a budget is never taken to be smaller. */
export const LEAST_BUDGET = 40

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** The lines of `text`. An empty line becomes one space, because IRC has no empty messages. */
export const splitLines = (text: RichText): readonly RichText[] => {
  const lines: Span[][] = [[]]
  for (const span of text) {
    const [first = '', ...rest] = withoutControls(span.text.replace(/\r\n?/g, '\n')).split('\n')
    if (first !== '') lines.at(-1)?.push({ ...span, text: first })
    for (const line of rest) lines.push(line === '' ? [] : [{ ...span, text: line }])
  }
  return lines.map((line) => (line.length === 0 ? [{ text: ' ' }] : line))
}

/** One line into pieces of at most `budget` bytes when rendered. */
export const splitLine = (line: RichText, budget: number): readonly RichText[] => {
  const room = Math.max(budget, LEAST_BUDGET)
  if (Buffer.byteLength(render(line)) <= room) return [line]
  const units = unitsOf(line, room)
  const pieces: RichText[] = []
  let start = 0
  while (start < units.length) {
    const writer = new StyleWriter()
    let bytes = 0
    let end = start
    let wordEnd = -1
    for (; end < units.length; end++) {
      const unit = units[end]
      if (unit === undefined) break
      // A piece that ended here would be whole words.
      if (isSpace(unit) && !isSpace(units[end - 1]) && bytes >= room * LEAST_FILL) wordEnd = end
      const added = Buffer.byteLength(writer.write(unit.text, unit.style))
      if (bytes + added > room && end > start) break
      bytes += added
    }
    if (end < units.length && wordEnd > start) end = wordEnd
    pieces.push(spansOf(units.slice(start, end)))
    start = end
  }
  return pieces
}

/** What never is cut: a grapheme, or a code point of one that would not fit into a line by itself. */
interface Unit {
  readonly text: string
  readonly style: Style
}

const isSpace = (unit: Unit | undefined): boolean => unit !== undefined && /^\s/.test(unit.text)

const unitsOf = (line: RichText, room: number): readonly Unit[] => {
  const units: Unit[] = []
  const styles = stylesOf(line)
  for (const { segment, index } of segmenter.segment(line.map((span) => span.text).join(''))) {
    const style = styles(index)
    // Half of the room leaves place for the codes before it.
    if (Buffer.byteLength(segment) <= room / 2) units.push({ text: segment, style })
    else for (const point of segment) units.push({ text: point, style })
  }
  return units
}

/** The style at an index of the line's text; indexes are asked in rising order. */
const stylesOf = (line: RichText): ((index: number) => Style) => {
  let at = 0
  let end = line[0]?.text.length ?? 0
  return (index) => {
    while (index >= end && at < line.length - 1) {
      at++
      end += line[at]?.text.length ?? 0
    }
    return styleOf(line[at])
  }
}

const styleOf = (span: Span | undefined): Style => {
  const { text, ...style } = withoutImage(span ?? { text: '' })
  return text === '' ? {} : style
}

const spansOf = (units: readonly Unit[]): RichText => {
  const spans: Span[] = []
  for (const unit of units) {
    const last = spans.at(-1)
    if (last !== undefined && sameStyle(last, unit.style)) {
      spans[spans.length - 1] = { ...last, text: last.text + unit.text }
    } else spans.push({ ...unit.style, text: unit.text })
  }
  return spans
}

/** All pieces of a text of any number of lines. */
export const splitText = (text: RichText, budget: number): readonly RichText[] =>
  splitLines(text).flatMap((line) => splitLine(line, budget))
