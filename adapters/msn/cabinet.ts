/**
 * Files in a cabinet, which is what a wink comes as. Stored and MSZIP folders; what else there is (other compressions, cabinets
 * in several parts) is not read. Never throws, and unpacks no more than it says. Source: docs/protocol.md, Winks.
 */
import { Buffer } from 'node:buffer'
import { inflateRawSync } from 'node:zlib'

/** Files that are looked at. Real winks have three or four. */
export const MAX_PACKED_FILES = 32
/** Of one cabinet, unpacked. Bytes. */
export const MAX_UNPACKED_BYTES = 4 * 1024 * 1024

export interface PackedFile {
  /** As it stands there: untrusted. */
  readonly name: string
  readonly data: Uint8Array
}

interface Head {
  readonly folders: number
  readonly files: number
  readonly filesAt: number
  readonly foldersAt: number
  /** Bytes that programs may keep beside each folder and each block. */
  readonly folderReserve: number
  readonly blockReserve: number
}

const HEAD_BYTES = 36
const HAS_RESERVE = 4
/** It begins or goes on in another file. */
const IS_PART = 3
const MAX_FOLDERS = 8
const MAX_BLOCKS = 512
const BLOCK_BYTES = 32 * 1024
const MAX_NAME_BYTES = 256
const STORED = 0
const MSZIP = 1

/** Those that could be unpacked; none of what is no cabinet. */
export function filesInCabinet(bytes: Uint8Array): readonly PackedFile[] {
  const cab = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const head = headOf(cab)
    return head === undefined ? [] : filesOf(cab, head)
  } catch (error) {
    // It ends before what it speaks of, or is not compressed as it says.
    if (error instanceof Error) return []
    throw error
  }
}

function headOf(cab: Buffer): Head | undefined {
  if (cab.length < HEAD_BYTES || cab.toString('latin1', 0, 4) !== 'MSCF') return undefined
  const flags = cab.readUInt16LE(30)
  if ((flags & IS_PART) !== 0) return undefined
  const reserves = (flags & HAS_RESERVE) !== 0
  return {
    filesAt: cab.readUInt32LE(16),
    folders: Math.min(cab.readUInt16LE(26), MAX_FOLDERS),
    files: Math.min(cab.readUInt16LE(28), MAX_PACKED_FILES),
    foldersAt: reserves ? HEAD_BYTES + 4 + cab.readUInt16LE(36) : HEAD_BYTES,
    folderReserve: reserves ? cab.readUInt8(38) : 0,
    blockReserve: reserves ? cab.readUInt8(39) : 0,
  }
}

function filesOf(cab: Buffer, head: Head): readonly PackedFile[] {
  const room = { left: MAX_UNPACKED_BYTES }
  const folders: (Buffer | undefined)[] = []
  for (let index = 0; index < head.folders; index++) {
    folders.push(unpack(cab, head, head.foldersAt + index * (8 + head.folderReserve), room))
  }
  const files: PackedFile[] = []
  let at = head.filesAt
  for (let index = 0; index < head.files; index++) {
    const size = cab.readUInt32LE(at)
    const from = cab.readUInt32LE(at + 4)
    const folder = folders[cab.readUInt16LE(at + 8)]
    const end = cab.indexOf(0, at + 16)
    if (end === -1 || end - at - 16 > MAX_NAME_BYTES) break
    if (folder !== undefined && from + size <= folder.length) {
      files.push({ name: cab.toString('latin1', at + 16, end), data: folder.subarray(from, from + size) })
    }
    at = end + 1
  }
  return files
}

/** All blocks of a folder; undefined: too much, or compressed in a way that we do not know. */
function unpack(cab: Buffer, head: Head, at: number, room: { left: number }): Buffer | undefined {
  let next = cab.readUInt32LE(at)
  const blocks = cab.readUInt16LE(at + 4)
  const packing = cab.readUInt16LE(at + 6) & 0xf
  if (blocks > MAX_BLOCKS || (packing !== STORED && packing !== MSZIP)) return undefined
  const pieces: Buffer[] = []
  for (let block = 0; block < blocks; block++) {
    const size = cab.readUInt16LE(next + 4)
    const from = next + 8 + head.blockReserve
    if (from + size > cab.length) return undefined
    const data = cab.subarray(from, from + size)
    const piece = packing === STORED ? data : inflate(data, pieces.at(-1))
    room.left -= piece.length
    if (room.left < 0) return undefined
    pieces.push(piece)
    next = from + size
  }
  return Buffer.concat(pieces)
}

/** `CK` and a deflate stream of its own, which may point back into the block before. */
function inflate(data: Buffer, before: Buffer | undefined): Buffer {
  if (data.toString('latin1', 0, 2) !== 'CK') throw new Error('no block of this kind')
  const dictionary = before === undefined || before.length === 0 ? {} : { dictionary: before }
  return inflateRawSync(data.subarray(2), { ...dictionary, maxOutputLength: BLOCK_BYTES })
}
