/**
 * The HTML of Matrix -> spans. Whatever comes in: nothing throws, and the work grows with the length only. What has no
 * counterpart keeps its words: lists, quotes and tables become plain lines. Pure.
 */
import { Parser } from 'htmlparser2'
import type { FileRef } from '../../bridge/model/body.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import type { RichText, Style } from '../../bridge/model/text.ts'
import { cleaned, MAX_TEXT } from './clean.ts'
import { Page } from './html-page.ts'
import { EMOTICON_SIZE, parseMxc, thumbnailOf } from './mxc.ts'
import { isMatrixLink, personOfLink } from './mentions.ts'
import type { Mxid } from './types.ts'

/** Deeper than this it is no message; the specification asks clients for 100. */
const MAX_DEPTH = 100
/** Longer links are left out of the text. */
const MAX_LINK = 2_000
/** Custom emoticons of one message that are pictures; further ones are words. */
const MAX_PICTURES = 30
/** Where a numbered list may begin, so that numbers stay numbers. */
const MAX_NUMBER = 999_999

/** How people are called, for links to them; undefined: by the words of the link. */
export type NameOf = (user: Mxid) => string | undefined

/** undefined: there is nothing to see, or it is nested too deep; then the plain body counts. */
/** `network`: on which the pictures in it are; absent: none are kept. */
export const readHtml = (html: string, nameOf: NameOf, network?: NetworkId): RichText | undefined => {
  const reader = new Reader(nameOf, network)
  const parser: Parser = new Parser(
    {
      onopentag: (name, attributes) => {
        reader.open(name, attributes)
        // The parser's own work grows with the depth, so it ends here.
        if (reader.tooDeep) parser.pause()
      },
      onclosetag: () => reader.close(),
      ontext: (text) => reader.text(text),
    },
    { decodeEntities: true },
  )
  parser.write(html.slice(0, MAX_TEXT))
  if (reader.tooDeep) return undefined
  parser.end()
  return reader.page.toRich()
}

/** Elements whose content nobody is meant to read, or that quote what is known already. */
const DROPPED: ReadonlySet<string> = new Set([
  ...['mx-reply', 'script', 'style', 'title', 'head', 'template', 'iframe', 'object', 'embed', 'applet', 'noscript'],
  ...['noembed', 'noframes', 'textarea', 'select', 'svg', 'math', 'audio', 'video', 'canvas', 'xmp', 'plaintext'],
])

const STYLES: Readonly<Record<string, Style>> = {
  b: { bold: true },
  strong: { bold: true },
  i: { italic: true },
  em: { italic: true },
  u: { underline: true },
  ins: { underline: true },
  s: { strike: true },
  del: { strike: true },
  strike: { strike: true },
  code: { mono: true },
  tt: { mono: true },
  kbd: { mono: true },
  samp: { mono: true },
  pre: { mono: true },
  th: { bold: true },
  h1: { bold: true },
  h2: { bold: true },
  h3: { bold: true },
  h4: { bold: true },
  h5: { bold: true },
  h6: { bold: true },
}

/** Elements that stand on lines of their own. Between two paragraphs there is an empty line. */
const BLOCKS: ReadonlySet<string> = new Set([
  ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'div', 'blockquote', 'pre', 'ul', 'ol', 'li', 'table', 'caption', 'tr'],
  ...['dl', 'dt', 'dd', 'details', 'summary', 'section', 'article', 'header', 'footer', 'main', 'center', 'hr'],
])

type Attributes = Readonly<Record<string, string>>

/** An element that is open. */
interface Frame {
  readonly name: string
  readonly style: Style
  readonly preformatted: boolean
  /** Nothing inside of it is shown. */
  readonly hidden: boolean
  /** Where a link goes. */
  readonly href: string | undefined
  /** What the link has said so far. */
  said: string
  /** The number of the next item of a numbered list. */
  next: number | undefined
  /** Cells of a table's row so far. */
  cells: number
}

const frame = (name: string, parts: Partial<Frame> = {}): Frame => ({
  name,
  style: {},
  preformatted: false,
  hidden: false,
  href: undefined,
  said: '',
  next: undefined,
  cells: 0,
  ...parts,
})

class Reader {
  readonly page = new Page(MAX_TEXT)
  readonly #nameOf: NameOf
  readonly #root = frame('')
  readonly #open: Frame[] = []
  readonly #network: NetworkId | undefined
  #tooDeep = false
  #pictures = 0

  constructor(nameOf: NameOf, network: NetworkId | undefined) {
    this.#nameOf = nameOf
    this.#network = network
  }

  get tooDeep(): boolean {
    return this.#tooDeep
  }

