/** A lean Messenger for load: frames in, lines out, nothing kept. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { Framer, isFault, type Frame } from '../msnp/wire/frame.ts'

export interface Ports {
  readonly notification: number
  readonly passport: number
  /** The login page is behind TLS. */
  readonly tls?: boolean
}

/** One connection. `onFrame` may be replaced at any time. */
export class Peer {
  readonly socket: net.Socket
  onFrame: (frame: Frame) => void = () => undefined
  readonly #framer = new Framer('server', { line: 65_536, payload: 65_536 })

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#framer.push(chunk)
      for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
        if (isFault(frame)) throw new Error(`the service sent what cannot be read: ${frame.fault}`)
        this.onFrame(frame)
      }
      this.#framer.settle()
    })
    socket.on('error', () => socket.destroy())
  }

  static async connect(port: number): Promise<Peer> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Peer(socket)
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Sends, then gives the first frame that fits. */
  request(line: string, fits: (frame: Frame) => boolean): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`the connection ended after: ${line.slice(0, 40)}`))
      this.socket.once('close', gone)
      this.onFrame = (frame) => {
        if (/^\d+$/.test(frame.verb)) reject(new Error(`${line.slice(0, 40)} was answered ${frame.verb}`))
        if (!fits(frame)) return
        this.onFrame = () => undefined
        this.socket.off('close', gone)
        resolve(frame)
      }
      this.write(`${line}\r\n`)
    })
  }
}

/** Up to where an email has a ticket: the password leg alone. */
export async function ticketFor(ports: Ports, email: string, password = 'secret'): Promise<string> {
  const { get } = ports.tls === true ? https : http
  const request = get({
    host: '127.0.0.1',
    rejectUnauthorized: false,
    port: ports.passport,
    path: '/login2.srf',
    agent: false,
    headers: {
      Authorization: `Passport1.4 OrgVerb=GET,OrgURL=x,sign-in=${encodeURIComponent(email)},pwd=${encodeURIComponent(password)},lc=1033`,
    },
  })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  const ticket = /from-PP='([^']*)'/.exec(String(response.headers['authentication-info']))?.[1]
  if (ticket === undefined) throw new Error(`the login page answered ${response.statusCode ?? 0}`)
  return ticket
}

/** The notification leg: VER to the answer of CHG. */
export async function signIn(ports: Ports, email: string, ticket: string, dialect = 'MSNP9'): Promise<Peer> {
  const peer = await Peer.connect(ports.notification)
  const version = await peer.request(`VER 1 ${dialect} CVR0`, (frame) => frame.verb === 'VER')
  if (version.params[1] !== dialect) throw new Error(`the service does not speak ${dialect}`)
  await peer.request(`CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS ${email}`, (frame) => frame.verb === 'CVR')
  await peer.request(`USR 3 TWN I ${email}`, (frame) => frame.verb === 'USR')
  await peer.request(`USR 4 TWN S ${ticket}`, (frame) => frame.verb === 'USR')
  const sync = await peer.request('SYN 5 0 0', (frame) => frame.verb === 'SYN')
  // The burst that follows the SYN ends before the answer to CHG.
  if (sync.params.length < 2) throw new Error('SYN was not answered in full')
  await peer.request('CHG 6 NLN 268435456', (frame) => frame.verb === 'CHG')
  return peer
}

/** Two people in a switchboard: who called, who answered. */
export async function pair(
  ports: Ports,
  caller: Peer,
  callerEmail: string,
  callee: Peer,
  calleeEmail: string,
): Promise<[Peer, Peer]> {
  const transfer = await caller.request('XFR 7 SB', (frame) => frame.verb === 'XFR')
  const port = Number(transfer.params[2]?.split(':').at(-1))
  const a = await Peer.connect(port)
  await a.request(`USR 1 ${callerEmail} ${transfer.params[4] ?? ''}`, (frame) => frame.verb === 'USR')
  const rung = new Promise<Frame>((resolve) => {
    callee.onFrame = (frame) => {
      if (frame.verb === 'RNG') resolve(frame)
    }
  })
  await a.request(`CAL 2 ${calleeEmail}`, (frame) => frame.verb === 'CAL')
  const joined = new Promise<void>((resolve) => {
    a.onFrame = (frame) => {
      if (frame.verb === 'JOI') resolve()
    }
  })
  const ring = await rung
  callee.onFrame = () => undefined
  const b = await Peer.connect(port)
  await b.request(
    `ANS 1 ${calleeEmail} ${ring.params[3] ?? ''} ${ring.params[0] ?? ''}`,
    (frame) => frame.verb === 'ANS' && frame.params[1] === 'OK',
  )
  await joined
  return [a, b]
}

/** A switchboard of one's own with one other person in it. */
export async function call(caller: Peer, callerEmail: string, calleeEmail: string): Promise<Peer> {
  const transfer = await caller.request('XFR 7 SB', (frame) => frame.verb === 'XFR')
  const peer = await Peer.connect(Number(transfer.params[2]?.split(':').at(-1)))
  await peer.request(`USR 1 ${callerEmail} ${transfer.params[4] ?? ''}`, (frame) => frame.verb === 'USR')
  await peer.request(`CAL 2 ${calleeEmail}`, (frame) => frame.verb === 'JOI')
  return peer
}

/** A text message of 100 bytes, ready to be sent with any transaction id. */
export const textMessage = (() => {
  const text = 'x'.repeat(100)
  const payload = `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=Arial; EF=; CO=0; CS=0; PF=0\r\n\r\n${text}`
  return (trid: number, body = payload): string => `MSG ${trid} A ${Buffer.byteLength(body)}\r\n${body}`
})()
