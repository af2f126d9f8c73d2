/** What the core has for a person: shown to all their clients in the place of the talk, or noted while there are none. */
import type { Delivery } from '../../../bridge/adapter.ts'
import type { MessageBody } from '../../../bridge/model/body.ts'
import type { Outbound, Puppet } from '../../../bridge/model/events.ts'
import type { ChatId, MessageId, UserRef } from '../../../bridge/model/ids.ts'
import { withoutControls, render } from '../../../irc/formatting.ts'
import { maskOf, type ClientPort, type ContactKey, type Face } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'
import type { ChatKind } from './chats.ts'
import type { Behind } from './behind.ts'
import type { Claims } from './claims.ts'
import type { Contacts } from './contacts.ts'
import type { GroupChannels } from './group-channels.ts'
import type { GroupRow } from './group-rows.ts'
import type { Missed } from './missed.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { QUERY, ROOT, type PlaceName, type Places } from './places.ts'
import type { RootVoice } from './root-voice.ts'
import { heard, ownStyle, remarked, said, type Spot } from './scene.ts'
import { DOUBT } from './stamps.ts'
import type { Self } from './types.ts'
import type { Written } from './written.ts'

export interface HearingOptions {
  readonly self: Self
  readonly contacts: Contacts
  readonly groups: GroupChannels
  readonly claims: Claims
  readonly places: Places
  readonly missed: Missed
  readonly written: Written
  readonly behind: Behind
  readonly root: RootVoice
}

type Told = Exclude<ChatKind, { kind: 'home' }>
type Message = Extract<Outbound, { kind: 'message' }>

/** Where something of a chat is shown, and who the other one is. */
interface Scene {
  readonly place: PlaceName | undefined
  /** Of a direct chat. */
  readonly with: Face | undefined
  readonly row: GroupRow | undefined
}

export class Hearing {
  readonly #options: HearingOptions

  constructor(options: HearingOptions) {
    this.#options = options
  }

  /** Clients have it when this returns, so that what follows does not overtake; it resolves when what has to be kept is kept. */
  async hear({ id, op, again }: Delivery, chat: ChatId, kind: Told): Promise<void> {
    switch (op.kind) {
      case 'message':
        return this.#message(op, id as string as MessageId, again === true, chat, kind)
      case 'edit': {
        const text = op.body.kind === 'nudge' ? '' : textOf(op.body.text)
        return this.#words(`* ${nameOf(op.as)} corrected: ${text}`, chat, kind)
      }
      case 'typing':
        this.#typing(op.as, op.forMs, chat, kind)
        return
      case 'member':
        this.#member(op, chat, kind)
        return
      case 'topic':
        return this.#topic(op.as, op.topic, chat, kind)
      case 'delivery':
        return op.outcome === 'delivered' ? undefined : this.#words(render(op.text), chat, kind)
      case 'status':
        return this.#words(render(op.text), chat, kind)
      case 'redact':
      case 'reaction':
      case 'read':
      case 'company':
      case 'presence':
      case 'profile':
      case 'title':
        return undefined
    }
  }

  /** Where a chat is shown, for a playback too. */
  sceneOf(chat: ChatId, kind: Told, sender?: UserRef, name?: string): Scene {
    const { contacts, places, claims } = this.#options
    if (kind.kind === 'direct') {
      claims.opened(kind.with, chat)
      const face = contacts.ensure(kind.with, name)
      return { place: places.of(kind.with, face.listed), with: face, row: undefined }
    }
    const row = this.#row(chat, sender)
    return { place: row?.parted === true ? undefined : row?.name, with: undefined, row }
  }

  spot(place: PlaceName): Spot {
    const { settings, nick } = this.#options.self
    return { place, nick, toChar: settings.get('to_char') }
  }

  /** The face of whoever said it; undefined: the person. */
  speaker(as: Puppet, scene: Scene): Face | undefined {
    if (as.kind !== 'ghost') return undefined
    if (scene.row === undefined) return scene.with
    return this.member(scene.row, as.origin, as.name)
  }

  /** Somebody of a channel of several, who is in it from now on. */
  member(row: GroupRow, { user }: UserRef, name?: string): Face {
    const face = this.#options.contacts.ensure({ account: row.account, user }, name)
    this.#options.groups.joined(row.name, user)
    return face
  }

