/** What an invitation to a file says of it. Source: docs/protocol.md, Files between peers. */
import { Buffer } from 'node:buffer'

/** The structure without a preview. */
export const FILE_CONTEXT_BYTES = 574
const NAME_AT = 20
/** 260 units of UTF-16, with the zero at the end. */
const NAME_BYTES = 520
/** Bytes of a preview that are read. */
export const MAX_PREVIEW_BYTES = 32 * 1024

export interface FileOffer {
  /** Untrusted: it may hold a path. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** A small PNG. */
  readonly preview?: Uint8Array
}

/** undefined: not understood. Never throws. */
export function parseFileContext(context: Uint8Array): FileOffer | undefined {
  const bytes = Buffer.from(context.buffer, context.byteOffset, context.byteLength)
  // Old clients leave out what is behind the name.
  if (bytes.length < NAME_AT + 2) return undefined
  const length = bytes.readUInt32LE(0)
  const size = Number(bytes.readBigUInt64LE(8))
  if (!Number.isSafeInteger(size)) return undefined
  const end = Math.min(bytes.length, NAME_AT + NAME_BYTES)
  const name = bytes.toString('utf16le', NAME_AT, end - ((end - NAME_AT) % 2)).split('\0')[0] ?? ''
  const preview = bytes.readUInt32LE(16) === 0 ? bytes.subarray(Math.max(length, NAME_AT)) : undefined
  const shown = preview !== undefined && preview.length > 0 && preview.length <= MAX_PREVIEW_BYTES
  return { name: name.toWellFormed(), size, ...(shown ? { preview: Uint8Array.from(preview) } : {}) }
}

/** A name that is too long is cut, its end stays. */
export function formatFileContext({ name, size, preview }: FileOffer): Buffer {
  const picture = preview !== undefined && preview.length <= MAX_PREVIEW_BYTES ? preview : new Uint8Array()
  const bytes = Buffer.alloc(FILE_CONTEXT_BYTES + picture.length)
  bytes.writeUInt32LE(FILE_CONTEXT_BYTES, 0)
  bytes.writeUInt32LE(2, 4)
  bytes.writeBigUInt64LE(BigInt(size), 8)
  bytes.writeUInt32LE(picture.length === 0 ? 1 : 0, 16)
  bytes.write(fitting(name), NAME_AT, 'utf16le')
  bytes.writeUInt32LE(0xffffffff, FILE_CONTEXT_BYTES - 4)
  bytes.set(picture, FILE_CONTEXT_BYTES)
  return bytes
}

function fitting(name: string): string {
  const room = NAME_BYTES / 2 - 1
  const clean = name.replaceAll('\0', '')
  if (clean.length <= room) return clean
  const end = /\.[^.]{1,16}$/.exec(clean)?.[0] ?? ''
  return clean.slice(0, room - end.length).toWellFormed() + end
}
