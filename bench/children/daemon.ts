/** The daemon in a process that can be asked how much memory it uses. Its data folder is on a real disk. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../bridge/clock.ts'
import { keepHeapSmall } from '../../bridge/ops/heap.ts'
import { createLog } from '../../bridge/ops/log.ts'
import { createMetrics } from '../../bridge/ops/metrics.ts'
import { loadConfig } from '../../config/load.ts'
import { Daemon } from '../../daemon.ts'
import { answer, memoryInUse } from '../processes.ts'

keepHeapSmall()

const DEADLINE_MS = 30_000

let daemon: Daemon | undefined
const complaints: string[] = []

answer({
  /** Resolves when these accounts are on their networks. */
  start: async (folder: string, accounts: readonly string[], env: Readonly<Record<string, string>>) => {
    const loaded = loadConfig(join(folder, 'config.yaml'), env, folder)
    if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
    const out = {
      write: (line: string) => {
        if (/"level":"(warn|error)"/.test(line)) complaints.push(line)
      },
    }
    const log = createLog({ level: loaded.config.log.level, pretty: false, out })
    daemon = new Daemon({
      ...{ config: loaded.config, env, log },
      version: '0',
      clock: systemClock,
      metrics: createMetrics(),
    })
    await daemon.start()
    const until = Date.now() + DEADLINE_MS
    for (const account of accounts)
      while (daemon.report().accounts.find(({ id }) => id === account)?.state !== 'online') {
        if (Date.now() > until) throw new Error(`${account} is not online: ${complaints.join('')}`)
        await pause(20)
      }
  },
  memory: () => memoryInUse(),
  stop: async () => {
    await daemon?.stop()
    daemon = undefined
  },
})
