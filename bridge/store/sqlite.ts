/** The store on SQLite: one file, WAL, every commit FULL and shared by all that one turn of the event loop asked for. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

import Database from 'better-sqlite3'

import type { AdapterState, Clock, Logger } from '../adapter.ts'
import type { StoredInbound } from '../model/events.ts'
import type {
  AccountId,
  ChatRef,
  EventId,
  MessageId,
  NetworkId,
  PersonId,
  PortalId,
  UserId,
  UserRef,
} from '../model/ids.ts'
import { GroupCommit } from './group-commit.ts'
import * as history from './history-tables.ts'
import * as outbox from './outbox-tables.ts'
import * as people from './people-tables.ts'
import {
  type AcceptRequest,
  type AccountRow,
  type AcceptResult,
  type Advance,
  type ContactRow,
  type IdentityRow,
  type LaneKey,
  type LaneSummary,
  type LegId,
  type OutboxRow,
  type PersonRow,
  type Portal,
  type RowRef,
  type SaidPoint,
  type SaidRange,
  type SaidRow,
  type Store,
  type StoreHealth,
  StoreRefused,
} from './port.ts'
import { migrate } from './schema.ts'
import { Tables } from './tables.ts'

export interface SqliteOptions {
  readonly file: string
  readonly clock: Clock
  readonly log: Logger
  /** The database may not grow beyond this many bytes; past it writes fail as on a full disk. */
  readonly maxBytes?: number
  /** How often a store that is unavailable tries whether the disk is back. Milliseconds. */
  readonly probeMs?: number
}

/** Not what is left of a database, or never one: no space and no permission mends it. */
const isDamaged = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^SQLITE_(NOTADB|CORRUPT)/.test(String(error.code))

const PROBE_MS = 5_000
/** How long another program may hold the file before a write counts as failed, milliseconds. It blocks everything. */
const BUSY_MS = 500
const PROBE_KEY = 'probe'

interface Opened {
  readonly db: Database.Database
  readonly tables: Tables
  readonly commits: GroupCommit
}

export class SqliteStore implements Store {
  readonly #options: SqliteOptions
  #opened: Opened | undefined

