/** Message tags: `@time=2004-01-01T00:00:00.000Z;+typing=active `. Source: ircv3.net, message-tags. Pure. */
import { type Cap, works } from './caps.ts'

/** Bytes of tags that a server may send, with `@` and the blank. */
export const MAX_SENT_TAG_BYTES = 8_191
/** Bytes of tags that a client may send, without `@` and the blank. */
export const MAX_READ_TAG_BYTES = 4_094

const KEY = /^\+?[A-Za-z\d](?:[A-Za-z\d.\-/]*[A-Za-z\d])?$/
const SPECIAL = /[;\s\\\0]/
const SPECIALS = /[; \\\r\n\0]/g

const ESCAPES: Readonly<Record<string, string>> = {
  ';': String.raw`\:`,
  ' ': String.raw`\s`,
  '\\': String.raw`\\`,
  '\r': String.raw`\r`,
  '\n': String.raw`\n`,
  '\0': '',
}
const MEANINGS: Readonly<Record<string, string>> = { ':': ';', s: ' ', r: '\r', n: '\n' }

const escapeTag = (value: string): string =>
  SPECIAL.test(value) ? value.replace(SPECIALS, (special) => ESCAPES[special] ?? '') : value

/** "If a lone `\` exists at the end of an escaped value, then there SHOULD be no output character." */
const unescapeTag = (value: string): string =>
  value.includes('\\') ? value.replace(/\\(.?)/gsu, (_, letter: string) => MEANINGS[letter] ?? letter) : value

/** Everything else needs message-tags. */
const OWN_CAP: Readonly<Record<string, Cap>> = {
  time: 'server-time',
  account: 'account-tag',
  batch: 'batch',
  label: 'labeled-response',
}

const wanted = (key: string, caps: ReadonlySet<Cap>): boolean =>
  works(caps, Object.hasOwn(OWN_CAP, key) ? (OWN_CAP[key] ?? 'message-tags') : 'message-tags')

/**
 * `@…` with its blank, or nothing. A tag that does not fit any more is left out whole: tags are never cut. "Any
 * server-initiated tags MUST be included before client-only tags to prevent them from being pushed outside".
 */
export const encodeTags = (
  tags: Readonly<Record<string, string>> | undefined,
  caps: ReadonlySet<Cap>,
  limit: number = MAX_SENT_TAG_BYTES,
): string => {
  if (tags === undefined || caps.size === 0) return ''
  let ours = ''
  let theirs = ''
  let room = limit - '@ '.length
  const entries = Object.entries(tags)
  for (const clientOnly of [false, true]) {
    for (const [key, value] of entries) {
      if (key.startsWith('+') !== clientOnly || !KEY.test(key) || !wanted(key, caps)) continue
      const tag = value === '' ? `${key};` : `${key}=${escapeTag(value)};`
      const bytes = Buffer.byteLength(tag)
      if (bytes - 1 > room) continue
      room -= bytes
      if (clientOnly) theirs += tag
      else ours += tag
    }
  }
  const all = ours + theirs
  return all === '' ? '' : `@${all.slice(0, -1)} `
}

const NO_TAGS: ReadonlyMap<string, string> = new Map()

/** The words between `@` and the blank. The last one of a name counts. */
export const decodeTags = (text: string): ReadonlyMap<string, string> => {
  if (text === '') return NO_TAGS
  const tags = new Map<string, string>()
  for (const tag of text.split(';')) {
    const equals = tag.indexOf('=')
    const key = equals === -1 ? tag : tag.slice(0, equals)
    if (key !== '') tags.set(key, equals === -1 ? '' : unescapeTag(tag.slice(equals + 1)))
  }
  return tags
}
