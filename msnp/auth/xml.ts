/**
 * As much of XML as the login by RST needs, for documents of strangers: elements, attributes, text, CDATA, comments. A
 * document type is refused, so there are no entities but the five of XML itself; size, depth and number are bounded.
 */

/** Characters of a document. */
export const MAX_XML_CHARS = 64 * 1024
export const MAX_XML_DEPTH = 32
export const MAX_XML_ELEMENTS = 1_000
/** Attributes of one element. */
export const MAX_XML_ATTRIBUTES = 64

/** Names are local: what stands before a colon goes. */
export interface XmlElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Its own, not that of its children. */
  readonly text: string
}

interface Open {
  readonly name: string
  /** As it is written, for the end tag. */
  readonly written: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: XmlElement[]
  readonly texts: string[]
}

const NAME = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y
const SPACE = /[ \t\r\n]*/y

/** The root element; undefined: it is not well formed, too large, or has a document type. */
export function parseXml(document: string): XmlElement | undefined {
  if (document.length > MAX_XML_CHARS) return undefined
  const text = document.startsWith('\ufeff') ? document.slice(1) : document
  const open: Open[] = []
  let elements = 0
  let root: XmlElement | undefined
  let at = 0
  while (at < text.length) {
    const tag = text.indexOf('<', at)
    const end = tag === -1 ? text.length : tag
    if (end > at) {
      const words = decodeXml(text.slice(at, end))
      const parent = open.at(-1)
      if (words === undefined || (parent === undefined && words.trim() !== '')) return undefined
      parent?.texts.push(words)
      at = end
      continue
    }
    const skipped = skip(text, at, open.at(-1))
    if (skipped !== undefined) {
      if (skipped === -1) return undefined
      at = skipped
      continue
    }
    if (text[at + 1] === '/') {
      const close = text.indexOf('>', at)
      const current = open.pop()
      if (close === -1 || current === undefined || text.slice(at + 2, close).trimEnd() !== current.written)
        return undefined
      const { name, attributes, children, texts } = current
      const element = { name, attributes, children, text: texts.join('') }
      const parent = open.at(-1)
      if (parent === undefined) root = element
      else parent.children.push(element)
      at = close + 1
      continue
    }
    const begun = startTag(text, at + 1)
    if (begun === undefined || ++elements > MAX_XML_ELEMENTS || open.length >= MAX_XML_DEPTH) return undefined
    if (open.length === 0 && root !== undefined) return undefined
    at = begun.end
    if (!begun.empty) open.push(begun.element)
    else {
      const { name, attributes } = begun.element
      const element = { name, attributes, children: [], text: '' }
      const parent = open.at(-1)
      if (parent === undefined) root = element
      else parent.children.push(element)
    }
  }
  return open.length === 0 ? root : undefined
}

/** Where a comment, CDATA or instruction ends; undefined: it is none; -1: it has no end, or is refused. */
function skip(text: string, at: number, parent: Open | undefined): number | undefined {
  const after = (mark: string, from: number): number => {
    const end = text.indexOf(mark, from)
    return end === -1 ? -1 : end + mark.length
  }
  if (text.startsWith('<?', at)) return after('?>', at + 2)
  if (text.startsWith('<!--', at)) return after('-->', at + 4)
  if (text.startsWith('<![CDATA[', at)) {
    const end = after(']]>', at + 9)
    if (parent === undefined) return -1
    if (end !== -1) parent.texts.push(text.slice(at + 9, end - 3))
    return end
  }
  return text.startsWith('<!', at) ? -1 : undefined
}

function startTag(text: string, from: number): { element: Open; empty: boolean; end: number } | undefined {
  let at = from
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const tag = take(NAME)
  if (tag === undefined) return undefined
  const attributes = new Map<string, string>()
  for (let count = 0; count <= MAX_XML_ATTRIBUTES; count++) {
    const space = take(SPACE)
    const empty = text.startsWith('/>', at)
    if (empty || text[at] === '>') {
      const element = { name: localName(tag), written: tag, attributes, children: [], texts: [] }
      return { element, empty, end: at + (empty ? 2 : 1) }
    }
    const name = space === '' ? undefined : take(NAME)
    if (name === undefined) return undefined
    take(SPACE)
    if (text[at++] !== '=') return undefined
    take(SPACE)
    const quote = text[at]
    if (quote !== '"' && quote !== "'") return undefined
    const end = text.indexOf(quote, at + 1)
    const written = text.slice(at + 1, end)
    const value = end === -1 || written.includes('<') ? undefined : decodeXml(written)
    if (value === undefined) return undefined
    attributes.set(localName(name), value)
    at = end + 1
  }
  return undefined
}

const localName = (written: string): string => written.slice(written.indexOf(':') + 1)

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

/** undefined: it names an entity that XML itself does not have, or no character. */
export function decodeXml(text: string): string | undefined {
  const [first = '', ...rest] = text.split('&')
  const decoded = [first]
  for (const part of rest) {
    const end = part.indexOf(';')
    const name = part.slice(0, Math.max(0, end))
    const found = NAMED.get(name) ?? numbered(name)
    if (found === undefined) return undefined
    decoded.push(found, part.slice(end + 1))
  }
  return decoded.join('')
}

function numbered(name: string): string | undefined {
  const hex = /^#x([0-9a-f]{1,6})$/i.exec(name)?.[1]
  const decimal = /^#(\d{1,7})$/.exec(name)?.[1]
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16)
  const isCharacter = code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff)
  return isCharacter ? String.fromCodePoint(code) : undefined
}

export const encodeXml = (text: string): string =>
  text
    // What XML cannot carry in any form.
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
    .replaceAll('\r', '&#13;')

/** All elements of that name, however deep, in the order of the document. */
export function findAll(element: XmlElement, name: string): readonly XmlElement[] {
  const found: XmlElement[] = element.name === name ? [element] : []
  for (const child of element.children) found.push(...findAll(child, name))
  return found
}

export const findFirst = (element: XmlElement, name: string): XmlElement | undefined => findAll(element, name)[0]
