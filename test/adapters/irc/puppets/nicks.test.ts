import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  hostnameFor,
  lengthOf,
  LEAST_NICK_LENGTH,
  type NickRules,
  nicksFor,
  textFor,
  usernameFor,
} from '../../../../adapters/irc/puppets/nicks.ts'
import { fold } from '../../../../irc/casemap.ts'
import '../../../kit/properties.ts'

const rules: NickRules = { length: 30, mapping: 'rfc1459', unicode: false }
const none = (): boolean => false
const first = (
  name: string,
  address = 'bob@home.example',
  more: Partial<NickRules> = {},
  template = '{name}[m]',
): string => nicksFor(template, { name, address }, { ...rules, ...more }, none)[0]

test.each([
  ['Bob', 'Bob[m]'],
  ['Bob Smith', 'Bob_Smith[m]'],
  ['José Müller', 'Jose_Muller[m]'],
  ['Łódź & Straße', 'Lodz__Strasse[m]'],
  ['007 James', '_007_James[m]'],
  ['-dash', '_-dash[m]'],
  ['~*BoB*~', 'BoB[m]'],
  ['★☆', 'bob[m]'],
  ['Мария', 'bob[m]'],
  ['a,b!c@d#e:f', 'abcdef[m]'],
  ['x\r\nQUIT', 'x_QUIT[m]'],
])('%j is called %j', (name, nick) => {
  expect(first(name)).toBe(nick)
})

test('where neither name nor address has letters a number made of the address does', () => {
  expect(first('★', '☆@x.example')).toMatch(/^u[\da-f]{6}\[m\]$/)
})

test('what ends the template stays however short nicks are', () => {
  expect(first('Bartholomew', 'b@x', { length: LEAST_NICK_LENGTH })).toBe('Bartho[m]')
})

test('servers that take all letters get them', () => {
  expect(first('Мария', 'm@x', { unicode: true })).toBe('Мария[m]')
})

test('the address and its first part can stand in it', () => {
  expect(first('B', 'bob.x@home.example', {}, '{local}|{name}')).toBe('bobx|B')
  expect(first('B', 'bob@h.example', {}, 'm-{address}')).toBe('m-bobhexample')
})

test('a nick that is taken gets a number, and so on', () => {
  const taken = new Set(['bob{m}', 'bob2{m}'])
  const nicks = nicksFor('{name}[m]', { name: 'Bob', address: 'b@x' }, rules, (nick) => taken.has(nick))
  expect(nicks.slice(0, 2)).toEqual(['Bob3[m]', 'Bob4[m]'])
})

test('whatever people call themselves, a nick is one, fits, and is not taken', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
      fc.integer({ min: LEAST_NICK_LENGTH, max: 40 }),
      fc.boolean(),
      (name, address, length, unicode) => {
        const seen = new Set<string>()
        const nicks = nicksFor('{name}[m]', { name, address }, { length, mapping: 'rfc1459', unicode }, none)
        for (const nick of nicks) {
          expect(nick).toMatch(
            unicode
              ? /^[\p{L}\p{M}[\]\\`_^{|}][\p{L}\p{M}\p{N}[\]\\`_^{|}-]*$/u
              : /^[A-Za-z[\]\\`_^{|}][A-Za-z\d[\]\\`_^{|}-]*$/,
          )
          expect(lengthOf(nick)).toBeLessThanOrEqual(length)
          const folded = fold(nick, 'rfc1459')
          expect(seen.has(folded)).toBe(false)
          seen.add(folded)
        }
      },
    ),
  )
})

test('user names, hosts and real names are what a server takes', () => {
  const who = { name: 'Bob ★', address: 'bób.smith+x@home.example' }
  expect(usernameFor('{local}', who)).toBe('bob.smithx')
  expect(usernameFor('{name}', { name: '★', address: 'b@x' })).toMatch(/^u[\da-f]{6}$/)
  expect(hostnameFor('{local}.msn.example', who)).toBe('bo-b.smith-x.msn.example')
  expect(textFor('{name} ({address})', who)).toBe('Bob ★ (bób.smith+x@home.example)')
})
