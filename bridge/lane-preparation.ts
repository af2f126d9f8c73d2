/**
 * What a lane does before it can deliver: reads rows from the disk, opens its chat, looks up what a row speaks of, cuts what
 * is too long. One thing at a time, and nothing starts meanwhile.
 */
import type { Logger, Session } from './adapter.ts'
import type { Op } from './degrade.ts'
import type { Entry, LaneRows } from './lane-rows.ts'
import type { AccountId, ChatRef } from './model/ids.ts'
import type { DeliveryResult, OpenResult, Reason, WaitFor } from './model/result.ts'
import { prepare, type Prepared, refer } from './prepare.ts'
import type { LaneKey, OutboxRow, Store } from './store/port.ts'

export interface LanePreparationDeps {
  readonly store: Store
  readonly log: Logger
  readonly key: LaneKey
  readonly account: AccountId
  readonly rows: LaneRows
  readonly open: () => Promise<OpenResult>
  readonly wait: (wait: WaitFor, reason: Reason) => void
  readonly finish: (entry: Entry, result: DeliveryResult) => void
  /** All that waits. */
  readonly refuse: (result: Extract<DeliveryResult, { kind: 'refused' }>) => void
  /** There is nothing to do for this row. */
  readonly nothing: (entry: Entry) => void
  readonly failed: (error: unknown) => void
  readonly ended: () => void
}

/** After an opening that nobody knows the end of, milliseconds. */
const OPEN_AGAIN_MS = 5_000

export class LanePreparation {
  readonly #deps: LanePreparationDeps
  #busy = false

  constructor(deps: LanePreparationDeps) {
    this.#deps = deps
  }

  get busy(): boolean {
    return this.#busy
  }

  /** Whether the row can go. What has to be looked up or cut first comes back by itself. */
  isReady(entry: Entry, session: Session, chat: ChatRef): boolean {
    if (entry.wire !== undefined) return true
    const prepared = prepare(entry.row, session, chat)
    if (prepared.kind === 'refers') {
      // What it refers to may be right before it: its receipt must be on disk.
      if (this.#deps.rows.entries[0] === entry) void this.#refer(entry, prepared, session, chat)
      return false
    }
    if (prepared.kind === 'parts') void this.#alone(() => this.#split(entry, prepared.ops))
    else this.#take(entry, prepared)
    return prepared.kind === 'ready'
  }

  /** More rows from the disk. */
  async load(): Promise<void> {
    const { store, rows, key } = this.#deps
    await this.#alone(async () => {
      const { depth } = rows
      rows.loaded(await store.laneRows(key, rows.last, rows.room), depth)
    })
  }

  async open(): Promise<void> {
    await this.#alone(async () => {
      const opened = await this.#deps.open()
      switch (opened.kind) {
        case 'opened':
          return
        case 'retry':
          this.#deps.wait(opened.wait, opened.reason)
          return
        case 'uncertain':
          this.#deps.wait(OPEN_AGAIN_MS, 'network')
          return
        case 'refused':
          this.#deps.refuse(opened)
      }
    })
  }

  #take(entry: Entry, prepared: Exclude<Prepared, { kind: 'refers' | 'parts' }>): void {
    const { finish, nothing, log, account, ended } = this.#deps
    switch (prepared.kind) {
      case 'ready':
        entry.wire = prepared.wire
        return
      case 'refused':
        finish(entry, prepared.result)
        return
      case 'broken': {
        const { detail } = prepared
        log.error({ account, detail }, 'an adapter failed to prepare a delivery')
        finish(entry, { kind: 'refused', reason: 'protocol', detail })
        return
      }
      case 'nothing':
        nothing(entry)
        ended()
    }
  }

  async #refer(
    entry: Entry,
    { op, to }: Extract<Prepared, { kind: 'refers' }>,
    session: Session,
    chat: ChatRef,
  ): Promise<void> {
    await this.#alone(async () => {
      const ids = await this.#deps.store.nativesOf(to, chat, this.#deps.key)
      const prepared = refer(op, ids, entry.row, session, chat)
      if (prepared.kind === 'parts') await this.#split(entry, prepared.ops)
      else if (prepared.kind !== 'refers') this.#take(entry, prepared)
    })
  }

  async #split(entry: Entry, ops: readonly Op[]): Promise<void> {
    await this.#deps.store.advance({ split: [{ seq: entry.row.seq, ops }] })
    this.#deps.rows.split(
      entry,
      ops.map((op, part): OutboxRow => ({ ...entry.row, op, part, parts: ops.length })),
    )
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    this.#busy = true
    try {
      await work()
    } catch (error) {
      this.#deps.failed(error)
    } finally {
      this.#busy = false
      this.#deps.ended()
    }
  }
}
