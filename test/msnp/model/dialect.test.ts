import { describe, expect, it } from 'vitest'
import { DIALECTS, knownDialects, TRAITS, type Traits } from '../../../msnp/model/dialect.ts'
import { LIST_BITS, listOf } from '../../../msnp/model/lists.ts'
import { STATUSES, statusOf } from '../../../msnp/model/status.ts'
import { challengeAnswer, PRODUCTS } from '../../../msnp/session/challenge.ts'
import { errorCode } from '../../../msnp/wire/error-codes.ts'

describe('dialects', () => {
  it('are found in an offer, in its order and in any case', () => {
    expect(knownDialects(['MSNP8', 'msnp9', 'MSNP7', 'CVR0', 'MSNP99'])).toEqual(['MSNP8', 'MSNP9'])
    expect(knownDialects(['MSNP12', 'MSNP11', 'MSNP10'])).toEqual(['MSNP12', 'MSNP11', 'MSNP10'])
    expect(knownDialects(['MSNP12', 'MSNP8'], ['MSNP9', 'MSNP8'])).toEqual(['MSNP8'])
    expect(knownDialects([])).toEqual([])
  })

  /** The matrix of docs/protocol.md, Dialects: from which dialect on, or until which, each switch is on. */
  const MATRIX = [
    ['versionedReplies', 8, 9],
    ['nameInUsrOk', 8, 9],
    ['guidIds', 10, 12],
    ['msnObject', 9, 12],
    ['qngSeconds', 9, 12],
    ['directMessages', 9, 12],
    ['pendingList', 10, 12],
    ['personalMessages', 11, 12],
    ['mobileCredits', 11, 12],
    ['policyFiles', 11, 12],
    ['secondChallenge', 11, 12],
    ['networkIds', 12, 12],
    ['memberClientIds', 12, 12],
  ] as const satisfies readonly (readonly [keyof Traits, number, number])[]

  it.each(MATRIX)('have %s from %i to %i', (trait, first, last) => {
    const having = DIALECTS.filter((dialect) => TRAITS[dialect][trait]).map((dialect) => TRAITS[dialect].number)
    expect(having).toEqual(DIALECTS.map((_, index) => 12 - index).filter((number) => first <= number && number <= last))
  })

  it('each have their row, newest first, and every switch is in the matrix', () => {
    expect(DIALECTS.map((dialect) => [dialect, TRAITS[dialect].number])).toEqual(
      [12, 11, 10, 9, 8].map((number) => [`MSNP${number}`, number]),
    )
    const switches = Object.entries(TRAITS.MSNP8).filter(([, value]) => typeof value === 'boolean')
    expect(switches.map(([name]) => name).sort()).toEqual(MATRIX.map(([name]) => name).sort())
  })

  it('say which error stands for no such account, and how mail is told', () => {
    expect(DIALECTS.map((dialect) => TRAITS[dialect].noSuchAccount)).toEqual([208, 208, 208, 205, 205])
    expect(DIALECTS.map((dialect) => TRAITS[dialect].mailSummary)).toEqual([
      'data',
      'data',
      'headers',
      'headers',
      'headers',
    ])
    for (const code of [205, 208]) expect(errorCode(code).reaction).toBe('permanent')
  })

  it('calculate the challenge as their row says', () => {
    const first = challengeAnswer('22299241447072743325', PRODUCTS[0]!, 8)
    const second = DIALECTS.filter(
      (dialect) => challengeAnswer('22299241447072743325', PRODUCTS[0]!, TRAITS[dialect].number) !== first,
    )
    expect(second).toEqual(DIALECTS.filter((dialect) => TRAITS[dialect].secondChallenge))
  })
})

describe('words of the wire', () => {
  it('name lists, which are bits of LST', () => {
    expect([listOf('FL'), listOf('rl'), listOf('PL'), listOf('XL'), listOf('')]).toEqual([
      'FL',
      'RL',
      'PL',
      undefined,
      undefined,
    ])
    expect(LIST_BITS).toEqual({ FL: 1, AL: 2, BL: 4, RL: 8, PL: 16 })
  })

  it('name statuses, of which FLN is none that can be asked for', () => {
    expect(STATUSES.map(statusOf)).toEqual([...STATUSES])
    expect([statusOf('nln'), statusOf('FLN'), statusOf('XXX')]).toEqual(['NLN', undefined, undefined])
  })
})
