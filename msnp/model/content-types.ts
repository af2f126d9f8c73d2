import { Buffer } from 'node:buffer'
import { formatMime, MAX_HEADERS, type HeaderBlock, type MimeMessage } from '../wire/mime.ts'
import { decodeName } from '../wire/escape.ts'
import { formatTextFormat, parseTextFormat, type TextFormat } from './text-format.ts'

/** Types of messages. Source: docs/protocol.md, Messages. */
export const CONTENT_TYPES = {
  text: 'text/plain',
  control: 'text/x-msmsgscontrol',
  datacast: 'text/x-msnmsgr-datacast',
  invite: 'text/x-msmsgsinvite',
  clientCaps: 'text/x-clientcaps',
  clientInfo: 'text/x-clientinfo',
  keepAlive: 'text/x-keepalive',
  ping: 'text/x-ping',
  emoticon: 'text/x-mms-emoticon',
  animatedEmoticon: 'text/x-mms-animemoticon',
  inkGif: 'image/gif',
  inkIsf: 'application/x-ms-ink',
  direct: 'application/x-msnmsgrp2p',
  profile: 'text/x-msmsgsprofile',
  mailSummary: 'text/x-msmsgsinitialemailnotification',
  mailData: 'text/x-msmsgsinitialmdatanotification',
  mail: 'text/x-msmsgsemailnotification',
  mailMoved: 'text/x-msmsgsactivemailnotification',
  offlineMessages: 'text/x-msmsgsoimnotification',
  system: 'application/x-msmsgssystemmessage',
} as const

/** Bytes of a whole switchboard message: a longer one closes the switchboard. */
export const MAX_MESSAGE_BYTES = 1664

/** What a message says. Only `text` and `action` hold words of a person; `unknown` is never shown. */
export type Said =
  | {
      readonly kind: 'text'
      /** Lines are divided by '\n'. */
      readonly text: string
      readonly format: TextFormat | undefined
      /** A name that a bot or a gateway gives itself for this message (P4-Context). */
      readonly as: string | undefined
    }
  /** `email` as the sender wrote it; the sender of the frame counts. */
  | { readonly kind: 'typing'; readonly email: string }
  | { readonly kind: 'nudge' }
  | { readonly kind: 'action'; readonly text: string }
  /** A wink or a voice clip: `object` is its description, as XML. */
  | { readonly kind: 'wink' | 'voice'; readonly object: string }
  /** A drawing: a GIF, or the strokes in Microsoft's own format. */
  | { readonly kind: 'ink'; readonly format: 'gif' | 'isf'; readonly data: Uint8Array }
  | { readonly kind: 'emoticons'; readonly emoticons: readonly { readonly code: string; readonly object: string }[] }
  | {
      readonly kind: 'invite'
      readonly command: string
      readonly cookie: string
      /** What is invited to; undefined in an answer. */
      readonly application: string | undefined
      /** Upper case, with its braces. */
      readonly guid: string | undefined
      readonly cancelCode: string | undefined
      /** All fields, names in lower case. */
      readonly fields: ReadonlyMap<string, string>
    }
  /** Which program somebody uses. */
  | { readonly kind: 'client-info'; readonly client: string | undefined }
  /** Only there to keep a line open. */
  | { readonly kind: 'keep-alive' }
  /** From client to client, binary. */
  | { readonly kind: 'direct' }
  /** After the sign-in: what the server knows of us. Holds a ticket: never log it. */
  | { readonly kind: 'profile'; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: 'mail'; readonly contentType: string; readonly fields: ReadonlyMap<string, string> }
  /** The server will go down in `minutes`. */
  | { readonly kind: 'going-down'; readonly minutes: number }
  | { readonly kind: 'unknown'; readonly contentType: string }

