import { encodeXml, findAll, findFirst, parseXml, type XmlElement } from './xml.ts'

/**
 * The login of MSN Messenger 7.5: RST, a SOAP request that turns address and password into security tokens, one for each
 * place that they shall be good for. No HTTP in here. Source: docs/protocol.md, Login by RST.
 */

export const RST_PATH = '/RST.srf'
export const RST_CONTENT_TYPE = 'text/xml; charset=utf-8'

/** Places that tokens are given for; further ones are passed over. */
export const MAX_RST_ADDRESSES = 8
const MAX_ADDRESS_CHARS = 256
const MAX_CREDENTIAL_CHARS = 512
/** Characters of a token: it goes into one line of the notification connection. */
const MAX_TOKEN = 8 * 1024

/** Everybody asks for this one first: it stands for the login itself. */
const LOGIN_ITSELF = 'http://passport.net/tb'
/** The place that tickets for the notification server are for. */
export const MESSENGER = 'messenger.msn.com'
/** What later clients sign their own challenges with. */
const NEEDS_SECRET = 'messengerclear.live.com'
const PRINTABLE = /^[\x21-\x7e]+$/

export interface RstRequest {
  readonly signIn: string
  readonly password: string
  /** What tokens are wanted for, without the login itself. `id`: its place among all that were asked for, from 1. */
  readonly wanted: readonly { readonly id: number; readonly address: string }[]
}

/** undefined: it is no such request, or names nobody. */
export function parseRstRequest(document: string): RstRequest | undefined {
  const root = parseXml(document)
  if (root?.name !== 'Envelope') return undefined
  const signIn = findFirst(root, 'Username')?.text.trim() ?? ''
  const password = findFirst(root, 'Password')?.text
  if (signIn === '' || password === undefined) return undefined
  if (signIn.length > MAX_CREDENTIAL_CHARS || password.length > MAX_CREDENTIAL_CHARS) return undefined
  const addresses = findAll(root, 'RequestSecurityToken').map((each) => findFirst(each, 'Address')?.text.trim() ?? '')
  const wanted = addresses
    .map((address, id) => ({ id, address }))
    .filter(({ address }) => address !== '' && address.length <= MAX_ADDRESS_CHARS)
    .filter(({ address }) => address.toLowerCase() !== LOGIN_ITSELF)
    .slice(0, MAX_RST_ADDRESSES)
  // The login itself is the first by custom, so the others count from 1; without it they do all the same.
  const shift = wanted[0]?.id === 0 ? 1 : 0
  return { signIn, password, wanted: wanted.map(({ id, address }) => ({ id: id + shift, address })) }
}

export interface RstToken {
  readonly id: number
  readonly address: string
  /** `t=...&p=` as `Tickets.mint` made it. */
  readonly ticket: string
}

export interface RstSuccess {
  readonly signIn: string
  /** 16 hexadecimal digits: the same for the same account. */
  readonly puid: string
  readonly tokens: readonly RstToken[]
  /** Milliseconds since 1970. */
  readonly created: number
  readonly expires: number
  /** Base64. Made anew for each answer. */
  readonly secret: string
}

const NAMESPACES =
  'xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:psf="http://schemas.microsoft.com/Passport/SoapServices/SOAPFault" ' +
  'xmlns:wsse="http://schemas.xmlsoap.org/ws/2003/06/secext" xmlns:wst="http://schemas.xmlsoap.org/ws/2004/04/trust" ' +
  'xmlns:wsp="http://schemas.xmlsoap.org/ws/2002/12/policy" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/03/addressing" ' +
  'xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"'

const envelope = (header: string, body: string): string =>
  `<?xml version="1.0" encoding="utf-8" ?><S:Envelope ${NAMESPACES}><S:Header><psf:pp ` +
  `xmlns:psf="http://schemas.microsoft.com/Passport/SoapServices/SOAPFault"><psf:serverVersion>1</psf:serverVersion>` +
  `${header}</psf:pp></S:Header><S:Body>${body}</S:Body></S:Envelope>`

const time = (at: number): string => new Date(at).toISOString().replace(/\.\d+/, '')

