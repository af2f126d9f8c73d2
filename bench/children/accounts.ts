/** The adapter `msn-service` as the daemon has it: scrypt, HTTPS, and its accounts in SQLite on a real disk. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { msnServiceConfig } from '../../adapters/msn-service/config.ts'
import { accounts, create } from '../../adapters/msn-service/index.ts'
import { systemClock } from '../../bridge/clock.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { nobody } from '../../test/kit/nobody.ts'
import { recordingLog, recordingMetrics } from '../../test/kit/observers.ts'
import type { Ports } from '../load.ts'
import { answer } from '../processes.ts'
import { keepHeapSmall } from '../../bridge/ops/heap.ts'

keepHeapSmall()

const HOME = 'home' as NetworkId
const folder = mkdtempSync(join(tmpdir(), 'msn-bridge-bench-'))
const log = recordingLog()
const options = {
  network: HOME,
  config: msnServiceConfig.parse({
    id: 'home',
    type: 'msn-service',
    domain: 'bench.example',
    listen: '127.0.0.1:0',
    passport: { listen: '127.0.0.1:0' },
    limits: { rates: false },
  }),
  dataFolder: folder,
  secret: () => '',
}
const service = create(options)
const store = new SqliteStore({ file: join(folder, 'bridge.db'), clock: systemClock, log })

const portIn = (text: string, what: string): number => {
  const port = new RegExp(`${what}.*?:(\\d+)`).exec(text)?.[1]
  if (port === undefined) throw new Error(`no port of ${what}: ${text}`)
  return Number(port)
}

answer({
  /** The accounts are made before the service runs: it has not seen their passwords. */
  start: async (emails: readonly string[], password: string): Promise<Ports> => {
    await store.open()
    const state = store.adapterState(HOME)
    const book = accounts(options, state, log)
    for (const email of emails) {
      const added = await book.add(email, password)
      if (added.kind === 'refused') throw new Error(added.wrong)
    }
    await service.start({
      log,
      clock: systemClock,
      metrics: recordingMetrics(),
      state,
      emit: () => Promise.reject(new Error('nothing is bridged')),
      sessionChanged: () => undefined,
      command: () => Promise.resolve({ lines: [] }),
      claim: () => Promise.resolve({ kind: 'refused', detail: 'not here' }),
      ...nobody,
    })
    const text = service.describe().join('\n')
    return { notification: portIn(text, 'bench.example on '), passport: portIn(text, 'https://'), tls: true }
  },
  end: async () => {
    await service.stop()
    await store.close()
    await rm(folder, { recursive: true })
  },
})
