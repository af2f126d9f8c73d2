/**
 * A Messenger's side of peer-to-peer sessions in one room, written from the papers and not from our library: it gives a
 * picture to who asks for it, and asks for one. Everything that it sees on the way is kept.
 */
import { createHash } from 'node:crypto'
import type { Room } from './messenger.ts'

interface Seen {
  readonly from: string
  readonly session: number
  readonly id: number
  readonly offset: number
  readonly total: number
  readonly flags: number
  readonly random: number
  readonly body: Buffer
}

export const sha1 = (data: Buffer): string => createHash('sha1').update(data).digest('base64')

/** The description of some bytes, as a Messenger writes it. */
export const msnobj = (creator: string, data: Buffer, type = 3): string => {
  const sha1d = sha1(data)
  const line = `Creator${creator}Size${data.length}Type${type}LocationTFR2C.tmpFriendlyAAA=SHA1D${sha1d}`
  return `<msnobj Creator="${creator}" Size="${data.length}" Type="${type}" Location="TFR2C.tmp" Friendly="AAA=" SHA1D="${sha1d}" SHA1C="${sha1(Buffer.from(line))}"/>`
}

export class PeerRoom {
  readonly room: Room
  readonly #own: string
  readonly #peer: string
  #id = 1_000
  /** Sizes of the bodies of data that came or went. */
  readonly sizes: number[] = []

  constructor(room: Room, own: string, peer: string) {
    this.room = room
    this.#own = own
    this.#peer = peer
  }

  /** Waits to be asked, and gives these bytes. Answers for what it was asked. */
  async serve(data: Buffer): Promise<string> {
    const { seen, text } = await this.#negotiation('INVITE')
    const session = Number(/SessionID: (\d+)/.exec(text)?.[1])
    const context = Buffer.from(/Context: (\S+)/.exec(text)?.[1] ?? '', 'base64').toString()
    this.#ack(seen)
    this.#slp('MSNSLP/1.0 200 OK', text, 1, 'application/x-msnmsgr-sessionreqbody', `SessionID: ${session}\r\n\r\n\0`)
    this.#packet({ session, body: Buffer.alloc(4), total: 4, flags: 0, footer: 1 })
    await this.#acked()
    this.#data(session, data, 0x20)
    const bye = await this.#negotiation('BYE')
    this.#ack(bye.seen)
    return context
  }

  /** Asks for what `xml` describes. Answers with the bytes, or with the code of the refusal. */
  async fetch(xml: string): Promise<Buffer | number> {
    const session = 77_777
    const body = `EUF-GUID: {A4268EEC-FEC5-49E5-95C3-F126696BDBF6}\r\nSessionID: ${session}\r\nAppID: 1\r\nContext: ${Buffer.from(`${xml}\0`).toString('base64')}\r\n\r\n\0`
    this.#slp(`INVITE MSNMSGR:${this.#peer} MSNSLP/1.0`, CALL, 0, 'application/x-msnmsgr-sessionreqbody', body)
    const { seen, text } = await this.#negotiation('MSNSLP/1.0')
    this.#ack(seen)
    const code = Number(/^MSNSLP\/1\.0 (\d+)/.exec(text)?.[1])
    if (code !== 200) return code
    const preparation = await this.#next((packet) => packet.session === session && packet.total === 4)
    this.#ack(preparation)
    const pieces: Buffer[] = []
    let size = 0
    for (;;) {
      const packet = await this.#next((one) => one.session === session && (one.flags & 0x20) !== 0)
      if (packet.offset !== size) throw new Error('the data is out of order')
      pieces.push(packet.body)
      this.sizes.push(packet.body.length)
      size += packet.body.length
      if (size < packet.total) continue
      this.#ack(packet)
      this.#slp(`BYE MSNMSGR:${this.#peer} MSNSLP/1.0`, CALL, 0, 'application/x-msnmsgr-sessionclosebody', '\r\n\0')
      return Buffer.concat(pieces)
    }
  }

  /** Invites to a session of that kind. Answers with the code of the answer. */
  async invite(guid: string): Promise<number> {
    this.begin(guid)
    const { seen, text } = await this.#negotiation('MSNSLP/1.0')
    this.#ack(seen)
    return Number(/^MSNSLP\/1\.0 (\d+)/.exec(text)?.[1])
  }

