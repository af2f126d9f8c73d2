import { lookup } from 'node:dns'
import { connect as connectSocket, isIP, type LookupFunction, type Socket } from 'node:net'
import type { ServedTransport } from './connection.ts'
import { isPrivateAddress } from './hosts.ts'

/** Silence after which the system asks whether the peer is still there. Milliseconds. */
const KEEP_ALIVE_MS = 60_000

export interface ConnectRequest {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  /** Whether the host may have a private address. */
  readonly allowPrivate: boolean
  readonly signal?: AbortSignal | undefined
}

export type ConnectResult<Line extends ServedTransport = ServedTransport> =
  | { readonly ok: true; readonly socket: Line }
  /** `detail`: a sentence with the place in it. */
  | { readonly ok: false; readonly kind: 'unreachable' | 'timeout' | 'aborted'; readonly detail: string }

const PRIVATE_HOST = 'EPRIVATE'

/** One TCP connection. Never rejects. */
export function connect(request: ConnectRequest): Promise<ConnectResult<Socket>> {
  const { host, port, timeoutMs, allowPrivate, signal } = request
  const place = `${host}:${port}`
  if (signal?.aborted === true) return Promise.resolve(aborted(place))
  if (!allowPrivate && isPrivateAddress(host)) return Promise.resolve(notPublic(place))
  return new Promise((resolve) => {
    const plainName = isIP(host) === 0 && !allowPrivate
    const socket = connectSocket({ host, port, noDelay: true, ...(plainName ? { lookup: publicLookup } : {}) })
    const settle = (result: ConnectResult<Socket>): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.off('error', onError).off('connect', onConnect)
      if (!result.ok) socket.on('error', () => undefined).destroy()
      resolve(result)
    }
    const onAbort = (): void => settle(aborted(place))
    const onError = (error: NodeJS.ErrnoException): void => {
      const word = error.code ?? (error instanceof AggregateError ? firstCode(error) : undefined) ?? error.message
      if (word === PRIVATE_HOST) settle(notPublic(place))
      else settle({ ok: false, kind: 'unreachable', detail: `cannot connect to ${place}: ${word}` })
    }
    const onConnect = (): void => {
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      settle({ ok: true, socket })
    }
    const timer = setTimeout(
      () =>
        settle({ ok: false, kind: 'timeout', detail: `${place} does not answer: no connection in ${timeoutMs} ms` }),
      timeoutMs,
    )
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError).once('connect', onConnect)
  })
}

const aborted = (place: string): ConnectResult<never> => ({
  ok: false,
  kind: 'aborted',
  detail: `connecting to ${place} was given up`,
})

const notPublic = (place: string): ConnectResult<never> => ({
  ok: false,
  kind: 'unreachable',
  detail: `the server sent us to ${place}, which is a private address; allow private hosts if that is right`,
})

const firstCode = (error: AggregateError): string | undefined => {
  const first: unknown = error.errors[0]
  return first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : undefined
}

/** As `dns.lookup`, without private addresses: what is checked is what is connected to. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, [])
      return
    }
    const usable = addresses.filter(({ address }) => !isPrivateAddress(address))
    const [first] = usable
    if (first === undefined) callback(Object.assign(new Error(PRIVATE_HOST), { code: PRIVATE_HOST }), [])
    else if (options.all === true) callback(null, usable)
    else callback(null, first.address, first.family)
  })
}
