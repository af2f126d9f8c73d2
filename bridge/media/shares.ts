/** Whose files fill the store: each sender may keep so much in it, and leaves the rest to others. */
import { createHash } from 'node:crypto'
import type { UserRef } from '../model/ids.ts'

export interface Share {
  readonly bytes: number
  readonly files: number
}

/** Fit for a file name, and tells nobody who it is. */
export const ownerOf = ({ network, user }: UserRef): string =>
  createHash('sha256').update(`${network}\0${user}`).digest('hex').slice(0, 32)

/** A file that several have sent counts for each of them. */
export class Shares {
  readonly #owners = new Map<string, Set<string>>()
  readonly #held = new Map<string, Share>()

  /** Again is harmless. `name`: of a file in the store. */
  note(name: string, bytes: number, owner: string): void {
    const owners = this.#owners.get(name) ?? new Set()
    if (owners.has(owner)) return
    this.#owners.set(name, owners.add(owner))
    this.#add(owner, bytes, 1)
  }

  /** Who had that file, which is in the store no more. */
  forget(name: string, bytes: number): readonly string[] {
    const owners = [...(this.#owners.get(name) ?? [])]
    this.#owners.delete(name)
    for (const owner of owners) this.#add(owner, -bytes, -1)
    return owners
  }

  of(owner: string): Share {
    return this.#held.get(owner) ?? NOTHING
  }

  #add(owner: string, bytes: number, files: number): void {
    const before = this.of(owner)
    const after = { bytes: before.bytes + bytes, files: before.files + files }
    if (after.files === 0) this.#held.delete(owner)
    else this.#held.set(owner, after)
  }
}

const NOTHING: Share = { bytes: 0, files: 0 }
