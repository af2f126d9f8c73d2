import { describe, expect, it } from 'vitest'
import { DIALECTS, knownDialects, TRAITS } from '../../../msnp/model/dialect.ts'
import { LIST_BITS, listOf } from '../../../msnp/model/lists.ts'
import { STATUSES, statusOf } from '../../../msnp/model/status.ts'

describe('dialects', () => {
  it('are found in an offer, in its order and in any case', () => {
    expect(knownDialects(['MSNP8', 'msnp9', 'MSNP7', 'CVR0', 'MSNP99'])).toEqual(['MSNP8', 'MSNP9'])
    expect(knownDialects([])).toEqual([])
  })

  it('each have their row, newest first', () => {
    const numbers = DIALECTS.map((dialect) => TRAITS[dialect].number)
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a))
    expect(TRAITS.MSNP8).toMatchObject({ number: 8, msnObject: false, qngSeconds: false, noSuchAccount: 205 })
    expect(TRAITS.MSNP9).toMatchObject({ number: 9, msnObject: true, qngSeconds: true, noSuchAccount: 205 })
  })
})

describe('words of the wire', () => {
  it('name lists, which are bits of LST', () => {
    expect([listOf('FL'), listOf('rl'), listOf('XL'), listOf('')]).toEqual(['FL', 'RL', undefined, undefined])
    expect(LIST_BITS.FL | LIST_BITS.AL | LIST_BITS.BL | LIST_BITS.RL).toBe(15)
  })

  it('name statuses, of which FLN is none that can be asked for', () => {
    expect(STATUSES.map(statusOf)).toEqual([...STATUSES])
    expect([statusOf('nln'), statusOf('FLN'), statusOf('XXX')]).toEqual(['NLN', undefined, undefined])
  })
})