export function formatRstSuccess({ signIn, puid, tokens, created, expires, secret }: RstSuccess): string {
  const lifetime = `<wst:LifeTime><wsu:Created>${time(created)}</wsu:Created><wsu:Expires>${time(expires)}</wsu:Expires></wst:LifeTime>`
  const properties = (
    [
      ['MainBrandID', ''],
      ['CID', puid.toLowerCase()],
      ['AuthMembername', signIn],
      ['Country', 'US'],
      ['Language', '1033'],
      ['FirstName', ''],
      ['LastName', ''],
      ['ChildFlags', '00000001'],
      ['Flags', '40100643'],
    ] as const
  ).map(([name, value]) => `<psf:credProperty Name="${name}">${encodeXml(value)}</psf:credProperty>`)
  const header =
    `<psf:PUID>${puid.toUpperCase()}</psf:PUID><psf:configVersion>3.0.869.0</psf:configVersion>` +
    '<psf:uiVersion>3.0.869.0</psf:uiVersion><psf:authstate>0x48803</psf:authstate><psf:reqstatus>0x0</psf:reqstatus>' +
    `<psf:serverInfo Path="Live1" RollingUpgradeState="ExclusiveNew" LocVersion="0" ServerTime="${time(created)}">msn-bridge</psf:serverInfo>` +
    `<psf:cookies/><psf:browserCookies/><psf:credProperties>${properties.join('')}</psf:credProperties><psf:extProperties/>`
  const proof = (value: string): string =>
    `<wst:RequestedProofToken><wst:BinarySecret>${value}</wst:BinarySecret></wst:RequestedProofToken>`
  const appliesTo = (address: string): string =>
    `<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>${encodeXml(address)}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>`
  const reference = (id: string, type: string): string =>
    `<wst:RequestedTokenReference><wsse:KeyIdentifier ValueType="${type}"/><wsse:Reference URI="#${id}"/></wst:RequestedTokenReference>`
  const login =
    '<wst:RequestSecurityTokenResponse><wst:TokenType>urn:passport:legacy</wst:TokenType>' +
    `${appliesTo('http://Passport.NET/tb')}${lifetime}<wst:RequestedSecurityToken>` +
    '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#" Id="BinaryDAToken0" Type="http://www.w3.org/2001/04/xmlenc#Element">' +
    '<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#tripledes-cbc"/>' +
    '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><KeyName>http://Passport.NET/STS</KeyName></KeyInfo>' +
    '<CipherData><CipherValue>AAAA</CipherValue></CipherData></EncryptedData></wst:RequestedSecurityToken>' +
    `${reference('BinaryDAToken0', 'urn:passport')}${proof(secret)}</wst:RequestSecurityTokenResponse>`
  const others = tokens.map(
    ({ id, address, ticket }) =>
      '<wst:RequestSecurityTokenResponse><wst:TokenType>urn:passport:compact</wst:TokenType>' +
      `${appliesTo(address)}${lifetime}<wst:RequestedSecurityToken><wsse:BinarySecurityToken Id="Compact${id}">` +
      `${encodeXml(ticket)}</wsse:BinarySecurityToken></wst:RequestedSecurityToken>${reference(`Compact${id}`, 'urn:passport:compact')}` +
      `${address.toLowerCase() === NEEDS_SECRET ? proof(secret) : ''}</wst:RequestSecurityTokenResponse>`,
  )
  const body = `<wst:RequestSecurityTokenResponseCollection>${login}${others.join('')}</wst:RequestSecurityTokenResponseCollection>`
  return envelope(header, body)
}

export type RstFault = 'wrong password' | 'no request' | 'busy'

/** `code` and the numbers are what clients know; the words are for the person. */
const FAULTS: Readonly<Record<RstFault, { code: string; authstate: string; reqstatus: string; words: string }>> = {
  'wrong password': {
    code: 'wsse:FailedAuthentication',
    authstate: '0x80048800',
    reqstatus: '0x80048823',
    words: 'Authentication Failure',
  },
  'no request': {
    code: 'wsse:InvalidRequest',
    authstate: '0x80048800',
    reqstatus: '0x80048820',
    words: 'Invalid Request',
  },
  busy: {
    code: 'psf:ServiceUnavailable',
    authstate: '0x80048800',
    reqstatus: '0x80048831',
    words: 'Too many attempts: wait a minute',
  },
}

export function formatRstFault(fault: RstFault): string {
  const { code, authstate, reqstatus, words } = FAULTS[fault]
  const header = `<psf:authstate>${authstate}</psf:authstate><psf:reqstatus>${reqstatus}</psf:reqstatus>`
  return envelope(header, `<S:Fault><faultcode>${code}</faultcode><faultstring>${words}</faultstring></S:Fault>`)
}

