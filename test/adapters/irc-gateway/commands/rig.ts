/** A world for the commands: clients that keep what they are told, people who keep what they are asked, root, a store. */
import type { AccountView, AdapterContext, HistoryRange, PutResult, Said } from '../../../../bridge/adapter.ts'
import type { MessageBody } from '../../../../bridge/model/body.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, UserId } from '../../../../bridge/model/ids.ts'
import { plain, textOf } from '../../../../bridge/model/text.ts'
import type { DispatchDeps, RootPort } from '../../../../adapters/irc-gateway/commands/desk.ts'
import { Dispatch } from '../../../../adapters/irc-gateway/commands/dispatch.ts'
import { takenIntoAnswer } from '../../../../adapters/irc-gateway/commands/labels.ts'
import { rootFace, same } from '../../../../adapters/irc-gateway/commands/sight.ts'
import {
  maskOf,
  type ChannelPort,
  type ClientPort,
  type ContactKey,
  type Face,
  type PersonPort,
  type Saying,
  type SayResult,
} from '../../../../adapters/irc-gateway/types.ts'
import type { Cap } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { parseLine } from '../../../../adapters/irc-gateway/wire/line.ts'
import { encode, type ServerMessage } from '../../../../adapters/irc-gateway/wire/message.ts'
import { VirtualClock } from '../../../kit/clock.ts'

export const SERVER = 'localhost'
export const NETWORK = 'gateway' as NetworkId
export const MSN = 'msn' as NetworkId
export const ACCOUNT = 'msn:alice@example.com' as AccountId
/** 2004-01-01T00:00:00.000Z */
export const NOW = Date.UTC(2004, 0, 1)

export class FakeClient implements ClientPort {
  nick: string
  readonly username = 'al'
  realname = 'Alice L'
  readonly host = '127.0.0.1'
  readonly tls: boolean = false
  readonly caps: Set<Cap>
  readonly connectedAt = NOW - 60_000
  readonly activeAt = NOW - 5_000
  person: PersonPort | undefined
  readonly #told: ServerMessage[] = []

  constructor(nick: string, caps: readonly Cap[] = []) {
    this.nick = nick
    this.caps = new Set(caps)
  }

  get mask(): string {
    return `${this.nick}!${this.username}@${this.host}`
  }

  setRealname(realname: string): void {
    this.realname = realname
  }

  send(...messages: readonly ServerMessage[]): void {
    if (!takenIntoAnswer(this, messages)) this.#told.push(...messages)
  }

  numeric(code: string, ...params: readonly string[]): void {
    this.send({ verb: code, params: [this.nick, ...params] })
  }

  rename(nick: string): void {
    this.send({ source: this.mask, verb: 'NICK', params: [nick] })
    this.nick = nick
  }

  close(): void {
    this.send({ verb: 'ERROR', params: ['closed'] })
  }

  /** As lines, since the last time. */
  heard(): readonly string[] {
    return this.#told.splice(0).map((message) => encode(message, this.caps, SERVER).slice(0, -'\r\n'.length))
  }
}

export const face = (nick: string, more: Partial<Face> = {}): Face => ({
  contact: { account: ACCOUNT, user: `${nick}@example.com` as UserId },
  nick,
  ident: nick,
  host: 'example.com',
  realname: `${nick} the contact`,
  address: `${nick}@example.com`,
  online: true,
  away: undefined,
  status: undefined,
  listed: true,
  blocked: false,
  ...more,
})

export const keyOf = (nick: string): ContactKey => ({ account: ACCOUNT, user: `${nick}@example.com` as UserId })

const sayingText = (body: MessageBody): string => (body.kind === 'nudge' ? '' : ` ${textOf(body.text)}`)

