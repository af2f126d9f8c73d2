/** Two ends of a DCC connection find each other: only ever with the address from which a client is attached already. */
import { connect, type Server, type Socket } from 'node:net'
import type { Clock } from '../../bridge/adapter.ts'
import { addressOf } from './client.ts'

/** So long a client may take to accept. Milliseconds. */
export const ACCEPT_MS = 120_000
/** And so long to be reached. */
const CONNECT_MS = 20_000

/** Who comes from `host`, of all that come; undefined: nobody in time. The server listens no more then. */
export const comesFrom = async (
  server: Server,
  host: string,
  clock: Clock,
  life: AbortSignal,
): Promise<Socket | undefined> => {
  const late = new AbortController()
  const { promise: met, resolve } = Promise.withResolvers<Socket | undefined>()
  void clock.sleep(ACCEPT_MS, AbortSignal.any([late.signal, life])).then(() => resolve(undefined))
  // One that could not be accepted is not the last that may come.
  server.on('error', () => undefined)
  server.on('connection', (socket) => {
    if (addressOf(socket) === host && !late.signal.aborted) resolve(socket)
    else socket.destroy()
  })
  const socket = await met
  late.abort()
  server.close()
  return socket
}

/** undefined: it is not to be reached. */
export const goesTo = async (
  host: string,
  port: number,
  clock: Clock,
  life: AbortSignal,
): Promise<Socket | undefined> => {
  const done = new AbortController()
  const socket = connect({ host, port })
  const { promise: met, resolve } = Promise.withResolvers<Socket | undefined>()
  const failed = (): void => resolve(undefined)
  socket.once('connect', () => resolve(socket)).on('error', failed)
  void clock.sleep(CONNECT_MS, AbortSignal.any([done.signal, life])).then(failed)
  const reached = await met
  done.abort()
  if (reached === undefined) socket.destroy()
  return reached
}
