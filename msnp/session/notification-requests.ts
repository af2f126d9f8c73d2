import { parseAddress } from '../model/address.ts'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import { listOf } from '../model/lists.ts'
import { PHONE_CODES } from '../model/phones.ts'
import { statusOf } from '../model/status.ts'
import { decodeName } from '../wire/escape.ts'
import { KEYED_REQUESTS } from './keyed-requests.ts'
import { friendlyName, targetOf, type Read } from './request-fields.ts'

/** Bytes of a display picture object in CHG; more give 201. Real ones have a few hundred. */
export const MAX_OBJECT_BYTES = 4096

/** How a request is read that the service decides; undefined: it is none of those. Source: docs/protocol.md, Commands. */
export const requestOf = (verb: string, dialect: Dialect): Read | undefined =>
  (TRAITS[dialect].guidIds ? KEYED_REQUESTS : NUMBERED_REQUESTS)[verb] ?? COMMON_REQUESTS[verb]

/** The requests of a signed-in client up to MSNP9, as far as later ones differ. */
const NUMBERED_REQUESTS: Readonly<Record<string, Read>> = {
  /** `SYN 5 27` */
  SYN(trid, [version]) {
    if (version === undefined) return 300
    return NUMBER.test(version) ? { kind: 'sync', trid, version: Number(version) } : 201
  },
  /** `LST 6 RL` */
  LST(trid, [word]) {
    if (word === undefined) return 300
    const list = listOf(word)
    return list === undefined || list === 'PL' ? 201 : { kind: 'list', trid, list }
  },
  /** `LSG 7` */
  LSG: (trid) => ({ kind: 'groups', trid }),
  /** `ADD 9 FL bob@example.com Bob 1`; without a name, `ADD 25 FL eve@example.com 3` has the group in its place. */
  ADD(trid, [list, address, ...rest], { limits }) {
    const target = targetOf(list, address, limits)
    if (typeof target === 'number') return target
    const named = rest.length > 1 || target.list !== 'FL' || rest[0] === undefined || !NUMBER.test(rest[0])
    const [word, group] = named ? rest : [undefined, rest[0]]
    if (word !== undefined && word.length > limits.nameBytes) return 209
    return { kind: 'add', trid, ...target, name: word === undefined ? undefined : decodeName(word), group }
  },
  /** `REM 10 FL bob@example.com 1` */
  REM(trid, [list, address, group], { limits }) {
    const target = targetOf(list, address, limits)
    return typeof target === 'number' ? target : { kind: 'remove', trid, ...target, group }
  },
  /** `REA 11 bob@example.com Bobby` */
  REA(trid, [address, word], { limits }) {
    if (address === undefined || word === undefined) return 300
    const who = parseAddress(address, limits.addressBytes)
    if (typeof who === 'number') return who
    const name = friendlyName(word, limits)
    return typeof name === 'number' ? name : { kind: 'rename', trid, who, name }
  },
}

/** Those that are the same in all dialects. */
const COMMON_REQUESTS: Readonly<Record<string, Read>> = {
  /** `CHG 8 NLN 268435456 %3Cmsnobj...`; the client id may be missing or odd (`2147778596:0`). */
  CHG(trid, words) {
    const [word, clientId, object] = words
    if (word === undefined) return 300
    const status = statusOf(word)
    if (status === undefined || words.some((one) => CONTROL.test(one))) return 201
    if (object !== undefined && object.length > MAX_OBJECT_BYTES) return 201
    return { kind: 'status', trid, status, clientId: clientIdWord(clientId), object, words }
  },
  /** `ADG 12 Work 0` */
  ADG(trid, [word], { limits }) {
    if (word === undefined) return 300
    return word.length > limits.groupNameBytes ? 229 : { kind: 'add-group', trid, name: decodeName(word) }
  },
  /** `REG 13 2 Play 0` */
  REG(trid, [group, word], { limits }) {
    if (group === undefined || word === undefined) return 300
    return word.length > limits.groupNameBytes ? 229 : { kind: 'rename-group', trid, group, name: decodeName(word) }
  },
  /** `RMG 14 2` */
  RMG: (trid, [group]) => (group === undefined ? 300 : { kind: 'remove-group', trid, group }),
  /** `PRP 15 PHH 555%201234`; `PRP 15 MOB Y`; without a value it is cleared. `PRP 15 MFN Alice%20B` from MSNP10 on. */
  PRP(trid, [name, word = ''], { limits, dialect }) {
    if (name === undefined) return 300
    if (name.toUpperCase() === 'MFN' && TRAITS[dialect].guidIds) {
      if (word === '') return 300
      const own = friendlyName(word, limits)
      return typeof own === 'number' ? own : { kind: 'own-name', trid, name: own }
    }
    const code = PHONE_CODES.find((phone) => phone === name.toUpperCase())
    if (code === undefined) return 715
    const value = decodeName(word)
    if (word.length > limits.phoneBytes || ((code === 'MOB' || code === 'MBE') && !/^[YN]?$/.test(value))) return 201
    return { kind: 'phone', trid, code, value }
  },
  /** `BLP 16 BL` */
  BLP(trid, [word]) {
    if (word === undefined) return 300
    const value = word.toUpperCase()
    return value === 'AL' || value === 'BL' ? { kind: 'privacy', trid, value } : 201
  },
  /** `GTC 17 N` */
  GTC(trid, [word]) {
    if (word === undefined) return 300
    const value = word.toUpperCase()
    return value === 'A' || value === 'N' ? { kind: 'prompt', trid, value } : 201
  },
  /** `CFM 0 ON`: this client says with CFM, on its switchboards, what it has stored. */
  CFM(trid, [word]) {
    if (word === undefined) return 300
    return word.toUpperCase() === 'ON' ? { kind: 'confirms', trid } : 201
  },
  /** `XFR 18 SB` */
  XFR(trid, [kind]) {
    if (kind === undefined) return 300
    return kind.toUpperCase() === 'SB' ? { kind: 'switchboard', trid } : 201
  },
}

/** The number at its beginning, as others are told; more than 32 bits overflow in their clients. */
function clientIdWord(word = ''): string {
  const digits = /^\d{1,10}(?!\d)/.exec(word)?.[0] ?? '0'
  return Number(digits) <= 0xffffffff ? digits : '0'
}

/** Answers that need no account: the words after the transaction id, or a code. */
export function localAnswer(
  verb: string,
  words: readonly string[],
  site: string,
): readonly (string | number)[] | number {
  const [first] = words
  switch (verb) {
    // `URL 7 INBOX` -> where the page is, where to log in for it, and a number that nobody knows the meaning of.
    case 'URL':
      return first === undefined ? 300 : ['/', site, 1]
    // Invitations by mail: taken, and sent to nobody.
    case 'SND':
    case 'SDC':
      return first === undefined ? 300 : ['OK']
    case 'IMS': {
      const value = first?.toUpperCase()
      return value === undefined ? 300 : value === 'ON' || value === 'OFF' ? [0, value] : 201
    }
    // Pages to mobile phones go nowhere.
    case 'PAG':
    case 'PGD':
      return 715
    default:
      return 200
  }
}

const NUMBER = /^\d{1,10}$/
/** What others are told as it came must not hold these: C programs stop reading at a NUL. */
const CONTROL = /[\x00-\x1f\x7f]/
