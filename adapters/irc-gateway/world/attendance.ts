/** The clients of a person come and go: what each gets to see, and what is left for the next one. */
import type { ChannelPort, ClientPort } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'
import { numeric } from '../wire/numerics.ts'
import type { Missing, Note } from './missed.ts'
import { entryOf, markFor } from './names.ts'
import { foldNick } from './nicks.ts'
import type { OwnPresence } from './own-presence.ts'
import type { Parts } from './parts.ts'
import { shapeOf } from './shapes.ts'
import { logged, type Self } from './types.ts'

/** How a client comes in. */
export interface Arrival {
  /** It is in the control channel already, where only root was before it said who it is. */
  readonly inControl?: boolean
  /** What root says to it. */
  readonly greeting?: readonly string[]
}

export interface AttendanceOptions {
  readonly self: Self
  readonly parts: Parts
  readonly presence: OwnPresence
  /** The first client brings its nick. */
  readonly adopt: (nick: string) => void
  /** The first client came, or the last one went. */
  readonly attended: () => void
}

export class Attendance {
  readonly clients = new Set<ClientPort>()
  readonly #options: AttendanceOptions
  #playing = false
  #noting = 0

  constructor(options: AttendanceOptions) {
    this.#options = options
  }

  get busy(): boolean {
    return this.clients.size > 0 || this.#playing || this.#noting > 0
  }

  attach(client: ClientPort, { inControl = false, greeting = [] }: Arrival): void {
    if (this.clients.has(client)) return
    const { self, parts, presence, adopt, attended } = this.#options
    const { contacts, controls, groups, root } = parts
    const isFirst = this.clients.size === 0
    const unseen = parts.written.unseen(this.clients)
    if (isFirst) {
      adopt(client.nick)
      controls.enter(inControl)
      contacts.open()
      groups.enter()
    }
    client.rename(self.nick)
    this.clients.add(client)
    for (const channel of [...controls.all(), ...groups.all()]) {
      const isIn = inControl && foldNick(channel.name) === foldNick(self.deps.control)
      client.send(
        ...(isIn
          ? [...markFor(channel, client, self), ...this.#appearing(channel, client)]
          : entryOf(channel, client, self)),
      )
    }
    if (presence.words !== undefined) client.send(numeric('RPL_NOWAWAY', client.nick))
    for (const line of greeting) client.send(...root.lines(line))
    if (isFirst) {
      attended()
      presence.changed()
    }
    const failed = logged(self, 'what was missed could not be shown')
    this.#play().catch(failed)
    // Whoever comes with another client while one hangs: what went to that one is here, too.
    if (unseen.length > 0)
      this.#show(client, { notes: unseen.map((note) => ({ ...note, doubt: true })), dropped: new Map() }).catch(failed)
  }

  /** `lost`: it died without a word, so that it may not have seen the last lines. Twice is harmless. */
  detach(client: ClientPort, how: 'quit' | 'lost'): void {
    if (!this.clients.delete(client)) return
    const { parts, presence, attended } = this.#options
    const unseen = parts.written.take(client)
    const unwritten = parts.behind.take(client)
    if (this.clients.size > 0) return
    parts.talk.flush()
    parts.contacts.close()
    if (how === 'lost') for (const note of unseen) this.#note({ ...note, doubt: true })
    for (const { note } of unwritten) this.#note(note)
    presence.changed()
    attended()
  }

  /** What was missed goes to one client; should it die meanwhile, to another, or to the next that comes. */
  async #play(): Promise<void> {
    const { missed } = this.#options.parts
    if (this.#playing || missed.size === 0) return
    this.#playing = true
    const missing = missed.take()
    let shown = false
    try {
      for (let [client] = this.clients; client !== undefined && !shown; [client] = this.clients) {
        shown = await this.#show(client, missing)
      }
      if (shown) await missing.forget()
    } finally {
      if (!shown) missing.keep()
      this.#playing = false
    }
  }

  /** Whether the client was there to see it. What comes meanwhile follows. */
  async #show(client: ClientPort, missing: Pick<Missing, 'notes' | 'dropped'>): Promise<boolean> {
    const { behind, playback, written } = this.#options.parts
    behind.begin(client)
    try {
      await playback.show(client, missing)
      const shown = this.clients.has(client)
      if (shown) for (const note of missing.notes) if (note.kind === 'message') written.wrote(client, note)
      return shown
    } finally {
      behind.end(client)
    }
  }

  #note(note: Note): void {
    this.#noting++
    this.#options.parts.missed
      .note(note)
      .catch(logged(this.#options.self, 'that a message may be lost could not be noted'))
      .finally(() => this.#noting--)
  }

  /** Contacts come into the channel in which the client is already. */
  #appearing(channel: ChannelPort, client: ClientPort): readonly ServerMessage[] {
    const { server } = this.#options.self.deps
    return channel.members().flatMap(({ face, prefixes }) => {
      if (face?.contact === undefined) return []
      const joins = shapeOf({ kind: 'join', channel: channel.name, prefixes }, face, server, client.caps)
      if (!face.online || face.away === undefined) return joins
      return [...joins, ...shapeOf({ kind: 'away', words: face.away }, face, server, client.caps)]
    })
  }
}
