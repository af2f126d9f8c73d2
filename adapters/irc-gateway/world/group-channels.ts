/** Conversations of several as channels: who is in them, what they are called, and whether the person is there. */
import type { PortalRequest } from '../../../bridge/adapter.ts'
import type { ChatId, MessageId, UserId } from '../../../bridge/model/ids.ts'
import { maskOf, type ChannelMember, type ChannelPort, type ContactKey } from '../types.ts'
import { Absences } from './absences.ts'
import { groupChat } from './chats.ts'
import type { Claimed, Claims } from './claims.ts'
import type { Contacts } from './contacts.ts'
import { freeName, groupName, isGroupName, type GroupRow } from './group-rows.ts'
import { entryOf } from './names.ts'
import { foldNick } from './nicks.ts'
import { autoJoin } from './settings.ts'
import { joinLine } from './shapes.ts'
import type { Shelf } from './shelf.ts'
import { logged, type Self } from './types.ts'

const KIND = 'group'
/** Channels of several that are kept of one person; past it the one that was left longest ago goes, else a new one cannot be made. */
export const MAX_GROUPS = 500

export interface GroupChannelsOptions {
  readonly self: Self
  readonly shelf: Shelf
  /** Rows of the kind `group`. */
  readonly rows: readonly (readonly [folded: string, value: string])[]
  readonly contacts: () => Contacts
  readonly claims: Claims
  readonly mint: () => string
}

export class GroupChannels {
  readonly #options: GroupChannelsOptions
  readonly #rows = new Map<string, GroupRow>()
  readonly #byChat = new Map<ChatId, string>()
  /** Members whom clients do not see. They are there again when they come back or speak. */
  readonly #absent: Absences
  /** Channels that are about to be conversations of several. */
  readonly #turning = new Map<string, Promise<unknown>>()

  constructor(options: GroupChannelsOptions) {
    this.#options = options
    this.#absent = new Absences(options)
    for (const [, value] of options.rows) this.#keep(JSON.parse(value) as GroupRow)
  }

