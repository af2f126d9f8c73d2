/**
 * All work asked for in one turn of the event loop shares one transaction: a durable commit costs as much for a hundred
 * messages as for one. Work that fails is undone alone; the others of its group are not harmed.
 */
import type { Database, Statement } from 'better-sqlite3'

import type { Clock, Logger } from '../adapter.ts'
import { type StoreHealth, StoreRefused, StoreUnavailable } from './port.ts'

interface Job {
  readonly writes: boolean
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Ran = { readonly kind: 'done'; readonly value: unknown } | { readonly kind: 'failed'; readonly error: unknown }

/** What SQLite says when the fault is the disk's and not the statement's. */
const diskFaults = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|CORRUPT|NOTADB|NOMEM|PROTOCOL)/

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

export interface GroupCommitOptions {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  /** How often the disk is tried while it refuses, milliseconds. */
  readonly probeMs: number
  /** Numbers that were learnt inside a transaction that is no more must be forgotten. */
  readonly rolledBack: () => void
  /** A write that changes nothing, to see whether the disk is back. */
  readonly probe: () => void
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #rollback: Statement
  readonly #listeners = new Set<(health: StoreHealth) => void>()
  readonly #closing = new AbortController()
  /** Bounded by what can be asked for in one turn: the flush at its end is synchronous. */
  #jobs: Job[] = []
  #scheduled = false
  #health: StoreHealth = { kind: 'ok' }

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#begin = options.db.prepare('BEGIN IMMEDIATE')
    this.#commit = options.db.prepare('COMMIT')
    this.#rollback = options.db.prepare('ROLLBACK')
  }

  get health(): StoreHealth {
    return this.#health
  }

  onHealth(listener: (health: StoreHealth) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Sees what was written before it in the same turn. */
  read<T>(work: () => T): Promise<T> {
    return this.#add(false, work)
  }

  /** Resolves after the commit. `work` may run more than once: it must be a function of the database alone. */
  write<T>(work: () => T): Promise<T> {
    return this.#add(true, work)
  }

  #add<T>(writes: boolean, work: () => T): Promise<T> {
    if (this.#closing.signal.aborted) return Promise.reject(new StoreRefused('The store is closed.'))
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ writes, work, resolve: resolve as (value: unknown) => void, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.flush())
    })
  }

  /** Does all that was asked for, now. */
  flush(): void {
    this.#scheduled = false
    const jobs = this.#jobs
    if (jobs.length === 0) return
    this.#jobs = []
    const ran = this.#together(jobs) ?? jobs.map((job) => this.#alone(job))
    for (const [index, job] of jobs.entries()) {
      const result = ran[index]
      if (result?.kind === 'done') job.resolve(result.value)
      else job.reject(result?.error)
    }
  }

  /** `undefined`: something failed and nothing was done. */
  #together(jobs: readonly Job[]): readonly Ran[] | undefined {
    if (!jobs.some((job) => job.writes)) return undefined
    try {
      this.#begin.run()
      const ran = jobs.map((job): Ran => ({ kind: 'done', value: job.work() }))
      this.#commit.run()
      this.#nowOk()
      return ran
    } catch {
      this.#undo()
      return undefined
    }
  }

  #alone(job: Job): Ran {
    try {
      if (!job.writes) return { kind: 'done', value: job.work() }
      this.#begin.run()
      const value = job.work()
      this.#commit.run()
      this.#nowOk()
      return { kind: 'done', value }
    } catch (error) {
      this.#undo()
      return { kind: 'failed', error: this.#judge(error) }
    }
  }

  #undo(): void {
    if (this.#options.db.inTransaction) this.#rollback.run()
    this.#options.rolledBack()
  }

  #judge(error: unknown): unknown {
    const code = codeOf(error)
    if (!diskFaults.test(code)) return error
    const detail =
      code === 'SQLITE_FULL'
        ? 'The disk is full: nothing is acknowledged until there is space again.'
        : `The database cannot be written (${code}): nothing is acknowledged until it can.`
    if (this.#health.kind === 'ok') {
      this.#setHealth({ kind: 'unavailable', since: this.#options.clock.now(), detail })
      this.#options.log.error({ code, detail }, 'the store is unavailable')
      void this.#probe()
    }
    return new StoreUnavailable(detail, error)
  }

  #nowOk(): void {
    if (this.#health.kind === 'ok') return
    this.#setHealth({ kind: 'ok' })
    this.#options.log.info({}, 'the store is available again')
  }

  #setHealth(health: StoreHealth): void {
    this.#health = health
    for (const listener of this.#listeners) listener(health)
  }

  /** Ends when a write has worked: this one's or anybody's. */
  async #probe(): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(this.#options.probeMs, this.#closing.signal)
      if (this.#closing.signal.aborted || this.#health.kind === 'ok') return
      await this.write(this.#options.probe).catch(() => undefined)
    }
  }

  whenAvailable(signal?: AbortSignal): Promise<void> {
    if (this.#health.kind === 'ok' || signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = (): void => {
        end()
        signal?.removeEventListener('abort', finish)
        this.#closing.signal.removeEventListener('abort', finish)
        resolve()
      }
      const end = this.onHealth((health) => {
        if (health.kind === 'ok') finish()
      })
      signal?.addEventListener('abort', finish, { once: true })
      this.#closing.signal.addEventListener('abort', finish, { once: true })
    })
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.flush()
    this.#closing.abort()
  }
}
