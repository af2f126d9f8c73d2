import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatRstFault,
  formatRstRequest,
  formatRstSuccess,
  MAX_RST_ADDRESSES,
  parseRstAnswer,
  parseRstRequest,
  type RstFault,
} from '../../../msnp/auth/rst.ts'
import { findAll, findFirst, parseXml } from '../../../msnp/auth/xml.ts'

const NOW = Date.UTC(2005, 7, 25, 12)
const SIGN_IN = 'alice@home.example'
const PASSWORD = `a<b>&"c' d]]>é☃`
const success = {
  signIn: SIGN_IN,
  puid: '00a1b2c3d4e5f607',
  created: NOW,
  expires: NOW + 30_000,
  secret: 'c2VjcmV0',
}

describe('a request', () => {
  it('carries address, password and policy, whatever they hold', () => {
    const document = formatRstRequest({ signIn: SIGN_IN, password: PASSWORD, policy: 'lc=1033,id=507,x="<', now: NOW })
    expect(parseRstRequest(document)).toEqual({
      signIn: SIGN_IN,
      password: PASSWORD,
      wanted: [{ id: 1, address: 'messenger.msn.com' }],
    })
    const root = parseXml(document)
    expect(findFirst(root!, 'PolicyReference')?.attributes.get('URI')).toBe('?lc=1033&id=507&x="<')
    expect(findFirst(root!, 'Created')?.text).toBe('2005-08-25T12:00:00Z')
  })

  it('counts tokens from the first place that is not the login itself', () => {
    const wanted = (...addresses: readonly string[]) =>
      parseRstRequest(
        `<Envelope><Username> A@b.example </Username><Password/>${addresses
          .map((address) => `<RequestSecurityToken><Address>${address}</Address></RequestSecurityToken>`)
          .join('')}</Envelope>`,
      )?.wanted
    expect(wanted('http://Passport.NET/tb', 'messenger.msn.com', 'contacts.msn.com')).toEqual([
      { id: 1, address: 'messenger.msn.com' },
      { id: 2, address: 'contacts.msn.com' },
    ])
    expect(wanted('messengerclear.live.com')).toEqual([{ id: 1, address: 'messengerclear.live.com' }])
    expect(wanted()).toEqual([])
    expect(wanted(...Array<string>(50).fill('x'))).toHaveLength(MAX_RST_ADDRESSES)
  })

  it.each([
    '',
    '<Envelope/>',
    '<Envelope><Username>a</Username></Envelope>',
    '<Envelope><Username> </Username><Password>x</Password></Envelope>',
    '<Other><Username>a</Username><Password>x</Password></Other>',
    `<Envelope><Username>${'a'.repeat(513)}</Username><Password>x</Password></Envelope>`,
    '<!DOCTYPE a [<!ENTITY b "c">]><Envelope><Username>&b;</Username><Password>x</Password></Envelope>',
  ])('is none: %j', (document) => {
    expect(parseRstRequest(document)).toBeUndefined()
  })
})

describe('an answer', () => {
  it('gives the ticket for the messenger, unescaped', () => {
    const document = formatRstSuccess({
      ...success,
      tokens: [
        { id: 1, address: 'contacts.msn.com', ticket: 't=other&p=' },
        { id: 2, address: 'messenger.msn.com', ticket: 't=abc&p=' },
      ],
    })
    expect(document).toContain('<wsse:BinarySecurityToken Id="Compact2">t=abc&amp;p=</wsse:BinarySecurityToken>')
    expect(document).toContain('<psf:authstate>0x48803</psf:authstate><psf:reqstatus>0x0</psf:reqstatus>')
    expect(document).toContain('<psf:PUID>00A1B2C3D4E5F607</psf:PUID>')
    expect(document).toContain('<wsu:Expires>2005-08-25T12:00:30Z</wsu:Expires>')
    expect(parseRstAnswer(document)).toEqual({ kind: 'success', ticket: 't=abc&p=' })
  })

  it('speaks of the login itself first, and gives the secret again only where it is needed', () => {
    const ask = (address: string) =>
      findAll(
        parseXml(formatRstSuccess({ ...success, tokens: [{ id: 1, address, ticket: 't=a&p=' }] }))!,
        'RequestSecurityTokenResponse',
      ).map((each) => [findFirst(each, 'TokenType')?.text, findFirst(each, 'BinarySecret')?.text])
    expect(ask('messenger.msn.com')).toEqual([
      ['urn:passport:legacy', 'c2VjcmV0'],
      ['urn:passport:compact', undefined],
    ])
    expect(ask('messengerclear.live.com')[1]).toEqual(['urn:passport:compact', 'c2VjcmV0'])
  })

  it('of another server may name its tokens as it likes', () => {
    const token = (text: string): string =>
      `<Envelope><RequestSecurityTokenResponse><BinarySecurityToken Id="PPToken1">${text}</BinarySecurityToken></RequestSecurityTokenResponse></Envelope>`
    expect(parseRstAnswer(token('t=EwDo$$&amp;p='))).toEqual({ kind: 'success', ticket: 't=EwDo$$&p=' })
    expect(parseRstAnswer(token('t=a b'))).toEqual({ kind: 'unknown' })
    expect(parseRstAnswer(token('t=a&#13;&#10;OUT'))).toEqual({ kind: 'unknown' })
    expect(parseRstAnswer(token('x'.repeat(9_000)))).toEqual({ kind: 'unknown' })
  })

  it('tells what was wrong, or where else to ask', () => {
    const kinds = (['wrong password', 'no request', 'busy'] satisfies RstFault[]).map((fault) =>
      parseRstAnswer(formatRstFault(fault)),
    )
    expect(kinds).toEqual([
      { kind: 'failed', text: 'Authentication Failure' },
      { kind: 'fault', code: 'wsse:InvalidRequest', text: 'Invalid Request' },
      { kind: 'fault', code: 'psf:ServiceUnavailable', text: 'Too many attempts: wait a minute' },
    ])
    expect(formatRstFault('wrong password')).toContain('<psf:reqstatus>0x80048823</psf:reqstatus>')
    expect(
      parseRstAnswer(
        '<S:Envelope xmlns:S="x"><S:Fault><faultcode>psf:Redirect</faultcode><psf:redirectUrl>https://b.example/RST.srf</psf:redirectUrl></S:Fault></S:Envelope>',
      ),
    ).toEqual({ kind: 'redirect', url: 'https://b.example/RST.srf' })
    expect(parseRstAnswer('<html>')).toEqual({ kind: 'unknown' })
    expect(parseRstAnswer('<Envelope/>')).toEqual({ kind: 'unknown' })
  })
})

it('never throws on what strangers send', () => {
  const good = [
    formatRstRequest({ signIn: SIGN_IN, password: PASSWORD, policy: 'a=b', now: NOW }),
    formatRstSuccess({ ...success, tokens: [{ id: 1, address: 'messenger.msn.com', ticket: 't=a&p=' }] }),
    formatRstFault('busy'),
  ]
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.nat(), fc.nat({ max: 40 }), fc.string(), (document, at, length, piece) => {
      const from = at % document.length
      const broken = document.slice(0, from) + piece + document.slice(from + length)
      const request = parseRstRequest(broken)
      expect(request === undefined || request.wanted.length <= MAX_RST_ADDRESSES).toBe(true)
      const answer = parseRstAnswer(broken)
      if (answer.kind === 'success') expect(answer.ticket).toMatch(/^[\x21-\x7e]+$/)
    }),
    { numRuns: 1_000 },
  )
})
