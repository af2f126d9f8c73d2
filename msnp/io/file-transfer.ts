/** One file over a connection of its own (MSNFTP), streamed. Source: docs/protocol.md, File transfer. */
import type { Socket } from 'node:net'
import { DEFAULT_FILE_TIMINGS } from '../session/file-lines.ts'
import { connect } from './connect.ts'
import {
  ABORTED,
  type FileFailure,
  type FileTransferOptions,
  late,
  type Meeting,
  type ReceiveFileResult,
  type SendFileResult,
} from './file-contract.ts'
import { ReceivingLane, SendingLane } from './file-lanes.ts'
import { MAX_FROM_ADDRESS, MAX_STRANGERS } from './file-ports.ts'

/** They are expected to answer at once: their user has agreed already. Milliseconds. */
const CONNECT_MS = 15_000

/** Sends what `open` gives, once they have proved who they are. Never rejects. */
export async function sendFile(
  options: FileTransferOptions,
  open: () => Promise<AsyncIterable<Uint8Array> | undefined>,
): Promise<SendFileResult> {
  const { promise, resolve } = Promise.withResolvers<SendFileResult>()
  const met = await meet(options, (socket, chosen, ended) => {
    let isChosen = false
    const lane = new SendingLane(socket, options, chosen, (result) => {
      ended(result.ok ? undefined : result.failure)
      if (isChosen) resolve(result)
    })
    const run = (): void => {
      isChosen = true
      void lane.run(open)
    }
    return { start: () => undefined, run, stop: () => lane.stop() }
  })
  if (met !== undefined) return { ok: false, failure: met }
  return promise
}

/** Resolves when the sender has answered and the bytes begin to come. Never rejects. */
export async function receiveFile(options: FileTransferOptions): Promise<ReceiveFileResult> {
  const { promise, resolve } = Promise.withResolvers<ReceiveFileResult>()
  const met = await meet(options, (socket, chosen, ended) => {
    const lane = new ReceivingLane(socket, options, chosen, ended)
    return { start: () => lane.begin(), run: () => resolve({ ok: true, file: lane }), stop: () => lane.stop() }
  })
  if (met !== undefined) return { ok: false, failure: met }
  return promise
}

/** One connection that may be the right one. */
interface Candidate {
  start(): void
  /** It is: go on. */
  run(): void
  stop(): void
}

type MakeCandidate = (socket: Socket, chosen: () => void, ended: (failure?: FileFailure) => void) => Candidate

/** Resolves with undefined once one of the connections has proved to be the right one; else with why none did. */
async function meet(options: FileTransferOptions, make: MakeCandidate): Promise<FileFailure | undefined> {
  const { meeting, signal } = options
  const timings = { ...DEFAULT_FILE_TIMINGS, ...options.timings }
  const { promise, resolve } = Promise.withResolvers<FileFailure | undefined>()
  /** With the address of each. */
  const candidates = new Map<Candidate, string | undefined>()
  let isOver = false
  const settle = (result: FileFailure | undefined, winner?: Candidate): void => {
    if (isOver) return
    isOver = true
    for (const other of candidates.keys()) if (other !== winner) other.stop()
    resolve(result)
  }
  /** `onlyOne`: nobody else will come, so how it ended is how all ended. */
  const take = (socket: Socket, onlyOne: boolean): void => {
    const { remoteAddress } = socket
    const alike = [...candidates.values()].filter((address) => address === remoteAddress)
    if (isOver || candidates.size >= MAX_STRANGERS || alike.length >= MAX_FROM_ADDRESS) {
      socket.destroy()
      return
    }
    const chosen = (): void => {
      if (isOver) return
      settle(undefined, candidate)
      candidate.run()
    }
    const ended = (failure?: FileFailure): void => {
      candidates.delete(candidate)
      if (onlyOne && failure !== undefined) settle(failure)
    }
    const candidate: Candidate = make(socket, chosen, ended)
    candidates.set(candidate, remoteAddress)
    candidate.start()
    socket.resume()
  }
  if (signal.aborted) return ABORTED
  const onAbort = (): void => settle(ABORTED)
  signal.addEventListener('abort', onAbort, { once: true })
  const port =
    meeting.kind === 'listen'
      ? await meeting.ports.open(meeting.peer, (socket) => take(socket, false), signal)
      : undefined
  const gaveUp = setTimeout(() => settle(late('nobody connected')), timings.handshakeMs)
  try {
    if (meeting.kind === 'connect') {
      const socket = await reach(meeting, signal)
      if ('kind' in socket) settle(socket)
      else take(socket, true)
    } else if (port === undefined) settle({ kind: 'no-port', detail: 'no port is free to wait on' })
    else meeting.onPort(port.port)
    return await promise
  } finally {
    clearTimeout(gaveUp)
    signal.removeEventListener('abort', onAbort)
    port?.close()
  }
}

/** The first of the addresses that answers; of those that we may connect to. */
async function reach(
  { addresses, mayConnect }: Extract<Meeting, { kind: 'connect' }>,
  signal: AbortSignal,
): Promise<Socket | FileFailure> {
  const allowed = addresses.filter(({ host }) => mayConnect(host))
  if (allowed.length === 0) return { kind: 'not-allowed', detail: 'their address is none that we may connect to' }
  for (const { host, port } of allowed.slice(0, 2)) {
    const result = await connect({ host, port, timeoutMs: CONNECT_MS, allowPrivate: true, signal })
    if (result.ok) return result.socket
    if (result.kind === 'aborted') return ABORTED
  }
  return { kind: 'unreachable', detail: 'their client cannot be reached' }
}
