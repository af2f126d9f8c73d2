/** One account on an MSN network. Each `connect` is a sign-in of its own, with its own switchboards. */
import type { Account, AdapterContext, ChatRequest, Delivery, RosterRequest, Session } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { Capabilities } from '../../bridge/model/capabilities.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import type { AccountId, ChatRef, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import type { DeliveryResult, OpenResult, RosterResult, SessionState } from '../../bridge/model/result.ts'
import { plain } from '../../bridge/model/text.ts'
import { TokenBucket } from '../../sansio/rate.ts'
import {
  NO_PERSONAL_MESSAGE,
  samePersonalMessage,
  type MsnClientEvent,
  type MsnClientOptions,
  type PersonalMessage,
  type Status,
} from '../../msnp/index.ts'
import { capabilities, channelCapabilities, offersFiles, takesBackFiles } from './capabilities.ts'
import { Chats } from './chats.ts'
import { Contacts } from './contacts.ts'
import { Emoticons } from './emoticons.ts'
import { faultOfClose, needsPerson, sessionFault } from './faults.ts'
import { Groups, isGroupId } from './groups.ts'
import { Held } from './held.ts'
import type { Line, OpenLine } from './line.ts'
import { downWords, mailWords, NOTICE_RATE } from './notices.ts'
import { OwnEmoticons } from './own-emoticons.ts'
import { OwnLooks } from './own-looks.ts'
import { OwnPicture } from './own-picture.ts'
import { Openings } from './openings.ts'
import { channelOf, type Channel } from './participants.ts'
import type { Fetched } from './peer-talk.ts'
import { Pictures } from './pictures.ts'
import { personalOf } from './personal.ts'
import { statusFor } from './presence.ts'
import { change } from './roster-requests.ts'
import { Speech } from './speech.ts'
import { Things } from './things.ts'
import { DELIVERED, refused, resultOfCommand, SIGNED_OUT } from './results.ts'
import { oneLine, userIdOf } from './words.ts'
import type { Transfers } from './transfers/flow.ts'
import { AccountFiles, type FileSettings } from './transfers/account-files.ts'

export interface SessionOptions {
  readonly network: NetworkId
  readonly account: Account
  readonly context: AdapterContext
  /** What stays the same over all sign-ins. */
  readonly client: () => Omit<
    MsnClientOptions,
    'login' | 'password' | 'status' | 'picture' | 'personalMessage' | 'onEvent'
  >
  readonly openLine: OpenLine
  readonly files: FileSettings
  /** 32 or more hexadecimal digits, never the same twice. */
  readonly random: () => string
  /** Larger pictures are neither fetched nor ours. */
  readonly pictures: { readonly fetch: boolean; readonly maxBytes: number }
  /** Tell the owner of news of mail. */
  readonly mail: boolean
}

/** One sign-in. */
interface Live {
  readonly line: Line
  readonly chats: Chats
  readonly contacts: Contacts
  readonly looks: OwnLooks
  readonly pictures: Pictures
  readonly things: Things
  readonly emoticons: Emoticons
  readonly transfers: Transfers
  /** What was said last beside our name. */
  personal: PersonalMessage | undefined
}

/** Of a name that is told with a picture, UTF-16 units. */
const MAX_NAME = 256
/** Nobody of that address could be called. */
const UNREACHED: Fetched = { kind: 'failed', how: 'left' }

export class MsnSession implements Session {
  readonly account: AccountId
  readonly #options: SessionOptions
  readonly #own: UserId
  readonly #channel: Channel | undefined
  readonly #groups: Groups
  readonly #held: Held
  readonly #picture: OwnPicture
  readonly #notices: TokenBucket
  readonly #emoticons: OwnEmoticons
  readonly #files: AccountFiles
  readonly #openings: Openings
  readonly #speech: Speech
  #state: SessionState = { kind: 'offline' }
  #live: Live | undefined
  #attempts = 0
  /** Rises whenever an attempt or a sign-in is put to an end. */
  #turn = 0
  #status: Status = 'NLN'
  /** What to say beside our name; undefined: what the service remembers stays. */
  #personal: PersonalMessage | undefined
  /** The personal message that somebody asked for apart from their status. */
  #asked = ''