  constructor(options: SqliteOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    if (this.#opened !== undefined) return
    const { file, clock, log } = this.#options
    let db: Database.Database | undefined
    try {
      mkdirSync(dirname(file), { recursive: true })
      db = new Database(file, { timeout: BUSY_MS })
      migrate(db)
      db.pragma('journal_mode = WAL')
      db.pragma('synchronous = FULL')
      db.pragma('foreign_keys = ON')
      const pageSize = db.pragma('page_size', { simple: true }) as number
      if (this.#options.maxBytes !== undefined)
        db.pragma(`max_page_count = ${Math.max(1, Math.floor(this.#options.maxBytes / pageSize))}`)
    } catch (error) {
      db?.close()
      if (error instanceof StoreRefused) throw error
      const why = error instanceof Error ? error.message : String(error)
      const remedy = isDamaged(error)
        ? 'move it away and put a backup in its place.'
        : 'check that its folder exists, is writable and has space.'
      throw new StoreRefused(`The database ${file} cannot be opened (${why}): ${remedy}`, error)
    }
    const tables = new Tables(db)
    tables.load()
    const commits = new GroupCommit({
      db,
      clock,
      log,
      probeMs: this.#options.probeMs ?? PROBE_MS,
      rolledBack: () => tables.forget(),
      probe: () => {
        outbox.setMeta(tables, PROBE_KEY, String(clock.now()))
        outbox.setMeta(tables, PROBE_KEY, undefined)
      },
    })
    this.#opened = { db, tables, commits }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    if (opened === undefined || !opened.db.open) return
    opened.commits.close()
    opened.db.close()
  }

  get health(): StoreHealth {
    return this.#parts().commits.health
  }

  whenAvailable(signal?: AbortSignal): Promise<void> {
    return this.#parts().commits.whenAvailable(signal)
  }

  onHealth(listener: (health: StoreHealth) => void): () => void {
    return this.#parts().commits.onHealth(listener)
  }

  async backup(file: string): Promise<void> {
    if (existsSync(file)) throw new StoreRefused(`${file} exists already: name a file that does not.`)
    const partial = `${file}.partial`
    try {
      await this.#parts().db.backup(partial)
      renameSync(partial, file)
    } catch (error) {
      rmSync(partial, { force: true })
      const why = error instanceof Error ? error.message : String(error)
      throw new StoreRefused(
        `The backup ${file} cannot be written (${why}): check that its folder exists, is writable and has space.`,
        error,
      )
    }
  }

  meta(key: string): Promise<string | undefined> {
    return this.#read((tables) => tables.one<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value)
  }

  listMeta(prefix: string): Promise<readonly (readonly [key: string, value: string])[]> {
    return this.#read((tables) =>
      tables
        .all<{ key: string; value: string }>(
          'SELECT key, value FROM meta WHERE key >= ? AND substr(key, 1, length(?)) = ? ORDER BY key',
          prefix,
          prefix,
          prefix,
        )
        .map(({ key, value }) => [key, value] as const),
    )
  }

  setMeta(changes: readonly (readonly [key: string, value: string | undefined])[]): Promise<void> {
    return this.#write((tables) => {
      for (const [key, value] of changes) outbox.setMeta(tables, key, value)
    })
  }

  people(): Promise<readonly PersonRow[]> {
    return this.#read((tables) => tables.all<PersonRow>('SELECT id, name FROM person ORDER BY id'))
  }

  putPerson(person: PersonRow): Promise<void> {
    return this.#write((tables) => people.putPerson(tables, person))
  }

  removePerson(person: PersonId): Promise<void> {
    return this.#write((tables) => {
      tables.run('DELETE FROM person WHERE id = ?', person)
    })
  }

  identities(): Promise<readonly IdentityRow[]> {
    return this.#read(people.identities)
  }

  putIdentity(identity: IdentityRow): Promise<void> {
    return this.#write((tables) => people.putIdentity(tables, identity))
  }

  removeIdentity(user: UserRef): Promise<void> {
    return this.#write((tables) => {
      tables.run('DELETE FROM identity WHERE network = ? AND user = ?', user.network, user.user)
    })
  }

  accountFacts(account: AccountId): Promise<ReadonlyMap<string, string>> {
    return this.#read((tables) => people.accountFacts(tables, account))
  }

  setAccountFact(account: AccountId, key: string, value: string | undefined): Promise<void> {
    return this.#write((tables) => people.setAccountFact(tables, account, key, value))
  }

  signedIn(): Promise<readonly AccountRow[]> {
    return this.#read(people.signedIn)
  }

  putAccount(account: AccountRow): Promise<void> {
    return this.#write((tables) => people.putAccount(tables, account))
  }

  removeAccount(account: AccountId): Promise<void> {
    return this.#write((tables) => people.removeAccount(tables, account))
  }

  contacts(account: AccountId): Promise<readonly ContactRow[]> {
    return this.#read((tables) => people.contacts(tables, account))
  }

  allContacts(): Promise<readonly ContactRow[]> {
    return this.#read((tables) => people.contacts(tables, undefined))
  }

  updateContacts(account: AccountId, put: readonly ContactRow[], remove: readonly UserId[]): Promise<void> {
    return this.#write((tables) => people.updateContacts(tables, account, put, remove))
  }

  portals(): Promise<readonly Portal[]> {
    return this.#read(people.portals)
  }

  updatePortals(put: readonly Portal[], remove: readonly PortalId[]): Promise<void> {
    return this.#write((tables) => people.updatePortals(tables, put, remove))
  }

  setLegChat(leg: LegId, chat: ChatRef): Promise<void> {
    return this.#write((tables) => people.setLegChat(tables, leg, chat))
  }

  accept(request: AcceptRequest): Promise<AcceptResult> {
    return this.#write((tables) => outbox.accept(tables, request))
  }

  eventOf(chat: ChatRef, lane: LaneKey, native: MessageId): Promise<EventId | undefined> {
    return this.#read((tables) => outbox.eventOf(tables, chat, lane, native))
  }

  event(id: EventId): Promise<StoredInbound | undefined> {
    return this.#read((tables) => outbox.eventById(tables, id))
  }

  nativesOf(event: EventId, chat: ChatRef | undefined, lane: LaneKey): Promise<readonly MessageId[]> {
    return this.#read((tables) => outbox.nativesOf(tables, event, chat, lane))
  }

  said(portal: PortalId, range: SaidRange): Promise<readonly SaidRow[]> {
    return this.#read((tables) => history.said(tables, portal, range))
  }

  saidPoint(portal: PortalId, event: EventId): Promise<SaidPoint | undefined> {
    return this.#read((tables) => history.pointOf(tables, portal, event))
  }

  latestSaid(portals: readonly PortalId[], after: number, before: number): Promise<ReadonlyMap<PortalId, number>> {
    return this.#read((tables) => history.latest(tables, portals, after, before))
  }

  lastActivePortals(windowMs: number): Promise<readonly PortalId[]> {
    return this.#read((tables) => outbox.lastActivePortals(tables, windowMs))
  }

  advance(step: Advance): Promise<{ readonly seqs: readonly number[] }> {
    return this.#write((tables) => outbox.advance(tables, step))
  }

  lanes(): Promise<readonly LaneSummary[]> {
    return this.#read(outbox.lanes)
  }

  laneRows(lane: LaneKey, after: RowRef | undefined, limit: number): Promise<readonly OutboxRow[]> {
    return this.#read((tables) => outbox.laneRows(tables, lane, after, limit))
  }

  adapterState(network: NetworkId): AdapterState {
    return {
      get: (key) => this.#read((tables) => people.stateOf(tables, network, key)),
      list: (prefix) => this.#read((tables) => people.listState(tables, network, prefix)),
      update: (changes) => this.#write((tables) => people.updateState(tables, network, changes)),
    }
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#write((tables) => outbox.prune(tables, before, limit))
  }

  #read<T>(work: (tables: Tables) => T): Promise<T> {
    const { tables, commits } = this.#parts()
    return commits.read(() => work(tables))
  }

  #write<T>(work: (tables: Tables) => T): Promise<T> {
    const { tables, commits } = this.#parts()
    return commits.write(() => work(tables))
  }

  #parts(): Opened {
    if (this.#opened === undefined) throw new StoreRefused('The store is not open.')
    return this.#opened
  }
}
