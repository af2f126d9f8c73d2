/** SASL PLAIN in AUTHENTICATE lines. Sources: ircv3.net, sasl-3.1; RFC 4616. Pure but for the exchange's own state. */

export const MECHANISM = 'PLAIN'

/** "split to 400-byte chunks"; a chunk of just so much is not the last. */
export const CHUNK_BYTES = 400

export interface Credentials {
  readonly account: string
  readonly password: string
}

export type Step = 'more' | 'too-long' | 'malformed' | Credentials

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One exchange, from `AUTHENTICATE PLAIN` to its end. */
export class PlainExchange {
  readonly #limit: number
  #text = ''

  constructor(limit: number) {
    this.#limit = limit
  }

  /** `AUTHENTICATE <chunk>`; `+` is an empty one. */
  take(chunk: string): Step {
    if (chunk.length > CHUNK_BYTES) return 'too-long'
    if (chunk !== '+') this.#text += chunk
    if (this.#text.length > this.#limit) return 'too-long'
    return chunk.length === CHUNK_BYTES ? 'more' : credentialsOf(this.#text)
  }
}

/** `[authzid] NUL authcid NUL passwd`; nobody may act for somebody else. */
const credentialsOf = (text: string): Credentials | 'malformed' => {
  if (!BASE64.test(text)) return 'malformed'
  const parts = decoded(text)?.split('\0') ?? []
  const [actsFor, account, password] = parts
  if (parts.length !== 3 || account === undefined || password === undefined) return 'malformed'
  if (account === '' || password === '' || (actsFor !== '' && actsFor !== account)) return 'malformed'
  return { account, password }
}

const decoded = (text: string): string | undefined => {
  try {
    return utf8.decode(Buffer.from(text, 'base64'))
  } catch {
    return undefined
  }
}
