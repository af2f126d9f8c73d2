/** What the adapter needs of one sign-in to MSN. `MsnClient` has it; tests bring their own. */
import type {
  CommandResult,
  Contact,
  Group,
  MsnClientOptions,
  OpenSwitchboardResult,
  PersonalMessage,
  Privacy,
  SignInResult,
  Status,
} from '../../msnp/index.ts'

export interface Line {
  /** By address in lower case. */
  readonly contacts: ReadonlyMap<string, Contact>
  readonly groups: readonly Group[]
  readonly privacy: Privacy
  readonly name: string
  /** As the server last confirmed it. */
  readonly status: Status | undefined
  /** Ours, as the connection to the server has it. */
  readonly localAddress?: string | undefined
  signIn(signal?: AbortSignal): Promise<SignInResult>
  signOut(): Promise<void>
  setStatus(status: Status): Promise<CommandResult>
  readonly hasPersonalMessages: boolean
  /** Where the dialect has none, it counts as done. */
  setPersonalMessage(message: PersonalMessage): Promise<CommandResult>
  rename(name: string): Promise<CommandResult>
  /** The description of our picture, as XML. */
  setPicture(xml: string | undefined): Promise<CommandResult>
  add(email: string): Promise<CommandResult>
  remove(email: string): Promise<CommandResult>
  block(email: string): Promise<CommandResult>
  unblock(email: string): Promise<CommandResult>
  addGroup(name: string): Promise<CommandResult>
  renameGroup(group: string, name: string): Promise<CommandResult>
  removeGroup(group: string): Promise<CommandResult>
  move(email: string, group?: string): Promise<CommandResult>
  setPrivacy(privacy: Privacy): Promise<CommandResult>
  openSwitchboard(signal?: AbortSignal): Promise<OpenSwitchboardResult>
}

export type OpenLine = (options: MsnClientOptions) => Line
