/** Where files are awaited, and to whom we may connect for one. */
import { BlockList, isIP, createServer, type Server, type Socket } from 'node:net'
import { listen } from '../../sansio/listen.ts'
import { isPrivateAddress } from './hosts.ts'

/** Connections to one port that have not proved yet who they are, and of those from one address; more are turned away. */
export const MAX_STRANGERS = 8
export const MAX_FROM_ADDRESS = 2
/** Of a range, one of so many parts is for one peer at once. */
const PARTS = 4
/** Transfers that wait for a port of one range; more are told that there is none. */
export const MAX_WAITING = 256
/** Milliseconds. */
const WAIT_MS = 60_000

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

interface Waiting {
  readonly peer: string
  readonly go: (isTurn: boolean) => void
}

/** The ports of a range, given out so that nobody can keep all of them from others. */
export class FilePorts {
  readonly #range: PortRange
  readonly #waitMs: number
  readonly #capacity: number
  readonly #share: number
  /** How many each peer has. */
  readonly #held = new Map<string, number>()
  readonly #waiting = new Set<Waiting>()
  #total = 0

  /** `waitMs`: for a free one. */
  constructor(range: PortRange, waitMs = WAIT_MS) {
    this.#range = range
    this.#waitMs = waitMs
    this.#capacity = range.from === 0 ? Infinity : range.to - range.from + 1
    this.#share = Math.max(1, Math.floor(this.#capacity / PARTS))
  }

  /** `peer`: who is to connect. undefined: none was free in time. */
  async open(peer: string, onSocket: (socket: Socket) => void, signal: AbortSignal): Promise<FilePort | undefined> {
    if (!(await this.#turn(peer, signal))) return undefined
    const opened = await openOne(this.#range, onSocket)
    let isOpen = true
    const close = (): void => {
      if (!isOpen) return
      isOpen = false
      opened?.close()
      this.#release(peer)
    }
    if (opened !== undefined) return { port: opened.port, close }
    close()
    return undefined
  }

  async #turn(peer: string, signal: AbortSignal): Promise<boolean> {
    if (this.#mayHave(peer)) {
      this.#take(peer)
      return true
    }
    if (this.#waiting.size >= MAX_WAITING || signal.aborted) return false
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting: Waiting = { peer, go: resolve }
    const giveUp = (): void => {
      if (this.#waiting.delete(waiting)) resolve(false)
    }
    this.#waiting.add(waiting)
    const late = setTimeout(giveUp, this.#waitMs)
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      return await promise
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', giveUp)
    }
  }

  #mayHave(peer: string): boolean {
    return this.#total < this.#capacity && this.#of(peer) < this.#share
  }

  #of(peer: string): number {
    return this.#held.get(peer) ?? 0
  }

  #take(peer: string): void {
    this.#total++
    this.#held.set(peer, this.#of(peer) + 1)
  }

  /** The next is who has fewest, and of these who waits longest. */
  #release(peer: string): void {
    this.#total--
    if (this.#of(peer) === 1) this.#held.delete(peer)
    else this.#held.set(peer, this.#of(peer) - 1)
    const [next] = [...this.#waiting]
      .filter((each) => this.#mayHave(each.peer))
      .toSorted((one, other) => this.#of(one.peer) - this.#of(other.peer))
    if (next === undefined) return
    this.#waiting.delete(next)
    this.#take(next.peer)
    next.go(true)
  }
}

/** undefined: none of the range is free. */
async function openOne(
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
