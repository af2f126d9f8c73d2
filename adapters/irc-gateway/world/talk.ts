/** What the person says: stored in the conversation that it belongs to, and shown at their other clients. */
import type { ChatId, MessageId } from '../../../bridge/model/ids.ts'
import type { ClientPort, ContactKey, SayResult, Saying } from '../types.ts'
import { contactId } from './chats.ts'
import type { Claimed, Claims } from './claims.ts'
import type { Contacts } from './contacts.ts'
import type { GroupChannels } from './group-channels.ts'
import { Paste } from './paste.ts'
import { QUERY, type PlaceName, type Places } from './places.ts'
import { ownStyle, said } from './scene.ts'
import { logged, type Self } from './types.ts'

export interface TalkOptions {
  readonly self: Self
  readonly contacts: Contacts
  readonly groups: GroupChannels
  readonly claims: Claims
  readonly places: Places
  readonly mint: () => string
}

const refused = (detail: string): SayResult => ({ kind: 'refused', detail })
/** Milliseconds that `paste_buffer` waits, where the setting is no number. */
const PASTE_MS = 200
/** People who are told of as away, remembered; past it all are forgotten. */
const MAX_TOLD = 1_000

export class Talk {
  readonly #options: TalkOptions
  readonly #paste: Paste
  /** Chats that are being made: what is said meanwhile follows in order. */
  readonly #claiming = new Map<string, Promise<Claimed>>()
  readonly #told = new Map<string, { readonly words: string; readonly at: number }>()
  #last: ContactKey | undefined
  #underway = 0

  constructor(options: TalkOptions) {
    this.#options = options
    this.#paste = new Paste(options.self.context.clock)
  }

  get busy(): boolean {
    return this.#underway > 0 || this.#paste.busy
  }

  /** Who was named last in a control channel: the setting `default_target`. */
  get last(): ContactKey | undefined {
    return this.#last
  }

  say(to: ContactKey, saying: Saying, from: ClientPort | undefined, where?: string): Promise<SayResult> {
    const place = where ?? QUERY
    if (where?.startsWith('&') === true) this.#last = to
    this.#options.places.moved(to, place)
    return this.#buffered(`to ${contactId(to)}`, saying, (whole) => this.#direct(to, whole, from, place))
  }

  sayIn(channel: string, saying: Saying, from: ClientPort | undefined): Promise<SayResult> {
    const { groups } = this.#options
    const turning = groups.turning(channel)
    if (turning !== undefined) return turning.then(() => this.sayIn(channel, saying, from))
    const row = groups.row(channel)
    if (row === undefined || row.parted === true) return Promise.resolve(refused(`You are not in ${channel}.`))
    const { chat, direct, account } = row
    if (chat !== undefined)
      return this.#buffered(`in ${chat}`, saying, (whole) => this.#emit(chat, undefined, whole, from, row.name))
    if (direct !== undefined) return this.say({ account, user: direct }, saying, from, row.name)
    return Promise.resolve(refused(`Nobody else is in ${row.name}: /invite somebody.`))
  }

  /** Nothing is begun for a sign of life. */
  typing(to: ContactKey | string, forMs: number): void {
    const { self, groups, claims } = this.#options
    const { context, deps, user, nick } = self
    const row = typeof to === 'string' ? groups.row(to) : undefined
    const key =
      typeof to !== 'string' ? to : row?.direct === undefined ? undefined : { account: row.account, user: row.direct }
    const chat = row?.chat ?? (key && claims.chatOf(key))
    if (chat === undefined) return
    context
      .emit({
        kind: 'typing',
        chat: { network: deps.network, chat },
        sender: { network: deps.network, user },
        senderName: nick,
        forMs,
      })
      .catch(logged(self, 'a sign of typing was lost'))
  }