/** What a switchboard message says. Never throws; whatever is not understood is `unknown`. */
export function parseSaid(message: MimeMessage): Said {
  const contentType = message.contentType
  switch (contentType) {
    case CONTENT_TYPES.text:
      return parseText(message)
    case CONTENT_TYPES.control: {
      const email = message.headers.get('typinguser')
      return email === undefined || email === '' ? unknown(contentType) : { kind: 'typing', email }
    }
    case CONTENT_TYPES.datacast:
      return parseDatacast(message)
    case CONTENT_TYPES.invite:
      return parseInvite(message)
    case CONTENT_TYPES.clientCaps:
    case CONTENT_TYPES.clientInfo:
      return { kind: 'client-info', client: message.bodyHeaders().get('client-name') }
    case CONTENT_TYPES.keepAlive:
    case CONTENT_TYPES.ping:
      return { kind: 'keep-alive' }
    case CONTENT_TYPES.emoticon:
    case CONTENT_TYPES.animatedEmoticon:
      return parseEmoticons(message)
    case CONTENT_TYPES.inkGif:
      return parseInk(message, 'gif')
    case CONTENT_TYPES.inkIsf:
      return parseInk(message, 'isf')
    case CONTENT_TYPES.direct:
      return { kind: 'direct' }
    default:
      return unknown(contentType)
  }
}

/** What a message of the server itself says: only to be asked for frames whose sender is `Hotmail`. */
export function parseServerSaid(message: MimeMessage): Said {
  const contentType = message.contentType
  switch (contentType) {
    case CONTENT_TYPES.profile:
      return { kind: 'profile', fields: fieldsOf(message.headers) }
    case CONTENT_TYPES.mailSummary:
    case CONTENT_TYPES.mailData:
    case CONTENT_TYPES.mail:
    case CONTENT_TYPES.mailMoved:
    case CONTENT_TYPES.offlineMessages:
      return { kind: 'mail', contentType, fields: fieldsOf(message.bodyHeaders()) }
    case CONTENT_TYPES.system: {
      const fields = message.bodyHeaders()
      const minutes = fields.get('arg1') ?? ''
      return fields.get('type') === '1' && /^\d{1,6}$/.test(minutes)
        ? { kind: 'going-down', minutes: Number(minutes) }
        : unknown(contentType)
    }
    default:
      return unknown(contentType)
  }
}

const unknown = (contentType: string): Said => ({ kind: 'unknown', contentType })

function parseText(message: MimeMessage): Said {
  const style = message.headers.get('x-mms-im-format')
  const as = message.headers.get('p4-context')
  return {
    kind: 'text',
    text: lines(message.text()),
    format: style === undefined ? undefined : parseTextFormat(style),
    as: as === undefined || as === '' ? undefined : decodeName(as.replaceAll('%', '%25')),
  }
}

const lines = (text: string): string => (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text)

function parseDatacast(message: MimeMessage): Said {
  const fields = message.bodyHeaders()
  const data = fields.get('data') ?? ''
  switch (fields.get('id') ?? '') {
    case '1':
      return { kind: 'nudge' }
    case '2':
      return { kind: 'wink', object: decodeUtf8(data) }
    case '3':
      return { kind: 'voice', object: decodeUtf8(data) }
    case '4':
      return { kind: 'action', text: decodeUtf8(data) }
    default:
      return unknown(CONTENT_TYPES.datacast)
  }
}

/** A byte string as UTF-8, `%` being no escape here. */
const decodeUtf8 = (bytes: string): string => decodeName(bytes.replaceAll('%', '%25'))

/** `base64:` and the data, which may be divided by line ends. */
function parseInk(message: MimeMessage, format: 'gif' | 'isf'): Said {
  const { buffer, byteOffset, byteLength } = message.body
  const [, base64 = ''] =
    /^\s*base64:([A-Za-z0-9+/\s]+=*)\s*$/i.exec(Buffer.from(buffer, byteOffset, byteLength).toString('latin1')) ?? []
  const data = Buffer.from(base64, 'base64')
  const isGif = data.toString('latin1', 0, 4) === 'GIF8'
  return data.length === 0 || (format === 'gif' && !isGif)
    ? unknown(message.contentType)
    : { kind: 'ink', format, data }
}

function parseInvite(message: MimeMessage): Said {
  const fields = fieldsOf(message.bodyHeaders())
  const command = fields.get('invitation-command')?.toUpperCase()
  const cookie = fields.get('invitation-cookie')
  if (command === undefined || command === '' || cookie === undefined || !/^\d{1,10}$/.test(cookie)) {
    return unknown(CONTENT_TYPES.invite)
  }
  return {
    kind: 'invite',
    command,
    cookie,
    application: fields.get('application-name'),
    guid: fields.get('application-guid')?.toUpperCase(),
    cancelCode: fields.get('cancel-code')?.toUpperCase(),
    fields,
  }
}

