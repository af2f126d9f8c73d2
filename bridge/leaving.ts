/** Somebody who lived on a network does so no more: whoever has their user id next is not their heir. */
import { madeItself } from './ends.ts'
import type { Accounts } from './accounts.ts'
import type { Hub } from './hub.ts'
import type { Identity } from './identity.ts'
import type { Logins } from './logins.ts'
import type { UserRef } from './model/ids.ts'
import type { Portals } from './portals.ts'

export interface LeavingDeps {
  readonly identity: Pick<Identity, 'isConfigured' | 'personOf' | 'unlink'>
  readonly accounts: Pick<Accounts, 'all' | 'originOf'>
  readonly logins: Pick<Logins, 'signOut'>
  readonly portals: Pick<Portals, 'all'>
  readonly chats: Pick<Hub, 'deletePortal' | 'unlink'>
  /** Fewer accounts have chats now. */
  readonly linksChanged: () => void
}

export class Leaving {
  readonly #deps: LeavingDeps

  constructor(deps: LeavingDeps) {
    this.#deps = deps
  }

  /** As `AdapterContext.leave`. */
  async run(user: UserRef): Promise<string | undefined> {
    const { identity, accounts, logins, linksChanged } = this.#deps
    if (identity.isConfigured(user))
      return `${user.user} stands in the config of the bridge, under people: its operator takes that out first.`
    await this.#endChats(user)
    // Whom they were linked with keeps what is theirs; what they signed in with alone is nobody's then.
    await identity.unlink(user)
    const person = identity.personOf(user)
    for (const account of accounts.all())
      if (account.person === person && accounts.originOf(account.id) === 'signed-in') await logins.signOut(account)
    // What came meanwhile has opened others.
    await this.#endChats(user)
    linksChanged()
    return undefined
  }

  /** What was linked by hand stays linked, and others keep theirs: only the chat that they have of it goes. */
  async #endChats({ network, user }: UserRef): Promise<void> {
    const { portals, chats } = this.#deps
    for (const portal of portals.all()) {
      const own = portal.legs.filter(
        ({ network: on, request }) => on === network && request.kind === 'portal' && request.owner === user,
      )
      if (own.length === 0) continue
      const homes = portal.legs.filter(({ request }) => request.kind === 'portal')
      if (madeItself(portal) && homes.length === own.length) await chats.deletePortal(portal.id)
      else for (const { id } of own) await chats.unlink(id)
    }
  }
}
