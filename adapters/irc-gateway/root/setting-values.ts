/** What the value of a setting may be: each type reads what somebody wrote, or says in a sentence what is wrong with it. Pure. */

export type Checked = { readonly value: string } | { readonly wrong: string }

export type SettingType =
  | { readonly kind: 'boolean' }
  /** Whole, within these. */
  | {
      readonly kind: 'number'
      readonly least: number
      readonly most: number
      /** Up to this it was meant in seconds; it is kept in milliseconds. */
      readonly secondsTo?: number
    }
  | { readonly kind: 'text'; readonly longest: number }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  /** One of these, or a yes or no. */
  | { readonly kind: 'boolean-or'; readonly of: readonly string[] }
  /** `5*3<900`: 5 seconds at first, three times as long each time, 900 at most. */
  | { readonly kind: 'delay' }
  /** `online+,special%,away`: who is shown in a channel, and with which mode. */
  | { readonly kind: 'users' }
  | { readonly kind: 'nick' }
  /** `%-@nick`: parts of a contact, each with what it becomes. */
  | { readonly kind: 'nick-format' }
  | { readonly kind: 'timezone' }
  | { readonly kind: 'word'; readonly longest: number }

const TRUE: readonly string[] = ['true', 'yes', 'on', '1']
const FALSE: readonly string[] = ['false', 'no', 'off', '0']

/** BitlBee's words for a yes; any number but 0 is one, too. */
export const isTrue = (value: string): boolean => TRUE.includes(value.toLowerCase()) || /^[1-9]\d*$/.test(value)

/** `undefined`: it says neither. */
const booleanOf = (value: string): string | undefined => {
  if (isTrue(value)) return 'true'
  return FALSE.includes(value.toLowerCase()) ? 'false' : undefined
}

const DELAY = /^\d{1,6}(?:[*+]\d{1,6})?(?:<\d{1,6})?$/
const USER_GROUPS: readonly string[] = ['online', 'away', 'offline', 'special']
/** Of nick_format: how the name of a contact is made up. */
const FORMAT_PARTS = ['nick', 'handle', 'full_name', 'first_name', 'group', 'account'] as const
/** `%-@nick`, `%8nick`: up to that letter, or so many letters. */
const FORMAT = /^(?:[^%]|%(?:-.|\d{1,4}(?!\d))*(?:nick|handle|full_name|first_name|group|account))*$/iu
/** One that is of the contact alone. */
const PART = /%(?:-.|\d{1,4}(?!\d))*(?:nick|handle|full_name|first_name)/iu
const NICK = /^[^\s\d!@,*?:#&+~%$\0\x07-][^\s!@,*?:$\0\x07]*$/u
/** Bytes. */
const LONGEST_NICK = 24
const OFFSET = /^[+-]?\d{1,2}(?::?[0-5]\d)?$/

export const checkValue = (type: SettingType, written: string): Checked => {
  const value = written.replace(/[\r\n\0]+/g, ' ')
  switch (type.kind) {
    case 'boolean': {
      const known = booleanOf(value)
      return known === undefined ? { wrong: 'It is a yes or no: write true or false.' } : { value: known }
    }
    case 'number': {
      if (!/^\d{1,9}$/.test(value) || Number(value) < type.least || Number(value) > type.most)
        return { wrong: `It is a whole number from ${type.least} to ${type.most}.` }
      return { value: String(Number(value) <= (type.secondsTo ?? -1) ? Number(value) * 1_000 : Number(value)) }
    }
    case 'text':
      return value.length <= type.longest
        ? { value }
        : { wrong: `That is too long: ${type.longest} characters at most.` }
    case 'word':
      return /^\S+$/.test(value) && value.length <= type.longest
        ? { value }
        : { wrong: `It is one word of ${type.longest} characters at most.` }
    case 'choice': {
      const known = type.of.find((each) => each === value.toLowerCase())
      return known === undefined ? { wrong: `It is one of: ${type.of.join(', ')}.` } : { value: known }
    }
    case 'boolean-or': {
      const known = type.of.find((each) => each === value.toLowerCase()) ?? booleanOf(value)
      return known === undefined ? { wrong: `It is true, false, or one of: ${type.of.join(', ')}.` } : { value: known }
    }
    case 'delay':
      return DELAY.test(value)
        ? { value }
        : { wrong: 'It is a number of seconds, with *FACTOR or +SECONDS and <LIMIT behind it if you like: 5*3<900.' }
    case 'users':
      return areUsers(value)
        ? { value: value.toLowerCase() }
        : {
            wrong: `Write some of ${USER_GROUPS.join(', ')} with commas, each with @, % or + if you like: online+,away.`,
          }
    case 'nick':
      return isNick(value) ? { value } : { wrong: 'That is no nickname.' }
    case 'nick-format':
      return isFormat(value)
        ? { value }
        : {
            wrong: `It needs one of %${FORMAT_PARTS.join(', %')}; with - before the name the part behind @ goes: %-@nick.`,
          }
    case 'timezone':
      return /^(?:local|utc|gmt)$/i.test(value) || OFFSET.test(value)
        ? { value: value.toLowerCase() }
        : { wrong: 'It is local, utc, gmt, or a difference to UTC such as +1 or -03:30.' }
  }
}

export const isNick = (value: string): boolean => NICK.test(value) && Buffer.byteLength(value) <= LONGEST_NICK

const areUsers = (value: string): boolean => {
  const groups = value
    .toLowerCase()
    .split(',')
    .map((each) => each.replace(/[@%+]$/, ''))
  return groups.every((each) => USER_GROUPS.includes(each)) && new Set(groups).size === groups.length
}

const isFormat = (value: string): boolean => value.length <= 100 && FORMAT.test(value) && PART.test(value)
