import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTextFormat, parseTextFormat, PLAIN_FORMAT, type TextFormat } from '../../../msnp/model/text-format.ts'

describe('the look of a message', () => {
  const table: readonly [value: string, format: Partial<TextFormat>][] = [
    [
      'FN=MS%20Shell%20Dlg; EF=BI; CO=ff; CS=0; PF=22',
      { font: 'MS Shell Dlg', bold: true, italic: true, color: '#ff0000', family: 0x22 },
    ],
    ['FN=%E5%AE%8B%E4%BD%93; EF=; CO=0; CS=86; PF=0', { font: '宋体', charset: 0x86 }],
    [
      'FN=Arial; EF=US; CO=ff0000; CS=0; PF=22; RL=1',
      { underline: true, strike: true, color: '#0000ff', family: 0x22, rightToLeft: true },
    ],
    ['FN=Arial; EF=; CO=808000; CS=0; PF=0', { color: '#008080' }],
    ['FN=Arial;EF=b;co=00FF00;CS=0;PF=0;X=1', { bold: true, color: '#00ff00' }],
    [' EF = I ;FN= Arial ;; CO = 1 ', { italic: true, color: '#010000' }],
    ['FN=; EF=Q; CO=zz; CS=zzz; PF=-1; RL=0', {}],
    ['CO=fffffff', {}],
    ['FN', {}],
    [';;;;', {}],
    ['', {}],
  ]
  it.each(table)('%j is read', (value, format) => {
    expect(parseTextFormat(value)).toEqual({ ...PLAIN_FORMAT, ...format })
  })

  it.each([
    ['#ff0000', 'ff'],
    ['#0000ff', 'ff0000'],
    ['#008080', '808000'],
    ['#000000', '0'],
    ['#010000', '1'],
    [undefined, '0'],
    ['#nonsense', '0'],
  ] as const)('the colour %s is written %s, blue first and without leading zeros', (color, wire) => {
    expect(formatTextFormat({ ...PLAIN_FORMAT, color })).toBe(`FN=Arial; EF=; CO=${wire}; CS=0; PF=0`)
  })

  it('begins with the font, and says RL only for right to left', () => {
    const format = {
      ...PLAIN_FORMAT,
      font: 'Times New Roman',
      bold: true,
      italic: true,
      underline: true,
      strike: true,
      family: 0x12,
    }
    expect(formatTextFormat(format)).toBe('FN=Times%20New%20Roman; EF=BIUS; CO=0; CS=0; PF=12')
    expect(formatTextFormat({ ...format, rightToLeft: true })).toMatch(/; RL=1$/)
  })

  it('cannot be broken out of by the name of a font', () => {
    const value = formatTextFormat({ ...PLAIN_FORMAT, font: 'a; RL=1\r\nB: c' })
    expect(value).toMatch(/^[\x20-\x7e]*$/)
    expect(parseTextFormat(value)).toMatchObject({ font: 'a; RL=1\r\nB: c', rightToLeft: false })
  })

  it('comes back as it was', () => {
    const color = fc
      .integer({ min: 1, max: 0xffffff })
      .map((value): `#${string}` => `#${value.toString(16).padStart(6, '0')}`)
    const format = fc.record({
      font: fc.string({ minLength: 1, maxLength: 31, unit: 'grapheme-ascii' }),
      bold: fc.boolean(),
      italic: fc.boolean(),
      underline: fc.boolean(),
      strike: fc.boolean(),
      color: fc.option(color, { nil: undefined }),
      charset: fc.integer({ min: 0, max: 255 }),
      family: fc.integer({ min: 0, max: 255 }),
      rightToLeft: fc.boolean(),
    })
    fc.assert(
      fc.property(format, (each) => {
        expect(parseTextFormat(formatTextFormat(each))).toEqual(each)
      }),
    )
  })

  it('never throws, whatever the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(parseTextFormat(value).font).not.toBe('')
      }),
    )
  })
})
