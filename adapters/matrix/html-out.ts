/** Spans -> what a message says: `body` for all, and HTML where there is something to see in it. Pure. */
import { textOf, type RichText, type Span } from '../../bridge/model/text.ts'
import { cleaned } from './clean.ts'
import { parseMxc } from './mxc.ts'

export interface Words {
  readonly body: string
  readonly format?: 'org.matrix.custom.html'
  readonly formatted_body?: string
}

/** Everything is escaped; the only tags are those of the spans. Links stay text: clients find them by themselves. */
export const wordsOf = (text: RichText): Words => {
  const body = cleaned(textOf(text))
  if (!text.some((span) => isStyled(span) && span.text.trim() !== '')) return { body }
  return { body, format: 'org.matrix.custom.html', formatted_body: text.map(htmlOf).join('') }
}

/** The most that tags add to a span, as bytes of JSON; of a picture, more. */
export const MAX_TAG_BYTES = 120
/** A picture has an address, and its words in two places more. */
export const MAX_IMAGE_BYTES = 1_000

/** As JSON writes them, what the character of plain text costs in `body` and in `formatted_body` together. Bytes. */
export const costOf = (point: number): number => {
  switch (point) {
    case 0x0a: // \n and <br>
      return 6
    case 0x22: // \" twice
    case 0x5c:
    case 0x09:
      return 4
    case 0x26: // & and &amp;
      return 6
    case 0x3c:
    case 0x3e:
      return 5
    default:
      return 2 * (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4)
  }
}

/** Black and white are the background of half of all readers. */
const UNSEEN: ReadonlySet<string> = new Set(['#000000', '#ffffff'])

const colorOf = ({ color }: Span): string | undefined => {
  const hex = color?.toLowerCase()
  return hex !== undefined && /^#[0-9a-f]{6}$/.test(hex) && !UNSEEN.has(hex) ? hex : undefined
}

export const isStyled = (span: Span): boolean =>
  span.bold === true ||
  span.italic === true ||
  span.underline === true ||
  span.strike === true ||
  span.mono === true ||
  span.image !== undefined ||
  colorOf(span) !== undefined

const htmlOf = (span: Span): string => {
  let html = escaped(cleaned(span.text))
  if (html === '') return ''
  if (span.image !== undefined && parseMxc(span.image.ref) !== undefined) return emoticon(span.image.ref, html)
  if (span.mono === true) html = `<code>${html}</code>`
  if (span.strike === true) html = `<del>${html}</del>`
  if (span.underline === true) html = `<u>${html}</u>`
  if (span.italic === true) html = `<em>${html}</em>`
  if (span.bold === true) html = `<strong>${html}</strong>`
  const color = colorOf(span)
  return color === undefined ? html : `<span data-mx-color="${color}">${html}</span>`
}

/** The words stand where pictures are not shown. */
const emoticon = (uri: string, words: string): string => {
  const name = words.replaceAll('"', '&quot;').replaceAll('<br>', ' ')
  return `<img data-mx-emoticon src="${uri}" alt="${name}" title="${name}" height="32" />`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\n': '<br>' }

const escaped = (text: string): string => text.replace(/[&<>\n]/g, (sign) => ENTITIES[sign] ?? '')
