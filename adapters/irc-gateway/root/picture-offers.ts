/** A file that is offered to root by DCC: the own picture, of all accounts, or of one that was named before. */
import type { Clock } from '../../../bridge/adapter.ts'
import type { AccountId } from '../../../bridge/model/ids.ts'
import type { FileOffer } from '../dcc-offer.ts'
import type { ClientPort, Face, InboxPort, PersonPort } from '../types.ts'
import { Waits } from './waits.ts'

/** The largest that the config lets a network have. */
const MAX_PICTURE_BYTES = 1_000_000

export class PictureOffers {
  readonly #inbox: InboxPort
  readonly #waits: Waits<AccountId>

  constructor(inbox: InboxPort, clock: Clock) {
    this.#inbox = inbox
    this.#waits = new Waits(clock)
  }

  /** The next picture of this client is for that account alone. */
  wait(client: ClientPort, account: AccountId): void {
    this.#waits.wait(client, account)
  }

  /** Lines of root. */
  async take(client: ClientPort, person: PersonPort, root: Face, offer: FileOffer): Promise<readonly string[]> {
    const only = this.#waits.take(client)
    const accounts = person.accounts().filter(({ id }) => only === undefined || id === only)
    if (accounts.length === 0) return ['You have no account that could show a picture. See: help account add']
    const put = await this.#inbox.take(client, root, offer, MAX_PICTURE_BYTES)
    if (put.kind === 'refused') {
      if (only !== undefined) this.wait(client, only)
      return [`The picture was not taken: ${put.detail}.`]
    }
    const lines: string[] = []
    for (const { id } of accounts) lines.push(...(await person.command(`set-picture ${id}`, undefined, put.file)))
    return lines
  }
}
