/** News of mail, as the notification server tells it. Source: docs/protocol.md, Mail. */
import { Buffer } from 'node:buffer'
import { CONTENT_TYPES, type Said } from './content-types.ts'

export type MailNews =
  /** After the sign-in: how many are unread, in the inbox and elsewhere. */
  | { readonly kind: 'unread'; readonly inbox: number; readonly elsewhere: number }
  /** One has come. Words of strangers: what is missing is empty. */
  | { readonly kind: 'arrived'; readonly from: string; readonly address: string; readonly subject: string }

/** Of a name, an address or a subject, UTF-16 units. */
const MAX_WORDS = 256
/** Of the XML of a summary that is read. */
const MAX_SUMMARY = 2_048
const MAX_UNREAD = 1_000_000

/** undefined: nothing to tell people, e.g. that a mail was moved. Never throws. */
export function newsOfMail({ contentType, fields }: Extract<Said, { kind: 'mail' }>): MailNews | undefined {
  switch (contentType) {
    case CONTENT_TYPES.mailSummary:
      return unread(fields.get('inbox-unread'), fields.get('folders-unread'))
    case CONTENT_TYPES.mailData: {
      const xml = (fields.get('mail-data') ?? '').slice(0, MAX_SUMMARY)
      return unread(/<IU>(\d+)<\/IU>/.exec(xml)?.[1], /<OU>(\d+)<\/OU>/.exec(xml)?.[1])
    }
    case CONTENT_TYPES.mail: {
      const [from = '', address = '', subject = ''] = ['from', 'from-addr', 'subject'].map((name) =>
        words(fields.get(name)),
      )
      return from === '' && address === '' ? undefined : { kind: 'arrived', from, address, subject }
    }
    default:
      return undefined
  }
}

function unread(inbox: string | undefined, elsewhere: string | undefined): MailNews | undefined {
  const [one, other] = [count(inbox), count(elsewhere)]
  return one + other === 0 ? undefined : { kind: 'unread', inbox: one, elsewhere: other }
}

const count = (word: string | undefined): number =>
  word !== undefined && /^\d{1,7}$/.test(word) ? Math.min(Number(word), MAX_UNREAD) : 0

/** A field with words that are encoded as in mail, or UTF-8 as a byte string. */
function words(field = ''): string {
  const short = field.slice(0, 4 * MAX_WORDS)
  const decoded = short
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(
      /=\?([\w-]{1,40})\?([BQ])\?([^?\s]*)\?=/gi,
      (whole, charset: string, how: string, text: string) =>
        decode(charset, how.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : quoted(text)) ?? whole,
    )
  const isPlain = decoded === short
  return (isPlain ? Buffer.from(short, 'latin1').toString('utf8') : decoded).slice(0, MAX_WORDS).toWellFormed()
}

const quoted = (text: string): Buffer =>
  Buffer.from(
    text
      .replaceAll('_', ' ')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )

function decode(charset: string, bytes: Buffer): string | undefined {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return undefined
  }
}
