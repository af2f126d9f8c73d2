/** Large files from and to a classic client. */
import { randomBytes } from 'node:crypto'
import { dial, give, take } from '../../test/kit/classic-file.ts'
import { clockMs, type Figures, type Part } from '../measure.ts'
import { Child } from '../processes.ts'

const MB = 1_000_000
const CHUNK = randomBytes(64 * 1024)
const SMALL = 20 * MB
const LARGE = 200 * MB
const who = { email: 'bench@bench.example', cookie: '1' }

function* content(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, Math.min(left, CHUNK.length))
}

const there = async (child: Child, size: number): Promise<{ readonly ms: number; readonly grown: number }> => {
  const port = await child.ask<number>('take', size)
  const started = clockMs()
  const last = await give(await dial(port), { size, content: () => content(size), to: who.email, cookie: who.cookie })
  if (last !== 'BYE 16777989') throw new Error(last)
  return { ms: clockMs() - started, grown: await child.ask<number>('done') }
}

const back = async (child: Child, size: number): Promise<{ readonly ms: number; readonly grown: number }> => {
  const port = await child.ask<number>('give', size)
  const started = clockMs()
  const { bytes } = await take(await dial(port), who)
  if (bytes !== size) throw new Error(`${bytes} bytes`)
  return { ms: clockMs() - started, grown: await child.ask<number>('done') }
}

export const files: Part = {
  name: 'files',
  about: `MSNFTP with one client, into the store and out of it, fsync included: ${LARGE / MB} MB; memory also for ${SMALL / MB} MB`,
  targets: { grown_in_large_mb: { max: 96 }, grown_out_large_mb: { max: 96 } },
  async run(): Promise<Figures> {
    const child = Child.start('files', 0)
    try {
      const small = await there(child, SMALL)
      const smallBack = await back(child, SMALL)
      const large = await there(child, LARGE)
      const largeBack = await back(child, LARGE)
      return {
        in_mb_per_s: LARGE / MB / (large.ms / 1_000),
        out_mb_per_s: LARGE / MB / (largeBack.ms / 1_000),
        grown_in_small_mb: small.grown,
        grown_in_large_mb: large.grown,
        grown_out_small_mb: smallBack.grown,
        grown_out_large_mb: largeBack.grown,
      }
    } finally {
      await child.stop()
    }
  },
}
