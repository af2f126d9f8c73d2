/**
 * What two clients say to each other on a switchboard before a file moves over a connection of its own (MSNFTP).
 * Source: docs/protocol.md, File transfer.
 */
import { Buffer } from 'node:buffer'
import { formatMime } from '../wire/mime.ts'
import { CONTENT_TYPES, type Said } from './content-types.ts'

export type Invite = Extract<Said, { kind: 'invite' }>

/** Upper case, as `Said` has it. */
export const FILE_TRANSFER = '{5D3E02AB-6190-11D3-BBBB-00C04F795683}'
/** An invitation fits into one message whatever the name. Bytes of UTF-8. */
export const MAX_FILE_NAME_BYTES = 255

export interface FileInvitation {
  /** Decimal. */
  readonly cookie: string
  /** As its sender says: untrusted, without a path. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Its sender can be connected to. */
  readonly listens: boolean
}

/** Where the one who listens waits, and what proves that the other is meant. */
export interface FilePlace {
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** Decimal. */
  readonly authCookie: string
}

export interface FileAcceptance {
  readonly cookie: string
  /** Absent in the answer of a receiver who will connect. */
  readonly place?: FilePlace
  /** It is the receiver who listens. */
  readonly senderConnects: boolean
}

/** undefined: no invitation to take a file. */
export function parseFileInvitation({ command, cookie, guid, fields }: Invite): FileInvitation | undefined {
  if (command !== 'INVITE' || guid !== FILE_TRANSFER) return undefined
  const name = fields.get('application-file')
  const size = numberOf(fields.get('application-filesize'), Number.MAX_SAFE_INTEGER)
  if (name === undefined || size === undefined) return undefined
  return { cookie, name: plainName(textOf(name)), size, listens: fields.get('connectivity')?.toUpperCase() !== 'N' }
}

/** undefined: no acceptance, or one that makes no sense. */
export function parseFileAcceptance({ command, cookie, fields }: Invite): FileAcceptance | undefined {
  if (command !== 'ACCEPT') return undefined
  const senderConnects = fields.get('sender-connect')?.toUpperCase() === 'TRUE'
  const authCookie = fields.get('authcookie')
  const port = portOf(fields.get('port'))
  const addresses = [
    addressOf(fields.get('ip-address'), port),
    addressOf(fields.get('ip-address-internal'), portOf(fields.get('portx')) ?? port),
  ].filter((address) => address !== undefined)
  if (authCookie === undefined || !/^\d{1,10}$/.test(authCookie) || addresses.length === 0)
    return { cookie, senderConnects: false }
  return { cookie, senderConnects, place: { addresses, authCookie } }
}

export const fileInvitation = ({ cookie, name, size, listens }: FileInvitation): Uint8Array =>
  message([
    ['Application-Name', 'File Transfer'],
    ['Application-GUID', '{5D3E02AB-6190-11d3-BBBB-00C04F795683}'],
    ['Invitation-Command', 'INVITE'],
    ['Invitation-Cookie', cookie],
    ['Application-File', plainName(name)],
    ['Application-FileSize', String(size)],
    ...(listens ? [] : [['Connectivity', 'N'] as const]),
  ])

export const fileAcceptance = ({ cookie, place, senderConnects }: FileAcceptance): Uint8Array => {
  const [first, internal] = place?.addresses ?? []
  return message([
    ['Invitation-Command', 'ACCEPT'],
    ['Invitation-Cookie', cookie],
    ...(first === undefined ? [] : [['IP-Address', first.host] as const]),
    ...(internal === undefined ? [] : [['IP-Address-Internal', internal.host] as const]),
    ...(first === undefined ? [] : [['Port', String(first.port)] as const]),
    ...(internal === undefined ? [] : [['PortX', String(internal.port)] as const]),
    ...(place === undefined ? [] : [['AuthCookie', place.authCookie] as const]),
    ...(senderConnects ? [['Sender-Connect', 'TRUE'] as const] : []),
    ['Launch-Application', 'FALSE'],
    ['Request-Data', 'IP-Address:'],
  ])
}

const message = (fields: readonly (readonly [name: string, value: string])[]): Uint8Array =>
  formatMime(
    [
      ['MIME-Version', '1.0'],
      ['Content-Type', `${CONTENT_TYPES.invite}; charset=UTF-8`],
    ],
    `${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  )

/** No path, nothing that ends a line, and not too long; the ending stays. */
const plainName = (name: string): string => {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const clean = last.replaceAll(/\p{C}+/gu, ' ').trim()
  const end = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? ''
  let stem = Array.from(clean.slice(0, clean.length - end.length)).slice(0, MAX_FILE_NAME_BYTES)
  while (Buffer.byteLength(stem.join('')) + end.length > MAX_FILE_NAME_BYTES) stem = stem.slice(0, -1)
  return stem.length === 0 ? `file${end}` : `${stem.join('')}${end}`
}

/** Fields are UTF-8 as a byte string. */
const textOf = (field: string): string => Buffer.from(field, 'latin1').toString('utf8')

const numberOf = (text: string | undefined, most: number): number | undefined => {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return value <= most ? value : undefined
}

const portOf = (text: string | undefined): number | undefined => numberOf(text, 65_535) || undefined

/** Only an address, never a name: nobody is looked up for a stranger. */
const addressOf = (
  host: string | undefined,
  port: number | undefined,
): { readonly host: string; readonly port: number } | undefined =>
  host !== undefined && port !== undefined && /^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/.test(host)
    ? { host, port }
    : undefined
