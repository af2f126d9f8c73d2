import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filesInCabinet, MAX_PACKED_FILES, MAX_UNPACKED_BYTES } from '../../../adapters/msn/cabinet.ts'
import { cabinet } from '../../kit/cabinet.ts'
import { someBytes } from '../../kit/p2p-room.ts'

const names = (bytes: Uint8Array) => filesInCabinet(bytes).map(({ name }) => name)
const big = Buffer.concat([someBytes(40_000), someBytes(40_000), Buffer.alloc(30_000)])
const FILES = [
  { name: 'content.xml', data: Buffer.from('<package/>') },
  { name: 'kiss.swf', data: big },
  { name: 'thumb.png', data: Buffer.from('\x89PNG....', 'latin1') },
]

/** docs/protocol.md, Winks. */
describe('a cabinet', () => {
  it.each([
    ['stored', {}],
    ['MSZIP, whose blocks point into the one before', { packed: true }],
    ['with room for others', { packed: true, reserve: 4 }],
  ])('gives its files: %s', (_name, how) => {
    expect(filesInCabinet(cabinet(FILES, how))).toEqual(FILES.map(({ name, data }) => ({ name, data })))
  })

  it('is none where it says so', () => {
    expect(filesInCabinet(Buffer.from('PK\x03\x04'))).toEqual([])
    expect(filesInCabinet(Buffer.alloc(0))).toEqual([])
  })

  it('is not read where it is compressed otherwise, or goes on elsewhere', () => {
    const lzx = cabinet(FILES)
    lzx.writeUInt16LE(0x1503, 42)
    expect(names(lzx)).toEqual([])
    const part = cabinet(FILES)
    part.writeUInt16LE(2, 30)
    expect(names(part)).toEqual([])
  })

  it('unpacks no more than it may', () => {
    const zeros = { name: 'bomb', data: Buffer.alloc(MAX_UNPACKED_BYTES + 1) }
    expect(cabinet([zeros], { packed: true }).length).toBeLessThan(50_000)
    expect(names(cabinet([zeros], { packed: true }))).toEqual([])
    const fits = { name: 'fits', data: Buffer.alloc(MAX_UNPACKED_BYTES) }
    expect(names(cabinet([fits], { packed: true }))).toEqual(['fits'])
    const wide = cabinet(FILES, { block: Buffer.concat([Buffer.from('CK'), deflateRawSync(Buffer.alloc(1_000_000))]) })
    expect(names(wide)).toEqual([])
  })

  it('has so many files at most', () => {
    const many = Array.from({ length: 100 }, (_, at) => ({ name: `f${at}`, data: Buffer.from('x') }))
    expect(names(cabinet(many))).toHaveLength(MAX_PACKED_FILES)
  })

  it('may be anything, and nothing breaks', () => {
    const whole = cabinet(FILES, { packed: true, reserve: 2 })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: whole.length }),
        (at, bytes, length) => {
          const bent = Buffer.from(whole)
          bent.set(bytes, at)
          const files = filesInCabinet(bent.subarray(0, length))
          expect(files.length).toBeLessThanOrEqual(MAX_PACKED_FILES)
          for (const { data } of files) expect(data.length).toBeLessThanOrEqual(MAX_UNPACKED_BYTES)
        },
      ),
      { numRuns: 300 },
    )
  })
})
