/**
 * One daemon per data folder. The lock is an exclusive transaction on a small database of its own: the system lets go of
 * it however the process ends, and no stale file can block the next start. Who holds it stands beside it in plain text,
 * because nobody else can read a database that is locked.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

import Database from 'better-sqlite3'

import { StoreRefused } from './port.ts'

export interface Holder {
  readonly pid: number
  readonly host: string
  /** Milliseconds since the epoch. */
  readonly since: number
}

export interface FolderLock {
  /** Twice is harmless. */
  release(): void
}

/** `detail` is the sentence for the operator. */
export type LockResult =
  | { readonly kind: 'acquired'; readonly lock: FolderLock }
  | { readonly kind: 'held'; readonly by: Holder | undefined; readonly detail: string }

const LOCK_FILE = 'daemon.lock'
const HOLDER_FILE = 'daemon.json'

/** Throws `StoreRefused` when the folder cannot be written. `now`: milliseconds since the epoch. */
export const acquire = (folder: string, now: number): LockResult => {
  const holderFile = join(folder, HOLDER_FILE)
  let db: Database.Database | undefined
  try {
    mkdirSync(folder, { recursive: true })
    db = new Database(join(folder, LOCK_FILE), { timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
    const holder: Holder = { pid: process.pid, host: hostname(), since: now }
    writeFileSync(holderFile, `${JSON.stringify(holder)}\n`)
  } catch (error) {
    db?.close()
    if (isBusy(error)) return held(folder, readHolder(holderFile))
    if (isFile(folder))
      throw new StoreRefused(`The data folder ${folder} is a file: move it away, or choose another folder.`, error)
    const why = error instanceof Error ? error.message : String(error)
    throw new StoreRefused(
      `The data folder ${folder} cannot be used (${why}): check that it exists, is writable and has space.`,
      error,
    )
  }
  const locked = db
  return {
    kind: 'acquired',
    lock: {
      release: () => {
        if (!locked.open) return
        rmSync(holderFile, { force: true })
        locked.close()
      },
    },
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === false

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^SQLITE_(BUSY|LOCKED)/.test(error.code)

const held = (folder: string, by: Holder | undefined): LockResult => {
  const who =
    by === undefined ? 'another process' : `process ${by.pid} on ${by.host}, since ${new Date(by.since).toISOString()}`
  return {
    kind: 'held',
    by,
    detail: `The data folder ${folder} is in use by another msn-bridge (${who}): stop that one, or choose another data folder.`,
  }
}

const readHolder = (file: string): Holder | undefined => {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, host, since } = value as Readonly<Record<string, unknown>>
    return typeof pid === 'number' && typeof host === 'string' && typeof since === 'number'
      ? { pid, host, since }
      : undefined
  } catch {
    return undefined
  }
}
