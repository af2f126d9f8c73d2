/**
 * A person on a homeserver, the same for the fake one and for a real one: what they do, what they see, and bounded waits
 * that say what was seen instead.
 */
import type { Watch } from './watch.ts'

export interface SeenEvent {
  readonly id: string
  readonly room: string
  readonly type: string
  readonly sender: string
  readonly ts: number
  /** {} once it is redacted; an edit does not change it. */
  readonly content: Readonly<Record<string, unknown>>
  readonly stateKey?: string
}

export type Presence = 'online' | 'unavailable' | 'offline' | 'busy'

export interface SeenPresence {
  readonly presence: string
  readonly status?: string
}

export interface RoomOptions {
  readonly name?: string
  readonly invite?: readonly string[]
  readonly direct?: boolean
  readonly version?: string
  readonly preset?: 'private_chat' | 'public_chat' | 'trusted_private_chat'
  readonly powerLevels?: Readonly<Record<string, unknown>>
}

const PATIENCE_MS = 30_000

/** `text` of a message, without anything else. */
export const bodyOf = (event: SeenEvent): string => {
  const { body } = event.content
  return typeof body === 'string' ? body : ''
}

/** `m.text`, `m.emote`, `m.notice`, `m.image` ...; '' for anything that is no message. */
export const kindOf = (event: SeenEvent): string => {
  const { msgtype } = event.content
  return event.type === 'm.room.message' && typeof msgtype === 'string' ? msgtype : ''
}

/** How often somebody tries to accept an invitation that the homeserver does not let them accept. */
const INVITE_TRIES = 5

export abstract class MatrixPerson {
  /** `@name:domain`. */
  readonly id: string
  protected abstract readonly watch: Watch
  /** Of the last invitation that could not be accepted, for complaints. */
  #refusal = 'none'

  constructor(id: string) {
    this.id = id
  }

  // What they do. All reject with the homeserver's words when it refuses.
  abstract createRoom(options?: RoomOptions): Promise<string>
  /** By id or alias. */
  abstract join(room: string): Promise<void>
  abstract leave(room: string): Promise<void>
  abstract invite(room: string, user: string): Promise<void>
  abstract kick(room: string, user: string, reason?: string): Promise<void>
  abstract ban(room: string, user: string): Promise<void>
  abstract unban(room: string, user: string): Promise<void>
  /** Answers the event id. */
  abstract send(room: string, type: string, content: Readonly<Record<string, unknown>>): Promise<string>
  abstract setState(
    room: string,
    type: string,
    content: Readonly<Record<string, unknown>>,
    key?: string,
  ): Promise<string>
  abstract redact(room: string, event: string, reason?: string): Promise<void>
  /** Answers the `mxc://` address. */
  abstract upload(bytes: Buffer, mimetype: string, name: string): Promise<string>
  abstract typing(room: string, typing: boolean): Promise<void>
  abstract read(room: string, event: string): Promise<void>
  abstract setPresence(presence: Presence, status?: string): Promise<void>
  abstract setName(name: string): Promise<void>
  /** An `mxc://` address. */
  abstract setAvatar(uri: string): Promise<void>
  /** Answers the new room. */
  abstract upgrade(room: string, version: string): Promise<string>
  abstract alias(room: string, alias: string): Promise<void>
  /** A token for requests of their own, e.g. for `login-matrix`. */
  abstract token(): Promise<string>
  abstract stop(): Promise<void>

  // What they see.
  /** All events of a room so far, in order, state included. */
  abstract timeline(room: string): readonly SeenEvent[]
  abstract state(room: string, type: string, key?: string): Readonly<Record<string, unknown>> | undefined
  /** 'none' where nothing is known. */
  abstract membership(room: string, user: string): string
  /** The name in that room. */
  abstract nameIn(room: string, user: string): string | undefined
  /** Rooms by the own membership. */
  abstract rooms(membership: 'join' | 'invite'): readonly string[]
  abstract presenceOf(user: string): SeenPresence | undefined
  abstract typingIn(room: string): readonly string[]
  /** Event ids that somebody has read in a room. */
  abstract receipts(room: string, user: string): readonly string[]

  joinedRooms(): readonly string[] {
    return this.rooms('join')
  }

  /** People with a membership `join` whom they can see there. */
  abstract members(room: string): readonly string[]

  dm(user: string): Promise<string> {
    return this.createRoom({ invite: [user], direct: true, preset: 'trusted_private_chat' })
  }

  say(room: string, text: string): Promise<string> {
    return this.send(room, 'm.room.message', { msgtype: 'm.text', body: text })
  }

  emote(room: string, text: string): Promise<string> {
    return this.send(room, 'm.room.message', { msgtype: 'm.emote', body: text })
  }

  notice(room: string, text: string): Promise<string> {
    return this.send(room, 'm.room.message', { msgtype: 'm.notice', body: text })
  }

  sendHtml(room: string, html: string, text: string): Promise<string> {
    const format = { format: 'org.matrix.custom.html', formatted_body: html }
    return this.send(room, 'm.room.message', { msgtype: 'm.text', body: text, ...format })
  }

  reply(room: string, to: string, text: string): Promise<string> {
    return this.send(room, 'm.room.message', {
      msgtype: 'm.text',
      body: text,
      'm.relates_to': { 'm.in_reply_to': { event_id: to } },
    })
  }

