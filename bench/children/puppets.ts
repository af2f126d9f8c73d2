/** The adapter `irc` with a connection for each contact, as the daemon has it. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ircConfig } from '../../adapters/irc/config.ts'
import { create, type IrcAdapter } from '../../adapters/irc/index.ts'
import { systemClock } from '../../bridge/clock.ts'
import type { ChatId, EventId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { keepHeapSmall } from '../../bridge/ops/heap.ts'
import { createLog } from '../../bridge/ops/log.ts'
import { createMetrics } from '../../bridge/ops/metrics.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { nobody } from '../../test/kit/nobody.ts'
import { answer, memoryInUse } from '../processes.ts'

keepHeapSmall()

const IRC = 'irc' as NetworkId
const CHANNEL = '#msn' as ChatId
const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'msn-bridge-bench-'))
const log = createLog({ level: 'info', pretty: false, out: { write: () => undefined } })
const store = new SqliteStore({ file: join(folder, 'bridge.db'), clock: systemClock, log })
let adapter: IrcAdapter | undefined

const theAdapter = (): IrcAdapter => {
  if (adapter === undefined) throw new Error('the adapter does not run')
  return adapter
}

answer({
  start: async (port: number) => {
    await store.open()
    adapter = create({
      network: IRC,
      config: ircConfig.parse({
        id: IRC,
        type: 'irc',
        server: `127.0.0.1:${port}`,
        tls: false,
        puppets: { enabled: true, max: 5_000, connect_ms: 0, debounce_ms: 0 },
      }),
      dataFolder: folder,
      secret: () => '',
    })
    await adapter.start({
      log,
      clock: systemClock,
      metrics: createMetrics().metrics,
      state: store.adapterState(IRC),
      emit: () => Promise.resolve(),
      sessionChanged: () => undefined,
      command: () => Promise.resolve({ lines: [] }),
      claim: () => Promise.resolve({ kind: 'refused', detail: 'not here' }),
      ...nobody,
    })
    const session = adapter.session()
    await session.connect(AbortSignal.timeout(10_000))
    const opened = await session.open({ kind: 'channel', name: CHANNEL }, never)
    if (opened.kind !== 'opened') throw new Error(opened.detail)
  },
  /** user<from> to user<to - 1> come online: resolves when each has a connection. */
  come: async (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const user = `user${index}@bench.example` as UserId
      const as = { kind: 'ghost', origin: { network: 'msn' as NetworkId, user }, name: `User ${index}` } as const
      const op = { kind: 'presence', as, state: { show: 'online' }, in: [CHANNEL] } as const
      await theAdapter()
        .session()
        .deliver({ id: `p${index}` as EventId, op }, never)
    }
    const all = new RegExp(`\\b${to} of \\d+ puppets connected`)
    const until = Date.now() + 60_000
    while (!all.test(theAdapter().describe().join('\n'))) {
      if (Date.now() > until) throw new Error(theAdapter().describe().join('\n'))
      await pause(50)
    }
  },
  memory: () => memoryInUse(),
  end: async () => {
    await adapter?.stop()
    await store.close()
    await rm(folder, { recursive: true })
  },
})
