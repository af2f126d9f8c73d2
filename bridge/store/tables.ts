/** What every part of the SQLite store stands on: prepared statements, and the short numbers of lanes and chats. */
import type { Database, Statement } from 'better-sqlite3'

import type { ChatRef } from '../model/ids.ts'
import type { LaneKey } from './port.ts'

/** Numbers kept in memory; past it they are looked up again. */
const NUMBERS_LIMIT = 20_000

export class Tables {
  readonly db: Database
  readonly #statements = new Map<string, Statement>()
  readonly #lanes = new Map<LaneKey, number>()
  readonly #chats = new Map<string, number>()
  /** The next `seq` of the outbox: gaps are harmless, going back is not. */
  #seq = 1

  constructor(db: Database) {
    this.db = db
  }

  /** The database has been opened and migrated. */
  load(): void {
    const row = this.one<{ last: number | null }>('SELECT max(seq) AS last FROM outbox')
    this.#seq = (row?.last ?? 0) + 1
  }

  nextSeq(): number {
    return this.#seq++
  }

  run(sql: string, ...values: readonly unknown[]): number {
    return this.#statement(sql).run(...values).changes
  }

  /** The number of the row that it made; `undefined`: it made none. */
  add(sql: string, ...values: readonly unknown[]): number | undefined {
    const { changes, lastInsertRowid } = this.#statement(sql).run(...values)
    return changes === 0 ? undefined : Number(lastInsertRowid)
  }

  one<Row>(sql: string, ...values: readonly unknown[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: readonly unknown[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /** The number of a lane, made if it is new. */
  lane(key: LaneKey): number {
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    this.run('INSERT INTO lane (key) VALUES (?) ON CONFLICT DO NOTHING', key)
    return this.knownLane(key) ?? 0
  }

  knownLane(key: LaneKey): number | undefined {
    return this.#number(this.#lanes, key, () => this.one<{ id: number }>('SELECT id FROM lane WHERE key = ?', key))
  }

  chat(chat: ChatRef): number {
    const known = this.knownChat(chat)
    if (known !== undefined) return known
    this.run('INSERT INTO chat (network, chat, account) VALUES (?, ?, ?)', chat.network, chat.chat, chat.account ?? '')
    return this.knownChat(chat) ?? 0
  }

  knownChat(chat: ChatRef): number | undefined {
    return this.#number(this.#chats, `${chat.network}\n${chat.account ?? ''}\n${chat.chat}`, () =>
      this.one<{ id: number }>(
        'SELECT id FROM chat WHERE network = ? AND chat = ? AND account = ?',
        chat.network,
        chat.chat,
        chat.account ?? '',
      ),
    )
  }

  #number<Key>(known: Map<Key, number>, key: Key, look: () => { id: number } | undefined): number | undefined {
    const cached = known.get(key)
    if (cached !== undefined) return cached
    const id = look()?.id
    if (id === undefined) return undefined
    if (known.size >= NUMBERS_LIMIT) known.clear()
    known.set(key, id)
    return id
  }

  /** Rows that a transaction made may be gone again. */
  forget(): void {
    this.#lanes.clear()
    this.#chats.clear()
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
