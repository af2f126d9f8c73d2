import { TokenBucket } from '../../sansio/rate.ts'
import { TRAITS } from '../model/dialect.ts'
import type { NsEvent } from '../session/notification-server-events.ts'
import type { Accounts } from './accounts.ts'
import type { AccountRecord, ServiceLimits, SwitchboardDesk } from './contract.ts'
import { isOn } from './lists.ts'
import type { Online } from './online.ts'
import { keyedLists } from './keyed-sync.ts'
import { announce, initialPresence, tellBeside, vanish } from './presence.ts'
import { shields } from './shields.ts'
import { allGroups, fullLists, oneList, upToDate } from './sync.ts'

/** The requests that leave the account as it is. */
export type Request = Extract<
  NsEvent,
  { readonly kind: 'sync' | 'list' | 'groups' | 'status' | 'switchboard' | 'confirms' | 'shields' }
>

export interface RequestsDeps {
  readonly accounts: Accounts
  readonly switchboards: SwitchboardDesk
  readonly limits: ServiceLimits
  readonly now: () => number
}

/** Lists to read, the own status, and the way to a switchboard. */
export class Requests {
  readonly #deps: RequestsDeps

  constructor(deps: RequestsDeps) {
    this.#deps = deps
  }

  /** At once where everything is in memory. Rejects when the store fails. */
  answer(online: Online, request: Request): Promise<void> | undefined {
    const { trid } = request
    switch (request.kind) {
      case 'sync':
        return this.#sync(online, trid, request.version)
      case 'list':
        online.push(oneList(trid, online.record, request.list))
        return undefined
      case 'groups':
        online.push(allGroups(trid, online.record))
        return undefined
      case 'status':
        this.#status(online, request)
        return undefined
      case 'switchboard':
        this.#switchboard(online, trid)
        return undefined
      case 'confirms':
        online.confirms = true
        online.line.send({ kind: 'reply', verb: 'CFM', trid, words: ['ON'] })
        return undefined
      // As other services: no client asks before it has its lists.
      case 'shields':
        if (online.synced) online.push(shields(trid))
        else online.line.send({ kind: 'error', code: 715, trid })
        return undefined
    }
  }

  #sync(online: Online, trid: string, version: number): Promise<void> | undefined {
    const { record } = online
    online.synced = true
    if (version !== 0 && version === record.version) {
      online.push(upToDate(trid, record))
      return undefined
    }
    const found = new Map<string, AccountRecord>()
    const missing: Promise<void>[] = []
    const note = (read: AccountRecord | undefined): void => {
      if (read !== undefined) found.set(read.email, read)
    }
    for (const contact of record.contacts) {
      if (!isOn(contact, 'FL')) continue
      const theirs = this.#deps.accounts.withPhones(contact.email)
      if (theirs instanceof Promise) missing.push(theirs.then(note))
      else note(theirs)
    }
    const phonesOf = (email: string): AccountRecord | undefined => found.get(email)
    const answer = (): void => {
      const { guidIds } = TRAITS[online.dialect]
      online.push(guidIds ? keyedLists(trid, record, online.dialect, phonesOf) : fullLists(trid, record, phonesOf))
    }
    if (missing.length > 0) return Promise.all(missing).then(answer)
    answer()
    return undefined
  }

  /** The answer is what came, word by word; the first time it is followed by everybody who is there. */
  #status(online: Online, request: Extract<Request, { readonly kind: 'status' }>): void {
    const { trid, status, clientId, object, words } = request
    const { accounts } = this.#deps
    const first = online.presence === undefined
    const before = accounts.online(online.email)?.presence
    online.presence = { status, clientId, object }
    online.line.send({ kind: 'reply', verb: 'CHG', trid, words })
    if (first) {
      const initial = initialPresence(accounts, online, trid)
      if (initial !== undefined) online.push(initial)
      online.line.send({ kind: 'challenge' })
    }
    if (first || !online.beside) tellBeside(accounts, online.email)
    const shown = accounts.online(online.email) ?? online
    const now = shown.presence
    const isSame =
      before?.status === now?.status && before?.clientId === now?.clientId && before?.object === now?.object
    if (isSame) return
    const wasVisible = before !== undefined && before.status !== 'HDN'
    if (shown.isVisible) announce(accounts, shown, wasVisible ? 'seen' : 'unseen')
    else if (wasVisible) vanish(accounts, shown)
  }

  /** 913 hidden, or before the first CHG; 800 too often; 707 there is none. */
  #switchboard(online: Online, trid: string): void {
    const { limits, switchboards, now } = this.#deps
    const at = now()
    online.switchboards ??= new TokenBucket(limits.switchboardRate, at)
    const way = !online.isVisible
      ? 913
      : !online.switchboards.take(at)
        ? 800
        : (switchboards.open(online.email, at, online.beside) ?? 707)
    if (typeof way === 'number') online.line.send({ kind: 'error', code: way, trid })
    else online.line.send({ kind: 'reply', verb: 'XFR', trid, words: ['SB', way.address, 'CKI', way.ticket] })
  }
}
