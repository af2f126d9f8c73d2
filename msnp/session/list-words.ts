/**
 * Lines about people and groups in the keyed form of MSNP10 and later, read and written by both sides. undefined: they
 * lack what they must have. Pure. Source: docs/protocol.md, Contact lists.
 */
import { isAddress } from '../model/address.ts'
import { contactIdOf, groupIdOf, isGuid, type ContactId, type GroupId } from '../model/ids.ts'
import { listOf, type ListName } from '../model/lists.ts'
import { nameOf } from '../model/names.ts'
import { encodeNick } from '../wire/escape.ts'

const NUMBER = /^\d{1,9}$/
const KEYED = /^([A-Z])=(.*)$/is
/** Bits of the lists that are known. */
const ALL_LISTS = 31

/** Somebody, as `N=bob@example.com F=Bob C=guid` tells: each part may be missing, in any order. */
export interface KeyedPerson {
  /** An address, or `tel:+15550100`. */
  readonly email?: string
  readonly name?: string
  readonly id?: ContactId
}

export interface KeyedEntry extends KeyedPerson {
  readonly lists: number
  /** From MSNP12 on. */
  readonly network?: number
  readonly groups: readonly GroupId[]
}

export interface KeyedChange extends KeyedPerson {
  readonly list: ListName
  readonly group?: GroupId
}

/** The keyed words at the beginning, and what comes after them. */
function keyedWords(words: readonly string[]): readonly [KeyedPerson, readonly string[]] {
  const person: { email?: string; name?: string; id?: ContactId } = {}
  let at = 0
  for (; at < words.length; at++) {
    const [, key, value = ''] = KEYED.exec(words[at] ?? '') ?? []
    if (key === undefined) break
    const id = contactIdOf(value)
    switch (key.toUpperCase()) {
      case 'N':
        if (isAddress(value) || /^tel:\+?[0-9]{1,20}$/i.test(value)) person.email = value
        break
      case 'F':
        person.name = nameOf(value)
        break
      case 'C':
        if (id !== undefined) person.id = id
        break
    }
  }
  return [person, words.slice(at)]
}

const personWords = ({ email, name, id }: KeyedPerson): readonly string[] => [
  ...(email === undefined ? [] : [`N=${email}`]),
  ...(name === undefined ? [] : [`F=${encodeNick(name)}`]),
  ...(id === undefined ? [] : [`C=${id}`]),
]

/** `N=bob@example.com F=Bob C=guid 11 1 guid,guid`, after the verb; the 1 is the network, from MSNP12 on. */
export function parseKeyedEntry(words: readonly string[], networkIds: boolean): KeyedEntry | undefined {
  const [person, [bits, ...rest]] = keyedWords(words)
  if (person.email === undefined || bits === undefined || !NUMBER.test(bits)) return undefined
  const network = networkIds && NUMBER.test(rest[0] ?? '') ? Number(rest[0]) : undefined
  const groups = (network === undefined ? rest[0] : rest[1]) ?? ''
  return {
    ...person,
    lists: Number(bits) & ALL_LISTS,
    ...(network === undefined ? {} : { network }),
    groups: groups.split(',').flatMap((id) => groupIdOf(id) ?? []),
  }
}

/** Without a network the number is left out, as before MSNP12. */
export const formatKeyedEntry = (entry: KeyedEntry): readonly (string | number)[] => [
  ...personWords(entry),
  entry.lists,
  ...(entry.network === undefined ? [] : [entry.network]),
  ...(entry.groups.length === 0 ? [] : [entry.groups.join(',')]),
]

/** `FL N=bob@example.com F=Bob C=guid` or `FL C=guid groupGuid`, after the transaction id of ADC. */
export function parseKeyedChange([word = '', ...words]: readonly string[]): KeyedChange | undefined {
  const list = listOf(word)
  const [person, [group]] = keyedWords(words)
  if (list === undefined || (person.email === undefined && person.id === undefined)) return undefined
  const id = list === 'FL' && group !== undefined ? groupIdOf(group) : undefined
  return { list, ...person, ...(id === undefined ? {} : { group: id }) }
}

export const formatKeyedChange = (change: KeyedChange): readonly string[] => [
  change.list,
  ...personWords(change),
  ...(change.group === undefined ? [] : [change.group]),
]

/** A group by the GUID among its words: services differ in where it stands. */
export interface GroupWords {
  readonly id: GroupId
  readonly name: string | undefined
}

/**
 * `Work guid 0`, `1 Play guid 0`, `guid Play`, `1 guid`, `guid`: what follows the transaction id of ADG, REG and RMG,
 * and LSG whole. The name stands before the GUID, or behind one that comes first. It may look like a GUID itself: the id is
 * the last that does.
 */
export function parseGroupWords(words: readonly string[]): GroupWords | undefined {
  const at = words.findLastIndex(isGuid)
  const id = groupIdOf(words[at] ?? '')
  if (id === undefined) return undefined
  const name = at === 0 ? words[1] : words[at - 1]
  return { id, name: name === undefined ? undefined : nameOf(name) }
}