export class FakePerson implements PersonPort {
  readonly user = 'alice' as UserId
  readonly clients = new Set<FakeClient>()
  readonly map = new Map<string, Face>()
  readonly rooms = new Map<string, ChannelPort>()
  readonly values = new Map<string, string>()
  /** What was asked of the world, in words. */
  readonly asked: string[] = []
  nick = 'alice'
  away: string | undefined
  result: (saying: Saying) => Promise<SayResult> = () =>
    Promise.resolve({ kind: 'said', id: 'm1' as MessageId, at: NOW })
  refuse: string | undefined
  readonly settings = {
    get: (name: string) => this.values.get(name) ?? '',
    isOn: (name: string) => this.values.get(name) === 'true',
    own: (name: string) => this.values.get(name),
    set: () => Promise.resolve(),
  }

  constructor(faces: readonly Face[]) {
    for (const one of [rootFace(SERVER), ...faces]) this.map.set(one.nick, one)
    this.control('&bitlbee')
  }

  control(name: string): void {
    this.rooms.set(
      name,
      this.#room(name, 'control', () => [...this.map.values()], undefined),
    )
  }

  group(name: string, nicks: readonly string[], chat: string | undefined): void {
    const faces = (): readonly Face[] => nicks.flatMap((nick) => this.face(nick) ?? [])
    this.rooms.set(name, this.#room(name, 'group', faces, chat as ChatId | undefined))
  }

  #room(name: string, kind: ChannelPort['kind'], faces: () => readonly Face[], chat: ChatId | undefined): ChannelPort {
    const prefix = ({ contact, online, away }: Face): string =>
      contact === undefined ? '@' : online && away === undefined ? '+' : ''
    return {
      name,
      kind,
      topic: `about ${name}`,
      topicBy: 'root',
      topicAt: NOW,
      createdAt: NOW - 1_000,
      chat,
      members: () => [
        ...faces().map((one) => ({ nick: one.nick, face: one, prefixes: prefix(one) })),
        { nick: this.nick, face: undefined, prefixes: '@+' },
      ],
    }
  }

  tell(make: (client: ClientPort) => readonly ServerMessage[], except?: ClientPort): void {
    for (const client of this.clients) if (client !== except) client.send(...make(client))
  }

  rootSays(...lines: readonly string[]): void {
    this.asked.push(...lines.map((line) => `rootSays ${line}`))
  }

  accounts(): readonly AccountView[] {
    return [
      {
        id: ACCOUNT,
        network: MSN,
        login: 'alice@example.com' as UserId,
        state: { kind: 'online', since: NOW },
        wanted: true,
        fixed: false,
        picture: 'none',
      },
    ]
  }

  contact(): undefined {
    return undefined
  }

  faces(): Iterable<Face> {
    return this.map.values()
  }

  face(nick: string): Face | undefined {
    return this.map.get(nick) ?? [...this.map.values()].find((one) => same(one.nick, nick))
  }

  faceOf({ user }: ContactKey): Face | undefined {
    return [...this.map.values()].find(({ contact }) => contact?.user === user)
  }

  lastNamed: ContactKey | undefined

  awayReply(to: ContactKey): string | undefined {
    return this.faceOf(to)?.away
  }

  chatOf({ user }: ContactKey): ChatId {
    return `direct/${user}` as ChatId
  }

  channels(): Iterable<ChannelPort> {
    return this.rooms.values()
  }

  channel(name: string): ChannelPort | undefined {
    return [...this.rooms.values()].find((room) => same(room.name, name))
  }

  /** Echoed when it is on disk, as the world does it. */
  async say(to: ContactKey, saying: Saying, from: ClientPort | undefined, where?: string): Promise<SayResult> {
    const { body, replyTo } = saying
    const place = where === undefined ? '' : ` in ${where}`
    if (where !== undefined) this.lastNamed = to
    const about = replyTo === undefined ? '' : ` to ${replyTo}`
    this.asked.push(`say ${to.user} ${body.kind}${sayingText(body)}${place}${about}`)
    const result = await this.result(saying)
    const nick = this.faceOf(to)?.nick ?? '?'
    if (result.kind === 'said' && from?.caps.has('echo-message') === true && body.kind === 'text')
      from.send({ source: from.mask, verb: 'PRIVMSG', params: [nick, textOf(body.text)], tags: { msgid: result.id } })
    return result
  }

