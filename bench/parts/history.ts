/** What was said, read from a database that is full of it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { HistoryRange } from '../../bridge/adapter.ts'
import { systemClock } from '../../bridge/clock.ts'
import { NetworkHistory } from '../../bridge/history.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, PortalId } from '../../bridge/model/ids.ts'
import type { LegId } from '../../bridge/store/port.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { recordingLog } from '../../test/kit/observers.ts'
import { clockMs, quantile, type Figures, type Part } from '../measure.ts'

const STORED = 1_000_000
const PORTALS = 1_000
const PAGE = 100
const PAGES = 500
const NETWORK = 'gateway' as NetworkId

/** A million in one conversation, and as many in a thousand others. */
const fill = (file: string): void => {
  const db = new Database(file)
  db.exec(`
    INSERT INTO chat (id, network, chat, account) VALUES (1, 'msn', 'bob@bench.example', 'relay');
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${2 * STORED - 1})
    INSERT INTO event (id, chat, native, portal, stored_at, data)
    SELECT printf('e%09d', i), 1, i, CASE i % 2 WHEN 0 THEN 'p-all' ELSE 'p-' || (i / 2 % ${PORTALS}) END, i,
      json_object('kind', 'message', 'chat', json_object('network', 'msn', 'chat', 'bob@bench.example', 'account', 'relay'),
        'sender', json_object('network', 'msn', 'user', 'bob@bench.example'), 'senderName', 'Bob', 'id', i, 'at', i,
        'body', json_object('kind', 'text', 'text', json_array(json_object('text', 'This is message number ' || i))))
    FROM n;
    INSERT INTO said (portal, at, row) SELECT portal, stored_at, row FROM event ORDER BY portal, stored_at;
  `)
  db.close()
}

const chatOf = (portal: string): ChatRef => ({ network: NETWORK, chat: portal as ChatId })

export const history: Part = {
  name: 'history',
  about: `${PAGE} messages of one conversation, with ${STORED.toLocaleString('en')} stored of it, and as many of ${PORTALS} others`,
  targets: {
    latest_of_many_p50_ms: { max: 5 },
    latest_of_one_p50_ms: { max: 5 },
    before_a_message_p50_ms: { max: 5 },
    since_a_time_p50_ms: { max: 5 },
  },
  run: async (): Promise<Figures> => {
    const folder = await mkdtemp(join(tmpdir(), 'msn-bridge-bench-'))
    const file = join(folder, 'bridge.db')
    const store = new SqliteStore({ file, clock: systemClock, log: recordingLog() })
    try {
      await store.open()
      fill(file)
      const reader = new NetworkHistory(NETWORK, {
        store,
        clock: systemClock,
        portals: {
          find: (chat) => {
            const id = String(chat.chat) as PortalId
            const via = 'gateway' as AccountId
            const request = { kind: 'chat', chat } as const
            const leg = { id: 'l' as LegId, portal: id, network: NETWORK, via, request, chat, flow: 'both' } as const
            return { portal: { id, kind: 'direct', origin: 'command', legs: [leg] }, leg }
          },
        },
      })
      const read = async (
        name: string,
        portalOf: (page: number) => string,
        range: (page: number) => Partial<HistoryRange>,
      ): Promise<Figures> => {
        const times: number[] = []
        for (let page = 0; page < PAGES; page++) {
          const started = clockMs()
          const said = await reader.said(chatOf(portalOf(page)), { from: 'newest', limit: PAGE, ...range(page) })
          times.push(clockMs() - started)
          if (said.length !== PAGE) throw new Error(`${said.length} messages instead of ${PAGE}`)
        }
        return { [`${name}_p50_ms`]: quantile(times, 0.5), [`${name}_p99_ms`]: quantile(times, 0.99) }
      }
      const spread = (page: number): number => STORED + 2 * Math.floor((page * STORED) / (2 * PAGES))
      return {
        ...(await read(
          'latest_of_many',
          (page) => `p-${page % PORTALS}`,
          () => ({}),
        )),
        ...(await read(
          'latest_of_one',
          () => 'p-all',
          () => ({}),
        )),
        ...(await read(
          'before_a_message',
          () => 'p-all',
          (page) => ({ before: { kind: 'message', id: `e${String(spread(page)).padStart(9, '0')}` as MessageId } }),
        )),
        ...(await read(
          'since_a_time',
          () => 'p-all',
          (page) => ({ from: 'oldest', after: { kind: 'time', at: spread(page) - 2 * PAGE } }),
        )),
      }
    } finally {
      await store.close()
      await rm(folder, { recursive: true })
    }
  },
}