  /** Those that the person is in. */
  *all(): Generator<ChannelPort> {
    for (const row of this.#rows.values()) if (row.parted !== true) yield this.#port(row)
  }

  byName(name: string): ChannelPort | undefined {
    const row = this.row(name)
    return row === undefined || row.parted === true ? undefined : this.#port(row)
  }

  /** Whether the person is in it or not. */
  row(name: string): GroupRow | undefined {
    return this.#rows.get(foldNick(name))
  }

  rowOf(chat: ChatId): GroupRow | undefined {
    const folded = this.#byChat.get(chat)
    return folded === undefined ? undefined : this.#rows.get(folded)
  }

  has({ account, user }: ContactKey): boolean {
    for (const row of this.#rows.values())
      if (row.account === account && row.parted !== true && this.#isHere(row, user)) return true
    return false
  }

  /** The first client comes: channels are entered as their settings say, and who is offline is in none. */
  enter(): void {
    this.#enterAsSet()
    this.#absent.clear()
    for (const row of this.#rows.values()) this.#absent.settle(row)
  }

  /** Something that is said in that channel belongs to what it becomes. */
  turning(name: string): Promise<unknown> | undefined {
    return this.#turning.get(foldNick(name))
  }

  /** The core made a conversation of several. Durable when it resolves. */
  async open({ portal, account, with: people, title }: PortalRequest): Promise<ChatId> {
    for (const row of this.#rows.values()) if (row.portal === portal && row.chat !== undefined) return row.chat
    if (this.#rows.size >= MAX_GROUPS) await this.#makeRoom()
    const members = people.map(({ user }) => user.user)
    const chat = groupChat(this.#options.self.user, this.#options.mint())
    const row = this.#new(account, members, title, { chat, portal })
    await this.#save(row)
    this.#entered(row)
    return chat
  }

  /** `chat with`. */
  async start(keys: readonly ContactKey[], asked?: string): Promise<ChannelPort | { readonly wrong: string }> {
    const [first, ...others] = keys
    if (first === undefined) return { wrong: 'With whom?' }
    if (others.some(({ account }) => account !== first.account))
      return { wrong: 'They are contacts of different accounts, and cannot meet.' }
    const wrong = this.#nameProblem(asked)
    if (wrong !== undefined) return { wrong }
    const again = others.length > 0 || asked !== undefined ? undefined : this.#directRow(first)
    if (again !== undefined) return this.#port(again)
    if (this.#rows.size >= MAX_GROUPS && !(await this.#makeRoom()))
      return { wrong: 'You have as many channels as there can be: part one.' }
    const members = keys.map(({ user }) => user)
    if (others.length === 0) return this.#begin(this.#new(first.account, members, asked, { direct: first.user }))
    const chat = groupChat(this.#options.self.user, this.#options.mint())
    const claimed = await this.#options.claims.several(keys, chat)
    if (claimed.kind === 'refused') return { wrong: claimed.detail }
    const known = this.rowOf(claimed.chat)
    if (known !== undefined) return this.#port(this.rejoin(known))
    return this.#begin(this.#new(first.account, members, asked, { chat: claimed.chat }))
  }

  /** `/invite`. A sentence: it cannot be. */
  async invite(name: string, key: ContactKey): Promise<string | undefined> {
    const { self, claims, mint } = this.#options
    const row = this.row(name)
    if (row === undefined) return `There is no channel ${name}.`
    if (row.account !== key.account) return 'They are a contact of another account, and cannot come in here.'
    if (row.chat !== undefined) return this.#emitMember(row, key, 'invite')
    const keys = [...row.members, key.user].map((user) => ({ account: row.account, user }))
    const turning = this.turning(row.name)
    if (turning !== undefined) return turning.then(() => this.invite(name, key))
    const folded = foldNick(row.name)
    const claiming = claims.several(keys, groupChat(self.user, mint()))
    const turned = claiming
      .then((claimed) => this.#turned(row, key, claimed))
      .finally(() => this.#turning.delete(folded))
    this.#turning.set(
      folded,
      turned.catch(() => undefined),
    )
    return turned
  }

  async #turned(row: GroupRow, key: ContactKey, claimed: Claimed): Promise<string | undefined> {
    if (claimed.kind === 'refused') return claimed.detail
    const other = this.rowOf(claimed.chat)
    // They had a channel before, which has no other name now.
    if (other !== undefined) await this.#forget(other)
    // They come in when they are online.
    this.#absent.add(row.name, key.user)
    await this.#save({ ...row, chat: claimed.chat, members: [...new Set([...row.members, key.user])] })
    if (!this.#absent.isOffline(key)) this.joined(row.name, key.user)
    return undefined
  }

  /** The person leaves. */
  async part(name: string): Promise<void> {
    const row = this.row(name)
    if (row === undefined || row.parted === true) return
    if (row.chat === undefined) return this.#forget(row)
    await this.#save({ ...row, parted: true })
    await this.#emitMember(row, undefined, 'leave')
  }

  /** They were put out, or left with another client of their account. */
  put(name: string): void {
    const row = this.row(name)
    if (row === undefined || row.parted === true) return
    this.#options.self.tell(({ mask }) => [{ source: mask, verb: 'PART', params: [row.name] }])
    this.#note({ ...row, parted: true })
  }

  /** It is linked no more. */
  async drop(chat: ChatId): Promise<void> {
    const row = this.rowOf(chat)
    if (row === undefined) return
    if (row.parted !== true) this.#options.self.tell(({ mask }) => [{ source: mask, verb: 'PART', params: [row.name] }])
    await this.#forget(row)
  }

  /** JOI, or somebody of whom nobody knew says something. */
  joined(name: string, user: UserId): void {
    const row = this.row(name)
    if (row === undefined || this.#isHere(row, user)) return
    this.#absent.delete(name, user)
    if (!row.members.includes(user)) this.#note({ ...row, members: [...row.members, user] })
    const face = this.#options.contacts().ensure({ account: row.account, user })
    if (row.parted !== true)
      this.#options.self.tell(({ caps }) => [joinLine(maskOf(face), row.name, caps, face.address, face.realname)])
  }

  /** BYE. */
  left(name: string, user: UserId, reason = '', by?: ContactKey): void {
    const row = this.row(name)
    if (row?.members.includes(user) !== true) return
    const isHere = this.#isHere(row, user)
    this.#absent.delete(name, user)
    this.#note({ ...row, members: row.members.filter((member) => member !== user) })
    if (!isHere) return
    const contacts = this.#options.contacts()
    const face = contacts.ensure({ account: row.account, user })
    const words = reason === '' ? [] : [reason]
    if (row.parted !== true)
      this.#options.self.tell(() => [
        by === undefined
          ? { source: maskOf(face), verb: 'PART', params: [row.name, ...words] }
          : { source: maskOf(contacts.ensure(by)), verb: 'KICK', params: [row.name, face.nick, ...words] },
      ])
  }

  /** Clients were told that they quit. */
  quit({ account, user }: ContactKey): void {
    for (const row of this.#rows.values())
      if (row.account === account && row.members.includes(user)) this.#absent.add(row.name, user)
  }

  /** They are online again. */
  returned({ account, user }: ContactKey): void {
    for (const row of this.#rows.values())
      if (row.account === account && row.members.includes(user)) this.joined(row.name, user)
  }

  /** The person wants to be back in a channel that they left. False: there is none. */
  join(name: string): boolean {
    const row = this.row(name)
    if (row === undefined) return false
    this.rejoin(row)
    return true
  }

  /** Who is not to be in a group by themselves comes in when something is said there. */
  #enterAsSet(): void {
    for (const [folded, row] of this.#rows) {
      const parted = autoJoin(this.#options.self.settings, folded) === false
      const isSet = parted || autoJoin(this.#options.self.settings, folded) === true
      if (isSet && parted !== (row.parted === true)) this.#note({ ...row, parted })
    }
  }

  /** Something is said in a channel that the person left. */
  rejoin(row: GroupRow): GroupRow {
    if (row.parted !== true) return row
    return this.#enter({ ...row, parted: false })
  }

  /** Something comes from a conversation that nobody remembers here. */
  recover(chat: ChatId, account: GroupRow['account'], user: UserId): GroupRow {
    return this.#enter(this.#new(account, [user], undefined, { chat }))
  }

  async setTopic(name: string, topic: string, by: string): Promise<void> {
    const row = this.row(name)
    if (row !== undefined)
      await this.#save({ ...row, topic, topicBy: by, topicAt: this.#options.self.context.clock.now() })
  }

  /** Durable when it resolves; a sentence when it cannot be. `key`: absent: the person. */
  async #emitMember(
    row: GroupRow,
    key: ContactKey | undefined,
    change: 'invite' | 'leave',
  ): Promise<string | undefined> {
    const { self, mint } = this.#options
    const { context, deps, user, nick } = self
    if (row.chat === undefined) return undefined
    const own = { network: deps.network, user }
    const network = self.accounts().find(({ id }) => id === row.account)?.network
    if (key !== undefined && network === undefined) return 'That account is there no more.'
    await context.emit({
      kind: 'member',
      id: mint() as MessageId,
      at: context.clock.now(),
      chat: { network: deps.network, chat: row.chat },
      sender: own,
      senderName: nick,
      user: key === undefined || network === undefined ? own : { network, user: key.user },
      change,
    })
    return undefined
  }

  #begin(row: GroupRow): ChannelPort {
    this.#absent.settle(row)
    return this.#port(this.#enter(row))
  }

  #enter(row: GroupRow): GroupRow {
    this.#note(row)
    this.#entered(row)
    return row
  }

  /** All clients come in. */
  #entered(row: GroupRow): void {
    const { self } = this.#options
    const port = this.#port(row)
    self.tell((client) => entryOf(port, client, self))
  }

  #directRow({ account, user }: ContactKey): GroupRow | undefined {
    for (const row of this.#rows.values())
      if (row.account === account && row.direct === user && row.chat === undefined) return row
    return undefined
  }

  #nameProblem(asked: string | undefined): string | undefined {
    if (asked === undefined) return undefined
    if (!isGroupName(asked)) return `"${asked.slice(0, 60)}" is no channel: it is called # and a name without blanks.`
    return this.#rows.has(foldNick(asked)) ? `There is a channel ${asked} already.` : undefined
  }

  #new(
    account: GroupRow['account'],
    members: readonly UserId[],
    title: string | undefined,
    bound: Pick<GroupRow, 'chat' | 'portal' | 'direct'>,
  ): GroupRow {
    const { contacts, self } = this.#options
    const nicks = members.map((user) => contacts().ensure({ account, user }).nick)
    const wanted = title?.startsWith('#') === true && isGroupName(title) ? title : groupName(title, nicks)
    const now = self.context.clock.now()
    return {
      name: freeName(wanted, (name) => this.#rows.has(foldNick(name))),
      account,
      ...bound,
      members,
      topic: '',
      topicBy: '',
      topicAt: now,
      createdAt: now,
    }
  }

  #isHere(row: GroupRow, user: UserId): boolean {
    return row.members.includes(user) && !this.#absent.has(row.name, user)
  }

  async #makeRoom(): Promise<boolean> {
    for (const row of this.#rows.values())
      if (row.parted === true) {
        await this.#forget(row)
        return true
      }
    return false
  }

  #keep(row: GroupRow): void {
    const folded = foldNick(row.name)
    this.#rows.set(folded, row)
    if (row.chat !== undefined) this.#byChat.set(row.chat, folded)
  }

  #save(row: GroupRow): Promise<void> {
    this.#keep(row)
    return this.#options.shelf.put([`${KIND}/${foldNick(row.name)}`, JSON.stringify(row)])
  }

  /** Counts at once; that it is not on disk yet costs a name at most. */
  #note(row: GroupRow): void {
    this.#save(row).catch(logged(this.#options.self, 'a channel could not be kept'))
  }

  async #forget(row: GroupRow): Promise<void> {
    this.#rows.delete(foldNick(row.name))
    if (row.chat !== undefined) this.#byChat.delete(row.chat)
    await this.#options.shelf.put([`${KIND}/${foldNick(row.name)}`, undefined])
  }

  #port(row: GroupRow): ChannelPort {
    return {
      name: row.name,
      kind: 'group',
      topic: row.topic,
      topicBy: row.topicBy,
      topicAt: row.topicAt,
      createdAt: row.createdAt,
      members: () => this.#members(row.name),
      chat: row.chat,
    }
  }

  #members(name: string): readonly ChannelMember[] {
    const { self, contacts } = this.#options
    const row = this.row(name)
    const own: ChannelMember = { nick: self.nick, face: undefined, prefixes: '' }
    if (row === undefined) return [own]
    return [
      own,
      ...row.members
        .filter((user) => this.#isHere(row, user))
        .map((user): ChannelMember => {
          const face = contacts().ensure({ account: row.account, user })
          return { nick: face.nick, face, prefixes: '' }
        }),
    ]
  }
}