  /** The same, without waiting. */
  begin(guid: string): void {
    const body = `EUF-GUID: ${guid}\r\nSessionID: 88888\r\nAppID: 4\r\nContext: AAAA\r\n\r\n\0`
    this.#slp(`INVITE MSNMSGR:${this.#peer} MSNSLP/1.0`, CALL, 0, 'application/x-msnmsgr-sessionreqbody', body)
  }

  /** Offers a file. Answers with the code of the answer; `bytes`: so many of it are sent, by default all, and then BYE is awaited. */
  async sendFile(name: string, data: Buffer, bytes = data.length): Promise<number> {
    const session = 88_888
    const context = Buffer.alloc(574)
    context.writeUInt32LE(574, 0)
    context.writeUInt32LE(2, 4)
    context.writeBigUInt64LE(BigInt(data.length), 8)
    context.writeUInt32LE(1, 16)
    context.write(name, 20, 'utf16le')
    context.writeUInt32LE(0xffffffff, 570)
    const body = `EUF-GUID: {5D3E02AB-6190-11D3-BBBB-00C04F795683}\r\nSessionID: ${session}\r\nAppID: 2\r\nContext: ${context.toString('base64')}\r\n\r\n\0`
    this.#slp(`INVITE MSNMSGR:${this.#peer} MSNSLP/1.0`, CALL, 0, 'application/x-msnmsgr-sessionreqbody', body)
    const { seen, text } = await this.#negotiation('MSNSLP/1.0')
    this.#ack(seen)
    const code = Number(/^MSNSLP\/1\.0 (\d+)/.exec(text)?.[1])
    if (code !== 200) return code
    const id = ++this.#id
    for (let offset = 0; offset < bytes; offset += 1202) {
      this.#packet({
        session,
        body: data.subarray(offset, offset + 1202),
        total: data.length,
        flags: 0x1000030,
        footer: 2,
        offset,
        id,
      })
    }
    if (bytes === data.length) this.#ack((await this.#negotiation('BYE')).seen)
    return code
  }

  /** Waits until the other side ends it. */
  async ended(): Promise<void> {
    this.#ack((await this.#negotiation('BYE')).seen)
  }

  /** Ends what we offered or took. */
  bye(about = CALL): void {
    this.#slp(`BYE MSNMSGR:${this.#peer} MSNSLP/1.0`, about, 0, 'application/x-msnmsgr-sessionclosebody', '\r\n\0')
  }

  /** Waits for a file and takes it, declines it, or ends it after so many bytes. Answers what came. */
  async takeFile(
    how: { readonly decline?: true; readonly stopAt?: number } = {},
  ): Promise<{ readonly name: string; readonly data: Buffer }> {
    const { seen, text } = await this.#negotiation('INVITE')
    this.#ack(seen)
    const session = Number(/SessionID: (\d+)/.exec(text)?.[1])
    const context = Buffer.from(/Context: (\S+)/.exec(text)?.[1] ?? '', 'base64')
    const name = context.toString('utf16le', 20, 540).split('\0')[0] ?? ''
    const answer = how.decline === true ? '603 Decline' : '200 OK'
    this.#slp(
      `MSNSLP/1.0 ${answer}`,
      text,
      1,
      'application/x-msnmsgr-sessionreqbody',
      `SessionID: ${session}\r\n\r\n\0`,
    )
    const pieces: Buffer[] = []
    for (let size = 0; how.decline !== true;) {
      const packet = await this.#next((one) => one.session === session && one.flags === 0x1000030)
      if (packet.offset !== size) throw new Error('the data is out of order')
      pieces.push(packet.body)
      this.sizes.push(packet.body.length)
      size += packet.body.length
      if (size >= (how.stopAt ?? Infinity)) {
        this.bye(text)
        break
      }
      if (size < packet.total) continue
      this.#ack(packet)
      this.bye(text)
      break
    }
    return { name, data: Buffer.concat(pieces) }
  }

  #data(session: number, data: Buffer, flags: number): void {
    const id = ++this.#id
    for (let offset = 0; offset < data.length; offset += 1202) {
      const body = data.subarray(offset, offset + 1202)
      this.sizes.push(body.length)
      this.#packet({ session, body, total: data.length, flags, footer: 1, offset, id })
    }
  }

  async #negotiation(begins: string): Promise<{ readonly seen: Seen; readonly text: string }> {
    const pieces: Buffer[] = []
    for (;;) {
      const seen = await this.#next((packet) => packet.session === 0 && packet.flags === 0)
      pieces.push(seen.body)
      if (seen.offset + seen.body.length < seen.total) continue
      const text = Buffer.concat(pieces.splice(0)).toString()
      if (text.startsWith(begins)) return { seen, text }
      this.#ack(seen)
    }
  }

  async #acked(): Promise<void> {
    await this.#next((packet) => packet.flags === 2 && packet.total === 4)
  }

  async #next(fits: (packet: Seen) => boolean): Promise<Seen> {
    for (;;) {
      const { words, bytes } = await this.room.wire.next(
        (line) => line.words[0] === 'MSG' && line.payload.includes('application/x-msnmsgrp2p'),
      )
      const at = bytes.indexOf('\r\n\r\n') + 4
      const packet: Seen = {
        from: words[1] ?? '',
        session: bytes.readUInt32LE(at),
        id: bytes.readUInt32LE(at + 4),
        offset: Number(bytes.readBigUInt64LE(at + 8)),
        total: Number(bytes.readBigUInt64LE(at + 16)),
        flags: bytes.readUInt32LE(at + 28),
        random: bytes.readUInt32LE(at + 32),
        body: bytes.subarray(at + 48, at + 48 + bytes.readUInt32LE(at + 24)),
      }
      if (fits(packet)) return packet
    }
  }

  #ack(seen: Seen): void {
    const { session, total, id, random } = seen
    this.#packet({ session, total, flags: 2, body: Buffer.alloc(0), footer: 0, acks: [id, random, total] })
  }

  #slp(start: string, about: string, cseq: number, type: string, body: string): void {
    const branch = /branch=(\{[^}]+\})/.exec(about)?.[1] ?? ''
    const call = /Call-ID: (\{[^}]+\})/.exec(about)?.[1] ?? ''
    const text = `${start}\r\nTo: <msnmsgr:${this.#peer}>\r\nFrom: <msnmsgr:${this.#own}>\r\nVia: MSNSLP/1.0/TLP ;branch=${branch}\r\nCSeq: ${cseq} \r\nCall-ID: ${call}\r\nMax-Forwards: 0\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const bytes = Buffer.from(text)
    const id = ++this.#id
    for (let offset = 0; offset < bytes.length; offset += 1202) {
      this.#packet({
        session: 0,
        body: bytes.subarray(offset, offset + 1202),
        total: bytes.length,
        flags: 0,
        footer: 0,
        offset,
        id,
      })
    }
  }

  #packet(packet: {
    readonly session: number
    readonly body: Buffer
    readonly total: number
    readonly flags: number
    readonly footer: number
    readonly offset?: number
    readonly id?: number
    readonly acks?: readonly [number, number, number]
  }): void {
    const { body, acks = [4711, 0, 0] } = packet
    const bytes = Buffer.alloc(52 + body.length)
    bytes.writeUInt32LE(packet.session, 0)
    bytes.writeUInt32LE(packet.id ?? ++this.#id, 4)
    bytes.writeBigUInt64LE(BigInt(packet.offset ?? 0), 8)
    bytes.writeBigUInt64LE(BigInt(packet.total), 16)
    bytes.writeUInt32LE(body.length, 24)
    bytes.writeUInt32LE(packet.flags, 28)
    bytes.writeUInt32LE(acks[0], 32)
    bytes.writeUInt32LE(acks[1], 36)
    bytes.writeBigUInt64LE(BigInt(acks[2]), 40)
    body.copy(bytes, 48)
    bytes.writeUInt32BE(packet.footer, 48 + body.length)
    const head = `MIME-Version: 1.0\r\nContent-Type: application/x-msnmsgrp2p\r\nP2P-Dest: ${this.#peer}\r\n\r\n`
    this.room.send(Buffer.concat([Buffer.from(head), bytes]), 'D')
  }
}

/** Of the invitation that we make. */
const CALL = 'branch={33517CE4-02FC-4428-B6F4-39927229B722}\r\nCall-ID: {9D79AE57-1BD5-444B-B14E-3FC9BB2B5D58}'