function parseEmoticons(message: MimeMessage): Said {
  const words = message.text().replace(/\s+$/, '').split('\t', 32)
  const emoticons: { code: string; object: string }[] = []
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [code = '', object = ''] = words.slice(at, at + 2)
    if (code !== '' && object !== '')
      emoticons.push({ code, object: object.startsWith('%3C') ? decodeName(object) : object })
  }
  return emoticons.length === 0 ? unknown(message.contentType) : { kind: 'emoticons', emoticons }
}

const fieldsOf = (block: HeaderBlock): ReadonlyMap<string, string> =>
  new Map(block.entries().slice(0, MAX_HEADERS).reverse())

const VERSION = ['MIME-Version', '1.0'] as const

/** A text. Line ends become CRLF. `as`: a name for this message (P4-Context). Check `textRoom` before. */
export function textMessage(text: string, format?: TextFormat, as?: string): Uint8Array {
  return formatMime(textHeaders(format, as), text.replace(/\r\n?|\n/g, '\r\n'))
}

/** How many bytes of text fit into one message of that look; line ends count two. */
export const textRoom = (format?: TextFormat, as?: string): number =>
  MAX_MESSAGE_BYTES - formatMime(textHeaders(format, as), '').length

/** Sets of more parts are not made. */
const MAX_PARTS = 99
const PART_HEAD_BYTES = 96
/** Less than this beside the headers of the first part is no room. */
const MIN_ROOM = 16

/**
 * A message in parts that fit, for clients whose id says that they put them together again. `id` is new each time. Comes back
 * whole where it fits, or cannot be divided.
 */
export function inParts(payload: Uint8Array, id: string): readonly Uint8Array[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const headEnd = bytes.indexOf('\r\n\r\n')
  const firstRoom = MAX_MESSAGE_BYTES - headEnd - PART_HEAD_BYTES
  if (bytes.length <= MAX_MESSAGE_BYTES || headEnd === -1 || firstRoom < MIN_ROOM) return [payload]
  const bodies: Buffer[] = []
  for (let at = headEnd + 4; at < bytes.length;) {
    const end = letterEnd(bytes, at + (bodies.length === 0 ? firstRoom : MAX_MESSAGE_BYTES - PART_HEAD_BYTES))
    bodies.push(bytes.subarray(at, end))
    at = end
  }
  if (bodies.length > MAX_PARTS) return [payload]
  return bodies.map((body, index) => {
    const name = `Message-ID: {${id}}\r\n`
    const head =
      index === 0
        ? `${bytes.toString('latin1', 0, headEnd)}\r\n${name}Chunks: ${bodies.length}\r\n\r\n`
        : `${name}Chunk: ${index}\r\n\r\n`
    return Buffer.concat([Buffer.from(head, 'latin1'), body])
  })
}

