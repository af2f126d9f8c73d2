/** Up to when somebody has read each conversation: in the adapter's state, and in memory of whoever was here lately. */
import type { AdapterContext } from '../../../bridge/adapter.ts'
import type { UserId } from '../../../bridge/model/ids.ts'

/** Conversations of one person; the one that was read the longest ago is forgotten for one more. */
export const MAX_MARKS = 2_000
/** People whose marks are in memory; whoever was asked about the longest ago goes for one more. */
const MAX_PEOPLE = 1_000

type Change = readonly [key: string, value: string | undefined]

interface Kept {
  readonly loading: Promise<Map<string, number>>
  marks: ReadonlyMap<string, number> | undefined
}

export class ReadMarks {
  readonly #context: Pick<AdapterContext, 'state'>
  readonly #people = new Map<UserId, Kept>()

  constructor(context: Pick<AdapterContext, 'state'>) {
    this.#context = context
  }

  /** By place. */
  of(user: UserId): Promise<ReadonlyMap<string, number>> {
    return this.#load(user)
  }

  /** The same, if it is in memory: `of` was asked lately. */
  known(user: UserId): ReadonlyMap<string, number> | undefined {
    return this.#people.get(user)?.marks
  }

  /** What is kept of them is off the disk. */
  forget(user: UserId): void {
    this.#people.delete(user)
  }

  /** Only ever forward: what is the mark now, and whether that is new. Durable when it resolves. */
  async set(user: UserId, place: string, at: number): Promise<{ readonly at: number; readonly moved: boolean }> {
    const marks = await this.#load(user)
    const was = marks.get(place)
    if (was !== undefined && was >= at) return { at: was, moved: false }
    marks.set(place, at)
    const changes: Change[] = [[keyOf(user, place), String(at)]]
    if (marks.size > MAX_MARKS) {
      const oldest = oldestOf(marks)
      marks.delete(oldest)
      changes.push([keyOf(user, oldest), undefined])
    }
    try {
      await this.#context.state.update(changes)
    } catch (error) {
      this.#people.delete(user)
      throw error
    }
    return { at, moved: true }
  }

  #load(user: UserId): Promise<Map<string, number>> {
    const kept = this.#people.get(user) ?? this.#keep(user)
    this.#people.delete(user)
    this.#people.set(user, kept)
    for (const other of this.#people.keys()) {
      if (this.#people.size <= MAX_PEOPLE) break
      this.#people.delete(other)
    }
    return kept.loading
  }

  #keep(user: UserId): Kept {
    const kept: Kept = { loading: this.#read(user), marks: undefined }
    kept.loading.then(
      (marks) => {
        kept.marks = marks
      },
      () => {
        if (this.#people.get(user) === kept) this.#people.delete(user)
      },
    )
    return kept
  }

  async #read(user: UserId): Promise<Map<string, number>> {
    const prefix = keyOf(user, '')
    const rows = await this.#context.state.list(prefix)
    return new Map(rows.map(([key, value]) => [decodeURIComponent(key.slice(prefix.length)), Number(value)]))
  }
}

const oldestOf = (marks: ReadonlyMap<string, number>): string => {
  let oldest = ''
  let least = Number.POSITIVE_INFINITY
  for (const [place, at] of marks) {
    if (at >= least) continue
    oldest = place
    least = at
  }
  return oldest
}

const keyOf = (user: UserId, place: string): string =>
  `person/${encodeURIComponent(user)}/read/${encodeURIComponent(place)}`
