/** What to call somebody from elsewhere on an IRC network: a template filled with their names, made of letters the server takes. Pure. */
import { createHash } from 'node:crypto'
import { fold, type CaseMapping } from '../../../irc/casemap.ts'

/** Whom a template speaks of. */
export interface Named {
  /** As they call themselves. */
  readonly name: string
  /** Unique on their network: an address. */
  readonly address: string
}

export interface NickRules {
  /** Characters that the server lets a nick have. */
  readonly length: number
  readonly mapping: CaseMapping
  /** The server takes letters beyond ASCII. */
  readonly unicode: boolean
}

/** RFC 1459 promises no more; most servers allow 30. */
export const LEAST_NICK_LENGTH = 9
export const MOST_NICK_LENGTH = 64
/** Other nicks to try where one is taken. */
export const ALTERNATES = 12

const FIELD = /\{(name|local|address)\}/g

/** Letters that Unicode does not take apart. */
const SPELLED: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  ø: 'o',
  Ø: 'O',
  œ: 'oe',
  Œ: 'OE',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  þ: 'th',
  Þ: 'Th',
  ð: 'd',
  ı: 'i',
}

const localOf = (address: string): string => {
  const [local = ''] = address.replace(/^@/, '').split(/[@:]/, 1)
  return local === '' ? address : local
}

/** The letters and signs of a text that may stand in a nick; blanks become `_`. */
const lettersOf = (text: string, unicode: boolean): string => {
  const words = text.trim().replaceAll(/\s+/g, '_')
  if (unicode) return words.normalize('NFC').replaceAll(/[^\p{L}\p{M}\p{N}[\]\\`_^{|}-]/gu, '')
  return words
    .replaceAll(/[^\0-\x7f]/g, (letter) => SPELLED[letter] ?? letter)
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9[\]\\`_^{|}-]/g, '')
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6)

const hasLetter = (text: string): boolean => /[\p{L}\p{N}]/u.test(text)

/** Never empty: a name of signs alone gives way to the address, and that to a number made of it. */
const valueOf = (field: string, { name, address }: Named, unicode: boolean): string => {
  const local = lettersOf(localOf(address), unicode)
  const given = lettersOf(field === 'name' ? name : field === 'local' ? localOf(address) : address, unicode)
  return [given, local].find(hasLetter) ?? `u${hashOf(address)}`
}

/** As many characters of `text` as there is room for, in whole code points. */
const cut = (text: string, room: number): string => Array.from(text).slice(0, Math.max(0, room)).join('')

/** In code points, as servers count at most. */
export const lengthOf = (nick: string): number => Array.from(nick).length

/** `extra` stands behind the filled fields, before what ends the template: `bob2[m]`. */
const filled = (template: string, who: Named, { length, unicode }: NickRules, extra: string): string => {
  const parts = template.split(FIELD)
  const fixed = parts.reduce((sum, part, index) => (index % 2 === 0 ? sum + lettersOf(part, unicode).length : sum), 0)
  let room = Math.max(1, length - fixed - extra.length)
  const lastField = parts.length - 2
  const nick = parts
    .map((part, index) => {
      if (index % 2 === 0) return lettersOf(part, unicode)
      const value = cut(valueOf(part, who, unicode), room)
      room -= lengthOf(value)
      return index === lastField ? value + extra : value
    })
    .join('')
  const started = /^[\d-]/.test(nick) ? `_${nick}` : nick
  return cut(started, length)
}

/** The nick by the template, then others of its kind, none of which `taken` knows. One at least, if a hash will do. */
export const nicksFor = (
  template: string,
  who: Named,
  rules: NickRules,
  taken: (folded: string) => boolean,
): readonly [string, ...string[]] => {
  const nicks: string[] = []
  const seen = new Set<string>()
  const offer = (nick: string): void => {
    const folded = fold(nick, rules.mapping)
    if (seen.has(folded) || taken(folded)) return
    seen.add(folded)
    nicks.push(nick)
  }
  offer(filled(template, who, rules, ''))
  for (let number = 2; number < 2 + ALTERNATES; number++) offer(filled(template, who, rules, String(number)))
  const last = filled(template, who, rules, hashOf(who.address))
  const [first = last, ...others] = nicks
  return [first, ...others, ...(first === last ? [] : [last])]
}

/** A template of a user name, a host name or a real name. `id` is the same for one person for good. */
export const textFor = (template: string, { name, address }: Named): string =>
  template.replaceAll(/\{(name|local|address|id)\}/g, (_all, field: string) => {
    switch (field) {
      case 'name':
        return name
      case 'local':
        return localOf(address)
      case 'address':
        return address
      default:
        return hashOf(address)
    }
  })

/** Servers allow ten characters for a user name, some fewer. */
export const USERNAME_LENGTH = 10

export const usernameFor = (template: string, who: Named): string => {
  const letters = textFor(template, who)
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9_.-]/g, '')
    .replace(/^[^A-Za-z0-9]+/, '')
  return cut(letters, USERNAME_LENGTH) || `u${hashOf(who.address)}`
}

export const hostnameFor = (template: string, who: Named): string => {
  const host = textFor(template, who)
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9.-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
  return cut(host, 63) || `${hashOf(who.address)}.invalid`
}