  constructor(options: SessionOptions) {
    this.account = options.account.id
    this.#options = options
    this.#own = userIdOf(options.account.login)
    this.#channel = channelOf(this.#own, options.context.addressOf)
    this.#groups = new Groups(options.account.id, options.context.state, options.random)
    this.#held = new Held(options.context)
    this.#notices = new TokenBucket(NOTICE_RATE, options.context.clock.now())
    const { network, account, context, files, random } = options
    const shared = { network, account: account.id, context, held: this.#held, random }
    this.#files = new AccountFiles({ ...shared, own: this.#own, settings: files })
    this.#emoticons = new OwnEmoticons(this.#own, context)
    this.#picture = new OwnPicture({
      account: account.id,
      login: this.#own,
      context,
      maxBytes: options.pictures.maxBytes,
    })
    const about = { network, account: account.id, own: this.#own, groups: this.#groups, context }
    this.#openings = new Openings(about)
    const channel = this.#channel
    this.#speech = new Speech({ ...about, login: account.login, channel, emoticons: this.#emoticons, random })
  }

  get state(): SessionState {
    return this.#state
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#end()
    const turn = this.#turn
    this.#change({ kind: 'connecting', attempt: ++this.#attempts })
    await this.#prepare()
    if (turn !== this.#turn) throw closed()
    const live = this.#begin()
    this.#live = live
    const result = await live.line.signIn(signal)
    if (this.#live !== live) {
      await live.line.signOut()
      throw closed()
    }
    if (result.ok) {
      this.#attempts = 0
      this.#change({ kind: 'online', since: this.#options.context.clock.now() })
      this.#files.giveOwed(live.transfers, live.chats)
      return
    }
    this.#live = undefined
    stop(live)
    await live.line.signOut()
    this.#change({ kind: 'offline' })
    throw sessionFault(result.failure)
  }

  async close(): Promise<void> {
    await this.#files.stop()
    await this.#end()
    this.#change({ kind: 'offline' })
  }

  /** `close`, for good. */
  async stop(): Promise<void> {
    await this.close()
    await this.#held.stop()
  }

  /** Whoever can be offered a file is; the others get links. */
  capabilities(chat?: ChatRef): Capabilities {
    const transfers = this.#live?.transfers
    if (this.#channel !== undefined && chat !== undefined && !isGroupId(chat.chat)) return channelCapabilities
    if (transfers === undefined || chat === undefined || isGroupId(chat.chat)) return capabilities
    const user = chat.chat as string as UserId
    const able = transfers.canOffer(user) ? offersFiles : capabilities
    return transfers.isOffering(user) ? takesBackFiles(able) : able
  }

  open(request: ChatRequest): Promise<OpenResult> {
    return this.#openings.open(request)
  }

  members({ chat }: ChatRef): readonly UserId[] | undefined {
    if (!isGroupId(chat)) return [chat as string as UserId]
    return this.#live?.chats.people(chat) ?? this.#groups.members(chat)
  }

  drop({ chat }: ChatRef): Promise<void> {
    return this.#openings.drop(chat)
  }

  split(op: Outbound, { chat }: ChatRef): readonly Outbound[] {
    const live = this.#live
    const conversation = live?.chats.conversation(chat)
    return this.#speech.split(
      op,
      live === undefined || conversation === undefined ? undefined : { conversation, signed: live },
    )
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    const live = this.#live
    // The next sign-in begins with it.
    if (delivery.op.kind === 'presence' && delivery.op.as.kind !== 'ghost') {
      this.#status = statusFor(delivery.op.state.show)
      const said = personalOf(delivery.op.state)
      // What was asked for by itself stands where the status has no words.
      const personal = said.text === '' ? { ...said, text: this.#asked } : said
      if (this.#personal !== undefined || !samePersonalMessage(personal, NO_PERSONAL_MESSAGE)) this.#personal = personal
    }
    if (live === undefined || this.#state.kind !== 'online') return SIGNED_OUT
    const { op } = delivery
    switch (op.kind) {
      case 'presence':
        return op.as.kind === 'ghost' ? DELIVERED : this.#appear(live, op.state)
      case 'profile':
        return op.as.kind === 'ghost' ? DELIVERED : this.#rename(live.line, op.name)
      case 'message':
      case 'status':
      case 'delivery':
      case 'typing':
      case 'redact':
      case 'member': {
        const conversation = delivery.chat === undefined ? undefined : live.chats.conversation(delivery.chat.chat)
        if (conversation === undefined) return refused('not-found', 'this MSN chat is not known any more')
        return this.#speech.deliver(conversation, live, delivery, signal)
      }
      case 'company':
        if (delivery.chat !== undefined) live.chats.company(delivery.chat.chat, op.people)
        return DELIVERED
      case 'edit':
      case 'reaction':
      case 'title':
      case 'topic':
      case 'read':
        return refused('unsupported', 'MSN cannot carry this')
    }
  }

  async roster(request: RosterRequest, signal: AbortSignal): Promise<RosterResult> {
    const live = this.#live
    if (request.kind === 'picture') return this.#setPicture(request.picture, signal)
    if (live === undefined || this.#state.kind !== 'online') {
      return { kind: 'refused', reason: 'network', detail: 'the MSN account is not signed in' }
    }
    const result = await orAborted(change(live.line, request), signal)
    if (request.kind === 'personal-message' && result.kind === 'done') this.#saysBeside(live, request.text)
    return result
  }

  #saysBeside(live: Live, text: string): void {
    this.#asked = text
    this.#personal = { text, media: undefined }
    this.#said(live, this.#personal)
  }

  #said(live: Live, personal: PersonalMessage): void {
    live.personal = personal
    live.looks.says(personal)
    this.#held.passing(live.contacts.own())
  }

  /** It is kept for the next sign-in, whatever the server says now. */
  async #setPicture(picture: FileRef | undefined, signal: AbortSignal): Promise<RosterResult> {
    const before = this.#picture.xml
    const kept = await this.#picture.set(picture, signal)
    const live = this.#live
    const { xml, bytes } = this.#picture
    if (live === undefined || this.#state.kind !== 'online' || xml === before) return kept
    const said = await live.line.setPicture(xml)
    if (!said.ok) this.#options.context.log.debug({ account: this.account }, 'the server has not taken a picture')
    live.looks.shows(bytes)
    this.#held.passing(live.contacts.own())
    return kept
  }

  #begin(): Live {
    const { network, account, context, client, openLine } = this.#options
    const shared = client()
    const line = openLine({
      ...shared,
      // Who takes part in a channel does so for as long as the window is open, however silent it is.
      ...(this.#channel === undefined ? {} : { timings: { ...shared.timings, switchboardIdleMs: 0 } }),
      login: account.login,
      password: account.secret,
      status: this.#status,
      ...(this.#picture.xml === undefined ? {} : { picture: this.#picture.xml }),
      ...(this.#personal === undefined ? {} : { personalMessage: this.#personal }),
      confirms: true,
      onEvent: (event) => {
        if (this.#live?.line === line) this.#on(this.#live, event)
      },
    })
    const { fetch, maxBytes } = this.#options.pictures
    const things = new Things({ context, fetch })
    const emoticons = new Emoticons({ network, context, maxBytes: fetch ? maxBytes : 0 })
    const transfers = this.#files.begin(line, (user, work) => chats.withPeer(user, work, 'stays'))
    const chats: Chats = new Chats({
      network,
      account: account.id,
      context,
      held: this.#held,
      line,
      beside: shared.beside === true,
      channel: this.#channel,
      things,
      groups: this.#groups,
      transfers,
      emoticons,
      peers: {
        own: this.#own,
        random: () => Number.parseInt(this.#options.random().slice(-8), 16),
        serve: (object) => this.#picture.serve(object) ?? this.#emoticons.serve(object),
      },
    })
    const pictures = new Pictures({
      network,
      account: account.id,
      context,
      maxBytes: fetch ? maxBytes : 0,
      isOnline: (user) => line.contacts.get(user)?.presence !== undefined,
      fetch: async (user, object, xml, signal) =>
        (await chats.withPeer(user, (talk, email) => talk.fetch(email, object, xml, signal))) ?? UNREACHED,
    })
    const looks = new OwnLooks(this.#personal ?? NO_PERSONAL_MESSAGE, this.#picture.bytes)
    const contacts = new Contacts(network, account.id, line, looks)
    return { line, chats, contacts, looks, pictures, emoticons, transfers, things, personal: this.#personal }
  }

  #on(live: Live, event: MsnClientEvent): void {
    const { context } = this.#options
    switch (event.kind) {
      case 'presence':
        if (event.presence !== undefined) {
          live.chats.cameOnline(userIdOf(event.email))
          this.#files.giveOwed(live.transfers, live.chats, userIdOf(event.email))
        }
        for (const passing of live.contacts.read(event)) this.#held.passing(passing)
        if (event.presence !== undefined && event.name !== '') {
          live.pictures.see(userIdOf(event.email), oneLine(event.name, MAX_NAME), event.presence.object)
        }
        return
      case 'personal-message':
        for (const passing of live.contacts.read(event)) this.#held.passing(passing)
        return
      case 'list':
        // What they said before is not answered any more, nor heard.
        if (event.list === 'BL' && event.change === 'added') live.chats.leaveDirect(userIdOf(event.email))
        for (const passing of live.contacts.read(event)) this.#held.passing(passing)
        return
      case 'roster':
      case 'arranged':
      case 'messenger':
      case 'own-name':
        for (const passing of live.contacts.read(event)) this.#held.passing(passing)
        return
      case 'switchboard':
      case 'message':
      case 'typing':
      case 'joined':
      case 'left':
      case 'switchboard-closed':
        live.chats.on(event)
        return
      case 'announcement':
        context.log.warn({ account: this.account, minutes: event.minutes }, 'the MSN server will go down')
        this.#notice(downWords(this.#own, event.minutes))
        return
      case 'mail':
        if (this.#options.mail) this.#notice(mailWords(this.#own, event.news))
        return
      case 'invitation-failed':
        context.log.debug({ account: this.account, detail: event.detail }, 'an invitation came to nothing')
        return
      case 'own-status':
        return
      case 'closed': {
        // Before the sign-in is complete, its result says why.
        if (this.#state.kind !== 'online') return
        const fault = faultOfClose(event.reason)
        this.#live = undefined
        stop(live)
        if (fault === undefined) this.#change({ kind: 'offline' })
        else if (needsPerson(fault)) this.#change({ kind: 'stopped', fault })
        else this.#change({ kind: 'waiting', until: context.clock.now(), fault })
        return
      }
    }
  }

  async #prepare(): Promise<void> {
    try {
      await this.#groups.load()
      await this.#picture.load()
      await this.#files.load()
    } catch (error) {
      this.#change({ kind: 'offline' })
      const detail = `the groups of the account cannot be read from the store: ${String(error)}`
      throw sessionFault({ kind: 'protocol', detail })
    }
  }

  async #end(): Promise<void> {
    this.#turn++
    const live = this.#live
    this.#live = undefined
    if (live !== undefined) stop(live)
    await live?.line.signOut()
  }

  async #appear(live: Live, state: PresenceState): Promise<DeliveryResult> {
    const changed = await this.#setStatus(live.line, statusFor(state.show))
    const message = this.#personal
    if (changed.kind !== 'delivered' || message === undefined) return changed
    if (live.personal !== undefined && samePersonalMessage(live.personal, message)) return changed
    const said = resultOfCommand(await live.line.setPersonalMessage(message))
    if (said.kind === 'delivered') this.#said(live, message)
    return said
  }

  async #setStatus(line: Line, status: Status): Promise<DeliveryResult> {
    if (line.status === status) return DELIVERED
    return resultOfCommand(await line.setStatus(status))
  }

  async #rename(line: Line, name: string): Promise<DeliveryResult> {
    return line.name === name ? DELIVERED : resultOfCommand(await line.rename(name))
  }

  #notice(text: string): void {
    const { clock } = this.#options.context
    if (this.#notices.take(clock.now())) {
      this.#held.passing({ kind: 'notice', account: this.account, text: plain(text) })
    }
  }

  #change(state: SessionState): void {
    if (state.kind === this.#state.kind && state.kind === 'offline') return
    this.#state = state
    this.#options.context.sessionChanged(this.account, state)
  }
}

const stop = ({ pictures, emoticons, things }: Live): void => {
  pictures.stop()
  emoticons.stop()
  things.stop()
}

const closed = () => sessionFault({ kind: 'aborted', detail: 'the session was closed while it signed in' })

const orAborted = (answer: Promise<RosterResult>, signal: AbortSignal): Promise<RosterResult> => {
  const { promise, resolve } = Promise.withResolvers<RosterResult>()
  const aborted = (): void =>
    resolve({ kind: 'refused', reason: 'network', detail: 'the MSN server did not answer in time' })
  if (signal.aborted) aborted()
  else signal.addEventListener('abort', aborted, { once: true })
  return Promise.race([answer, promise]).finally(() => signal.removeEventListener('abort', aborted))
}
