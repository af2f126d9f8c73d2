/** What this machine can do at all, so that ratios can be read elsewhere. */
import Database from 'better-sqlite3'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockMs, quantile, type Figures, type Part } from '../measure.ts'
import { Child } from '../processes.ts'

/** Milliseconds of single-row commits with `synchronous = FULL`, as the store makes them. */
async function commits(): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'msn-bridge-bench-'))
  const db = new Database(join(folder, 'commit.db'))
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.exec('CREATE TABLE event (id INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT')
    const insert = db.prepare('INSERT INTO event (data) VALUES (?)')
    const data = 'x'.repeat(400)
    return Array.from({ length: 1_000 }, () => {
      const started = clockMs()
      insert.run(data)
      return clockMs() - started
    })
  } finally {
    db.close()
    await rm(folder, { recursive: true })
  }
}

export const limits: Part = {
  name: 'this machine',
  about: 'TCP ping-pong and null echo (window 50) of 250 bytes between two processes; one-row FULL commits',
  targets: {},
  async run(): Promise<Figures> {
    const echo = Child.start('echo', 0)
    const load = Child.start('load', 1)
    try {
      const port = await echo.ask<number>('start')
      await load.ask('pingPong', port, 2_000)
      const pingPong = await load.ask<number>('pingPong', port, 10_000)
      const echoes = await load.ask<number>('echoes', port, 100_000, 50)
      const times = await commits()
      return {
        ping_pong: pingPong,
        null_echo: echoes,
        commit_p50_ms: quantile(times, 0.5),
        commit_p99_ms: quantile(times, 0.99),
      }
    } finally {
      await load.stop()
      await echo.stop()
    }
  },
}
