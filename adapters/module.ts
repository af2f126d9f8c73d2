/** What the folder of an adapter offers to the daemon: its `index.ts` exports `create` and, when it keeps accounts, `accounts`. */
import type { Adapter, AdapterState, Logger } from '../bridge/adapter.ts'
import type { NetworkId } from '../bridge/model/ids.ts'

export interface AdapterOptions<Config> {
  readonly network: NetworkId
  /** As loaded: defaults filled in, paths absolute and readable. */
  readonly config: Config
  /** An existing folder for what the adapter makes itself, e.g. `certificate.pem`. */
  readonly dataFolder: string
  /** The secret behind a reference of the config, read anew each time. Throws a sentence with the remedy. */
  secret(reference: { readonly env: string } | { readonly file: string }): string
}

export interface AdapterModule<Config> {
  create(options: AdapterOptions<Config>): HostingAdapter
  /** The accounts of a service that is not running, for the command line. */
  accounts?(options: AdapterOptions<Config>, state: AdapterState, log: Logger): AccountAdmin
  /** Writes what a server must be given before it lets us in, for the command line. */
  registration?(options: AdapterOptions<Config>): Promise<RegistrationAnswer>
}

/** `lines` say what was written and what to do next; `wrong` is a sentence with the remedy. */
export type RegistrationAnswer =
  { readonly kind: 'done'; readonly lines: readonly string[] } | { readonly kind: 'refused'; readonly wrong: string }

/** A running adapter; one that keeps accounts of its own lets them be managed. */
export interface HostingAdapter extends Adapter {
  /** Absent while it does not run. */
  readonly accounts?: AccountAdmin | undefined
}

/** Accounts that people sign in with on a network that we host. Answers are on disk when they resolve. */
export interface AccountAdmin {
  add(address: string, password: string): Promise<AccountAnswer>
  passwd(address: string, password: string): Promise<AccountAnswer>
  remove(address: string): Promise<AccountAnswer>
  list(): Promise<readonly AccountRow[]>
}

/** `address` is the whole one, as it is kept. `wrong` is a sentence for whoever asked, with the remedy. `taken`: there is one of that name. */
export type AccountAnswer =
  | { readonly kind: 'done'; readonly address: string }
  | { readonly kind: 'refused'; readonly wrong: string; readonly taken?: true }

export interface AccountRow {
  readonly address: string
  readonly name: string
  readonly online: boolean
}
