/** The channels with root and the contacts: the first is always there, more are made by joining them. */
import type { ChannelMember, ChannelPort } from '../types.ts'
import { filledBy, opsOf, parseShowUsers } from './fillings.ts'
import type { Contacts } from './contacts.ts'
import { foldNick } from './nicks.ts'
import type { Filled } from './presence.ts'
import type { Shelf } from './shelf.ts'
import { autoJoin } from './settings.ts'
import type { Self } from './types.ts'

const KIND = 'control'
/** Beside the first. */
export const MAX_CONTROLS = 50
/** BitlBee's words: scripts for irssi and WeeChat know the control channel by them, the bold one included. */
export const CONTROL_TOPIC = 'Welcome to the control channel. Type \x02help\x02 for help information.'
/** Bytes. */
export const MAX_CHANNEL_NAME = 50

interface Row {
  readonly name: string
  readonly createdAt: number
  readonly topic?: string
  readonly topicBy?: string
  readonly topicAt?: number
}

export interface ControlChannelsOptions {
  readonly self: Self
  readonly shelf: Shelf
  /** Rows of the kind `control`. */
  readonly rows: readonly (readonly [folded: string, value: string])[]
  readonly contacts: () => Contacts
  readonly since: number
}

export class ControlChannels {
  readonly #options: ControlChannelsOptions
  readonly #rows = new Map<string, Row>()
  /** The person left it, for now. */
  readonly #left = new Set<string>()
  /** Those that are not on the disk yet. */
  readonly #making = new Set<string>()
  #filled: readonly Filled[] | undefined

  constructor(options: ControlChannelsOptions) {
    this.#options = options
    const { control } = options.self.deps
    this.#rows.set(foldNick(control), { name: control, createdAt: options.since })
    for (const [, value] of options.rows) {
      const row = JSON.parse(value) as Row
      this.#rows.set(foldNick(row.name), row)
    }
  }

  /** Where root speaks: the first in which the person is. */
  main(): string | undefined {
    const [row] = this.#here()
    return row?.name
  }

