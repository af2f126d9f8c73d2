/** Where files are awaited, and to whom we may connect for one. */
import { BlockList, isIP, createServer, type Server, type Socket } from 'node:net'
import { listen } from '../../sansio/listen.ts'
import { isPrivateAddress } from './hosts.ts'

/** Connections to one port that have not proved yet who they are; more are turned away. */
export const MAX_STRANGERS = 4

export interface PortRange {
  /** The address to listen on. */
  readonly host: string
  /** Both count; 0 and 0: any free one. */
  readonly from: number
  readonly to: number
}

/** A port that waits for one transfer. */
export interface FilePort {
  readonly port: number
  /** Twice is harmless. Connections that were handed over stay. */
  close(): void
}

/** undefined: none of the range is free. */
export async function openFilePort(
  { host, from, to }: PortRange,
  onSocket: (socket: Socket) => void,
): Promise<FilePort | undefined> {
  for (let port = from; port <= to; port++) {
    const server = createServer({ pauseOnConnect: true }, onSocket)
    server.maxConnections = MAX_STRANGERS
    try {
      const opened = await listen(server, { host, port })
      server.on('error', () => server.close())
      return { port: opened, close: () => closed(server) }
    } catch {
      // Taken: the next one.
    }
  }
  return undefined
}

const closed = (server: Server): void => {
  if (server.listening) server.close()
}

/**
 * Which addresses may be connected to: single ones, networks ("192.168.1.0/24"), and "public" for all that are in no private
 * network. What is none of these is left out; `wrongAllowance` says so.
 */
export function allowedAddresses(allow: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of allow) {
    const [address = '', bits] = entry.split('/')
    if (wrongAllowance(entry) !== undefined || entry === 'public') continue
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  const isPublic = allow.includes('public')
  return (address) => {
    const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
    const family = isIP(plain)
    if (family === 0) return false
    return list.check(plain, family === 6 ? 'ipv6' : 'ipv4') || (isPublic && !isPrivateAddress(plain))
  }
}

/** undefined: nothing is wrong with it. */
export function wrongAllowance(entry: string): string | undefined {
  if (entry === 'public') return undefined
  const [address = '', bits, ...rest] = entry.split('/')
  const family = isIP(address)
  const most = family === 6 ? 128 : 32
  if (family === 0 || rest.length > 0) return 'is no address, no network and not "public"'
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most) ? undefined : 'is no network'
}