  /** Words of 301, if they are due: once, and again when they have changed or away_reply_timeout has passed. */
  awayReply(to: ContactKey): string | undefined {
    const { self, contacts } = this.#options
    const id = contactId(to)
    const face = contacts.faceOf(to)
    // Of who is on no list nobody knows whether they are there.
    const words = face?.listed === true ? face.away : undefined
    if (words === undefined) {
      this.#told.delete(id)
      return undefined
    }
    const now = self.context.clock.now()
    const before = this.#told.get(id)
    const seconds = Number(self.settings.get('away_reply_timeout'))
    if (before?.words === words && now < before.at + (Number.isFinite(seconds) ? seconds : 0) * 1_000) return undefined
    if (this.#told.size >= MAX_TOLD) this.#told.clear()
    this.#told.set(id, { words, at: now })
    return words
  }

  /** The last client goes: what waits for more lines is complete. */
  flush(): void {
    this.#paste.flushAll()
  }

  #buffered(to: string, saying: Saying, send: (whole: Saying) => Promise<SayResult>): Promise<SayResult> {
    const { settings } = this.#options.self
    const { body } = saying
    if (body.kind !== 'text' || !settings.isOn('paste_buffer')) {
      this.#paste.flush(to)
      return send(saying)
    }
    const delay = Number(settings.get('paste_buffer_delay'))
    return this.#paste.add(to, body.text, delay > 0 ? delay : PASTE_MS, (text) =>
      send({ ...saying, body: { kind: 'text', text } }),
    )
  }

  async #direct(to: ContactKey, saying: Saying, from: ClientPort | undefined, place: PlaceName): Promise<SayResult> {
    const { claims, self } = this.#options
    if (self.accounts().every(({ id }) => id !== to.account)) return refused('That account is there no more.')
    const claiming = this.#claiming.get(contactId(to))
    const known = claiming === undefined ? claims.known(to) : undefined
    if (known !== undefined) return this.#emit(known, to, saying, from, place)
    const claimed = await (claiming ?? this.#claim(to))
    return claimed.kind === 'refused' ? claimed : this.#emit(claimed.chat, to, saying, from, place)
  }

  #claim(to: ContactKey): Promise<Claimed> {
    const id = contactId(to)
    const claiming = this.#options.claims.direct(to)
    this.#claiming.set(id, claiming)
    // Whoever waits for it goes on in the next turn of the queue; only behind them may others pass it by.
    const over = (): void => void this.#claiming.delete(id)
    void claiming
      .then(() => undefined)
      .then(() => undefined)
      .then(over, over)
    return claiming
  }

  async #emit(
    chat: ChatId,
    to: ContactKey | undefined,
    { body, replyTo }: Saying,
    from: ClientPort | undefined,
    place: PlaceName,
  ): Promise<SayResult> {
    const { self, mint } = this.#options
    const { context, deps, user } = self
    const id = mint() as MessageId
    const at = context.clock.now()
    this.#underway++
    try {
      await context.emit({
        kind: 'message',
        chat: { network: deps.network, chat },
        sender: { network: deps.network, user },
        senderName: self.nick,
        id,
        at,
        body,
        ...(replyTo === undefined ? {} : { replyTo }),
      })
    } catch (error) {
      logged(self, 'a message could not be stored')(error)
      return refused('The bridge cannot store it now, so it was not sent. Try again later.')
    } finally {
      this.#underway--
    }
    this.#echo(to, body, from, place, id, at)
    return { kind: 'said', id, at }
  }

  #echo(
    to: ContactKey | undefined,
    body: Saying['body'],
    from: ClientPort | undefined,
    place: PlaceName,
    id: MessageId,
    at: number,
  ): void {
    const { self, contacts } = this.#options
    const { settings, user, nick } = self
    const style = ownStyle(settings.get('self_messages'))
    const spot = { place, nick, toChar: settings.get('to_char') }
    self.tell((client) => {
      if (client === from && !client.caps.has('echo-message')) return []
      const own = { mask: client.mask, account: user, style: client === from ? 'own' : style } as const
      return said(own, to && contacts.ensure(to), body, spot, { at, id })
    })
  }
}
