/** An address of its own for each puppet, from a list or a prefix, the same for good. Pure. */
import { createHash } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'

interface Prefix {
  readonly bits: 32 | 128
  readonly base: bigint
  /** Bits that are the same for all. */
  readonly length: number
}

const parseV4 = (text: string): bigint => text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)

const parseV6 = (text: string): bigint => {
  const [head = '', tail] = text.split('::')
  const groups = (part: string): readonly bigint[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [BigInt(`0x${group}`)]
          const low = parseV4(group)
          return [low >> 16n, low & 0xffffn]
        })
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0n)
  return [...front, ...zeros, ...back].reduce((sum, group) => (sum << 16n) | group, 0n)
}

const parsePrefix = (text: string): Prefix | undefined => {
  const [address = '', length, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0 || address.includes('%')) return undefined
  const bits = version === 4 ? 32 : 128
  const given = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (given < 0 || given > bits) return undefined
  return { bits, base: isIPv6(address) ? parseV6(address) : parseV4(address), length: given }
}

/** `192.0.2.7`, `2001:db8::7`, `2001:db8:1::/64`. */
export const isAddressOrPrefix = (text: string): boolean => parsePrefix(text) !== undefined

const written = (value: bigint, bits: 32 | 128): string => {
  const step = bits === 32 ? 8n : 16n
  const groups: string[] = []
  for (let at = BigInt(bits) - step; at >= 0n; at -= step) {
    const group = (value >> at) & ((1n << step) - 1n)
    groups.push(group.toString(bits === 32 ? 10 : 16))
  }
  return groups.join(bits === 32 ? '.' : ':')
}

/** One of the list by the key; of a prefix, an address in it that is made of the key. `undefined`: the list is empty. */
export const addressFor = (list: readonly string[], key: string): string | undefined => {
  const hash = BigInt(`0x${createHash('sha256').update(key).digest('hex')}`)
  const prefix = parsePrefix(list[Number(hash % BigInt(Math.max(1, list.length)))] ?? '')
  if (prefix === undefined) return undefined
  const { bits, base, length } = prefix
  const host = BigInt(bits - length)
  if (host === 0n) return written(base, bits)
  const hosts = (1n << host) - 1n
  // The lowest address names the network, and the highest of an old network everybody in it.
  const part = host < 2n ? (hash >> 128n) & hosts : 1n + ((hash >> 128n) % (hosts - 1n))
  return written((base & ~hosts) | part, bits)
}
