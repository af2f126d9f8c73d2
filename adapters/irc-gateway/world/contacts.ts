/** The contacts of a person as their clients see them: everybody's nick, and whatever changes, told once. */
import type { AccountView, ContactView, PeopleNews } from '../../../bridge/adapter.ts'
import type { AccountId } from '../../../bridge/model/ids.ts'
import type { ContactKey, Face } from '../types.ts'
import { contactId, contactOf } from './chats.ts'
import { faceAs, rootFace } from './faces.ts'
import { foldNick, followsName, wantedNick, type NickRules } from './nicks.ts'
import type { Known, NickBook } from './nick-book.ts'
import { changesOf, seenAs, shownAs, type Filled, type Seen } from './presence.ts'
import { shapeOf } from './shapes.ts'
import type { Self } from './types.ts'

export interface ContactsOptions {
  readonly self: Self
  readonly book: NickBook
  /** The control channels that clients are in. */
  readonly filled: () => readonly Filled[]
  /** They are in a channel of several. */
  readonly isElsewhere: (key: ContactKey) => boolean
  /** A QUIT took them out of all channels. */
  readonly hasQuit: (key: ContactKey) => void
  /** They are online, and were not. */
  readonly hasReturned: (key: ContactKey) => void
  readonly rootSays: (line: string) => void
  readonly faceChanged: ((before: Face | undefined, after: Face | undefined) => void) | undefined
}

export class Contacts {
  readonly #options: ContactsOptions
  /** As clients have been told; absent while there are none. */
  #shown: Map<string, Seen> | undefined
  /** Everybody on the lists has a nick. */
  #named = false

  constructor(options: ContactsOptions) {
    this.#options = options
  }

