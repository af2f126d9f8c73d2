/** One session between us and somebody: who asked for what, and how far it is. */
import type { MsnObject } from '../model/msn-object.ts'
import type { Assembler } from './assembler.ts'
import type { SessionHandle } from './contract.ts'
import type { FileOffer } from './file-context.ts'
import type { Packet } from './packet.ts'
import type { Message } from './sender.ts'
import type { Slp } from './slp.ts'

export interface Session {
  readonly handle: SessionHandle
  /** On the wire. */
  readonly wire: number
  readonly peer: string
  readonly callId: string
  /** Of the invitation. */
  readonly branch: string
  readonly role: Role
  /** Milliseconds on the machine's clock. */
  deadline: number
  /** No deadline is later. */
  readonly until: number
}

export type RoleOf<Kind extends Role['kind']> = Session & { readonly role: Extract<Role, { kind: Kind }> }

/** What comes in. */
export interface Arrival {
  readonly id: number
  readonly assembler: Assembler
  /** Bytes without a gap, when the deadline was last put off for them. */
  counted: number
}

export type Role =
  /** We ask for an object. */
  | {
      readonly kind: 'fetch'
      readonly object: MsnObject
      readonly pieces: Uint8Array[]
      /** They have said that they will send it. */
      isAgreed: boolean
      arrival: Arrival | undefined
    }
  /** They ask for one of ours. */
  | {
      readonly kind: 'serve'
      readonly invite: Slp
      phase: 'asked' | 'preparing' | 'sending' | 'closing'
      bytes: Uint8Array
      preparation: Message | undefined
    }
  /** We have a file for them. */
  | {
      readonly kind: 'offer'
      readonly size: number
      /** left: they ended it, and may have all of it: what they acknowledged may come behind. */
      phase: 'inviting' | 'sending' | 'closing' | 'left'
      data: Message | undefined
      /** Bytes asked for with `wants` that have not come. */
      wanted: number
      /** Bytes that were provided. */
      provided: number
    }
  /** They have one for us. */
  | {
      readonly kind: 'take'
      readonly invite: Slp
      readonly file: FileOffer
      isTaken: boolean
      confirms: boolean
      arrival: Arrival | undefined
      /** All is here: to be acknowledged once it is kept. */
      last: Packet | undefined
    }

/** That they end it now is no surprise: they have all of it. What becomes of an object that we served is no matter to us. */
export const isSent = ({ role }: Session): boolean =>
  role.kind === 'offer' ? role.phase === 'closing' : role.kind === 'serve' && role.phase !== 'asked'

/** It may take so long from now. */
export const renew = (session: Session, ms: number, now: number): void => {
  session.deadline = Math.min(now + ms, session.until)
}

/** The sessions that are not over. */
export class Sessions {
  readonly #all = new Map<SessionHandle, Session>()
  readonly #random: () => number

  /** A random number of 32 bits. */
  constructor(random: () => number) {
    this.#random = random
  }

  get size(): number {
    return this.#all.size
  }

  get all(): readonly Session[] {
    return [...this.#all.values()]
  }

  get wakeAt(): number {
    let at = Infinity
    for (const { deadline } of this.#all.values()) at = Math.min(at, deadline)
    return at
  }

  add(session: Session): void {
    this.#all.set(session.handle, session)
  }

  delete({ handle }: Session): void {
    this.#all.delete(handle)
  }

  get(handle: SessionHandle | undefined): Session | undefined {
    return handle === undefined ? undefined : this.#all.get(handle)
  }

  of<Kind extends Role['kind']>(handle: SessionHandle, kind: Kind): RoleOf<Kind> | undefined {
    const session = this.#all.get(handle)
    return session?.role.kind === kind ? (session as RoleOf<Kind>) : undefined
  }

  byCall(peer: string, callId: string): Session | undefined {
    for (const session of this.#all.values()) if (session.callId === callId && session.peer === peer) return session
    return undefined
  }

  byWire(peer: string, wire: number): Session | undefined {
    for (const session of this.#all.values()) if (session.wire === wire && session.peer === peer) return session
    return undefined
  }

  /** Below 2^31 and no small number, which some clients keep for themselves. */
  newWireId(): number {
    for (let more = 0; ; more += 8) {
      const id = ((this.#random() + more) & 0x7fffffff) | 4
      if (!this.all.some(({ wire }) => wire === id)) return id
    }
  }

  guid(): string {
    const hex = [0, 0, 0, 0]
      .map(() => (this.#random() >>> 0).toString(16).padStart(8, '0'))
      .join('')
      .toUpperCase()
    return `{${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}}`
  }
}
