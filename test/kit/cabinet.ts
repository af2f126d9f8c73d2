/** Makes cabinets, with one folder, as a wink comes in. Checksums are left out, which readers allow. */
import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'

const BLOCK = 32 * 1024

export interface CabinetOptions {
  /** MSZIP instead of stored. */
  readonly packed?: boolean
  /** Bytes kept for programs in the head, beside the folder and beside each block. */
  readonly reserve?: number
  /** Stands in place of all blocks. */
  readonly block?: Buffer
}

export const cabinet = (
  files: readonly { readonly name: string; readonly data: Buffer }[],
  { packed = false, reserve = 0, block }: CabinetOptions = {},
): Buffer => {
  const all = Buffer.concat(files.map(({ data }) => data))
  const spare = Buffer.alloc(reserve)
  const blocks: Buffer[] = []
  for (let at = 0; at < all.length; at += BLOCK) {
    const plain = all.subarray(at, at + BLOCK)
    const before = at === 0 ? {} : { dictionary: all.subarray(at - BLOCK, at) }
    const data = block ?? (packed ? Buffer.concat([Buffer.from('CK'), deflateRawSync(plain, before)]) : plain)
    blocks.push(Buffer.concat([words([0, 4], [data.length, 2], [plain.length, 2]), spare, data]))
  }
  let from = 0
  const entries = files.map(({ name, data }) => {
    const entry = words([data.length, 4], [from, 4], [0, 2], [0, 2], [0, 2], [0x20, 2])
    from += data.length
    return Buffer.concat([entry, Buffer.from(`${name}\0`, 'latin1')])
  })
  const reserves =
    reserve === 0 ? Buffer.alloc(0) : Buffer.concat([words([reserve, 2], [reserve, 1], [reserve, 1]), spare])
  const filesAt = 36 + reserves.length + 8 + reserve
  const dataAt = filesAt + entries.reduce((sum, entry) => sum + entry.length, 0)
  const size = dataAt + blocks.reduce((sum, data) => sum + data.length, 0)
  const head = words(
    [0, 4],
    [size, 4],
    [0, 4],
    [filesAt, 4],
    [0, 4],
    [0x0103, 2],
    [1, 2],
    [files.length, 2],
    [reserve === 0 ? 0 : 4, 2],
    [0, 4],
  )
  const folder = Buffer.concat([
    words([dataAt, 4], [blocks.length, 2], [packed || block !== undefined ? 1 : 0, 2]),
    spare,
  ])
  return Buffer.concat([Buffer.from('MSCF'), head, reserves, folder, ...entries, ...blocks])
}

const words = (...fields: readonly (readonly [value: number, bytes: number])[]): Buffer =>
  Buffer.concat(
    fields.map(([value, bytes]) => {
      const field = Buffer.alloc(bytes)
      field.writeUIntLE(value, 0, bytes)
      return field
    }),
  )