  open(name: string, attributes: Attributes): void {
    if (this.#open.length >= MAX_DEPTH) {
      this.#tooDeep = true
      return
    }
    const parent = this.#top
    const href = name === 'a' ? attributes['href'] : undefined
    const person = href === undefined ? undefined : this.#named(href)
    const color = colorOf(attributes)
    this.#open.push(
      frame(name, {
        style: { ...parent.style, ...STYLES[name], ...(color === undefined ? {} : { color }) },
        preformatted: parent.preformatted || name === 'pre',
        hidden: parent.hidden || DROPPED.has(name) || person !== undefined,
        href,
        next: name === 'ol' ? firstNumber(attributes['start']) : undefined,
      }),
    )
    if (parent.hidden || DROPPED.has(name)) return
    if (person === undefined) this.#begin(name, attributes, parent)
    else this.#say(person, parent.style)
  }

  text(raw: string): void {
    const { hidden, preformatted, style } = this.#top
    if (hidden) return
    const text = cleaned(raw)
    for (const link of this.#open) if (link.href !== undefined) link.said += text
    if (preformatted) this.page.verbatim(text, style)
    else this.page.flow(text, style)
  }

  close(): void {
    const closed = this.#open.pop()
    if (closed === undefined || closed.hidden) return
    const { name, href, said } = closed
    const link = href === undefined ? undefined : linkWords(href, said)
    if (link !== undefined) this.#say(said.trim() === '' ? link : ` (${link})`, this.#top.style)
    if (name === 'blockquote') this.page.unquote()
    if (name === 'ul' || name === 'ol') this.page.endList()
    if (name === 'li') this.page.endItem()
    if (BLOCKS.has(name)) this.page.lineEnds(lineEndsOf(name))
  }

  #begin(name: string, attributes: Attributes, parent: Frame): void {
    if (BLOCKS.has(name)) this.page.lineEnds(lineEndsOf(name))
    switch (name) {
      case 'br':
        this.page.lineBreak()
        return
      case 'hr':
        this.#say('---', parent.style)
        return
      case 'img':
        this.#picture(attributes, parent.style)
        return
      case 'blockquote':
        this.page.quote()
        return
      case 'ul':
      case 'ol':
        this.page.list()
        return
      case 'li':
        this.page.item(parent.next === undefined ? '• ' : `${parent.next++}. `)
        return
      case 'td':
      case 'th':
        if (parent.cells++ > 0) this.#say(' | ', parent.style)
        return
      case 'span': {
        const reason = attributes['data-mx-spoiler']
        if (reason !== undefined) this.#say(reason === '' ? '[spoiler] ' : `[spoiler: ${reason}] `, parent.style)
        return
      }
    }
  }

  /** A custom emoticon is a picture; of all else there are the words. */
  #picture(attributes: Attributes, style: Style): void {
    const words = attributes['alt'] ?? attributes['title'] ?? ''
    const src = attributes['src'] ?? ''
    const isEmoticon = attributes['data-mx-emoticon'] !== undefined && parseMxc(src) !== undefined
    if (!isEmoticon || this.#network === undefined || this.#pictures >= MAX_PICTURES) {
      this.#say(words, style)
      return
    }
    this.#pictures++
    const image: FileRef = {
      network: this.#network,
      ref: thumbnailOf(src, EMOTICON_SIZE),
      name: 'emoticon',
      media: 'image',
    }
    this.#say(words, { ...style, image })
  }

  #say(words: string, style: Style): void {
    this.page.verbatim(cleaned(words).replaceAll('\n', ' '), style)
  }

  #named(href: string): string | undefined {
    const person = personOfLink(href)
    return person === undefined ? undefined : this.#nameOf(person)
  }

  get #top(): Frame {
    return this.#open.at(-1) ?? this.#root
  }
}

const lineEndsOf = (block: string): number => (block === 'p' ? 2 : 1)

const colorOf = (attributes: Attributes): `#${string}` | undefined => {
  const color = (attributes['data-mx-color'] ?? attributes['color'])?.toLowerCase()
  return color !== undefined && /^#[0-9a-f]{6}$/.test(color) ? (color as `#${string}`) : undefined
}

const firstNumber = (start: string | undefined): number => {
  const number = Number.parseInt(start ?? '1', 10)
  return Math.abs(number) <= MAX_NUMBER ? number : 1
}

/** The address of a link, where it says more than its words. */
const linkWords = (href: string, said: string): string | undefined => {
  const url = href.trim()
  if (!/^(https?|ftps?|mailto|magnet|xmpp|ircs?|tel|geo):[^\s<>"]+$/i.test(url) || url.length > MAX_LINK)
    return undefined
  if (isMatrixLink(url) && said.trim() !== '') return undefined
  return bare(url) === bare(said) ? undefined : url
}

const bare = (url: string): string =>
  url
    .trim()
    .replace(/^(https?:\/\/|mailto:|tel:)/i, '')
    .replace(/\/$/, '')
