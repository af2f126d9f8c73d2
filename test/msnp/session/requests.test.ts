import { describe, expect, it } from 'vitest'
import { MAX_REQUESTS, Requests } from '../../../msnp/session/requests.ts'

describe('transaction ids (docs/protocol.md, Transaction ids)', () => {
  it('count up, never give 0, and begin again after 32 bits', () => {
    const requests = new Requests<string>(0xffff_fffe)
    expect([1, 2, 3].map(() => requests.open('CHG', 0, ''))).toEqual([0xffff_fffe, 0xffff_ffff, 1])
  })

  it('find who asked, once', () => {
    const requests = new Requests<string>()
    requests.open('CHG', 10, 'a')
    requests.open('ADD', 10, 'b')
    expect(requests.takeFor('CHG', '2')).toBeUndefined()
    expect(requests.takeFor('ADD', '2')?.what).toBe('b')
    expect(requests.take('2')).toBeUndefined()
    expect(requests.size).toBe(1)
  })

  it.each(['', 'x', '-1', '1e0', ' 1', '01.', '99999999999', undefined])('are not found by %j', (word) => {
    const requests = new Requests<string>()
    requests.open('CHG', 10, 'a')
    expect(requests.take(word)).toBeUndefined()
  })

  it('give the only one that waits to an answer without an id, and nobody when there are two', () => {
    const requests = new Requests<string>()
    requests.open('VER', 10, 'a')
    expect(requests.takeOnly()?.what).toBe('a')
    requests.open('VER', 10, 'b')
    requests.open('CVR', 10, 'c')
    expect(requests.takeOnly()).toBeUndefined()
  })

  it('expire at their own deadlines, in order', () => {
    const requests = new Requests<string>()
    expect(requests.wakeAt).toBeUndefined()
    requests.open('MSG', 50, 'late')
    requests.open('MSG', 20, 'soon')
    requests.open('MSG', 20, 'soon too')
    expect(requests.wakeAt).toBe(20)
    expect(requests.expire(19)).toEqual([])
    expect(requests.expire(20).map(({ what }) => what)).toEqual(['soon', 'soon too'])
    expect(requests.wakeAt).toBe(50)
    requests.take('1')
    expect(requests.wakeAt).toBeUndefined()
    requests.open('MSG', 90, 'after')
    expect(requests.wakeAt).toBe(90)
  })

  it('may be given less time, never more', () => {
    const requests = new Requests<string>()
    requests.open('MSG', 50, 'one')
    requests.open('MSG', 50, 'two')
    requests.hasten(1, 20)
    requests.hasten(2, 90)
    requests.hasten(3, 1)
    expect(requests.wakeAt).toBe(20)
    expect(requests.expire(20).map(({ what }) => what)).toEqual(['one'])
    expect(requests.expire(50).map(({ what }) => what)).toEqual(['two'])
  })

  it('are full at their limit', () => {
    const requests = new Requests<number>()
    for (let count = 0; count < MAX_REQUESTS; count++) requests.open('MSG', 1, count)
    expect(requests.full).toBe(true)
    requests.take('1')
    expect(requests.full).toBe(false)
  })
})