  sayIn(channel: string, saying: Saying): Promise<SayResult> {
    this.asked.push(`sayIn ${channel} ${saying.body.kind}${sayingText(saying.body)}`)
    return this.result(saying)
  }

  typing(to: ContactKey | string, forMs: number): void {
    this.asked.push(`typing ${typeof to === 'string' ? to : to.user} ${forMs}`)
  }

  setAway(words: string | undefined): Promise<void> {
    this.away = words
    return Promise.resolve()
  }

  setName(name: string): Promise<readonly string[]> {
    this.asked.push(`setName ${name}`)
    return Promise.resolve(this.refuse === undefined ? [] : [this.refuse])
  }

  setNick(nick: string): void {
    for (const client of this.clients) client.rename(nick)
    this.nick = nick
  }

  rename(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  openGroup(keys: readonly ContactKey[], channel = '#chat'): Promise<ChannelPort | { readonly wrong: string }> {
    this.asked.push(`openGroup ${channel} ${keys.map(({ user }) => user).join(' ')}`)
    if (this.refuse !== undefined) return Promise.resolve({ wrong: this.refuse })
    this.group(channel, [], undefined)
    return Promise.resolve(this.channel(channel) ?? { wrong: 'never' })
  }

  invite(channel: string, key: ContactKey): Promise<string | undefined> {
    this.asked.push(`invite ${channel} ${key.user}`)
    return Promise.resolve(this.refuse)
  }

  part(channel: string, reason?: string): Promise<void> {
    this.asked.push(`part ${channel} ${reason ?? '-'}`)
    return Promise.resolve()
  }

  /** Groups that were left. */
  readonly left = new Set<string>()

  rejoin(channel: string): boolean {
    return this.left.delete(channel)
  }

  setTopic(channel: string, topic: string): Promise<string | undefined> {
    this.asked.push(`setTopic ${channel} ${topic}`)
    return Promise.resolve(this.refuse)
  }

  joinControl(channel: string): Promise<string | undefined> {
    this.asked.push(`joinControl ${channel}`)
    return Promise.resolve(this.refuse)
  }

  command(): Promise<readonly string[]> {
    return Promise.resolve([])
  }
}

/** A store of conversations that answers as the contract says. */
export class FakeHistory {
  readonly chats = new Map<string, Said[]>()
  asks = 0
  failing = false

  add(chat: string, sender: string, text: string, at: number, more: { own?: true; body?: MessageBody } = {}): void {
    const said = this.chats.get(chat) ?? []
    this.chats.set(chat, said)
    const id = `${chat}-${said.length}` as MessageId
    said.push({
      id,
      event: {
        kind: 'message',
        id,
        at,
        chat: { network: MSN, chat: chat as ChatId },
        sender: { network: sender.includes('@') ? MSN : NETWORK, user: sender as UserId },
        body: more.body ?? { kind: 'text', text: plain(text) },
        ...(more.own === true ? { own: true } : {}),
      },
    })
  }

  said({ chat }: ChatRef, { after, before, from, limit }: HistoryRange): Promise<readonly Said[]> {
    this.asks++
    if (this.failing) return Promise.reject(new Error('disk gone'))
    const all = this.chats.get(chat) ?? []
    const index = (point: typeof after, edge: 'after' | 'before'): number => {
      if (point === undefined) return edge === 'after' ? -1 : all.length
      if (point.kind === 'message') return all.findIndex(({ id }) => id === point.id)
      return edge === 'after'
        ? all.findLastIndex(({ event }) => event.at <= point.at)
        : all.findIndex(({ event }) => event.at >= point.at)
    }
    const start = index(after, 'after')
    const found = index(before, 'before')
    if ((after?.kind === 'message' && start === -1) || (before?.kind === 'message' && found === -1))
      return Promise.resolve([])
    const end = found === -1 ? all.length : found
    const range = all.slice(start + 1, Math.max(start + 1, end))
    return Promise.resolve(from === 'oldest' ? range.slice(0, limit) : range.slice(-limit))
  }

