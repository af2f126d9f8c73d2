/**
 * The two ends of a classic file transfer as an old client has them, written against the protocol and not against our library, so
 * that the two check each other.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { DEADLINE_MS, type Room } from './messenger.ts'

const HOST = '127.0.0.1'
const GUID = '{5D3E02AB-6190-11d3-BBBB-00C04F795683}'

export type Fields = Readonly<Record<string, string>>

export const invite = (room: Room, fields: Fields): void => {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  room.send(`MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n${lines.join('')}\r\n`, 'U')
}

export const offer = (room: Room, name: string, size: number, more: Fields = {}): void =>
  invite(room, {
    'Application-Name': 'File Transfer',
    'Application-GUID': GUID,
    'Invitation-Command': 'INVITE',
    'Invitation-Cookie': '33267',
    'Application-File': name,
    'Application-FileSize': String(size),
    ...more,
  })

/** The fields of the next message about an invitation, names in lower case. */
export const heard = async (room: Room): Promise<Fields> => {
  const { payload } = await room.wire.next(
    ({ words, payload: body }) => words[0] === 'MSG' && body.includes('text/x-msmsgsinvite'),
  )
  const body = payload.slice(payload.indexOf('\r\n\r\n') + 4)
  return Object.fromEntries(
    body
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
}

/** Waits on a port of its own for one connection. */
export const waiting = async (): Promise<{
  readonly port: number
  readonly socket: Promise<Socket>
  close(): void
}> => {
  const server: Server = createServer({ pauseOnConnect: true }).listen(0, HOST)
  await once(server, 'listening')
  const socket = once(server, 'connection').then(([met]) => met as Socket)
  return { port: (server.address() as { port: number }).port, socket, close: () => server.close() }
}

export const dial = async (port: number): Promise<Socket> => {
  const socket = connect(port, HOST)
  await once(socket, 'connect')
  return socket
}

/** Bytes of a socket as they are asked for. */
class Reader {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  #length = 0
  #ended = false
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end).on('close', end).on('error', end)
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      if (this.#length > 1_000_000) socket.pause()
      this.#wake()
    })
    socket.resume()
  }

  async take(length: number): Promise<Buffer> {
    while (this.#length < length) await this.#more()
    const all = Buffer.concat(this.#chunks.splice(0))
    if (all.length > length) this.#chunks.push(all.subarray(length))
    this.#length = all.length - length
    if (this.#socket.isPaused()) this.#socket.resume()
    return all.subarray(0, length)
  }

  async line(): Promise<string> {
    let text = ''
    while (!text.endsWith('\n')) text += (await this.take(1)).toString('latin1')
    return text.trim()
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error('the connection ended')
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('nothing came')), DEADLINE_MS)
    })
    await Promise.race([late, new Promise<void>((resolve) => (this.#wake = resolve))])
    clearTimeout(timer)
  }
}

export interface Sending {
  readonly size: number
  readonly content: () => Iterable<Uint8Array>
  /** Whom the bytes are for, and what they must say. */
  readonly to: string
  readonly cookie: string
  /** After so many bytes `atStop` is done instead of the rest. */
  readonly stopAt?: number
  readonly atStop?: (socket: Socket) => void
}

/** Answers the last line of the receiver. */
export const give = async (socket: Socket, sending: Sending): Promise<string> => {
  const reader = new Reader(socket)
  if (!/^VER .*MSNFTP/.test(await reader.line())) throw new Error('no MSNFTP')
  socket.write('VER MSNFTP\r\n')
  const user = await reader.line()
  if (user !== `USR ${sending.to} ${sending.cookie}`) throw new Error(`a stranger: ${user}`)
  socket.write(`FIL ${sending.size}\r\n`)
  if ((await reader.line()) !== 'TFR') throw new Error('no TFR')
  let sent = 0
  for (const chunk of sending.content())
    for (let at = 0; at < chunk.length; at += 2_045) {
      if (sending.stopAt !== undefined && sent >= sending.stopAt) {
        sending.atStop?.(socket)
        return await reader.line().catch(() => 'gone')
      }
      const block = chunk.subarray(at, at + 2_045)
      sent += block.length
      const isTaken = socket.write(Buffer.concat([Buffer.from([0, block.length & 255, block.length >> 8]), block]))
      if (!isTaken) await once(socket, 'drain')
    }
  socket.write(Buffer.from([1, 0, 0]))
  const last = await reader.line()
  socket.end()
  return last
}

export interface Got {
  readonly bytes: number
  readonly sha256: string
}

/** Takes a file, or only so many bytes of it. */
export const take = async (
  socket: Socket,
  {
    email,
    cookie,
    stopAt,
    atStop,
  }: {
    readonly email: string
    readonly cookie: string
    readonly stopAt?: number
    readonly atStop?: (socket: Socket) => void
  },
): Promise<Got> => {
  const reader = new Reader(socket)
  socket.write('VER MSNFTP\r\n')
  if ((await reader.line()) !== 'VER MSNFTP') throw new Error('no MSNFTP')
  socket.write(`USR ${email} ${cookie}\r\n`)
  const size = Number(/^FIL (\d+)$/.exec(await reader.line())?.[1])
  socket.write('TFR\r\n')
  const hash = createHash('sha256')
  let bytes = 0
  while (bytes < size) {
    const [flag = 0, low = 0, high = 0] = await reader.take(3)
    const length = low + high * 256
    if (flag === 1 && length === 0) break
    hash.update(await reader.take(length))
    bytes += length
    if (stopAt !== undefined && bytes >= stopAt) {
      atStop?.(socket)
      return { bytes, sha256: '' }
    }
  }
  if (bytes === size) socket.write('BYE 16777989\r\n')
  socket.end()
  return { bytes, sha256: hash.digest('hex') }
}
