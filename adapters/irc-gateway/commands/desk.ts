/** What every handler gets: who asks, what they see, and what stands behind all clients. */
import type { FileOffer } from '../dcc-offer.ts'
import type { ClientPort, GatewayDeps, InboxPort, PersonPort } from '../types.ts'
import type { ClientLine } from '../wire/line.ts'
import type { Monitors } from './monitors.ts'
import type { ReadMarks } from './read-marks.ts'
import type { Sight } from './sight.ts'

/** Root, to whom people talk in the control channel and in a query. */
export interface RootPort {
  /** `where`: 'query', or the channel in which it was said. Resolves when it is answered. */
  hear(client: ClientPort, line: string, where: string): Promise<void>
  /** A file was offered to root by DCC. Never rejects; resolves when it is answered, which may take minutes. */
  offered(client: ClientPort, offer: FileOffer): Promise<void>
  /** A password that was typed as `/oper name password`, so that no client logs it. */
  oper(client: ClientPort, name: string, password: string): Promise<void>
  /** What may be said to root, word for word, for clients that complete it. */
  completions(): readonly string[]
}

/** What the server tells of itself. */
export interface ServerFacts {
  readonly version: string
  readonly startedAt: number
  motd(): readonly string[]
  /** people: accounts with a client attached; strangers: clients that are not identified. */
  counts(): { readonly people: number; readonly clients: number; readonly strangers: number }
}

export interface DispatchDeps extends GatewayDeps {
  readonly root: RootPort
  readonly inbox: InboxPort
  readonly facts: ServerFacts
}

export interface Desk {
  readonly deps: DispatchDeps
  readonly monitors: Monitors
  readonly marks: ReadMarks
  /** CHATHISTORY requests of a client that are under way. */
  readonly reading: WeakMap<ClientPort, number>
  /** A name for a batch, not used before. */
  ref(): string
}

export interface Asked {
  readonly desk: Desk
  readonly client: ClientPort
  readonly person: PersonPort | undefined
  readonly sight: Sight
  readonly verb: string
  readonly params: readonly string[]
  readonly tags: ClientLine['tags']
}

export interface AskedByPerson extends Asked {
  readonly person: PersonPort
}

/** A promise: the answer is complete when it resolves. */
export type Answering = Promise<void> | undefined

/** `min`: parameters without which the answer is 461. `identified`: not for strangers. */
export type Command =
  | { readonly min: number; readonly identified?: false; readonly run: (asked: Asked) => Answering }
  | { readonly min: number; readonly identified: true; readonly run: (asked: AskedByPerson) => Answering }

export type Commands = Readonly<Record<string, Command>>
