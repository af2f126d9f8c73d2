/** One account of the gateway, live: it is there whether a client is attached or not. */
import type { AccountView, ContactView, Delivery, PeopleNews, PortalRequest } from '../../../bridge/adapter.ts'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { ChatId, MessageId, UserId } from '../../../bridge/model/ids.ts'
import { parseNick } from '../../../irc/casemap.ts'
import { render, withoutControls } from '../../../irc/formatting.ts'
import type { ChannelPort, ClientPort, ContactKey, Face, GatewayDeps, PersonPort, SayResult, Saying } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'
import { Attendance, type Arrival } from './attendance.ts'
import type { ChatKind } from './chats.ts'
import { entryOf } from './names.ts'
import { foldNick, nickProblem } from './nicks.ts'
import { OwnPresence } from './own-presence.ts'
import { makeParts, type Parts } from './parts.ts'
import { settingChanged } from './setting-effects.ts'
import { Settings } from './settings.ts'
import { rowsOf, type Rows, type Shelf } from './shelf.ts'
import { logged, type Self, type WorldOptions } from './types.ts'

export interface PersonOptions {
  readonly world: WorldOptions
  readonly user: UserId
  readonly shelf: Shelf
  readonly rows: Rows
  /** The first client came, or the last one went. */
  readonly attended: (person: Person) => void
}

/** How the bridge begins to say that a command did not work. */
const FAILED = /^[\w-]+ failed: /

export class Person implements PersonPort, Self {
  readonly user: UserId
  readonly settings: Settings
  readonly #world: WorldOptions
  readonly #parts: Parts
  readonly #presence: OwnPresence
  readonly #attendance: Attendance
  #nick: string
  #underway = 0

