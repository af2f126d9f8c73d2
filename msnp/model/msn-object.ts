/** What a picture, an emoticon, a wink or a voice clip is called on the wire. Source: docs/protocol.md, MSN objects. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** Characters of a description that are read. Real ones have a few hundred. */
export const MAX_OBJECT_CHARS = 4_096
const MAX_ATTRIBUTES = 32

export const OBJECT_TYPES = {
  emoticon: 2,
  displayPicture: 3,
  background: 5,
  dynamicPicture: 7,
  wink: 8,
  voiceClip: 11,
} as const

export interface MsnObject {
  /** The address of who has it. */
  readonly creator: string
  /** Bytes, as its creator says. */
  readonly size: number
  readonly type: number
  readonly location: string
  /** Its name, if it has one. */
  readonly friendly: string
  /** SHA-1 of its bytes, base64: what it is known by. */
  readonly sha1d: string
  /** SHA-1 of the fields, base64. Not all clients make it alike, so nothing is refused for it. */
  readonly sha1c: string | undefined
}

/** undefined: no description, or one that lacks what it must have. Never throws. */
export function parseMsnObject(xml: string): MsnObject | undefined {
  if (xml.length > MAX_OBJECT_CHARS) return undefined
  const head = /^\s*<msnobj\s/i.exec(xml)
  if (head === null) return undefined
  const fields = attributesOf(xml, head[0].length)
  const [creator, size, type, sha1d] = ['creator', 'size', 'type', 'sha1d'].map((name) => fields.get(name))
  if (creator === undefined || creator === '' || !isNumber(size) || !isNumber(type) || !isDigest(sha1d))
    return undefined
  const sha1c = fields.get('sha1c')
  return {
    creator,
    size: Number(size),
    type: Number(type),
    location: fields.get('location') ?? '',
    friendly: friendlyOf(fields.get('friendly')),
    sha1d,
    sha1c: isDigest(sha1c) ? sha1c : undefined,
  }
}

/** The description as it is sent; SHA1C is computed. */
export function formatMsnObject(object: Omit<MsnObject, 'sha1c'>): string {
  const fields = fieldsOf(object).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `<msnobj ${fields.join(' ')} SHA1C="${sha1cOf(object)}"/>`
}

/** The description of some bytes. */
export const describeObject = (
  data: Uint8Array,
  about: Pick<MsnObject, 'creator' | 'type'> & { readonly location?: string; readonly friendly?: string },
): Omit<MsnObject, 'sha1c'> => ({
  creator: about.creator,
  type: about.type,
  location: about.location ?? '0',
  friendly: about.friendly ?? '',
  size: data.length,
  sha1d: sha1(data),
})

/** Names and values run together, without blanks and quotes. */
export const sha1cOf = (object: Omit<MsnObject, 'sha1c'>): string =>
  sha1(
    Buffer.from(
      fieldsOf(object)
        .map(([name, value]) => name + value)
        .join(''),
      'utf8',
    ),
  )

/** Whether these are the bytes that were described. */
export const isObjectData = (object: Pick<MsnObject, 'size' | 'sha1d'>, data: Uint8Array): boolean =>
  data.length === object.size && sha1(data) === object.sha1d

const sha1 = (data: Uint8Array): string => createHash('sha1').update(data).digest('base64')

const fieldsOf = (object: Omit<MsnObject, 'sha1c'>): readonly (readonly [string, string])[] => [
  ['Creator', object.creator],
  ['Size', String(object.size)],
  ['Type', String(object.type)],
  ['Location', object.location],
  ['Friendly', Buffer.from(`${object.friendly}\0`, 'utf16le').toString('base64')],
  ['SHA1D', object.sha1d],
]

/** `name="value"` from a place on, names in lower case; the first of a name counts. */
function attributesOf(xml: string, from: number): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const attribute = /\s*([A-Za-z0-9]{1,32})\s*=\s*"([^"<>]*)"/y
  attribute.lastIndex = from
  for (let count = 0; count < MAX_ATTRIBUTES; count++) {
    const match = attribute.exec(xml)
    if (match === null) break
    const name = (match[1] ?? '').toLowerCase()
    if (!fields.has(name)) fields.set(name, unescaped(match[2] ?? ''))
  }
  return fields
}

const isNumber = (word: string | undefined): word is string => word !== undefined && /^\d{1,10}$/.test(word)

const isDigest = (word: string | undefined): word is string => word !== undefined && /^[A-Za-z0-9+/]{27}=$/.test(word)

const friendlyOf = (base64: string | undefined): string =>
  base64 === undefined ? '' : (Buffer.from(base64, 'base64').toString('utf16le').split('\0')[0] ?? '').toWellFormed()

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (whole, name: string) => ENTITIES[name] ?? whole)

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
