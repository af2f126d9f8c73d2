/** What a person missed, shown to the first client that comes: once, in the place of each talk. */
import type { Said } from '../../../bridge/adapter.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import type { ClientPort, Face } from '../types.ts'
import { works } from '../wire/caps.ts'
import type { ServerMessage } from '../wire/message.ts'
import { readChat } from './chats.ts'
import type { Contacts } from './contacts.ts'
import type { Hearing } from './hearing.ts'
import type { Missing, Note } from './missed.ts'
import { ROOT } from './places.ts'
import { rootLines } from './scene.ts'
import { stampOf } from './stamps.ts'
import type { Self } from './types.ts'

export interface PlaybackOptions {
  readonly self: Self
  readonly contacts: Contacts
  readonly hearing: Hearing
  /** Where root speaks. */
  readonly control: () => string | undefined
  /** Messages of one chat. */
  readonly limit: number
}

type MessageNote = Extract<Note, { kind: 'message' }>

/** What the person said meanwhile stands between what they missed: so much more is read. */
const BETWEEN = 4

export class Playback {
  readonly #options: PlaybackOptions

  constructor(options: PlaybackOptions) {
    this.#options = options
  }

  /** To one client. A client with draft/chathistory asks by itself for what is in the history. */
  async show(client: ClientPort, { notes, dropped }: Pick<Missing, 'notes' | 'dropped'>): Promise<void> {
    const asksItself = works(client.caps, 'draft/chathistory')
    const chats = new Set<ChatId | ''>()
    for (const { chat } of notes) chats.add(chat ?? '')
    for (const chat of dropped.keys()) chats.add(chat as ChatId)
    for (const chat of chats) {
      const of = notes.filter((note) => (note.chat ?? '') === chat && !(asksItself && note.kind === 'message'))
      const lost = asksItself && chat !== '' ? 0 : (dropped.get(chat) ?? 0)
      if (chat === '') this.#root(client, of, lost)
      else if (of.length > 0 || lost > 0) await this.#chat(client, chat, of, lost)
    }
  }

  #root(client: ClientPort, notes: readonly Note[], lost: number): void {
    const { self, contacts, control } = this.#options
    const root = contacts.root()
    const now = self.context.clock.now()
    const say = (text: string, at: number): readonly ServerMessage[] => rootLines(text, root, control(), self.nick, at)
    client.send(
      ...(lost === 0 ? [] : say(`${lost} older lines of mine are lost.`, now)),
      ...notes.flatMap((note) =>
        note.kind === 'words' ? say(this.#stamp(client, note.at, false) + note.text, note.at) : [],
      ),
    )
  }

  async #chat(client: ClientPort, chat: ChatId, notes: readonly Note[], lost: number): Promise<void> {
    const { self, hearing } = this.#options
    const kind = readChat(chat)
    if (kind === undefined || kind.kind === 'home') return
    const said = await this.#said(
      chat,
      notes.filter((note) => note.kind === 'message'),
    )
    const first = [...said.values()][0]
    const scene = hearing.sceneOf(chat, kind, first?.event.sender, first?.event.senderName)
    const { place } = scene
    if (place === undefined || place === ROOT) return
    const lines: ServerMessage[] = []
    const now = self.context.clock.now()
    let unknown = 0
    if (lost > 0) lines.push(...hearing.wordLines(`${lost} older messages are not shown here.`, now, scene))
    for (const note of notes) {
      if (note.kind === 'words') {
        lines.push(...hearing.wordLines(this.#stamp(client, note.at, false) + note.text, note.at, scene))
        continue
      }
      const event = said.get(note.id)?.event
      if (event === undefined) {
        unknown++
        continue
      }
      const { sender } = event
      let face: Face | undefined
      if (!this.#isSelf(sender))
        face = scene.row === undefined ? scene.with : hearing.member(scene.row, sender, event.senderName)
      const stamp = this.#stamp(client, event.at, note.doubt === true)
      const shown = { face, with: scene.with, place, body: event.body, at: event.at, id: note.id, stamp }
      lines.push(...hearing.linesFor(shown, client))
    }
    if (unknown > 0)
      lines.push(...hearing.wordLines(`${unknown} messages are not in the history any more.`, now, scene))
    client.send(...lines)
  }

  async #said(chat: ChatId, notes: readonly MessageNote[]): Promise<ReadonlyMap<string, Said>> {
    if (notes.length === 0) return new Map()
    const { self, limit } = this.#options
    const since = notes.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
    const after = { kind: 'time', at: since - 1 } as const
    const wanted = new Set<string>(notes.map(({ id }) => id))
    let said: readonly Said[] = []
    // The history gives fewer at once than may have been missed.
    while (wanted.size > 0 && said.length < limit * BETWEEN) {
      const [earliest] = said
      const page = await self.context.history.said(
        { network: self.deps.network, chat },
        {
          after,
          ...(earliest === undefined ? {} : { before: { kind: 'message', id: earliest.id } }),
          from: 'newest',
          limit: limit * BETWEEN - said.length,
        },
      )
      if (page.length === 0) break
      for (const { id } of page) wanted.delete(id)
      said = [...page, ...said]
    }
    return new Map(said.map((one) => [one.id, one]))
  }

  #stamp(client: ClientPort, at: number, doubt: boolean): string {
    const { self } = this.#options
    const shown = !client.caps.has('server-time') && self.settings.isOn('display_timestamps')
    return stampOf(at, self.context.clock.now(), { timezone: self.settings.get('timezone'), shown, doubt })
  }

  #isSelf({ network, user }: Said['event']['sender']): boolean {
    const { self } = this.#options
    if (network === self.deps.network) return user === self.user
    return self.accounts().some((account) => account.network === network && account.login === user)
  }
}
