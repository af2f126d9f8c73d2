/** What this machine can do at all, so that ratios can be read elsewhere. */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { fsyncSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockMs, quantile, type Figures, type Part } from '../measure.ts'
import { Child } from '../processes.ts'

async function syncs(): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'msn-bridge-bench-'))
  const file = await open(join(folder, 'sync'), 'w')
  try {
    const page = Buffer.alloc(4096)
    return Array.from({ length: 500 }, () => {
      const started = clockMs()
      writeSync(file.fd, page)
      fsyncSync(file.fd)
      return clockMs() - started
    })
  } finally {
    await file.close()
    await rm(folder, { recursive: true })
  }
}

export const limits: Part = {
  name: 'this machine',
  about: 'TCP ping-pong of 200 bytes between two processes; fsync of a 4 KiB page',
  targets: {},
  async run(): Promise<Figures> {
    const echo = Child.start('echo', 0)
    const load = Child.start('load', 1)
    try {
      const port = await echo.ask<number>('start')
      await load.ask('pingPong', port, 2_000)
      const pingPong = await load.ask<number>('pingPong', port, 10_000)
      const times = await syncs()
      return { ping_pong: pingPong, fsync_p50_ms: quantile(times, 0.5), fsync_p99_ms: quantile(times, 0.99) }
    } finally {
      await load.stop()
      await echo.stop()
    }
  },
}
