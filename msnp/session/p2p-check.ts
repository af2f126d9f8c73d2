import { Buffer } from 'node:buffer'

/** Header in front of the data of a peer-to-peer packet, and the number of the application behind it. */
const HEADER_BYTES = 48
const FOOTER_BYTES = 4
const P2P = /^content-type:\s*application\/x-msnmsgrp2p\s*(?:;|$)/im

/**
 * Whether a message says that it is a peer-to-peer packet and cannot be one, because it has no room for the header and
 * the footer (282). Everything else is left to the clients. Source: docs/protocol.md, Peer-to-peer packets.
 */
export function isMalformedP2p(payload: Uint8Array): boolean {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const blank = bytes.indexOf('\r\n\r\n')
  const head = bytes.toString('latin1', 0, blank === -1 ? bytes.length : blank)
  if (!P2P.test(head)) return false
  return blank === -1 || bytes.length - blank - 4 < HEADER_BYTES + FOOTER_BYTES
}
