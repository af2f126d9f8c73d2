/** Somebody on MSN who takes every call, and remembers what is said in all of them. */
import { DEADLINE_MS, type Messenger, type Room } from './messenger.ts'
import { Watch } from './watch.ts'

/** A switchboard may be silent for as long as a test takes. */
const PATIENCE_MS = 600_000
/** Texts in the words of an error. */
const SHOWN = 10

export class Ear {
  /** All texts, in the order in which they came. */
  readonly texts: string[] = []
  readonly messenger: Messenger
  /** The switchboards so far; the last one is the newest. */
  readonly rooms: Room[] = []
  readonly #watch = new Watch()

  constructor(messenger: Messenger) {
    this.messenger = messenger
    void this.#answer()
  }

  /** Says something in the newest of the switchboards, or calls for one; resolves when it is acknowledged. */
  async say(to: string, ...texts: readonly string[]): Promise<void> {
    const room = await this.roomWith(to)
    const trids = texts.map((text) => room.text(text))
    for (const trid of trids) await room.acked(trid)
  }

  async roomWith(to: string): Promise<Room> {
    const last = this.rooms.at(-1)
    if (last !== undefined && !last.wire.ended) return last
    const room = await this.messenger.call(to)
    this.#enter(room)
    return room
  }

  /** Asked again whenever somebody has said something. */
  async until(fits: () => boolean, what: string, ms = DEADLINE_MS): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    let over = false
    try {
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          over = true
          reject(new Error(`${this.messenger.email} did not hear ${what}; the last were:\n${this.#last()}`))
        }, ms)
      })
      await Promise.race([this.#watch.until(() => over || fits()), late])
    } finally {
      clearTimeout(timer)
    }
  }

  heard(text: string, ms?: number): Promise<void> {
    return this.until(() => this.texts.includes(text), `"${text}"`, ms)
  }

  #last(): string {
    return this.texts.slice(-SHOWN).join('\n')
  }

  async #answer(): Promise<void> {
    try {
      for (;;) this.#enter(await this.messenger.answer(PATIENCE_MS))
    } catch {
      // They are not signed in any more.
    }
  }

  #enter(room: Room): void {
    this.rooms.push(room)
    this.#watch.changed()
    void this.#listen(room)
  }

  async #listen(room: Room): Promise<void> {
    try {
      for (;;) {
        const { text } = await room.heard(PATIENCE_MS)
        this.texts.push(text)
        this.#watch.changed()
      }
    } catch {
      // The switchboard is gone.
    }
  }
}
