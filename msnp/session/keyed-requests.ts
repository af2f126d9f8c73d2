import { Buffer } from 'node:buffer'
import { parseAddress } from '../model/address.ts'
import { isGuid, contactIdOf } from '../model/ids.ts'
import { listOf } from '../model/lists.ts'
import { formatPersonalMessage, MAX_PERSONAL_MESSAGE_BYTES, parsePersonalMessage } from '../model/personal-message.ts'
import type { ServiceLimits } from '../service/contract.ts'
import { parseKeyedChange, type KeyedChange } from './list-words.ts'
import type { Who } from './notification-server-events.ts'
import { friendlyName, targetOf, type Read } from './request-fields.ts'

/** The requests of a signed-in client from MSNP10 on, as far as they differ. Source: docs/protocol.md, Changing lists. */
export const KEYED_REQUESTS: Readonly<Record<string, Read>> = {
  /** `SYN 8 0 0`, or two versions that we once told; the answer is the same. */
  SYN: (trid, [version]) => (version === undefined ? 300 : { kind: 'sync', trid, version: 0 }),
  /** `ADC 9 FL N=bob@example.com F=Bob`, `ADC 9 FL C=guid groupGuid`, `ADC 9 RL N=bob@example.com` */
  ADC(trid, words, { limits }) {
    if (words.length < 2) return 300
    const change = parseKeyedChange(words)
    if (change === undefined || change.list === 'PL') return 201
    const { list, name, group } = change
    const who = whoOf(change, limits)
    if (typeof who === 'number') return who
    if (list === 'RL') return typeof who === 'string' ? { kind: 'settle', trid, verb: 'ADC', list, email: who } : 201
    if (words.some((word) => /^F=/i.test(word) && word.length > limits.nameBytes + 2)) return 209
    if (group !== undefined && !isGuid(group)) return 403
    return { kind: 'add', trid, list, who, name: name === '' ? undefined : name, group }
  },
  /** `REM 10 FL guid groupGuid`, `REM 10 AL bob@example.com`, `REM 10 PL bob@example.com` */
  REM(trid, [word, who, group], { limits }) {
    if (word === undefined || who === undefined) return 300
    const list = listOf(word)
    if (list === 'FL') {
      const id = idOf(who)
      if (id === undefined || (group !== undefined && !isGuid(group))) return 403
      return { kind: 'remove', trid, list, who: { id }, group }
    }
    if (list === 'PL') {
      const email = parseAddress(who, limits.addressBytes)
      return typeof email === 'number' ? email : { kind: 'settle', trid, verb: 'REM', list, email }
    }
    const target = targetOf(word, who, limits)
    return typeof target === 'number' ? target : { kind: 'remove', trid, ...target, group: undefined }
  },
  /** `SBP 11 guid MFN Bobby` */
  SBP(trid, [who, property, word], { limits }) {
    if (who === undefined || property === undefined || word === undefined) return 300
    const id = idOf(who)
    if (id === undefined) return 403
    if (property.toUpperCase() !== 'MFN') return 715
    const name = friendlyName(word, limits)
    return typeof name === 'number' ? name : { kind: 'rename', trid, who: { id }, name }
  },
  /** `UUX 12 70` and the message; nothing takes it back. */
  UUX(trid, _, { payload }) {
    if (payload === undefined) return 300
    if (payload.length > MAX_PERSONAL_MESSAGE_BYTES || !isPersonal(payload)) return 201
    const personal = parsePersonalMessage(payload)
    // Escaped anew it may be longer, and others would not read it.
    const isTooLong = formatPersonalMessage(personal).length > MAX_PERSONAL_MESSAGE_BYTES
    return isTooLong ? 201 : { kind: 'personal', trid, personal }
  },
  /** `GCF 6 Shields.xml` */
  GCF(trid, [file]) {
    if (file === undefined) return 300
    return file.toLowerCase() === 'shields.xml' ? { kind: 'shields', trid } : 201
  },
}

const idOf = (word: string) => (isGuid(word) ? contactIdOf(word) : undefined)

/** Whom `N=` or `C=` means; where there are both, the address counts. */
function whoOf({ email, id }: KeyedChange, limits: ServiceLimits): Who | number {
  if (email !== undefined) return parseAddress(email, limits.addressBytes)
  return id !== undefined && isGuid(id) ? { id } : 403
}

/** At least one of the elements that we know, or nothing. */
const isPersonal = (payload: Uint8Array): boolean =>
  payload.length === 0 || /<(?:Data|PSM|CurrentMedia)[\s/>]/i.test(Buffer.from(payload).toString('latin1'))