  constructor({ world, user, shelf, rows, attended }: PersonOptions) {
    this.user = user
    this.#world = world
    this.#nick = user
    this.settings = new Settings({
      shelf,
      defaults: world.defaults,
      rows: rowsOf(rows, 'set'),
      changed: (name, before) => settingChanged(this, this.#parts, name, before),
    })
    const { faceChanged } = world
    this.#parts = makeParts(this, {
      world,
      user,
      shelf,
      rows,
      faceChanged: faceChanged && ((before, after) => faceChanged(this, before, after)),
    })
    this.#presence = new OwnPresence(this)
    this.#attendance = new Attendance({
      self: this,
      parts: this.#parts,
      presence: this.#presence,
      adopt: (nick) => this.#adopt(nick),
      attended: () => attended(this),
    })
  }

  get deps(): GatewayDeps {
    return this.#world.deps
  }

  get context(): GatewayDeps['context'] {
    return this.deps.context
  }

  get clients(): ReadonlySet<ClientPort> {
    return this.#attendance.clients
  }

  get nick(): string {
    return this.#nick
  }

  get mask(): string {
    const [client] = this.clients
    return client?.mask ?? `${this.#nick}!${this.user}@${this.deps.server}`
  }

  get away(): string | undefined {
    return this.#presence.words
  }

  /** Messages, and words of the bridge, that none of their clients has seen. */
  get missed(): number {
    return this.#parts.missed.size
  }

  /** Whether forgetting it from memory would lose anything. */
  get busy(): boolean {
    return this.#underway > 0 || this.#attendance.busy || this.#parts.talk.busy
  }

  // Clients

  /** A client has said who it is, and gets to see all that the others see. */
  attach(client: ClientPort, arrival: Arrival = {}): void {
    this.#attendance.attach(client, arrival)
  }

  /** `lost`: it died without a word, so that it may not have seen the last lines. Twice is harmless. */
  detach(client: ClientPort, how: 'quit' | 'lost'): void {
    this.#attendance.detach(client, how)
  }

  /** The client has seen everything that was written to it before it was asked. */
  confirmed(client: ClientPort): void {
    this.#parts.written.confirmed(client)
  }

  tell(make: (client: ClientPort) => readonly ServerMessage[], except?: ClientPort): void {
    for (const client of this.clients) {
      if (client === except) continue
      const messages = make(client)
      if (messages.length > 0) client.send(...messages)
    }
  }

  rootSays(...lines: readonly string[]): void {
    for (const line of lines) this.#counted(this.#parts.root.tell(line)).catch(logged(this, 'words of root were lost'))
  }

  /** Resolves when it is shown, or kept for later. */
  tellRoot(text: string): Promise<void> {
    return this.#counted(this.#parts.root.tell(text))
  }

  // Whom they see

  accounts(): readonly AccountView[] {
    return this.context.people.accountsOf(this.user)
  }

  contact({ account, user }: ContactKey): ContactView | undefined {
    return this.context.people.contact(account, user)
  }

  faces(): Iterable<Face> {
    return this.#parts.contacts.faces()
  }

  face(nick: string): Face | undefined {
    return this.#parts.contacts.face(nick)
  }

  faceOf(key: ContactKey): Face | undefined {
    return this.#parts.contacts.faceOf(key)
  }

  changed(news: PeopleNews): void {
    if (news.kind === 'account') this.#presence.accountsChanged()
    this.#parts.contacts.changed(news)
  }

  async rename(key: ContactKey, nick: string): Promise<string | undefined> {
    const { book, contacts } = this.#parts
    if (nick === '') return contacts.unname(key)
    const wrong = nickProblem(nick, this.settings.isOn('utf8_nicks'))
    if (wrong !== undefined) return wrong
    // Who was put on the list a moment ago is in no view yet.
    const before = book.get(key)
    if (before === undefined && this.accounts().every(({ id }) => id !== key.account))
      return 'There is no such contact.'
    const after = await book.rename(key, nick)
    if (after === undefined) return `The nick ${nick} is taken.`
    contacts.renamed(before ?? after, after)
    return undefined
  }

  // Channels

  markOf(channel: ChannelPort): ServerMessage | undefined {
    return this.#world.markOf?.(this.user, channel)
  }

  *channels(): Generator<ChannelPort> {
    yield* this.#parts.controls.all()
    yield* this.#parts.groups.all()
  }

  channel(name: string): ChannelPort | undefined {
    return this.#parts.controls.byName(name) ?? this.#parts.groups.byName(name)
  }

  async openGroup(keys: readonly ContactKey[], channel?: string): Promise<ChannelPort | { readonly wrong: string }> {
    const opened = await this.#counted(this.#parts.groups.start(keys, channel))
    const [only, ...others] = keys
    if (!('wrong' in opened) && only !== undefined && others.length === 0 && opened.chat === undefined)
      this.#parts.places.moved(only, opened.name)
    return opened
  }

  async invite(channel: string, key: ContactKey): Promise<string | undefined> {
    const wrong = await this.#counted(this.#parts.groups.invite(channel, key))
    if (wrong === undefined) this.#parts.places.gone(this.channel(channel)?.name ?? channel)
    return wrong
  }

  async part(channel: string, reason?: string): Promise<void> {
    const name = this.channel(channel)?.name
    if (name === undefined) return
    const words = reason === undefined || reason === '' ? [] : [reason]
    this.tell((client) => [{ source: client.mask, verb: 'PART', params: [name, ...words] }])
    this.#parts.places.gone(name)
    await (name.startsWith('&') ? this.#parts.controls.part(name) : this.#counted(this.#parts.groups.part(name)))
  }

  async setTopic(channel: string, topic: string): Promise<string | undefined> {
    const port = this.channel(channel)
    if (port === undefined) return `You are not in ${channel}.`
    const words = withoutControls(topic.replace(/\s+/g, ' '))
    const { chat } = port
    if (chat !== undefined)
      await this.context.emit({
        kind: 'topic',
        chat: { network: this.deps.network, chat },
        sender: { network: this.deps.network, user: this.user },
        senderName: this.#nick,
        id: this.#world.mint() as MessageId,
        at: this.context.clock.now(),
        topic: words,
      })
    const channels = port.kind === 'control' ? this.#parts.controls : this.#parts.groups
    await channels.setTopic(port.name, words, this.mask)
    this.tell((client) => [{ source: client.mask, verb: 'TOPIC', params: [port.name, words] }])
    return undefined
  }

  async joinControl(channel: string): Promise<string | undefined> {
    if (this.channel(channel) !== undefined) return undefined
    const wrong = await this.#parts.controls.join(channel)
    const port = this.#parts.controls.byName(channel)
    if (port !== undefined) this.tell((client) => entryOf(port, client, this))
    return wrong
  }

  rejoin(channel: string): boolean {
    return this.#parts.groups.join(channel)
  }

  // What they say and do

  say(to: ContactKey, saying: Saying, from: ClientPort | undefined, where?: string): Promise<SayResult> {
    return this.#counted(this.#parts.talk.say(to, saying, from, where && (this.channel(where)?.name ?? where)))
  }

  sayIn(channel: string, saying: Saying, from: ClientPort | undefined): Promise<SayResult> {
    return this.#counted(this.#parts.talk.sayIn(channel, saying, from))
  }

  typing(to: ContactKey | string, forMs: number): void {
    this.#parts.talk.typing(to, forMs)
  }

  /** Words of 301 for the client that has just written to somebody, if they are due. */
  awayReply(to: ContactKey): string | undefined {
    return this.#parts.talk.awayReply(to)
  }

  /** Who was named last in a control channel. */
  get lastNamed(): ContactKey | undefined {
    return this.#parts.talk.last
  }

  /** The id of the talk with a contact, for the history. */
  chatOf(key: ContactKey): ChatId {
    return this.#parts.claims.chatOf(key)
  }

  setAway(words: string | undefined): Promise<void> {
    return this.#presence.setAway(words)
  }

  async setName(name: string): Promise<readonly string[]> {
    const words = name.replace(/\s+/g, ' ').trim()
    const wrong: string[] = []
    for (const { id, state } of this.accounts()) {
      if (state.kind !== 'online') continue
      const lines = await this.command(`set-name ${words} ${id}`)
      wrong.push(...lines.filter((line) => FAILED.test(line)).map((line) => line.replace(FAILED, `${id}: `)))
    }
    return wrong
  }

  setNick(nick: string): void {
    if (nick === this.#nick) return
    this.#take(nick)
    for (const client of this.clients) client.rename(nick)
  }

  async command(line: string, secret?: string, file?: FileRef): Promise<readonly string[]> {
    const { roleOf } = this.#world
    const request = {
      from: { network: this.deps.network, user: this.user },
      fromName: this.#nick,
      via: this.deps.account,
      role: roleOf(this.user),
    }
    const first = await this.context.command({ ...request, line, ...(file === undefined ? {} : { file }) })
    const reply =
      first.secretNext === true && secret !== undefined
        ? await this.context.command({ ...request, line: '', secret })
        : first
    return reply.lines.flatMap((text) => render(text).split('\n'))
  }

  // What comes from the core

  open(request: PortalRequest): Promise<ChatId> {
    return this.#counted(this.#parts.groups.open(request))
  }

  opened(key: ContactKey, chat: ChatId): void {
    this.#parts.claims.opened(key, chat)
  }

  hear(delivery: Delivery, chat: ChatId, kind: Exclude<ChatKind, { kind: 'home' }>): Promise<void> {
    return this.#counted(this.#parts.hearing.hear(delivery, chat, kind))
  }

  async dropped(chat: ChatId, kind: ChatKind): Promise<void> {
    if (kind.kind === 'direct') this.#parts.claims.dropped(kind.with)
    if (kind.kind === 'group') await this.#parts.groups.drop(chat)
  }

  /** While it runs the person is not forgotten. */
  async #counted<Result>(work: Promise<Result>): Promise<Result> {
    this.#underway++
    try {
      return await work
    } finally {
      this.#underway--
    }
  }

  /** The first client brings its nick. */
  #adopt(nick: string): void {
    const isRoot = foldNick(nick) === foldNick(this.#parts.contacts.rootNick())
    if (typeof parseNick(nick) === 'string' && !isRoot) this.#take(nick)
  }

  #take(nick: string): void {
    const other = this.#parts.book.byNick(nick)
    this.#nick = nick
    const after = other && this.#parts.book.yield(nick)
    if (other !== undefined && after !== undefined) this.#parts.contacts.renamed(other, after)
  }
}