  /** Somebody is there to be told of changes. */
  open(): void {
    if (this.#shown !== undefined) return
    this.#nameAll()
    this.#shown = new Map()
    for (const { id } of this.#options.self.accounts())
      for (const view of this.#options.self.context.people.contactsOf(id)) {
        const key = { account: id, user: view.user }
        const seen = this.#seen(key, view)
        if (seen !== undefined) this.#shown.set(contactId(key), seen)
      }
  }

  close(): void {
    this.#shown = undefined
  }

  changed(news: PeopleNews): void {
    if (news.kind === 'contact') {
      if (this.#shown !== undefined) this.#update({ account: news.account, user: news.user })
      else if (this.#named) this.#nameAll(news.account)
      return
    }
    const { self, book } = this.#options
    if (self.accounts().every(({ id }) => id !== news.account)) book.forget(news.account)
    if (this.#shown === undefined) {
      this.#named = false
      return
    }
    const ids = new Map<string, ContactKey>()
    for (const id of this.#shown.keys()) if (contactOf(id).account === news.account) ids.set(id, contactOf(id))
    for (const { user } of self.context.people.contactsOf(news.account)) {
      const key = { account: news.account, user }
      ids.set(contactId(key), key)
    }
    for (const key of ids.values()) this.#update(key)
  }

  /** What a setting says of all of them has changed. `before`: the channels as they were filled. */
  refill(before: readonly Filled[]): void {
    for (const [id, seen] of this.#shown ?? []) this.#tell(contactOf(id), seen, seen, before)
  }

  /** Nicks are made by other rules: those that were not given by hand are made anew. */
  renameAll(): void {
    for (const known of [...this.#options.book.all()]) {
      const view = this.#view(known.key)
      if (view === undefined) continue
      const made = this.#options.book.remake(known.key, this.#wanted(known.key, view))
      if (made !== undefined) this.renamed(known, made)
    }
  }

  /** They are called otherwise. */
  renamed(before: Known, after: Known): void {
    if (before.nick === after.nick) return
    const id = contactId(after.key)
    const seen = this.#shown?.get(id)
    if (seen !== undefined) {
      this.#update(after.key)
      return
    }
    if (this.#shown === undefined || !this.#options.isElsewhere(after.key)) return
    const face = this.#face(before.key, before.nick)
    this.#options.self.tell((client) =>
      shapeOf({ kind: 'nick', to: after.nick }, face, this.#options.self.deps.server, client.caps),
    )
  }

  /** The nick that the person gave them is taken back; a sentence when it cannot be. */
  async unname(key: ContactKey): Promise<string | undefined> {
    const { book } = this.#options
    const before = book.get(key)
    if (before === undefined) return 'There is no such contact.'
    this.renamed(before, await book.unname(key, this.#wanted(key, this.#view(key))))
    return undefined
  }

  root(): Face {
    const { self } = this.#options
    return rootFace(this.rootNick(), self.deps.server)
  }

  rootNick(): string {
    return this.#options.self.settings.get('root_nick') || 'root'
  }

  faceOf(key: ContactKey): Face | undefined {
    const known = this.#options.book.get(key)
    if (known !== undefined) return this.#face(key, known.nick)
    return this.#view(key) === undefined ? undefined : this.ensure(key)
  }

  /** Whoever they are: they have something to say. */
  ensure(key: ContactKey, name?: string): Face {
    const view = this.#view(key)
    const known = this.#options.book.ensure(key, () => this.#wanted(key, view, name))
    return this.#face(key, known.nick, view)
  }

  face(nick: string): Face | undefined {
    if (foldNick(nick) === foldNick(this.rootNick())) return this.root()
    this.#nameAll()
    const known = this.#options.book.byNick(nick)
    return known && this.#face(known.key, known.nick)
  }

  *faces(): Generator<Face> {
    this.#nameAll()
    yield this.root()
    for (const { key, nick } of this.#options.book.all()) yield this.#face(key, nick)
  }

  /** Whom a control channel shows. */
  *in(filled: Filled): Generator<{ readonly face: Face; readonly prefixes: string }> {
    this.#nameAll()
    for (const { key, nick } of this.#options.book.all()) {
      const seen = this.#shown === undefined ? this.#seen(key) : this.#shown.get(contactId(key))
      const prefixes = seen && filled.prefixes(seen)
      if (prefixes !== undefined) yield { face: this.#face(key, nick), prefixes }
    }
  }

  #update(key: ContactKey): void {
    const { book, faceChanged } = this.#options
    const shown = this.#shown
    if (shown === undefined) return
    const id = contactId(key)
    const before = shown.get(id)
    const view = this.#view(key)
    if (view?.listed === true) {
      if (before !== undefined && before.name !== shownAs(view)) this.#nameChanged(key, before, view)
      book.ensure(key, () => this.#wanted(key, view))
    }
    const after = this.#seen(key, view)
    if (after === undefined) shown.delete(id)
    else shown.set(id, after)
    this.#tell(key, before, after)
    if (faceChanged === undefined) return
    const network = this.#network(key.account)
    faceChanged(
      before && { ...faceAs(key, before.nick, network, view, before), realname: before.name },
      after && faceAs(key, after.nick, network, view, after),
    )
  }

  #nameChanged(key: ContactKey, before: Seen, view: ContactView): void {
    const { book, self, rootSays } = this.#options
    if (self.settings.isOn('display_namechanges'))
      rootSays(`${before.nick} is called ${shownAs(view)} now; that was: ${before.name}`)
    if (followsName(this.#rules(key.account))) book.remake(key, this.#wanted(key, view))
  }

  #tell(key: ContactKey, before: Seen | undefined, after: Seen | undefined, were?: readonly Filled[]): void {
    const { self, isElsewhere, hasQuit, hasReturned } = this.#options
    const account = this.#account(key.account)
    const split = account?.state.kind === 'online' ? undefined : this.#splitWords(key.account)
    const changes = changesOf(before, after, {
      channels: this.#options.filled(),
      ...(were === undefined ? {} : { were }),
      quit: split ?? (self.settings.isOn('offline_user_quits') ? 'Leaving...' : undefined),
      removed: account === undefined ? (split ?? 'Leaving...') : 'Removed',
      knownElsewhere: isElsewhere(key),
    })
    const isBack = after?.online === true && before?.online !== true
    if (changes.length === 0) {
      if (isBack) hasReturned(key)
      return
    }
    const view = this.#view(key)
    const name = before?.name ?? after?.name
    const old = faceAs(key, before?.nick ?? after?.nick ?? '', this.#network(key.account), view, before)
    const who = name === undefined ? old : { ...old, realname: name }
    const called = after === undefined ? who : { ...who, nick: after.nick }
    self.tell((client) =>
      changes.flatMap((change) =>
        shapeOf(change, change.kind === 'nick' ? who : called, self.deps.server, client.caps),
      ),
    )
    if (changes.some(({ kind }) => kind === 'quit')) hasQuit(key)
    if (isBack) hasReturned(key)
  }

  /** "localhost example.com": clients fold such a QUIT of many into one line. */
  #splitWords(account: AccountId): string | undefined {
    const { self } = this.#options
    if (!self.settings.isOn('simulate_netsplit')) return undefined
    const { server } = self.deps
    const login = this.#account(account)?.login ?? String(account)
    const host = login.slice(login.indexOf('@') + 1).replace(/[^\w.-]/g, '_')
    return `${dotted(server)} ${dotted(host)}`
  }

  /** Whoever is on a list of theirs. */
  #nameAll(only?: AccountId): void {
    if (this.#named && only === undefined) return
    const { self, book } = this.#options
    for (const { id } of self.accounts())
      if (only === undefined || only === id)
        for (const view of self.context.people.contactsOf(id)) {
          const key = { account: id, user: view.user }
          if (view.listed) book.ensure(key, () => this.#wanted(key, view))
        }
    this.#named = true
  }

  #wanted(key: ContactKey, view: ContactView | undefined, name = ''): string {
    const { settings } = this.#options.self
    return wantedNick(
      {
        handle: key.user,
        nickname: view?.nickname,
        fullName: view?.name === undefined || view.name === '' ? name : view.name,
        group: view?.groups?.[0],
        account: settings.own(`account/${key.account}/tag`) ?? String(this.#network(key.account)),
      },
      this.#rules(key.account),
    )
  }

  #rules(account: AccountId): NickRules {
    const { settings } = this.#options.self
    return {
      format: settings.own(`account/${account}/nick_format`) ?? settings.get('nick_format'),
      lowercase: settings.isOn('nick_lowercase'),
      underscores: settings.isOn('nick_underscores'),
      utf8: settings.isOn('utf8_nicks'),
      source: settings.own(`account/${account}/nick_source`) ?? 'handle',
    }
  }

  #seen(key: ContactKey, view = this.#view(key), account = this.#account(key.account)): Seen | undefined {
    const nick = this.#options.book.get(key)?.nick
    return nick === undefined ? undefined : seenAs(nick, view, account)
  }

  #face(key: ContactKey, nick: string, view = this.#view(key)): Face {
    const account = this.#account(key.account)
    const network = account?.network ?? this.#options.self.deps.network
    return faceAs(key, nick, network, view, this.#seen(key, view, account))
  }

  #view({ account, user }: ContactKey): ContactView | undefined {
    return this.#options.self.context.people.contact(account, user)
  }

  #account(account: AccountId): AccountView | undefined {
    return this.#options.self.accounts().find(({ id }) => id === account)
  }

  #network(account: AccountId): Self['deps']['network'] {
    return this.#account(account)?.network ?? this.#options.self.deps.network
  }
}

/** For clients two hosts are a split only if both have dots. */
const dotted = (host: string): string => (host.includes('.') ? host : `${host}.localdomain`)
