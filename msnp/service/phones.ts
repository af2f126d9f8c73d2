import { Buffer } from 'node:buffer'
import { PHONE_CODES } from '../model/phones.ts'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { AccountRecord, PhoneCode } from './contract.ts'

/** What contacts get to see; MBE is between the account and the service. Source: docs/protocol.md, Phone numbers. */
export const VISIBLE_PHONES = ['PHH', 'PHW', 'PHM', 'MOB'] as const
export type VisiblePhone = (typeof VISIBLE_PHONES)[number]
export type Phones = AccountRecord['phones']

/** `PRP`: no value clears; while mobile service is off (MBE N) nobody may page (MOB N). */
export function withPhone(phones: Phones, code: PhoneCode, value: string): Phones {
  const next: Partial<Record<PhoneCode, string>> = {}
  for (const name of PHONE_CODES) {
    const kept = name === code ? value : phones[name]
    if (kept !== undefined && kept !== '') next[name] = kept
  }
  if (next.MBE === 'N' && next.MOB === 'Y') next.MOB = 'N'
  return next
}

export const samePhones = (a: Phones, b: Phones): boolean => PHONE_CODES.every((code) => a[code] === b[code])

/** The numbers that are set, in the order of the wire. */
export const visiblePhones = ({ phones }: AccountRecord): readonly (readonly [VisiblePhone, string])[] =>
  VISIBLE_PHONES.flatMap((code) => {
    const value = phones[code]
    return value === undefined || value === '' ? [] : [[code, value] as const]
  })

/** Under a LST, `BPR PHH 555%201234`; on its own, `BPR 28 bob@example.com PHH 555%201234`. An empty value is left out. */
export const phoneLine = (code: VisiblePhone, value: string, place: readonly (string | number)[] = []): Uint8Array =>
  encodeFrame('BPR', value === '' ? [...place, code] : [...place, code, encodeNick(value)])

/** A number that somebody sees from now on; empty: none. */
export type ShownPhone = readonly [code: VisiblePhone, value: string]

/** What differs between two views of somebody's numbers; `shown`: whether the viewer may see them. */
export function phoneChanges(
  before: { readonly phones: Phones; readonly shown: boolean },
  after: { readonly phones: Phones; readonly shown: boolean },
): readonly ShownPhone[] {
  const value = ({ phones, shown }: { readonly phones: Phones; readonly shown: boolean }, code: VisiblePhone): string =>
    (shown ? phones[code] : undefined) ?? (code === 'MOB' ? 'N' : '')
  return VISIBLE_PHONES.flatMap((code) =>
    value(before, code) === value(after, code) ? [] : [[code, value(after, code)] as const],
  )
}

/** All four, for somebody who was just added to FL; `MOB N` where nothing is known. */
export const phoneCard = (phones: Phones): readonly ShownPhone[] =>
  VISIBLE_PHONES.map((code) => [code, phones[code] ?? (code === 'MOB' ? 'N' : '')] as const)

/** `place`: what stands before each. */
export const phoneLines = (numbers: readonly ShownPhone[], place: readonly (string | number)[]): Uint8Array =>
  Buffer.concat(numbers.map(([code, value]) => phoneLine(code, value, place)))