  edit(room: string, event: string, text: string): Promise<string> {
    return this.send(room, 'm.room.message', {
      msgtype: 'm.text',
      body: `* ${text}`,
      'm.new_content': { msgtype: 'm.text', body: text },
      'm.relates_to': { rel_type: 'm.replace', event_id: event },
    })
  }

  react(room: string, event: string, key: string): Promise<string> {
    return this.send(room, 'm.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: event, key } })
  }

  async sendImage(room: string, bytes: Buffer, name: string, mimetype = 'image/png'): Promise<string> {
    const url = await this.upload(bytes, mimetype, name)
    const info = { mimetype, size: bytes.length, w: 1, h: 1 }
    return this.send(room, 'm.room.message', { msgtype: 'm.image', body: name, filename: name, url, info })
  }

  /** From now on they join wherever they are invited. */
  acceptInvites(): void {
    const joining = new Set<string>()
    const accept = async (room: string): Promise<void> => {
      // Joining a room twice is harmless; a room that they leave invites them anew.
      for (let tries = 1; this.rooms('invite').includes(room); tries++)
        try {
          await this.join(room)
          break
        } catch (error) {
          this.#refusal = `${room}: ${error instanceof Error ? error.message : String(error)}`
          if (tries === INVITE_TRIES) break
        }
      joining.delete(room)
    }
    // Never answered: it looks at each change.
    void this.watch.until(() => {
      for (const room of this.rooms('invite')) {
        if (joining.has(room)) continue
        joining.add(room)
        void accept(room)
      }
      return undefined
    })
  }

  messages(room: string): readonly SeenEvent[] {
    return this.timeline(room).filter(({ type }) => type === 'm.room.message')
  }

  /** The first event of the room that fits, seen already or yet to come. */
  waitFor(room: string, fits: (event: SeenEvent) => boolean): Promise<SeenEvent> {
    return this.until(
      () => this.timeline(room).find(fits),
      () => `no such event in ${room}; seen:\n${this.#words(room)}`,
    )
  }

  /** The first message by somebody else that fits; text: that is said in it. */
  waitForMessage(room: string, fits: string | RegExp | ((event: SeenEvent) => boolean)): Promise<SeenEvent> {
    const test =
      typeof fits === 'function'
        ? fits
        : (event: SeenEvent) => (typeof fits === 'string' ? bodyOf(event).includes(fits) : fits.test(bodyOf(event)))
    return this.until(
      () => this.messages(room).find((event) => event.sender !== this.id && test(event)),
      () => `no message ${String(fits)} in ${room}; seen:\n${this.#words(room)}`,
    )
  }

  /** Until a membership is so; `room` or any. Answers the room. */
  waitForMember(room: string, user: string, membership: string): Promise<void> {
    return this.until(
      () => (this.membership(room, user) === membership ? ([] as const) : undefined),
      () => `${user} is not ${membership} in ${room} but ${this.membership(room, user)}`,
    ).then(() => undefined)
  }

  /** The first invitation that fits, by anybody. Answers the room. */
  waitForInvite(fits: (room: string) => boolean = () => true): Promise<string> {
    return this.until(
      () => this.rooms('invite').find(fits),
      () => `no such invitation; invited to: ${this.rooms('invite').join(' ')}`,
    )
  }

  /** The first room that they are in and that fits. */
  waitForRoom(fits: (room: string) => boolean): Promise<string> {
    return this.until(
      () => this.rooms('join').find(fits),
      () =>
        `no such room; joined: ${this.rooms('join').join(' ')}, invited: ${this.rooms('invite').join(' ')}, refused: ${this.#refusal}`,
    )
  }

  waitForPresence(user: string, fits: (presence: SeenPresence) => boolean): Promise<SeenPresence> {
    return this.until(
      () => {
        const seen = this.presenceOf(user)
        return seen !== undefined && fits(seen) ? seen : undefined
      },
      () => `presence of ${user} is ${JSON.stringify(this.presenceOf(user))}`,
    )
  }

  waitForTyping(room: string, user: string, typing = true): Promise<void> {
    return this.until(
      () => (this.typingIn(room).includes(user) === typing ? ([] as const) : undefined),
      () => `typing in ${room}: ${this.typingIn(room).join(' ')}`,
    ).then(() => undefined)
  }

  waitForReceipt(room: string, user: string, event: string): Promise<void> {
    return this.until(
      () => (this.receipts(room, user).includes(event) ? ([] as const) : undefined),
      () => `${user} has read ${this.receipts(room, user).join(' ')} in ${room}, not ${event}`,
    ).then(() => undefined)
  }

  /** Anything that they can see. */
  async until<Result>(
    ask: () => Result | undefined | false,
    complaint: () => string,
    ms = PATIENCE_MS,
  ): Promise<Result> {
    let timer: NodeJS.Timeout | undefined
    let over = false
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        over = true
        reject(new Error(`${this.id}: after ${ms} ms: ${complaint()}`))
      }, ms)
    })
    try {
      // Once it is over the watch is told nothing more, so that it forgets the question.
      return (await Promise.race([this.watch.until<Result | 'over'>(() => (over ? 'over' : ask())), late])) as Result
    } finally {
      clearTimeout(timer)
    }
  }

  #words(room: string): string {
    return this.timeline(room)
      .slice(-12)
      .map(({ type, sender, content, stateKey }) =>
        `  ${type} ${stateKey ?? ''} by ${sender} ${JSON.stringify(content)}`.slice(0, 300),
      )
      .join('\n')
  }
}
