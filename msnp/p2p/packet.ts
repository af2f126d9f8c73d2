/** One packet: a header of 48 bytes, a body, a footer of 4, inside a switchboard message. docs/protocol.md, Peer-to-peer packets. */
import { Buffer } from 'node:buffer'
import type { MimeMessage } from '../wire/mime.ts'

export const HEADER_BYTES = 48
export const FOOTER_BYTES = 4
/** Bytes of a body; a longer message goes in several packets. */
export const MAX_BODY_BYTES = 1202

export const FLAGS = {
  none: 0,
  outOfOrder: 0x1,
  ack: 0x2,
  waiting: 0x4,
  error: 0x8,
  object: 0x20,
  close: 0x40,
  transportError: 0x80,
  handshake: 0x100,
  file: 0x1000030,
} as const

export interface Packet {
  /** 0: negotiation. */
  readonly session: number
  /** Of the message; the same in all its packets. */
  readonly id: number
  readonly offset: number
  readonly total: number
  readonly flags: number
  /** Random; in an acknowledgement the `id` of what it acknowledges. */
  readonly ackId: number
  /** In an acknowledgement the `ackId` of what it acknowledges, else 0. */
  readonly ackUid: number
  /** In an acknowledgement the `total` of what it acknowledges, else 0. */
  readonly ackSize: number
  readonly body: Uint8Array
  /** Number of the application; 0 in negotiations. */
  readonly footer: number
}

export function formatPacket(packet: Packet): Buffer {
  const { body } = packet
  const bytes = Buffer.alloc(HEADER_BYTES + body.length + FOOTER_BYTES)
  writePacket(packet, bytes, 0)
  return bytes
}

function writePacket(packet: Packet, bytes: Buffer, at: number): void {
  const { body } = packet
  bytes.writeUInt32LE(packet.session, at)
  bytes.writeUInt32LE(packet.id, at + 4)
  bytes.writeBigUInt64LE(BigInt(packet.offset), at + 8)
  bytes.writeBigUInt64LE(BigInt(packet.total), at + 16)
  bytes.writeUInt32LE(body.length, at + 24)
  bytes.writeUInt32LE(packet.flags, at + 28)
  bytes.writeUInt32LE(packet.ackId, at + 32)
  bytes.writeUInt32LE(packet.ackUid, at + 36)
  bytes.writeBigUInt64LE(BigInt(packet.ackSize), at + 40)
  bytes.set(body, at + HEADER_BYTES)
  bytes.writeUInt32BE(packet.footer, at + HEADER_BYTES + body.length)
}

/** undefined: no packet. The body shares memory with `bytes`. Never throws. */
export function parsePacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < HEADER_BYTES + FOOTER_BYTES) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.readUInt32LE(24)
  if (length > MAX_BODY_BYTES || length > view.length - HEADER_BYTES - FOOTER_BYTES) return undefined
  const offset = Number(view.readBigUInt64LE(8))
  const total = Number(view.readBigUInt64LE(16))
  const ackSize = Number(view.readBigUInt64LE(40))
  if (![offset, total, ackSize].every(Number.isSafeInteger) || offset + length > total) return undefined
  return {
    session: view.readUInt32LE(0),
    id: view.readUInt32LE(4),
    offset,
    total,
    flags: view.readUInt32LE(28),
    ackId: view.readUInt32LE(32),
    ackUid: view.readUInt32LE(36),
    ackSize,
    body: view.subarray(HEADER_BYTES, HEADER_BYTES + length),
    footer: view.readUInt32BE(HEADER_BYTES + length),
  }
}

/** The switchboard message that carries a packet. `to` is an address: it is asked for no control characters. */
export function p2pMessage(to: string, packet: Packet): Uint8Array {
  const head = `MIME-Version: 1.0\r\nContent-Type: application/x-msnmsgrp2p\r\nP2P-Dest: ${to.replace(/[^\x21-\x7e]/g, '')}\r\n\r\n`
  const bytes = Buffer.allocUnsafe(head.length + HEADER_BYTES + packet.body.length + FOOTER_BYTES)
  bytes.write(head, 0, 'latin1')
  writePacket(packet, bytes, head.length)
  return bytes
}

/** For whom a message of that kind is: an address in lower case, without the id of a machine. */
export const destinationOf = (message: MimeMessage): string | undefined =>
  message.headers.get('p2p-dest')?.split(';')[0]?.trim().toLowerCase()
