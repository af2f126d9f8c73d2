import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatAuthorization,
  formatPassportFailure,
  formatPassportSuccess,
  formatPassportUrls,
  MAX_PASSPORT_HEADER,
  parseAuthorization,
  parsePassportAnswer,
  parsePassportItems,
  parsePassportUrls,
  parseTwnData,
} from '../../../msnp/auth/passport.ts'

type Items = Readonly<Record<string, readonly (string | true)[]>>
const vectors = (
  JSON.parse(readFileSync(new URL('../vectors.json', import.meta.url), 'utf8')) as {
    passport: Readonly<Record<string, Items>>
  }
).passport

const items = (header: string, quotes = true): Items => {
  const table: Record<string, (string | true)[]> = {}
  for (const { name, value } of parsePassportItems(header, quotes)) (table[name] ??= []).push(value ?? true)
  return table
}

const POLICY =
  'lc=1033,id=507,tw=40,fs=1,ru=http%3A%2F%2Fmessenger%2Emsn%2Ecom,ct=1073355862,kpp=1,kv=5,ver=2.1.0173.1,tpf=0123456789abcdef0123456789abcdef'

describe('items of a Passport header', () => {
  it.each([
    [
      'success',
      "Passport1.4 da-status=success,tname=MSPAuth,tname=MSPProf,tname=MSPSec,from-PP='t=AbC1$$&p=DeF,2$$',ru=http://messenger.msn.com",
    ],
    ['success_bare', "Passport1.4 da-status=success,from-PP='t=ABCDEFGHIJKLMNOPQRST&p='"],
    [
      'failed',
      'Passport1.4 da-status=failed,srealm=Passport.NET,ts=-2,prompt,cburl=http%3A%2F%2Fexample.com,cbtxt=Wrong%20password',
    ],
    ['redir', 'Passport1.4 da-status=redir'],
    [
      'request',
      `Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=alice%40example.com,pwd=p%2Cw%3D%27x,${POLICY}`,
    ],
  ])('are taken apart: %s', (name, header) => {
    expect(items(header, name !== 'request')).toEqual(vectors[name])
    expect(items(header.replaceAll(',', ' , '), name !== 'request')).toEqual(
      name === 'success' ? { ...vectors[name], 'from-pp': ['t=AbC1$$&p=DeF , 2$$'] } : vectors[name],
    )
  })

  it.each([
    ['', {}],
    ['Passport1.4', {}],
    ['Passport1.4 Passport1.4 a=1', { a: ['1'] }],
    ['a=1', { a: ['1'] }],
    ["a='1,2", { a: ['1,2'] }],
    ["a='1'junk,b=2", { a: ['1'], b: ['2'] }],
    ["a= '1,2' , b", { a: ['1,2'], b: [true] }],
    [',,a=1,,', { a: ['1'] }],
    ['a=b=c', { a: ['b=c'] }],
    ['=x', { '': ['x'] }],
  ])('are read tolerantly: %j', (header, expected) => {
    expect(items(header)).toEqual(expected)
  })

  it('are not read from a header without measure', () => {
    expect(items(`a=${'x'.repeat(MAX_PASSPORT_HEADER)}`)).toEqual({})
  })

  it('never make it throw, whatever the header', () => {
    const piece = fc.constantFrom(
      'Passport1.4 ',
      ',',
      '=',
      "'",
      'da-status=success',
      'from-PP=',
      ' ',
      'sign-in=',
      'pwd=',
      '%',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 30 }),
        (parts) => {
          const header = parts.join('')
          for (const { name } of parsePassportItems(header, true)) expect(name).not.toMatch(/^[ \t]|[ \t]$/)
          expect(parsePassportAnswer(header).kind).toBeTypeOf('string')
          parseAuthorization(header)
          parsePassportUrls(header)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('the nexus', () => {
  it.each([
    [
      'DARealm=Passport.Net,DALogin=login.example.com/login2.srf,DAReg=https://x,ConfigVersion=15',
      'https://login.example.com/login2.srf',
    ],
    ['DALogin=https://127.0.0.1/login', 'https://127.0.0.1/login'],
    ['DALogin=http://127.0.0.1:8080/login', 'http://127.0.0.1:8080/login'],
    ['dalogin = login.example.com:1443/login2.srf , x', 'https://login.example.com:1443/login2.srf'],
    ['DALogin=', undefined],
    ['DARealm=Passport.Net', undefined],
    ['DALogin', undefined],
    ['', undefined],
  ])('says where to log in: %j', (header, url) => {
    expect(parsePassportUrls(header)).toBe(url)
  })

  it('is told to unpatched clients without a scheme and with a comma after it', () => {
    expect(formatPassportUrls('https://login.example.com/login2.srf')).toBe(
      'DALogin=login.example.com/login2.srf,DARealm=Passport.Net,ConfigVersion=15',
    )
    expect(parsePassportUrls(formatPassportUrls('login.example.com:1443/login2.srf'))).toBe(
      'https://login.example.com:1443/login2.srf',
    )
  })
})

describe('the request for a ticket', () => {
  it('escapes name and password and has the policy as it came', () => {
    expect(formatAuthorization({ signIn: 'alice@example.com', password: "p,w='x", policy: POLICY })).toBe(
      `Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=alice%40example.com,pwd=p%2Cw%3D%27x,${POLICY}`,
    )
  })

  it.each([
    ['doubled scheme', 'Passport1.4 Passport1.4 OrgVerb=GET,sign-in=alice%40example.com,pwd=secret,lc=1'],
    ['address not escaped', 'Passport1.4 OrgVerb=GET,sign-in=alice@example.com,pwd=secret'],
    [
      'blanks as in the source document',
      `Passport1.4 OrgVerb=GET,sign-in=alice%40example.com,pwd=secret, lc=1033,ver=2.1.0173.1, tpf=1`,
    ],
    ['scheme in another case', 'PASSPORT1.4 sign-in=alice%40example.com,pwd=secret'],
    ['no scheme', 'sign-in=alice%40example.com,pwd=secret'],
    ['the names in capitals', 'Passport1.4 SIGN-IN=alice%40example.com,PWD=secret'],
  ])('is understood with %s', (_, header) => {
    expect(parseAuthorization(header)).toEqual({ signIn: 'alice@example.com', password: 'secret' })
  })

  it.each([
    ['Passport1.4 sign-in=alice%40example.com', undefined],
    ['Passport1.4 pwd=secret', undefined],
    ['Passport1.4 sign-in=,pwd=secret', undefined],
    ['Basic YWxpY2U6c2VjcmV0', undefined],
    ['', undefined],
    ['sign-in=a@b.example,pwd=', { signIn: 'a@b.example', password: '' }],
    ["sign-in=a@b.example,pwd='x,lc=1", { signIn: 'a@b.example', password: "'x" }],
    ['sign-in=a@b.example,pwd=a=b', { signIn: 'a@b.example', password: 'a=b' }],
  ])('names somebody or nobody: %j', (header, expected) => {
    expect(parseAuthorization(header)).toEqual(expected)
  })

  it('carries any name and password', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => each.trim() === each)
    fc.assert(
      fc.property(text, fc.string({ unit: 'grapheme' }), (signIn, password) => {
        expect(parseAuthorization(formatAuthorization({ signIn, password, policy: POLICY }))).toEqual({
          signIn,
          password,
        })
      }),
    )
  })
})

describe('the answer to a request for a ticket', () => {
  it.each([
    ["Passport1.4 da-status=success,from-PP='b6d38d7bdab958d687ad'", 'b6d38d7bdab958d687ad'],
    ["Passport1.4 da-status=success,from-PP='t=AbC1$$&p=DeF,2$$',ru=http://messenger.msn.com", 't=AbC1$$&p=DeF,2$$'],
    ["Passport1.4 da-status=success,tname=MSPAuth, from-PP='t=4m1w$$ &p=4QX !7b$$', ru=x", 't=4m1w$$&p=4QX!7b$$'],
    ["passport1.4 DA-Status=Success , From-pp = 't=a&p=' ", 't=a&p='],
  ])('is a ticket: %s', (header, ticket) => {
    expect(parsePassportAnswer(header)).toEqual({ kind: 'success', ticket })
  })

  it('is a redirection or a refusal', () => {
    expect(parsePassportAnswer('Passport1.4 da-status=redir')).toEqual({ kind: 'redirect' })
    expect(parsePassportAnswer('Passport1.4 da-status=failed')).toEqual({ kind: 'failed', text: '' })
    expect(
      parsePassportAnswer(
        'Passport1.4 da-status=failed,srealm=Passport.NET,ts=-3,prompt,cburl=x,cbtxt=Wrong%20password',
      ),
    ).toEqual({ kind: 'failed', text: 'Wrong password' })
  })

  it.each([
    '',
    'Passport1.4',
    'Passport1.4 da-status=success',
    "da-status=success,from-PP=''",
    'da-status=maybe',
    "da-status=success,from-PP='t=\xe9'",
    'Basic realm="x"',
  ])('is nothing that we know: %j', (header) => expect(parsePassportAnswer(header)).toEqual({ kind: 'unknown' }))

  it('is written so that it is read back', () => {
    expect(parsePassportAnswer(formatPassportSuccess('t=abc&p='))).toEqual({ kind: 'success', ticket: 't=abc&p=' })
    expect(parsePassportAnswer(formatPassportFailure("It's wrong, again"))).toEqual({
      kind: 'failed',
      text: "It's wrong, again",
    })
  })
})

describe('what follows TWN in USR', () => {
  it.each([
    [['S', POLICY], POLICY],
    [[`S${POLICY.replace('ver=2.1.0173.1,', 'ver=2.1.0173.1,')}`], POLICY],
    [['Slc=1033,id=507,ver=2.1.0173.1,', 'tpf=ed1c'], 'lc=1033,id=507,ver=2.1.0173.1,tpf=ed1c'],
    [['S', 't=4m1w$$', '&p=4QX', '!7b$$'], 't=4m1w$$&p=4QX!7b$$'],
    [['s', 'b6d38d7bdab958d687ad'], 'b6d38d7bdab958d687ad'],
    [['S'], undefined],
    [['I', 'alice@example.com'], undefined],
    [['SSO', 'x'], undefined],
    [['S', 'lc=1,\x01'], undefined],
    [['S', 'lc=\xe9'], undefined],
    [[], undefined],
  ])('%j', (words, data) => {
    expect(parseTwnData(words)).toBe(data)
  })
})
