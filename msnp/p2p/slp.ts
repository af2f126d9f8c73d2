/** The text of negotiations: invitations, answers, ends. Source: docs/protocol.md, Sessions. */
import { Buffer } from 'node:buffer'
import { MisuseError } from '../../sansio/machine.ts'
import { HeaderBlock } from '../wire/mime.ts'

/** Bytes of one message; an invitation to a file may hold a small picture. */
export const MAX_SLP_BYTES = 64 * 1024
const MAX_HEAD_BYTES = 4 * 1024

export const SLP_TYPES = {
  session: 'application/x-msnmsgr-sessionreqbody',
  transport: 'application/x-msnmsgr-transreqbody',
  transportAnswer: 'application/x-msnmsgr-transrespbody',
  close: 'application/x-msnmsgr-sessionclosebody',
} as const

export type SlpStart =
  { readonly kind: 'request'; readonly method: string } | { readonly kind: 'response'; readonly code: number }

export interface Slp {
  readonly start: SlpStart
  /** Addresses in lower case. */
  readonly to: string
  readonly from: string
  readonly branch: string
  readonly callId: string
  readonly cseq: number
  /** Lower case. */
  readonly contentType: string
  /** Lines of the body; names that were read are in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** undefined: not understood. Never throws. */
export function parseSlp(bytes: Uint8Array): Slp | undefined {
  if (bytes.length > MAX_SLP_BYTES) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const blank = text.slice(0, MAX_HEAD_BYTES).indexOf('\r\n\r\n')
  const lineEnd = text.indexOf('\r\n')
  if (blank === -1 || lineEnd > blank) return undefined
  const start = startOf(text.slice(0, lineEnd))
  if (start === undefined) return undefined
  const head = new HeaderBlock(text.slice(lineEnd + 2, blank + 2))
  const to = addressOf(head.get('to'))
  const from = addressOf(head.get('from'))
  const branch = /branch=(\{[!-:<-z|~]{1,64}\})/i.exec(head.get('via') ?? '')?.[1]
  const callId = /^\{[!-z|~]{1,64}\}$/.exec(head.get('call-id') ?? '')?.[0]
  const cseq = /^\d{1,5}/.exec(head.get('cseq') ?? '')?.[0]
  if (to === undefined || from === undefined || branch === undefined || callId === undefined) return undefined
  return {
    start,
    to,
    from,
    branch: branch.toUpperCase(),
    callId: callId.toUpperCase(),
    cseq: Number(cseq ?? '0'),
    contentType: (head.get('content-type') ?? '').toLowerCase(),
    fields: bodyOf(text, blank + 4, head.get('content-length')),
  }
}

/** The first value of that name in the body, whatever its case. */
export const fieldOf = (slp: Pick<Slp, 'fields'>, name: string): string | undefined =>
  slp.fields.find(([field]) => field.toLowerCase() === name.toLowerCase())?.[1]

export function formatSlp(slp: Slp): Uint8Array {
  const { start } = slp
  const body = slp.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  // The NUL at the end counts.
  const tail = slp.contentType === 'null' ? '' : `${body}\r\n\0`
  const lines = [
    start.kind === 'request'
      ? `${start.method} MSNMSGR:${slp.to} MSNSLP/1.0`
      : `MSNSLP/1.0 ${start.code} ${PHRASES[start.code] ?? 'Error'}`,
    `To: <msnmsgr:${slp.to}>`,
    `From: <msnmsgr:${slp.from}>`,
    `Via: MSNSLP/1.0/TLP ;branch=${slp.branch}`,
    `CSeq: ${slp.cseq} `,
    `Call-ID: ${slp.callId}`,
    'Max-Forwards: 0',
    `Content-Type: ${slp.contentType}`,
    `Content-Length: ${tail.length}`,
  ]
  const wrong = [...lines, ...slp.fields.flat()].find((line) => /[\r\n\0]|[^\x00-\xff]/.test(line))
  if (wrong !== undefined) throw new MisuseError('a line of a negotiation cannot be written')
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${tail}`, 'latin1')
  if (bytes.length > MAX_SLP_BYTES) throw new MisuseError('a negotiation is too long')
  return bytes
}

/** The answer to a request: addresses change places, branch and Call-ID stay. */
export const answerTo = (request: Slp, code: number, contentType: string, fields: Slp['fields']): Slp => ({
  start: { kind: 'response', code },
  to: request.from,
  from: request.to,
  branch: request.branch,
  callId: request.callId,
  cseq: request.cseq + 1,
  contentType,
  fields,
})

const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  404: 'Not Found',
  500: 'Internal Error',
  603: 'Decline',
}

function startOf(line: string): SlpStart | undefined {
  const code = /^MSNSLP\/1\.\d (\d{3})(?: |$)/i.exec(line)?.[1]
  if (code !== undefined) return { kind: 'response', code: Number(code) }
  const method = /^([A-Z]{1,16}) MSNMSGR:\S+ MSNSLP\/1\.\d\s*$/i.exec(line)?.[1]
  return method === undefined ? undefined : { kind: 'request', method: method.toUpperCase() }
}

/** Whether that address can stand in a negotiation. */
export const canBeNamed = (address: string): boolean => /^[!-:=?-~]{1,256}$/.test(address)

/** `<msnmsgr:bob@example.com;{guid}>`. Plain ASCII, as all that has to be said back. */
const addressOf = (value: string | undefined): string | undefined => {
  const address = /^<msnmsgr:([^<>;]+)(?:;[^<>]*)?>$/i.exec(value ?? '')?.[1]
  return address !== undefined && canBeNamed(address) ? address.toLowerCase() : undefined
}

function bodyOf(text: string, from: number, length: string | undefined): Slp['fields'] {
  const bytes = /^\d{1,6}$/.test(length ?? '') ? Number(length) : text.length
  const body = text.slice(from, from + bytes).replace(/\0+$/, '')
  return new HeaderBlock(body).entries()
}
