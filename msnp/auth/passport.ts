import { decodeName, encodeName, trimBlanks } from '../wire/escape.ts'

/**
 * Passport 1.4, the login beside the notification connection: what its headers hold, both ways. No HTTP in here.
 * Header values are byte strings, as an HTTP parser gives them. Source: docs/protocol.md, Passport.
 */

/** Names of the headers. Official clients compare them with case: send them spelled like this. */
export const PASSPORT_HEADERS = {
  nexus: 'PassportURLs',
  request: 'Authorization',
  answer: 'Authentication-Info',
  refusal: 'WWW-Authenticate',
} as const

/** Where the login starts and where the service answers, by custom. */
export const NEXUS_PATH = '/rdr/pprdr.asp'
export const LOGIN_PATH = '/login2.srf'

/** Bytes of a header that we read; a longer one is taken as absent. */
export const MAX_PASSPORT_HEADER = 8 * 1024

/** What may go on into a line of ours or into a request: no blank, no control character. */
const PRINTABLE = /^[\x21-\x7e]+$/

/** One item of a header. `value` undefined: a bare word, such as `prompt`. */
export interface PassportItem {
  /** Lower case. */
  readonly name: string
  readonly value: string | undefined
}

const SCHEME = /^[ \t]*passport1\.4(?:[ \t]+|$)/i

/**
 * The items of a header value: the scheme word may be absent or doubled, white space around items goes, a name may come
 * twice. `quotes`: a value may stand in single quotes and then hold commas, which answers use and requests do not.
 */
export function parsePassportItems(header: string, quotes: boolean): readonly PassportItem[] {
  if (header.length > MAX_PASSPORT_HEADER) return []
  let text = header
  while (SCHEME.test(text)) text = text.replace(SCHEME, '')
  const items: PassportItem[] = []
  let at = 0
  while (at < text.length) {
    const comma = indexOr(text, ',', at, text.length)
    const equals = indexOr(text, '=', at, text.length)
    if (equals >= comma) {
      const flag = trimBlanks(text.slice(at, comma)).toLowerCase()
      if (flag !== '') items.push({ name: flag, value: undefined })
      at = comma + 1
      continue
    }
    const name = trimBlanks(text.slice(at, equals)).toLowerCase()
    const quoted = quotes ? /^[ \t]*'/.exec(text.slice(equals + 1, equals + 32)) : null
    if (quoted === null) {
      items.push({ name, value: trimBlanks(text.slice(equals + 1, comma)) })
      at = comma + 1
    } else {
      const start = equals + 1 + quoted[0].length
      const end = indexOr(text, "'", start, text.length)
      items.push({ name, value: text.slice(start, end) })
      at = indexOr(text, ',', end, text.length) + 1
    }
  }
  return items
}

const indexOr = (text: string, character: string, from: number, otherwise: number): number => {
  const at = text.indexOf(character, from)
  return at === -1 ? otherwise : at
}

const valueOf = (items: readonly PassportItem[], name: string): string | undefined =>
  items.find((item) => item.name === name && item.value !== undefined)?.value

/** The login page, from the value of `PassportURLs`: an absolute URL, HTTPS unless another scheme is written there. */
export function parsePassportUrls(header: string): string | undefined {
  const login = valueOf(parsePassportItems(header, true), 'dalogin')
  if (login === undefined || !PRINTABLE.test(login)) return undefined
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(login) ? login : `https://${login}`
}

/**
 * The value of `PassportURLs`. `login` is the login page as host and path; a scheme is cut off, since unpatched clients
 * put `https://` before it themselves. DALogin is the first, since clients of today take all that follows it for the URL
 * (see LOGIN_PATHS of the page); something follows it, since others read up to the next comma.
 */
export const formatPassportUrls = (login: string): string =>
  `DALogin=${login.replace(/^https?:\/\//i, '')},DARealm=Passport.Net,ConfigVersion=15`

export interface PassportRequest {
  readonly signIn: string
  readonly password: string
}

/** `policy` goes in verbatim: it is what came with `USR n TWN S`. */
export const formatAuthorization = (request: PassportRequest & { readonly policy: string }): string =>
  `Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=${encodeName(request.signIn)}` +
  `,pwd=${encodeName(request.password)},${request.policy}`

/** undefined: it names nobody or has no password. Of the rest, nothing is needed. */
export function parseAuthorization(header: string): PassportRequest | undefined {
  const items = parsePassportItems(header, false)
  const signIn = valueOf(items, 'sign-in')
  const password = valueOf(items, 'pwd')
  if (signIn === undefined || signIn === '' || password === undefined) return undefined
  return { signIn: decodeName(signIn).trim(), password: decodeName(password) }
}

/** What a login page says, apart from its status and Location. */
export type PassportAnswer =
  | { readonly kind: 'success'; readonly ticket: string }
  /** Ask again, with the same request, where `Location` says. */
  | { readonly kind: 'redirect' }
  /** `text`: what the service would show to the person; it may be empty. */
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'unknown' }

/** Reads `Authentication-Info` (200 and 302) as well as `WWW-Authenticate` (401). */
export function parsePassportAnswer(header: string): PassportAnswer {
  const items = parsePassportItems(header, true)
  switch ((valueOf(items, 'da-status') ?? '').toLowerCase()) {
    case 'success': {
      const ticket = valueOf(items, 'from-pp')?.replace(/[ \t]+/g, '')
      return ticket === undefined || !PRINTABLE.test(ticket) ? { kind: 'unknown' } : { kind: 'success', ticket }
    }
    case 'redir':
      return { kind: 'redirect' }
    case 'failed':
    case 'failed-noretry':
      return { kind: 'failed', text: decodeName(valueOf(items, 'cbtxt') ?? '') }
    default:
      return { kind: 'unknown' }
  }
}

/** `Authentication-Info` of a login that went well. `ticket` as `Tickets.mint` made it. */
export const formatPassportSuccess = (ticket: string): string =>
  `Passport1.4 da-status=success,tname=MSPAuth,tname=MSPProf,tname=MSPSec,from-PP='${ticket}',ru=http://messenger.msn.com`

/** `WWW-Authenticate` of a refused login. `text` is shown to the person. */
export const formatPassportFailure = (text: string): string =>
  `Passport1.4 da-status=failed,srealm=Passport.NET,ts=-3,prompt,cburl=http://messenger.msn.com,cbtxt=${encodeName(text)}`

/**
 * What follows `TWN S` in a USR: the policy from the server or the ticket from the client. `words` are those after
 * `TWN`. Neither holds white space, so blanks in between go, as does a missing one after the `S`.
 */
export function parseTwnData(words: readonly string[]): string | undefined {
  const [step = '', ...rest] = words
  if (!/^s/i.test(step)) return undefined
  if (step.length > 1 && !step.includes('=')) return undefined
  const data = step.slice(1) + rest.join('')
  return PRINTABLE.test(data) ? data : undefined
}
