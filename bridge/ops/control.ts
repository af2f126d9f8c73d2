/**
 * The door for the command line of the same user: TCP on loopback, JSON lines. Port and token are in `control.json` in
 * the data folder, which only its owner can read. First the daemon proves that it knows the token, since another program
 * may have the port of a daemon that was killed; then the client sends the token with its request.
 *
 *     C: {"nonce":"..."}    S: {"proof":"<HMAC-SHA256 of the nonce under the token>"}
 *     C: {"token":"...","command":"status","args":{}}    S: {"kind":"done","lines":[...]}
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync, renameSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Logger } from '../adapter.ts'

/** `args` are words; the daemon checks them. */
export interface ControlRequest {
  readonly command: string
  readonly args: Readonly<Record<string, string>>
}

/** `lines` are for people; `failed` is one sentence. */
export type ControlAnswer =
  { readonly kind: 'done'; readonly lines: readonly string[] } | { readonly kind: 'failed'; readonly wrong: string }

const FILE = 'control.json'
const MAX_REQUEST_BYTES = 64 * 1024
/** A list of all accounts of a big service. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_CONNECTIONS = 16
const REQUEST_MS = 5_000
/** A backup of a big database takes its time. */
const ANSWER_MS = 600_000

interface Door {
  readonly pid: number
  readonly port: number
  readonly token: string
}

export class ControlServer {
  readonly #folder: string
  readonly #log: Logger
  readonly #handle: (request: ControlRequest) => Promise<ControlAnswer>
  readonly #token = randomBytes(32).toString('base64url')
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(folder: string, log: Logger, handle: (request: ControlRequest) => Promise<ControlAnswer>) {
    this.#folder = folder
    this.#log = log
    this.#handle = handle
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket))
    server.maxConnections = MAX_CONNECTIONS
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    this.#server = server
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
    const door: Door = { pid: process.pid, port: address.port, token: this.#token }
    const file = join(this.#folder, FILE)
    rmSync(`${file}.new`, { force: true })
    writeFileSync(`${file}.new`, `${JSON.stringify(door)}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(`${file}.new`, file)
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    rmSync(join(this.#folder, FILE), { force: true })
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setTimeout(REQUEST_MS, () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let proven = false
    readLines(socket, MAX_REQUEST_BYTES, (line) => {
      if (!proven) {
        proven = true
        const nonce = field(parseJson(line), 'nonce') ?? ''
        socket.write(`${JSON.stringify({ proof: proofOf(this.#token, nonce) })}\n`)
        return 'more'
      }
      socket.setTimeout(0)
      void this.#answer(line).then((answer) => socket.end(`${JSON.stringify(answer)}\n`))
      return 'enough'
    })
  }

  async #answer(line: string): Promise<ControlAnswer> {
    const request = parseRequest(line)
    if (request === undefined || !sameToken(request.token, this.#token)) {
      this.#log.warn({}, 'a request to the control port without the right token was refused')
      return { kind: 'failed', wrong: 'not allowed' }
    }
    try {
      return await this.#handle(request)
    } catch (error) {
      return { kind: 'failed', wrong: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** One request to the daemon of a data folder; `undefined` when none runs there. */
export const askDaemon = async (folder: string, request: ControlRequest): Promise<ControlAnswer | undefined> => {
  const door = readDoor(folder)
  if (door === undefined) return undefined
  return new Promise((resolve) => {
    const socket = connect(door.port, '127.0.0.1')
    const nonce = randomBytes(24).toString('base64url')
    let proven = false
    const send = (value: object): void => void socket.write(`${JSON.stringify(value)}\n`)
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.on('connect', () => send({ nonce }))
    readLines(socket, MAX_ANSWER_BYTES, (line) => {
      if (proven) resolve(parseAnswer(line))
      else if (sameToken(field(parseJson(line), 'proof') ?? '', proofOf(door.token, nonce))) {
        proven = true
        send({ token: door.token, ...request })
        return 'more'
      }
      socket.destroy()
      return 'enough'
    })
    socket.on('error', () => socket.destroy())
    // A door that nobody opens, or somebody else, was left behind by a daemon that was killed.
    socket.on('close', () =>
      resolve(proven ? { kind: 'failed', wrong: 'the daemon ended before it answered' } : undefined),
    )
  })
}

const proofOf = (token: string, nonce: string): string => createHmac('sha256', token).update(nonce).digest('base64url')

/** Calls back with each line until it has enough; one longer than allowed ends the connection. */
const readLines = (socket: Socket, limit: number, got: (line: string) => 'more' | 'enough'): void => {
  let chunks: Buffer[] = []
  let bytes = 0
  let wanted = true
  socket.on('data', (data: Buffer) => {
    let rest = data
    for (let end = rest.indexOf(0x0a); wanted && end >= 0; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...chunks, rest.subarray(0, end)])
      chunks = []
      bytes = 0
      rest = rest.subarray(end + 1)
      wanted = got(line.toString('utf8')) === 'more'
    }
    if (!wanted) return
    chunks.push(rest)
    bytes += rest.length
    if (bytes > limit) socket.destroy()
  })
}

const readDoor = (folder: string): Door | undefined => {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, FILE), 'utf8'))
    return isRecord(value) && typeof value['port'] === 'number' && typeof value['token'] === 'string'
      ? { pid: Number(value['pid']), port: value['port'], token: value['token'] }
      : undefined
  } catch {
    return undefined
  }
}

const parseRequest = (line: string): (ControlRequest & { readonly token: string }) | undefined => {
  const value = parseJson(line)
  const token = field(value, 'token')
  const command = field(value, 'command')
  const args = isRecord(value) ? value['args'] : undefined
  if (token === undefined || command === undefined || !isRecord(args)) return undefined
  const words = Object.entries(args).filter((each): each is [string, string] => typeof each[1] === 'string')
  return { token, command, args: Object.fromEntries(words) }
}

const parseAnswer = (line: string): ControlAnswer => {
  const value = parseJson(line)
  if (isRecord(value) && value['kind'] === 'done' && Array.isArray(value['lines']))
    return { kind: 'done', lines: value['lines'].map(String) }
  return { kind: 'failed', wrong: field(value, 'wrong') ?? 'the daemon gave no answer that makes sense' }
}

const parseJson = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const field = (value: unknown, key: string): string | undefined => {
  const found = isRecord(value) ? value[key] : undefined
  return typeof found === 'string' ? found : undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const sameToken = (given: string, token: string): boolean => {
  const one = Buffer.from(given)
  const other = Buffer.from(token)
  return one.length === other.length && timingSafeEqual(one, other)
}
