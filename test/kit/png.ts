/** A real picture, small and noisy, for who looks inside. */
import { crc32, deflateSync } from 'node:zlib'
import { someBytes } from './p2p-room.ts'

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** PNG with 8 bits of grey, `side` pixels high and wide; about side * side bytes. */
export const noisyPng = (side: number, seed: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 8
  const noise = Buffer.from(someBytes(side * side, seed))
  const rows = Array.from({ length: side }, (_, row) =>
    Buffer.concat([Buffer.alloc(1), noise.subarray(row * side, (row + 1) * side)]),
  )
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Pixels of a PNG, as its header says. */
export const sizeOfPng = (bytes: Buffer): { readonly width: number; readonly height: number } => ({
  width: bytes.readUInt32BE(16),
  height: bytes.readUInt32BE(20),
})
