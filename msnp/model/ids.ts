import { Buffer } from 'node:buffer'

/** Ids that a service gives out from MSNP10 on. Opaque: some services use other things than GUIDs. */
declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

/** A person on FL. */
export type ContactId = Id<'contact'>
export type GroupId = Id<'group'>

/** Characters of an id; a GUID has 36. */
const MAX_ID = 64
const GUID = /^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i

export const isGuid = (word: string | undefined): word is string => word !== undefined && GUID.test(word)

/** As ids are compared: clients and services write them in any case, some with braces. */
export const plainId = (id: string): string => id.replace(/^\{(.*)\}$/s, '$1').toLowerCase()

export const contactIdOf = (word: string): ContactId | undefined =>
  word === '' || word.length > MAX_ID ? undefined : (word as ContactId)

export const groupIdOf = (word: string): GroupId | undefined =>
  word === '' || word.length > MAX_ID ? undefined : (word as GroupId)

/** A GUID from 16 random bytes, lower case and without braces, as LST and ADC have it. */
export function guidFrom(bytes: Uint8Array): string {
  const own = Buffer.from(bytes.subarray(0, 16))
  own[6] = ((own[6] ?? 0) & 0x0f) | 0x40
  own[8] = ((own[8] ?? 0) & 0x3f) | 0x80
  const hex = own.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