  *all(): Generator<ChannelPort> {
    for (const row of this.#here()) yield this.#port(row)
  }

  byName(name: string): ChannelPort | undefined {
    const folded = foldNick(name)
    const row = this.#rows.get(folded)
    return row === undefined || this.#left.has(folded) ? undefined : this.#port(row)
  }

  /** How each is filled; the same until a setting changes. */
  filled(): readonly Filled[] {
    this.#filled ??= this.#here().map((row) => this.#fill(row))
    return this.#filled
  }

  /** A setting has changed. */
  refresh(): void {
    this.#filled = undefined
  }

  /** A sentence: it cannot be. */
  async join(name: string): Promise<string | undefined> {
    const { self, shelf } = this.#options
    const folded = foldNick(name)
    this.refresh()
    if (this.#rows.has(folded)) {
      this.#left.delete(folded)
      return undefined
    }
    if (!/^&[^\0\x07\r\n ,:]+$/.test(name) || Buffer.byteLength(name) > MAX_CHANNEL_NAME)
      return 'A control channel is called & and a name without blanks.'
    if (this.#rows.size + this.#making.size > MAX_CONTROLS)
      return 'You have as many control channels as there can be: part one.'
    if (this.#making.has(folded)) return undefined
    const row: Row = { name, createdAt: self.context.clock.now() }
    this.#making.add(folded)
    try {
      await this.#guess(name)
      await shelf.put([`${KIND}/${folded}`, JSON.stringify(row)])
      this.#rows.set(folded, row)
    } finally {
      this.#making.delete(folded)
    }
    this.refresh()
    return undefined
  }

  /** The first comes again with the next client; another is gone. */
  async part(name: string): Promise<void> {
    const folded = foldNick(name)
    this.refresh()
    if (folded === foldNick(this.#options.self.deps.control)) {
      this.#left.add(folded)
      return
    }
    this.#rows.delete(folded)
    await this.#options.shelf.put([`${KIND}/${folded}`, undefined])
  }

  /** The first client comes: all are entered but those that the person does not want. `isIn`: it is in the main one. */
  enter(isIn: boolean): void {
    const main = foldNick(this.#options.self.deps.control)
    this.#left.clear()
    for (const folded of this.#rows.keys())
      if (autoJoin(this.#options.self.settings, folded) === false && !(isIn && folded === main)) this.#left.add(folded)
    this.refresh()
  }

  async setTopic(name: string, topic: string, by: string): Promise<void> {
    const folded = foldNick(name)
    const row = this.#rows.get(folded)
    if (row === undefined) return
    const next: Row = { ...row, topic, topicBy: by, topicAt: this.#options.self.context.clock.now() }
    this.#rows.set(folded, next)
    await this.#options.shelf.put([`${KIND}/${folded}`, JSON.stringify(next)])
  }

  #here(): readonly Row[] {
    return [...this.#rows].flatMap(([folded, row]) => (this.#left.has(folded) ? [] : [row]))
  }

  #port(row: Row): ChannelPort {
    const { self, contacts } = this.#options
    return {
      name: row.name,
      kind: 'control',
      topic: row.topic ?? CONTROL_TOPIC,
      topicBy: row.topicBy ?? rootMask(contacts().rootNick(), self.deps.server),
      topicAt: row.topicAt ?? row.createdAt,
      createdAt: row.createdAt,
      members: () => this.#members(row),
      chat: undefined,
    }
  }

  #members(row: Row): readonly ChannelMember[] {
    const { self, contacts } = this.#options
    const ops = opsOf(self.settings.get('ops'))
    const root = contacts().root()
    const filled = this.filled().find(({ name }) => name === row.name)
    return [
      { nick: root.nick, face: root, prefixes: ops.root },
      { nick: self.nick, face: undefined, prefixes: ops.self },
      ...(filled === undefined
        ? []
        : [...contacts().in(filled)].map(({ face, prefixes }) => ({ nick: face.nick, face, prefixes }))),
    ]
  }

  #fill({ name }: Row): Filled {
    const { self } = this.#options
    const setting = (key: string): string =>
      self.settings.own(`channel/${foldNick(name)}/${key}`) ?? self.settings.get(key)
    const by = setting('fill_by') || 'all'
    const kind = by.replace('!', '')
    const value = kind === 'all' ? '' : setting(kind) || name.slice(1)
    return filledBy(name, { by, value, show: parseShowUsers(setting('show_users') || 'online+,special%,away') }, (id) =>
      this.#accountNames(id),
    )
  }

  /** "&friends" is for the group Friends, if there is one; "&retro" for that account. */
  async #guess(name: string): Promise<void> {
    const { self } = this.#options
    const wanted = name.slice(1).toLowerCase()
    const accounts = self.accounts()
    const is = (words: readonly string[] | undefined): boolean =>
      words?.some((word) => word.toLowerCase() === wanted) ?? false
    const by = accounts.some(({ id }) => is(this.#accountNames(id)))
      ? 'account'
      : accounts.some(({ id }) => self.context.people.contactsOf(id).some(({ groups }) => is(groups)))
        ? 'group'
        : undefined
    if (by === undefined) return
    await self.settings.set(`channel/${foldNick(name)}/fill_by`, by)
    await self.settings.set(`channel/${foldNick(name)}/${by}`, name.slice(1))
  }

  #accountNames(account: string): readonly string[] {
    const { self } = this.#options
    const view = self.accounts().find(({ id }) => id === account)
    if (view === undefined) return [account]
    const tag = self.settings.own(`account/${account}/tag`)
    return [account, view.network, view.login, ...(tag === undefined ? [] : [tag])]
  }
}

const rootMask = (nick: string, server: string): string => `${nick}!root@${server}`