/** `policy` is what came with `USR n TWN S`: its items go into a query. `now` in milliseconds since 1970. */
export function formatRstRequest(login: {
  readonly signIn: string
  readonly password: string
  readonly policy: string
  readonly now: number
}): string {
  const { signIn, password, policy, now } = login
  const wanted = (id: number, address: string, more = ''): string =>
    `<wst:RequestSecurityToken Id="RST${id}"><wst:RequestType>http://schemas.xmlsoap.org/ws/2004/04/security/trust/Issue</wst:RequestType>` +
    `<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>${address}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>${more}</wst:RequestSecurityToken>`
  const reference = `<wsse:PolicyReference URI="?${encodeXml(policy.replaceAll(',', '&'))}"></wsse:PolicyReference>`
  return (
    '<?xml version="1.0" encoding="UTF-8"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" ' +
    'xmlns:wsse="http://schemas.xmlsoap.org/ws/2003/06/secext" xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" ' +
    'xmlns:wsp="http://schemas.xmlsoap.org/ws/2002/12/policy" xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" ' +
    'xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/03/addressing" xmlns:wssc="http://schemas.xmlsoap.org/ws/2004/04/sc" ' +
    'xmlns:wst="http://schemas.xmlsoap.org/ws/2004/04/trust"><Header>' +
    '<ps:AuthInfo xmlns:ps="http://schemas.microsoft.com/Passport/SoapServices/PPCRL" Id="PPAuthInfo">' +
    '<ps:HostingApp>{3:B}</ps:HostingApp><ps:BinaryVersion>4</ps:BinaryVersion><ps:UIVersion>1</ps:UIVersion>' +
    `<ps:Cookies></ps:Cookies><ps:RequestParams>AQAAAAIAAABsYwQAAAAxMDMz</ps:RequestParams></ps:AuthInfo>` +
    `<wsse:Security><wsse:UsernameToken Id="user"><wsse:Username>${encodeXml(signIn)}</wsse:Username>` +
    `<wsse:Password>${encodeXml(password)}</wsse:Password></wsse:UsernameToken>` +
    `<wsu:Timestamp Id="Timestamp"><wsu:Created>${time(now)}</wsu:Created><wsu:Expires>${time(now + 300_000)}</wsu:Expires></wsu:Timestamp>` +
    '</wsse:Security></Header><Body>' +
    '<ps:RequestMultipleSecurityTokens xmlns:ps="http://schemas.microsoft.com/Passport/SoapServices/PPCRL" Id="RSTS">' +
    `${wanted(0, 'http://Passport.NET/tb')}${wanted(1, MESSENGER, reference)}</ps:RequestMultipleSecurityTokens></Body></Envelope>`
  )
}

/** What an answer says, apart from its HTTP status. */
export type RstAnswer =
  | { readonly kind: 'success'; readonly ticket: string }
  /** Ask again, with the same request, there. */
  | { readonly kind: 'redirect'; readonly url: string }
  /** `text`: what the service would show to the person; it may be empty. */
  | { readonly kind: 'failed'; readonly text: string }
  /** A fault that is not about address and password. */
  | { readonly kind: 'fault'; readonly code: string; readonly text: string }
  | { readonly kind: 'unknown' }

export function parseRstAnswer(document: string): RstAnswer {
  const root = parseXml(document)
  if (root?.name !== 'Envelope') return { kind: 'unknown' }
  const ticket = ticketIn(root)
  if (ticket !== undefined) return { kind: 'success', ticket }
  const url = findFirst(root, 'redirectUrl')?.text.trim() ?? ''
  if (url !== '') return { kind: 'redirect', url }
  const fault = findFirst(root, 'Fault')
  if (fault === undefined) return { kind: 'unknown' }
  const code = findFirst(fault, 'faultcode')?.text.trim() ?? ''
  const text = findFirst(fault, 'faultstring')?.text.trim() ?? ''
  return /(?:^|:)FailedAuthentication$/i.test(code) ? { kind: 'failed', text } : { kind: 'fault', code, text }
}

/** The token for the messenger; of a server that does not say for whom they are, the first. */
function ticketIn(root: XmlElement): string | undefined {
  const given = findAll(root, 'RequestSecurityTokenResponse').map((response) => ({
    address: (findFirst(response, 'Address')?.text ?? '').trim().toLowerCase(),
    token: findFirst(response, 'BinarySecurityToken')?.text.trim() ?? '',
  }))
  const usable = given.filter(({ token }) => PRINTABLE.test(token) && token.length <= MAX_TOKEN)
  return (usable.find(({ address }) => address === MESSENGER) ?? usable[0])?.token
}
