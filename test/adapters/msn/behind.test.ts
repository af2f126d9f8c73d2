import { expect, it } from 'vitest'
import { Behind } from '../../../adapters/msn/behind.ts'

it('what comes behind something that went wrong goes all the same', async () => {
  const behind = new Behind<string>()
  const gone: string[] = []
  behind.inOrder('bob', undefined, () => Promise.reject(new Error('no')))
  behind.inOrder('bob', 'words', (words) => {
    gone.push(words)
    return undefined
  })
  expect([gone, behind.waiting('bob')]).toEqual([[], 2])
  await expect.poll(() => behind.waiting('bob')).toBe(0)
  expect(gone).toEqual(['words'])
})
