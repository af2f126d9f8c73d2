/** What is said of a file in `DCC SEND`: written, and read from clients. Pure. */
import { isIP, isIPv4, SocketAddress } from 'node:net'
import type { FileRef } from '../../bridge/model/body.ts'

/** A client offers a file. `token`: of a passive offer, where we are to listen. */
export interface FileOffer {
  /** As it is called there. Untrusted. */
  readonly name: string
  /** Where its client says that it listens; 0 as the port: nowhere. */
  readonly address: string
  readonly port: number
  /** Bytes, if it says so. */
  readonly size?: number
  readonly token?: string
}

const MAX_NAME = 120

/** One word, without a path. */
export const nameOf = ({ name }: Pick<FileRef, 'name'>): string => {
  const last = name.split(/[/\\]/).at(-1) ?? ''
  const clean = last
    .replaceAll(/[\s\p{C}"]+/gu, '_')
    .replace(/^\.+/, '')
    .slice(0, MAX_NAME)
    .toWellFormed()
  return clean === '' ? 'file' : clean
}

/** As its client wrote it: irssi knows its own offer again by the name. */
export const quotedName = ({ name }: Pick<FileOffer, 'name'>): string => (/\s/.test(name) ? `"${name}"` : name)

/** An address of IPv4 is a number. */
export const placeOf = (address: string): string => {
  const plain = address.replace(/^::ffff:/, '')
  return isIPv4(plain) ? String(plain.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)) : plain
}

/** Names with blanks stand in quotes. Behind the size of a passive offer stands its token. */
const SEND =
  /^SEND\s+(?:"([^"]{1,255})"|(\S{1,255}))\s+([0-9A-Fa-f.:]{1,45})\s+(\d{1,5})(?:\s+(\d{1,15})(?:\s+(\w{1,20}))?)?\s*$/i

/** What stands behind `DCC` in a CTCP. undefined: no offer of a file. */
export const parseOffer = (words: string): FileOffer | undefined => {
  const [, quoted, bare, place = '', port = '', size, token] = SEND.exec(words) ?? []
  const name = quoted ?? bare
  const address = addressIn(place)
  if (name === undefined || address === undefined || Number(port) > 65_535) return undefined
  return {
    name,
    address,
    port: Number(port),
    ...(size === undefined ? {} : { size: Number(size) }),
    ...(token === undefined ? {} : { token }),
  }
}

const addressIn = (place: string): string | undefined => {
  if (!/^\d{1,10}$/.test(place)) return isIP(place) === 0 ? undefined : place
  const number = Number(place)
  return number >= 2 ** 32 ? undefined : [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.')
}

/** However they are written. */
export const sameAddress = (one: string, other: string): boolean => normal(one) === normal(other)

const normal = (address: string): string =>
  isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address