  latest(chats: readonly ChatRef[], after: number, before: number, limit: number) {
    const rows = chats.flatMap((chat) => {
      const last = this.chats.get(chat.chat)?.findLast(({ event: { at } }) => at > after && at < before)
      return last === undefined ? [] : [{ chat, at: last.event.at }]
    })
    return Promise.resolve(rows.toSorted((one, other) => one.at - other.at).slice(0, limit))
  }
}

const nothing = (): void => undefined
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing }

export class Rig {
  readonly clock = new VirtualClock(NOW)
  readonly history = new FakeHistory()
  readonly stored = new Map<string, string>()
  readonly toRoot: string[] = []
  /** Files that were offered to contacts, and what becomes of them. */
  readonly offered: string[] = []
  taken: PutResult = { kind: 'refused', reason: 'network', detail: 'no connection' }
  readonly logged: string[] = []
  readonly person: FakePerson
  readonly dispatch: Dispatch
  diskFull = false
  rootAnswers: (client: ClientPort) => Promise<void> = () => Promise.resolve()

  constructor(faces: readonly Face[] = [face('bob'), face('carol', { away: 'Busy' })]) {
    this.person = new FakePerson(faces)
    const log = {
      ...LOG,
      error: (fields: object, message: string) => this.logged.push(message, JSON.stringify(fields)),
    }
    const root: RootPort = {
      hear: (client, line, where) => {
        this.toRoot.push(`${where}: ${line}`)
        return this.rootAnswers(client)
      },
      offered: (_client, offer) => {
        this.toRoot.push(`offer ${offer.name}`)
        return Promise.resolve()
      },
      oper: (_client, name, password) => {
        this.toRoot.push(`oper ${name} ${password}`)
        return Promise.resolve()
      },
      completions: () => [],
    }
    const deps: DispatchDeps = {
      network: NETWORK,
      account: 'gateway' as AccountId,
      context: {
        log: {
          ...log,
          child: () => ({
            ...log,
            child: () => {
              throw new Error('no child')
            },
          }),
        },
        clock: this.clock,
        history: this.history,
        files: { maxBytes: 1_000 },
        state: {
          get: (key: string) => Promise.resolve(this.stored.get(key)),
          list: (prefix: string) =>
            Promise.resolve([...this.stored].filter(([key]) => key.startsWith(prefix)).toSorted()),
          update: (changes: readonly (readonly [string, string | undefined])[]) => {
            if (this.diskFull) return Promise.reject(new Error('disk full'))
            for (const [key, value] of changes) {
              if (value === undefined) this.stored.delete(key)
              else this.stored.set(key, value)
            }
            return Promise.resolve()
          },
        },
      } as unknown as AdapterContext,
      server: SERVER,
      control: '&bitlbee',
      root,
      inbox: {
        take: (_client, to, offer) => {
          this.offered.push(`${offer.name} ${to.nick}`)
          return Promise.resolve(this.taken)
        },
      },
      facts: {
        version: 'msn-bridge-1.0',
        startedAt: NOW - 3_661_000,
        motd: () => ['Welcome'],
        counts: () => ({ people: 2, clients: 3, strangers: 1 }),
      },
    }
    this.dispatch = new Dispatch(deps)
  }

  /** A client of alice. */
  client(...caps: readonly Cap[]): FakeClient {
    const client = new FakeClient('alice', caps)
    client.person = this.person
    this.person.clients.add(client)
    return client
  }

  stranger(...caps: readonly Cap[]): FakeClient {
    return new FakeClient('newbie', caps)
  }

  take(client: FakeClient, text: string): void {
    const line = parseLine(text)
    if (line !== undefined && !('wrong' in line)) this.dispatch.take(client, line)
  }

  /** All that the client hears because of the lines, one after the other. */
  async ask(client: FakeClient, ...lines: readonly string[]): Promise<readonly string[]> {
    for (const line of lines) {
      this.take(client, line)
      await this.dispatch.idle()
    }
    return client.heard()
  }
}

export const maskOfNick = (nick: string): string => maskOf(face(nick))
