import { Buffer } from 'node:buffer'

/**
 * What somebody writes beside their name, and what they play: the payload of UUX and UBX.
 * Source: docs/protocol.md, Personal message.
 */
export interface PersonalMessage {
  /** '' for none. */
  readonly text: string
  readonly media: CurrentMedia | undefined
}

/** `app\0type\0enabled\0format\0arg0\0arg1\0...`, where `\0` is a backslash and a zero. */
export interface CurrentMedia {
  /** The player; often empty. */
  readonly application: string
  /** Music, Games, Office, or what else a client invents. */
  readonly type: string
  /** With `{0}`, `{1}` for the arguments. */
  readonly format: string
  /** For music by custom: title, artist, album, and an id that nobody needs. */
  readonly args: readonly string[]
}

export const NO_PERSONAL_MESSAGE: PersonalMessage = { text: '', media: undefined }

export const samePersonalMessage = (a: PersonalMessage, b: PersonalMessage): boolean =>
  a.text === b.text &&
  (a.media === undefined ? b.media === undefined : b.media !== undefined && sameMedia(a.media, b.media))

const sameMedia = (a: CurrentMedia, b: CurrentMedia): boolean =>
  a.application === b.application &&
  a.type === b.type &&
  a.format === b.format &&
  a.args.length === b.args.length &&
  a.args.every((arg, at) => arg === b.args[at])

/** Bytes of a payload that is read; a longer one counts as empty. Real ones have a few hundred. */
export const MAX_PERSONAL_MESSAGE_BYTES = 8_192
/** Characters of the text, and of each word about the media, that are kept. The official client allows 129. */
export const MAX_PERSONAL_TEXT = 512
/** Arguments of the media that are kept. */
const MAX_MEDIA_ARGS = 16

const SEPARATOR = '\\0'

/**
 * Reads a payload. Each of the two elements is looked for by itself: no document, no entities beyond the five of XML
 * and numbers, nothing that could grow. What cannot be read counts as not there.
 */
export function parsePersonalMessage(payload: Uint8Array): PersonalMessage {
  if (payload.length === 0 || payload.length > MAX_PERSONAL_MESSAGE_BYTES) return NO_PERSONAL_MESSAGE
  const xml = Buffer.from(payload).toString('utf8')
  const text = oneLine(unescape(PSM.exec(xml)?.[1] ?? ''))
  const media = parseMedia(unescape(CURRENT_MEDIA.exec(xml)?.[1] ?? ''))
  return { text, media }
}

/** What stands between the tags; `<PSM/>` has nothing. */
const PSM = /<PSM(?:\s[^<>]*)?(?<!\/)>([^<]*)<\/PSM\s*>/i
const CURRENT_MEDIA = /<CurrentMedia(?:\s[^<>]*)?(?<!\/)>([^<]*)<\/CurrentMedia\s*>/i

/** The payload of UUX, and of UBX for those who watch. */
export function formatPersonalMessage({ text, media }: PersonalMessage): Uint8Array {
  const words = media === undefined ? '' : formatMedia(media)
  return Buffer.from(
    `<Data><PSM>${escape(oneLine(text))}</PSM><CurrentMedia>${escape(words)}</CurrentMedia></Data>`,
    'utf8',
  )
}

function parseMedia(words: string): CurrentMedia | undefined {
  const [application = '', type = '', enabled = '', format = '', ...args] = words.split(SEPARATOR, MAX_MEDIA_ARGS + 4)
  if (enabled.trim() !== '1') return undefined
  // The line ends in a separator, hence the empty word behind the last one.
  const kept = args.map(oneLine)
  while (kept.at(-1) === '') kept.pop()
  return kept.length === 0 && format === ''
    ? undefined
    : { application: oneLine(application), type: oneLine(type), format: oneLine(format), args: kept }
}

const formatMedia = ({ application, type, format, args }: CurrentMedia): string =>
  [application, type, '1', format, ...args.slice(0, MAX_MEDIA_ARGS)]
    .map((word) => `${oneLine(word).replaceAll(SEPARATOR, '')}${SEPARATOR}`)
    .join('')

/** The media as people read it: the format with its arguments put in, once. */
export function mediaLine({ format, args }: CurrentMedia): string {
  const pattern = format === '' ? '{0}' : format
  return oneLine(pattern.replace(/\{(\d{1,2})\}/g, (_, index: string) => args[Number(index)] ?? ''))
}

/** Title, artist and album, as the official client orders them. undefined: no music, or no title. */
export function songOf(media: CurrentMedia | undefined) {
  if (media === undefined || media.type.toLowerCase() !== 'music') return undefined
  const [title = '', artist = '', album = ''] = media.args
  if (title === '') return undefined
  return { title, ...(artist === '' ? {} : { artist }), ...(album === '' ? {} : { album }) }
}

/** No line ends, nothing that XML cannot hold (clients drop the whole message over it), and no longer than we keep. */
const oneLine = (text: string): string => {
  const line = text
    .slice(0, 2 * MAX_PERSONAL_TEXT)
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+/g, ' ')
    .trim()
  return line.slice(0, MAX_PERSONAL_TEXT).toWellFormed()
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Each entity once; unknown ones stay as they are. */
const unescape = (text: string): string =>
  text.replace(
    /&(?:([a-z]{2,4})|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi,
    (whole, name?: string, ten?: string, hex?: string) => {
      if (name !== undefined)
        return Object.hasOwn(ENTITIES, name.toLowerCase()) ? (ENTITIES[name.toLowerCase()] ?? '') : whole
      const code = ten === undefined ? Number.parseInt(hex ?? '', 16) : Number(ten)
      return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd'
    },
  )

const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
