import { expect, it } from 'vitest'
import { Serial } from '../../../msnp/service/serial.ts'

it('runs at once when nobody is before it', () => {
  const done: string[] = []
  new Serial().run(['a'], () => void done.push('now'))
  expect(done).toEqual(['now'])
})

it('runs tasks of one key in their order and others side by side', async () => {
  const serial = new Serial()
  const done: string[] = []
  const gates = { ab: Promise.withResolvers<undefined>(), c: Promise.withResolvers<undefined>() }
  const task = (name: string, gate?: Promise<undefined>) => async (): Promise<void> => {
    done.push(`+${name}`)
    await gate
    done.push(`-${name}`)
  }
  serial.run(['a', 'b'], task('ab', gates.ab.promise))
  serial.run(['b', 'a'], task('ba'))
  serial.run(['c'], task('c', gates.c.promise))
  serial.run(['b', 'c'], task('bc'))
  serial.run(['d'], () => void done.push('d'))
  serial.run(['a'], () => void done.push('a'))
  expect(done).toEqual(['+ab', '+c', 'd'])
  gates.ab.resolve(undefined)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  expect(done).toEqual(['+ab', '+c', 'd', '-ab', '+ba', '-ba', 'a'])
  gates.c.resolve(undefined)
  await serial.idle()
  expect(done.slice(-3)).toEqual(['-c', '+bc', '-bc'])
  await serial.idle()
})
