/** What the config says of files, and the parts of one sign-in that move them. */
import type { AdapterContext } from '../../../bridge/adapter.ts'
import type { AccountId, ChatId, NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { generationOf, type FilePorts, type FileTimings } from '../../../msnp/index.ts'
import type { Chats } from '../chats.ts'
import type { Held } from '../held.ts'
import type { Line } from '../line.ts'
import { ClassicCourier } from './classic.ts'
import { Transfers } from './flow.ts'
import { OwedLinks } from './owed.ts'
import { PeerCourier, type PeerOptions } from './peer.ts'

export interface FileSettings {
  readonly receives: boolean
  /** The first generation of clients that is offered files over the switchboard. */
  readonly peersFrom: number
  readonly sends: boolean
  /** Bytes. */
  readonly maxBytes: number
  readonly direction: 'listen' | 'connect'
  /** Of all accounts of the network. */
  readonly ports: FilePorts
  /** Where others find us; absent: where our own server does. */
  readonly publicHost: string | undefined
  readonly mayConnect: (address: string) => boolean
  /** Milliseconds. */
  readonly answerMs: number
  readonly timings: Partial<FileTimings>
}

interface FilesOptions {
  readonly network: NetworkId
  readonly account: AccountId
  readonly own: UserId
  readonly context: AdapterContext
  readonly held: Held
  readonly settings: FileSettings
  readonly random: () => string
}

/** Files of one account, over all of its sign-ins. */
export class AccountFiles {
  readonly #options: FilesOptions
  readonly #owed: OwedLinks
  /** Of sign-ins that are over, too: a connection of its own need not end with them. */
  readonly #all = new Set<Transfers>()

  constructor(options: FilesOptions) {
    this.#options = options
    this.#owed = new OwedLinks(options.account, options.context)
  }

  /** Before anything else; again is harmless. Rejects when the store does not answer. */
  load(): Promise<void> {
    return this.#owed.load()
  }

  /** For one sign-in. */
  begin(line: Line, withPeer: PeerOptions['withPeer']): Transfers {
    for (const old of this.#all) if (old.idle) this.#all.delete(old)
    const transfers = makeTransfers({ ...this.#options, owed: this.#owed, line, withPeer })
    this.#all.add(transfers)
    return transfers
  }

  /** Links for files that were offered and have not arrived; to one who came, or to all. */
  giveOwed(transfers: Transfers, chats: Pick<Chats, 'conversation'>, to?: UserId): void {
    for (const [id, { chat }] of this.#owed.waiting()) {
      const isMeant = to === undefined || (to as string as ChatId) === chat
      const conversation = isMeant ? chats.conversation(chat) : undefined
      if (conversation !== undefined) void transfers.give(id, conversation)
    }
  }

  /** What is under way is given up. */
  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((transfers) => transfers.stop()))
    this.#all.clear()
  }
}

type TransferParts = FilesOptions & {
  readonly owed: OwedLinks
  readonly line: Line
  readonly withPeer: PeerOptions['withPeer']
}

/** Of one sign-in. */
const makeTransfers = ({ own, line, settings, withPeer, ...parts }: TransferParts): Transfers => {
  const { context, random } = parts
  const { direction, ports, publicHost, mayConnect, answerMs, timings } = settings
  const classic = new ClassicCourier({
    account: own,
    clock: context.clock,
    direction,
    ports,
    publicHost: () => publicHost ?? plain(line.localAddress) ?? '127.0.0.1',
    mayConnect,
    answerMs,
    timings,
    random,
  })
  return new Transfers({
    ...parts,
    couriers: [new PeerCourier({ from: settings.peersFrom, withPeer }), classic],
    receives: settings.receives,
    sends: settings.sends,
    maxBytes: settings.maxBytes,
    generationOf: (user) => {
      const presence = line.contacts.get(user)?.presence
      return presence === undefined ? undefined : generationOf(presence.clientId)
    },
  })
}

/** Old clients know the old way to write an address only. */
const plain = (address: string | undefined): string | undefined => address?.replace(/^::ffff:/, '')
