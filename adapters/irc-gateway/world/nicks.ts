/**
 * Pure. Nicks of contacts, made by BitlBee's nick_format: %nick, %handle, %full_name, %first_name, %group, %account; with
 * `%-@nick` what stands from the "@" on goes, with `%8nick` the first eight characters are taken.
 */
import { fold } from '../../../irc/casemap.ts'
import { cutToBytes } from '../../../irc/guard.ts'

/** Bytes. */
export const NICK_BYTES = 24

export interface NickFacts {
  /** bob@example.com */
  readonly handle: string
  /** What the network or the person calls them. */
  readonly nickname: string | undefined
  readonly fullName: string
  readonly group: string | undefined
  readonly account: string
}

export interface NickRules {
  readonly format: string
  readonly lowercase: boolean
  readonly underscores: boolean
  readonly utf8: boolean
  /** What %nick is, where nobody has given one: nick_source. */
  readonly source: string
}

const TOKEN = /%((?:-.|\d{1,4})*)(nick|handle|full_name|first_name|group|account)/giu
const IS_FORMAT = /^(?:[^%]|%(?:-.|\d){0,8}(?:nick|handle|full_name|first_name|group|account))*$/iu

/** Whether a format has only what there is. */
export const isNickFormat = (format: string): boolean => format !== '' && IS_FORMAT.test(format)

/** Whether another name of the contact makes another nick. */
export const followsName = ({ format, source }: Pick<NickRules, 'format' | 'source'>): boolean =>
  /(full|first)_name/i.test(format) || (source !== 'handle' && /nick/i.test(format))

/** What they would be called if nobody else were there; never empty. */
export const wantedNick = (facts: NickFacts, rules: NickRules): string => {
  const { format } = rules
  const made = isNickFormat(format) ? formatted(format, facts, rules) : ''
  for (const candidate of [made, before(facts.handle, '@'), facts.handle]) {
    const nick = sanitised(candidate, rules)
    if (/[\p{L}\p{N}]/u.test(nick)) return nick
  }
  // An address of no letter that a nick may have.
  return 'contact'
}

const formatted = (format: string, facts: NickFacts, rules: NickRules): string => {
  const theirs: string[] = []
  const text = format.replace(TOKEN, (_, marks: string, name: string) => {
    let words = valueOf(name.toLowerCase(), facts, rules)
    if (words !== '' && !/^(group|account)$/i.test(name)) theirs.push(words)
    for (const [mark] of marks.matchAll(/-.|\d+/gu)) {
      if (mark.startsWith('-')) words = before(words, mark.slice(1))
      else words = Array.from(words).slice(0, Number(mark)).join('')
    }
    return allowed(words, rules)
  })
  // "[Friends]" alone would be the nick of everybody in the group.
  return theirs.length > 0 ? text : ''
}

const valueOf = (name: string, facts: NickFacts, { source }: NickRules): string => {
  switch (name) {
    case 'nick':
      return facts.nickname ?? (source === 'handle' ? facts.handle : valueOf(source, facts, NO_RULES) || facts.handle)
    case 'handle':
      return facts.handle
    case 'full_name':
      return facts.fullName
    case 'first_name':
      return before(facts.fullName.trim(), ' ')
    case 'group':
      return facts.group ?? ''
    case 'account':
      return facts.account
    default:
      return ''
  }
}
const NO_RULES: NickRules = { format: '', lowercase: false, underscores: false, utf8: false, source: 'handle' }

const before = (text: string, mark: string): string => {
  const end = text.indexOf(mark)
  // What begins with the mark would be nothing.
  return end <= 0 ? text : text.slice(0, end)
}

/** Letters, digits and what RFC 2812 calls special. */
const ASCII = /[^A-Za-z0-9[\]\\`_^{|}-]/g
const UTF8 = /[^\p{L}\p{N}\p{M}[\]\\`_^{|}-]/gu
const BLANKS = /[\s\u00a0]+/gu

const allowed = (words: string, { underscores, utf8 }: NickRules): string => {
  const spaced = words.trim().replace(BLANKS, underscores ? '_' : '')
  if (utf8) return spaced.normalize('NFC').replace(UTF8, '')
  // "Zoë" is better as Zoe than as Zo.
  return spaced.normalize('NFKD').replaceAll('ß', 'ss').replaceAll('ø', 'o').replaceAll('æ', 'ae').replace(ASCII, '')
}

/** One that a client takes: no digit and no hyphen at its beginning, not too long. */
const sanitised = (words: string, rules: NickRules): string => {
  const clean = allowed(words, rules)
  const started = /^[\d-]/.test(clean) ? `_${clean}` : clean
  const cut = cutToBytes(started, NICK_BYTES)
  return rules.lowercase ? cut.toLowerCase() : cut
}

/** The first with underscores behind it that is free; then with a number. */
export const freeNick = (wanted: string, isTaken: (folded: string) => boolean): string => {
  for (let tail = ''; tail.length < 6; tail += '_') {
    const nick = withTail(wanted, tail)
    if (!isTaken(foldNick(nick))) return nick
  }
  for (let number = 2; ; number++) {
    const nick = withTail(wanted, `_${number}`)
    if (!isTaken(foldNick(nick))) return nick
  }
}

const withTail = (nick: string, tail: string): string => cutToBytes(nick, NICK_BYTES - tail.length) + tail

export const foldNick = (nick: string): string => fold(nick, 'rfc1459')

/** Why somebody cannot be called so; a sentence. */
export const nickProblem = (nick: string, utf8: boolean): string | undefined => {
  const allowedNow = allowed(nick, { ...NO_RULES, utf8 })
  if (nick === '' || allowedNow !== (utf8 ? nick.normalize('NFC') : nick) || /^[\d-]/.test(nick))
    return `"${cutToBytes(nick, 60)}" is no nick: it begins with a letter, and has no blanks.`
  return Buffer.byteLength(nick) > NICK_BYTES ? `That nick is too long: ${NICK_BYTES} bytes at most.` : undefined
}
