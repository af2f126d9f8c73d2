/**
 * DCC SEND: a file goes to one client over a connection of its own, which the client opens to us. Nobody is connected to, and
 * nobody but an address that is attached already may fetch it.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import { listen } from '../../sansio/listen.ts'
import { comesFrom } from './dcc-meet.ts'
import { nameOf, placeOf } from './dcc-offer.ts'
import { maskOf, type ClientPort, type DccPort, type Face } from './types.ts'

/** Files that are offered or on their way, of all people. */
export const MAX_DCC = 8
/** So long a client may take to take some bytes. Milliseconds. */
const IDLE_MS = 60_000

export class Dcc implements DccPort {
  readonly #context: Pick<AdapterContext, 'files' | 'clock' | 'log'>
  readonly #life = new AbortController()
  #under = 0

  constructor(context: Pick<AdapterContext, 'files' | 'clock' | 'log'>) {
    this.#context = context
  }

  async send(client: ClientPort, from: Face, file: FileRef, over: (line: string) => void): Promise<string> {
    if (client.localAddress === undefined) return 'Your client cannot be offered a file.'
    if (this.#under >= MAX_DCC) return 'Too many files are on their way: try again in a minute.'
    this.#under++
    try {
      const media = await this.#context.files.open(file, this.#life.signal)
      if (media.kind === 'refused') return `The file cannot be had: ${media.detail}.`
      await media.body.cancel().catch(() => undefined)
      if (media.size === undefined) return 'The file cannot be had: nobody knows how large it is.'
      const server = createServer({ pauseOnConnect: true })
      const port = await listen(server, { host: client.localAddress, port: 0 })
      const name = nameOf(file)
      this.#under++
      void this.#serve(server, client.host, file, media.size)
        .then((went) =>
          over(went ? `The file ${name} has arrived.` : `The file ${name} was not fetched, or not to its end.`),
        )
        .finally(() => this.#under--)
      const words = `DCC SEND ${name} ${placeOf(client.localAddress)} ${port} ${media.size}`
      client.send({ source: maskOf(from), verb: 'PRIVMSG', params: [client.nick, `\x01${words}\x01`] })
      return `The file ${name} is offered to your client by DCC: accept it there within two minutes.`
    } catch (error) {
      return `The file cannot be offered: ${error instanceof Error ? error.message : String(error)}.`
    } finally {
      this.#under--
    }
  }

  /** What is under way ends. Twice is harmless. */
  stop(): void {
    this.#life.abort()
  }

  async #serve(server: Server, host: string, file: FileRef, size: number): Promise<boolean> {
    const socket = await comesFrom(server, host, this.#context.clock, this.#life.signal)
    if (socket === undefined) return false
    try {
      return await this.#stream(socket, file, size)
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }

  async #stream(socket: Socket, file: FileRef, size: number): Promise<boolean> {
    let sent = 0
    const over = new AbortController()
    const end = (): void => over.abort()
    socket.once('close', end).on('error', end)
    socket.setTimeout(IDLE_MS, end)
    this.#life.signal.addEventListener('abort', end, { once: true })
    // What the client says is how much it has: four bytes each time, modulo 2^32.
    let rest = Buffer.alloc(0)
    let hasAll = false
    const done = Promise.withResolvers<undefined>()
    socket.on('data', (chunk: Buffer) => {
      const all = Buffer.concat([rest, chunk])
      const whole = all.length - (all.length % 4)
      rest = all.subarray(whole)
      hasAll = whole >= 4 && all.readUInt32BE(whole - 4) === size % 2 ** 32
      if (hasAll) done.resolve(undefined)
    })
    // Some say nothing, and hang up once they have it.
    socket.once('end', () => {
      hasAll ||= sent === size && socket.writableLength === 0
      done.resolve(undefined)
    })
    socket.resume()
    const media = await this.#context.files.open(file, over.signal)
    if (media.kind === 'refused') return false
    for await (const chunk of media.body) {
      if (over.signal.aborted) return false
      sent += chunk.length
      if (sent > size) return false
      if (!socket.write(chunk)) await once(socket, 'drain', { signal: over.signal })
    }
    if (sent < size) return false
    over.signal.addEventListener('abort', () => done.resolve(undefined), { once: true })
    if (size > 0) await done.promise
    this.#life.signal.removeEventListener('abort', end)
    return size === 0 || hasAll
  }
}
