/** What the parts of the world need of outside, and of each other. */
import type { AccountView, AdapterContext, Role } from '../../../bridge/adapter.ts'
import type { Choice } from '../../../bridge/model/events.ts'
import type { UserId } from '../../../bridge/model/ids.ts'
import type { ChannelPort, ClientPort, Face, GatewayDeps, PersonPort, SettingsPort } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'

/** Root's questions that wait for a yes or no. */
export interface QuestionsPort {
  /** Durable when it resolves. */
  ask(person: PersonPort, asking: { readonly text: string; readonly choices: readonly Choice[] }): Promise<void>
}

export interface WorldOptions {
  readonly deps: GatewayDeps
  readonly questions: QuestionsPort
  /** Of settings, by name. */
  readonly defaults: ReadonlyMap<string, string>
  /** Messages of one conversation that are shown to who was away. */
  readonly playback: number
  /** Never the same twice; letters, digits and hyphens. */
  readonly mint: () => string
  /** Whether there is such an account of the gateway. */
  readonly knows: (user: UserId) => boolean
  readonly roleOf: (user: UserId) => Role
  /** Asks a client to confirm all that was written to it: `Person.confirmed` follows. Absent: nobody is asked. */
  readonly confirm?: (client: ClientPort) => void
  /** Somebody came, went, is called otherwise, is away or back: for MONITOR. */
  readonly faceChanged?: (person: PersonPort, before: Face | undefined, after: Face | undefined) => void
  /** MARKREAD: up to when they have read there; undefined: that is not known. Absent: nobody keeps it. */
  readonly markOf?: (user: UserId, channel: ChannelPort) => ServerMessage | undefined
}

/** What the parts of one person share. */
export interface Self {
  readonly user: UserId
  readonly deps: GatewayDeps
  readonly context: AdapterContext
  readonly settings: SettingsPort
  readonly clients: ReadonlySet<ClientPort>
  readonly nick: string
  /** As others of their clients see them. */
  readonly mask: string
  accounts(): readonly AccountView[]
  /** Up to when they have read in a channel, as their clients are told. */
  markOf(channel: ChannelPort): ServerMessage | undefined
  tell(make: (client: ClientPort) => readonly ServerMessage[], except?: ClientPort): void
}

/** A line of their own that could not be kept is worth a log line, and no more. */
export const logged =
  (self: Pick<Self, 'context' | 'user'>, what: string) =>
  (error: unknown): void =>
    self.context.log.warn({ user: self.user, error: String(error) }, what)
