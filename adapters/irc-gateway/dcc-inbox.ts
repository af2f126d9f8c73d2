/**
 * Files that clients offer by DCC SEND. The connection goes to the address that the client is attached from, whatever the
 * offer says, or, of a passive offer, comes from there. What arrives is kept with the files of the bridge.
 */
import { createServer, type Socket } from 'node:net'
import type { AdapterContext, PutResult } from '../../bridge/adapter.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { Reason } from '../../bridge/model/result.ts'
import { listen } from '../../sansio/listen.ts'
import { comesFrom, goesTo } from './dcc-meet.ts'
import { placeOf, quotedName, sameAddress, type FileOffer } from './dcc-offer.ts'
import { maskOf, type ClientPort, type Face, type InboxPort } from './types.ts'

/** Files that come at once, of all people and of one, whatever clients they have. */
export const MAX_COMING = 8
export const MAX_OF_PERSON = 2
/** Without a byte, and in all. Milliseconds. */
const IDLE_MS = 60_000
const WHOLE_MS = 30 * 60_000
/** Below it are services of the system. */
const FIRST_PORT = 1_024

export interface InboxOptions {
  readonly network: NetworkId
  readonly context: Pick<AdapterContext, 'files' | 'clock'>
  /** any: we also connect to clients. passive: they connect to us. off: nothing is taken. */
  readonly receive: 'any' | 'passive' | 'off'
}

export class DccInbox implements InboxPort {
  readonly #options: InboxOptions
  readonly #life = new AbortController()
  readonly #of = new Map<UserId, number>()
  #coming = 0

  constructor(options: InboxOptions) {
    this.#options = options
  }

  async take(client: ClientPort, to: Face, offer: FileOffer, maxBytes: number): Promise<PutResult> {
    const { context, network } = this.#options
    const { clock, files } = context
    const { person } = client
    if (person === undefined) return refused('forbidden', 'files are taken from those who are identified')
    const { size = 0 } = offer
    const from = { network, user: person.user }
    const wrong = this.#wrong(client, person.user, offer, maxBytes)
    if (wrong !== undefined) return wrong
    const full = files.refusal(from, size)
    if (full !== undefined) return refused('too-large', full)
    this.#count(person.user, 1)
    const over = new AbortController()
    let socket: Socket | undefined
    try {
      socket = await this.#meet(client, to, offer)
      if (socket === undefined) return refused('network', 'no connection with your client came about')
      const end = (): void => void socket?.destroy()
      socket.on('error', end).setTimeout(IDLE_MS, end)
      const whole = AbortSignal.any([over.signal, this.#life.signal])
      void clock.sleep(WHOLE_MS, whole).then(() => over.signal.aborted || end())
      const put = await files.put(arriving(socket, size), { from, name: offer.name, maxBytes }, this.#life.signal)
      if (put.kind === 'stored') await confirmed(socket, size)
      return put
    } catch (error) {
      return refused('network', error instanceof Error ? error.message : String(error))
    } finally {
      over.abort()
      socket?.destroy()
      this.#count(person.user, -1)
    }
  }

  /** What is under way ends. Twice is harmless. */
  stop(): void {
    this.#life.abort()
  }

  #wrong(client: ClientPort, user: UserId, offer: FileOffer, maxBytes: number): PutResult | undefined {
    const { receive } = this.#options
    if (receive === 'off') return refused('forbidden', 'this gateway takes no files; its operator may allow it')
    if (client.localAddress === undefined || this.#life.signal.aborted)
      return refused('network', 'your client is not connected any more')
    if (offer.size === undefined || offer.size === 0) return refused('unsupported', 'it does not say how large it is')
    if (offer.size > maxBytes) return refused('too-large', `it has ${kB(offer.size)}, and may have ${kB(maxBytes)}`)
    if (this.#coming >= MAX_COMING || (this.#of.get(user) ?? 0) >= MAX_OF_PERSON)
      return refused('rate-limited', 'too many files are on their way: try again in a minute')
    if (isPassive(offer)) return undefined
    if (receive === 'passive')
      return refused('forbidden', 'this gateway connects to nobody: offer it passively (irssi: /dcc send -passive)')
    if (!sameAddress(offer.address, client.host))
      return refused(
        'forbidden',
        `your client wants to be reached at ${offer.address}, but comes from ${client.host}: offer it passively (irssi: /dcc send -passive), or mend its own address for DCC`,
      )
    if (offer.port < FIRST_PORT) return refused('forbidden', `a port below ${FIRST_PORT} is not connected to`)
    return undefined
  }

  async #meet(client: ClientPort, to: Face, offer: FileOffer): Promise<Socket | undefined> {
    const { clock } = this.#options.context
    if (!isPassive(offer)) return goesTo(client.host, offer.port, clock, this.#life.signal)
    const host = client.localAddress ?? client.host
    const server = createServer()
    const port = await listen(server, { host, port: 0 })
    const words = `DCC SEND ${quotedName(offer)} ${placeOf(host)} ${port} ${offer.size} ${offer.token}`
    client.send({ source: maskOf(to), verb: 'PRIVMSG', params: [client.nick, `\x01${words}\x01`] })
    return comesFrom(server, client.host, clock, this.#life.signal)
  }

  #count(user: UserId, by: 1 | -1): void {
    this.#coming += by
    const under = (this.#of.get(user) ?? 0) + by
    if (under === 0) this.#of.delete(user)
    else this.#of.set(user, under)
  }
}

const isPassive = ({ port, token }: FileOffer): boolean => port === 0 && token !== undefined

/** Each piece is confirmed when it is written, but the last; not while earlier words still wait for a client that does not read. */
async function* arriving(socket: Socket, size: number): AsyncGenerator<Uint8Array> {
  let here = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const piece = chunk.subarray(0, size - here)
    here += piece.length
    yield piece
    if (here === size) return
    if (socket.writableLength === 0) socket.write(confirmation(here))
  }
  throw new Error('the file broke off')
}

/** All of it is kept. Resolves when that is said, or cannot be. */
const confirmed = (socket: Socket, size: number): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve()).end(confirmation(size), () => resolve())
  })

/** Four bytes that say how much of the file is here, modulo 2^32. */
const confirmation = (here: number): Buffer => {
  const said = Buffer.alloc(4)
  said.writeUInt32BE(here % 2 ** 32)
  return said
}

const kB = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`

const refused = (reason: Reason, detail: string): PutResult => ({ kind: 'refused', reason, detail })
