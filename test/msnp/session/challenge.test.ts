import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { challengeAnswer, isRightAnswer, productFor, PRODUCTS } from '../../../msnp/session/challenge.ts'

interface Vector {
  readonly dialect: number
  readonly published: boolean
  readonly challenge: string
  readonly id: string
  readonly key: string
  readonly answer: string
}
const vectors = (
  JSON.parse(readFileSync(new URL('../vectors.json', import.meta.url), 'utf8')) as { challenge: readonly Vector[] }
).challenge

describe('the challenge', () => {
  it('is checked by vectors that others published, for both calculations', () => {
    const published = vectors.filter((vector) => vector.published).map((vector) => vector.dialect)
    expect(new Set(published)).toEqual(new Set([8, 11]))
  })

  it.each(vectors)('$challenge is answered at MSNP$dialect by $id', ({ challenge, id, key, dialect, answer }) => {
    expect(challengeAnswer(challenge, { id, key }, dialect)).toBe(answer)
    expect(isRightAnswer(challenge, id, Buffer.from(answer), dialect)).toBe(true)
    expect(isRightAnswer(challenge, id, Buffer.from(answer.toUpperCase()), dialect)).toBe(true)
  })

  it('changes its calculation with MSNP11', () => {
    const answers = [8, 9, 10, 11, 12].map((dialect) => challengeAnswer('22299241447072743325', PRODUCTS[0]!, dialect))
    expect(new Set(answers.slice(0, 3)).size).toBe(1)
    expect(answers[3]).not.toBe(answers[2])
    expect(answers[4]).toBe(answers[3])
  })

  it.each([
    ['a digit is wrong', 'msmsgs@msnmsgr.com', '20dba7e6e9817826b9cd5240cc8add98'],
    ['it is short', 'msmsgs@msnmsgr.com', '20dba7e6'],
    ['it is empty', 'msmsgs@msnmsgr.com', ''],
    ['the product is unknown', 'PROD9999', '20dba7e6e9817826b9cd5240cc8add99'],
    ['it is the answer of another product', 'PROD0038W!61ZTF9', '20dba7e6e9817826b9cd5240cc8add99'],
  ])('is answered wrongly when %s', (_, id, answer) => {
    expect(isRightAnswer('22299241447072743325', id, Buffer.from(answer), 9)).toBe(false)
  })

  it('is answered by our client as a product of the dialect', () => {
    expect([8, 9, 10].map((dialect) => productFor(dialect).id)).toEqual(Array(3).fill('msmsgs@msnmsgr.com'))
    expect(productFor(11).id).toBe('PROD0090YUAUV{2B')
    expect(productFor(99).id).toBe('msmsgs@msnmsgr.com')
  })

  it('knows each product once', () => {
    expect(new Set(PRODUCTS.map(({ id }) => id)).size).toBe(PRODUCTS.length)
    for (const { id, key } of PRODUCTS) expect([id, key].join('')).toMatch(/^[\x21-\x7e]+$/)
  })
})