  async #message(op: Message, id: MessageId, again: boolean, chat: ChatId, kind: Told): Promise<void> {
    const { self, missed, contacts } = this.#options
    const origin = op.as.kind === 'ghost' ? op.as : undefined
    // Whoever goes on talking there from elsewhere takes part again: else the answers would come without the question.
    if (origin === undefined && kind.kind === 'group') this.#back(chat)
    const scene = this.sceneOf(chat, kind, origin?.origin, origin?.name)
    const face = this.speaker(op.as, scene)
    const { place } = scene
    if (place === undefined) return
    if (place === ROOT) return this.#unknown(face ?? contacts.root(), op.body)
    if (self.clients.size === 0)
      return missed.note({ kind: 'message', chat, id, at: op.at, ...(again ? { doubt: true } : {}) })
    const stamp = again ? `[${DOUBT}] ` : ''
    this.#show({ face, with: scene.with, place, body: op.body, at: op.at, id, stamp }, chat)
  }

  /** To all clients. */
  #show(message: Shown, chat: ChatId): void {
    const { self, behind, written } = this.#options
    const { id, at, face } = message
    const note = { kind: 'message', chat, id, at } as const
    const shared = face === undefined ? undefined : this.linesFor(message, undefined)
    for (const client of self.clients) {
      const lines = shared ?? this.linesFor(message, client)
      const write = (): void => {
        if (lines.length > 0) client.send(...lines)
        written.wrote(client, note)
      }
      behind.write(client, { note, write })
    }
  }

  /** `client`: whose own mask stands before what the person said. */
  linesFor(
    { face, with: other, place, body, at, id, stamp }: Shown,
    client: ClientPort | undefined,
  ): readonly ServerMessage[] {
    const { self } = this.#options
    const spot = this.spot(place)
    const tags = { at, id }
    if (face !== undefined) return heard(face, body, spot, tags, stamp)
    const own = {
      mask: client?.mask ?? self.mask,
      account: self.user,
      style: ownStyle(self.settings.get('self_messages')),
    }
    return said(own, other, body, spot, tags, stamp)
  }

  /** Words of the bridge in the place of a talk. */
  async #words(text: string, chat: ChatId, kind: Told): Promise<void> {
    const { self, missed } = this.#options
    const at = self.context.clock.now()
    if (self.clients.size === 0) return missed.note({ kind: 'words', chat, at, text })
    const scene = this.sceneOf(chat, kind)
    const lines = this.wordLines(text, at, scene)
    self.tell(() => lines)
  }

  wordLines(text: string, at: number, { place, with: other }: Scene): readonly ServerMessage[] {
    const { contacts } = this.#options
    const from = { face: other, root: contacts.root() }
    return remarked(text, this.spot(place === undefined || place === ROOT ? QUERY : place), from, at)
  }

  #back(chat: ChatId): void {
    const { groups } = this.#options
    const row = groups.rowOf(chat)
    if (row !== undefined) groups.rejoin(row)
  }

  #typing(as: Puppet, forMs: number, chat: ChatId, kind: Told): void {
    const { self, groups } = this.#options
    if (self.clients.size === 0 || as.kind !== 'ghost') return
    // No sign of life brings somebody back who has left.
    if (kind.kind === 'group' && groups.rowOf(chat)?.parted === true) return
    const scene = this.sceneOf(chat, kind, as.origin, as.name)
    const face = this.speaker(as, scene)
    const { place } = scene
    if (face === undefined || place === undefined || place === ROOT) return
    const source = maskOf(face)
    const target = place === QUERY ? self.nick : place
    const ctcp = self.settings.isOn('typing_notice')
    self.tell(({ caps }) => {
      if (caps.has('message-tags'))
        return [{ source, verb: 'TAGMSG', params: [target], tags: { '+typing': forMs > 0 ? 'active' : 'done' } }]
      return ctcp ? [{ source, verb: 'PRIVMSG', params: [target, `\x01TYPING ${forMs > 0 ? 1 : 0}\x01`] }] : []
    })
  }

  #member(op: Extract<Outbound, { kind: 'member' }>, chat: ChatId, kind: Told): void {
    const { groups, contacts } = this.#options
    const row = kind.kind === 'group' ? groups.rowOf(chat) : undefined
    if (row === undefined) return
    const { user } = op.user
    if (this.#isSelf(op.user, row)) {
      if (op.change === 'leave' || op.change === 'kick') groups.put(row.name)
      return
    }
    switch (op.change) {
      case 'join':
        contacts.ensure({ account: row.account, user }, op.userName)
        groups.joined(row.name, user)
        return
      case 'leave':
        groups.left(row.name, user, op.reason)
        return
      case 'kick':
        groups.left(row.name, user, op.reason, this.#actor(op.as, row))
        return
      case 'invite':
        return
    }
  }

  async #topic(as: Puppet, topic: string, chat: ChatId, kind: Told): Promise<void> {
    const { self, groups, contacts } = this.#options
    const row = kind.kind === 'group' ? groups.rowOf(chat) : undefined
    if (row === undefined) return
    const actor = this.#actor(as, row)
    const source = actor === undefined ? self.mask : maskOf(contacts.ensure(actor))
    const words = withoutControls(topic.replace(/\s+/g, ' '))
    await groups.setTopic(row.name, words, source)
    if (row.parted !== true) self.tell(() => [{ source, verb: 'TOPIC', params: [row.name, words] }])
  }

  /** The setting `handle_unknown` is `root`. */
  #unknown(face: Face, body: MessageBody): Promise<void> {
    const text = body.kind === 'nudge' ? 'a nudge' : render(body.text)
    return this.#options.root.tell(`Message from unknown contact ${face.address} (${face.nick}): ${text}`)
  }

  /** The person is in it then, if they had left it. */
  #row(chat: ChatId, sender: UserRef | undefined): GroupRow | undefined {
    const { groups, self } = this.#options
    const row = groups.rowOf(chat)
    if (row !== undefined) return row.parted === true && sender !== undefined ? groups.rejoin(row) : row
    const account = self.accounts().find(({ network }) => network === sender?.network)
    return sender === undefined || account === undefined ? undefined : groups.recover(chat, account.id, sender.user)
  }

  #actor(as: Puppet, { account }: GroupRow): ContactKey | undefined {
    return as.kind === 'ghost' ? { account, user: as.origin.user } : undefined
  }

  #isSelf({ network, user }: UserRef, { account }: GroupRow): boolean {
    const { self } = this.#options
    if (network === self.deps.network) return user === self.user
    return self.accounts().some((one) => one.id === account && one.network === network && one.login === user)
  }
}

/** Something that was said. */
export interface Shown {
  /** Who said it; undefined: the person. */
  readonly face: Face | undefined
  /** The other one of a direct chat. */
  readonly with: Face | undefined
  readonly place: PlaceName
  readonly body: MessageBody
  readonly at: number
  readonly id: MessageId
  readonly stamp: string
}

const nameOf = (as: Puppet): string => (as.kind === 'self' ? 'somebody' : as.name)
