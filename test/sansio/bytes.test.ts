import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiveBuffer } from '../../sansio/bytes.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('the receive buffer', () => {
  it('gives back what was pushed, in order', () => {
    const buffer = new ReceiveBuffer()
    buffer.push(bytes('abc'))
    buffer.push(bytes('def'))
    expect(buffer.length).toBe(6)
    expect(buffer.takeString(4)).toBe('abcd')
    expect(buffer.takeString(2)).toBe('ef')
    expect(buffer.length).toBe(0)
  })

  it('finds a byte from a place on, counted from the first unused byte', () => {
    const buffer = new ReceiveBuffer()
    buffer.push(bytes('a\nbc\n'))
    expect(buffer.indexOf(10)).toBe(1)
    expect(buffer.indexOf(10, 2)).toBe(4)
    buffer.skip(2)
    expect(buffer.indexOf(10)).toBe(2)
    expect(buffer.indexOf(13)).toBe(-1)
  })

  it('does not find bytes that were used up or never came', () => {
    const buffer = new ReceiveBuffer()
    buffer.push(bytes('\nabc'))
    buffer.skip(1)
    expect(buffer.indexOf(10)).toBe(-1)
    buffer.settle()
    expect(buffer.indexOf(0)).toBe(-1)
    expect(buffer.at(2)).toBe('c'.charCodeAt(0))
    expect(buffer.at(3)).toBeUndefined()
  })

  it('is not fooled when the owner of a chunk writes into it after settle', () => {
    const chunk = bytes('abcdef')
    const buffer = new ReceiveBuffer()
    buffer.push(chunk)
    buffer.skip(2)
    buffer.settle()
    chunk.fill(0)
    expect(buffer.takeString(4)).toBe('cdef')
  })

  it('shares no memory with bytes taken out of its own buffer', () => {
    const buffer = new ReceiveBuffer()
    buffer.push(bytes('ab'))
    buffer.push(bytes('cd'))
    const taken = buffer.takeBytes(3)
    buffer.push(bytes('efgh'))
    buffer.push(bytes('ijkl'))
    expect(Buffer.from(taken).toString()).toBe('abc')
    expect(buffer.takeString(9)).toBe('defghijkl')
  })

  it('ignores empty chunks and can be cleared', () => {
    const buffer = new ReceiveBuffer()
    buffer.push(new Uint8Array())
    expect(buffer.length).toBe(0)
    buffer.push(bytes('abc'))
    buffer.clear()
    expect(buffer.length).toBe(0)
    expect(buffer.at(0)).toBeUndefined()
  })

  it('behaves like one long string, whatever is pushed, taken and settled', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('push' as const), chunk: fc.uint8Array({ maxLength: 700 }) }),
      fc.record({ do: fc.constant('string' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ do: fc.constant('bytes' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ do: fc.constant('settle' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const buffer = new ReceiveBuffer()
        let model = ''
        for (const each of steps) {
          if (each.do === 'push') {
            buffer.push(each.chunk)
            model += Buffer.from(each.chunk).toString('latin1')
          } else if (each.do === 'settle') {
            buffer.settle()
          } else {
            const length = Math.floor(model.length * each.share)
            const taken =
              each.do === 'string'
                ? buffer.takeString(length)
                : Buffer.from(buffer.takeBytes(length)).toString('latin1')
            expect(taken).toBe(model.slice(0, length))
            model = model.slice(length)
          }
          expect(buffer.length).toBe(model.length)
          expect(buffer.indexOf(65)).toBe(model.indexOf('A'))
          expect(buffer.at(0)).toBe(model === '' ? undefined : model.charCodeAt(0))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('takes a megabyte byte by byte in linear time', () => {
    const buffer = new ReceiveBuffer()
    const one = bytes('x')
    const started = performance.now()
    for (let count = 0; count < 1_000_000; count++) buffer.push(one)
    expect(buffer.length).toBe(1_000_000)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