/** The last place up to there that is within no letter of UTF-8 and no line end: some clients read each part by itself. */
function letterEnd(bytes: Buffer, most: number): number {
  if (most >= bytes.length) return bytes.length
  let end = most
  while (end > most - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes[end] === 10 && bytes[end - 1] === 13 ? end - 1 : end
}

function textHeaders(format: TextFormat | undefined, as: string | undefined): (readonly [string, string])[] {
  return [
    VERSION,
    ['Content-Type', 'text/plain; charset=UTF-8'],
    ...(as === undefined ? [] : [['P4-Context', headerText(as)] as const]),
    ...(format === undefined ? [] : [['X-MMS-IM-Format', formatTextFormat(format)] as const]),
  ]
}

/** Text of somebody else as the byte string of a header: UTF-8, without line ends. */
const headerText = (text: string): string =>
  Buffer.from(text.replace(/[\r\n\0]+/g, ' ').trim(), 'utf8').toString('latin1')

/** To be sent again every few seconds while somebody types, with acknowledgement type U. */
export const typingMessage = (email: string): Uint8Array =>
  formatMime([VERSION, ['Content-Type', CONTENT_TYPES.control], ['TypingUser', headerText(email)]], '\r\n')

export const nudgeMessage = (): Uint8Array =>
  formatMime([VERSION, ['Content-Type', CONTENT_TYPES.datacast]], 'ID: 1\r\n\r\n')

export interface EmoticonPair {
  readonly code: string
  /** Its description, as XML. */
  readonly object: string
}

/** Which pictures stand for which codes in the next text: as many messages as it takes. What fits into none is left out. */
export function emoticonMessage(pairs: readonly EmoticonPair[]): readonly Uint8Array[] {
  const messages: Uint8Array[] = []
  let body = ''
  const headers = [VERSION, ['Content-Type', CONTENT_TYPES.emoticon]] as const
  const room = MAX_MESSAGE_BYTES - formatMime(headers, '').length
  for (const { code, object } of pairs) {
    const pair = `${code}\t${object}\t`
    if (Buffer.byteLength(pair) > room) continue
    if (body !== '' && Buffer.byteLength(body + pair) > room) {
      messages.push(formatMime(headers, body))
      body = ''
    }
    body += pair
  }
  return body === '' ? messages : [...messages, formatMime(headers, body)]
}

/** Why an invitation comes to nothing. */
export type CancelCode = 'REJECT' | 'REJECT_NOT_INSTALLED' | 'TIMEOUT' | 'FTTIMEOUT' | 'OUTBANDCANCEL' | 'FAIL'

/** The answer to an invitation that we do not take up. `cookie` as the invitation has it. */
export const inviteDecline = (cookie: string, code: CancelCode = 'REJECT_NOT_INSTALLED'): Uint8Array =>
  formatMime(
    [VERSION, ['Content-Type', `${CONTENT_TYPES.invite}; charset=UTF-8`]],
    `Invitation-Command: CANCEL\r\nInvitation-Cookie: ${cookie.replace(/\D/g, '')}\r\nCancel-Code: ${code}\r\n\r\n`,
  )

/** The server will go down in `minutes`. */
export const goingDownMessage = (minutes: number): Uint8Array =>
  formatMime(
    [VERSION, ['Content-Type', `${CONTENT_TYPES.system}; charset=UTF-8`]],
    `Type: 1\r\nArg1: ${Math.max(0, Math.floor(minutes))}\r\n\r\n`,
  )

/** What the server tells a client of itself right after the sign-in; the client's web pages and its NAT test use it. */
export interface Profile {
  /** Seconds since 1970. */
  readonly loginTime: number
  /** The secret of the ticket. */
  readonly ticket: string
  readonly clientAddress: string
  readonly clientPort: number
  /** Lists have ids and keys, as from MSNP10 on: clients look for it to know. */
  readonly keyedLists: boolean
  /** So many others may take part in a conversation through this client. Absent: nobody. */
  readonly participants?: number
}

/** Ours: the service waits for CFM of a client that has said `CFM 0 ON`. Source: docs/protocol.md, Confirmed receipt. */
export const CONFIRM_HEADER = 'X-Confirm-Receipt'
/** Ours, for an account that speaks for several. Source: docs/protocol.md, Participants. */
export const PARTICIPANTS_HEADER = 'X-Participants'

/** undefined: it does not say. */
export const participantsIn = ({ headers }: MimeMessage): number | undefined => {
  const word = headers.get(PARTICIPANTS_HEADER) ?? ''
  return /^\d{1,3}$/.test(word) ? Number(word) : undefined
}

/** Headers only, as the message has no body. The port is written with its two bytes swapped. */
export const profileMessage = (profile: Profile): Uint8Array =>
  formatMime(
    [
      VERSION,
      ['Content-Type', `${CONTENT_TYPES.profile}; charset=UTF-8`],
      ['LoginTime', String(Math.floor(profile.loginTime))],
      ['EmailEnabled', '0'],
      ['MemberIdHigh', '90000'],
      ['MemberIdLow', '-600000000'],
      ['lang_preference', '1033'],
      ['preferredEmail', ''],
      ['country', ''],
      ['PostalCode', ''],
      ['Gender', ''],
      ['Kid', '0'],
      ['Age', ''],
      ['BDayPre', ''],
      ['Birthday', ''],
      ['Wallet', ''],
      ['Flags', '1027'],
      ['sid', '507'],
      ['kv', '5'],
      ['MSPAuth', headerText(profile.ticket)],
      ['ClientIP', headerText(profile.clientAddress)],
      ['ClientPort', String(((profile.clientPort & 0xff) << 8) | ((profile.clientPort >> 8) & 0xff))],
      ...(profile.keyedLists ? [['ABCHMigrated', '1'] as const] : []),
      ['MPOPEnabled', '0'],
      [CONFIRM_HEADER, '1'],
      ...(profile.participants === undefined ? [] : [[PARTICIPANTS_HEADER, String(profile.participants)] as const]),
    ],
    '',
  )
