/** Root with everything around it made up: one person with two accounts, what the core would answer, and what it was told. */
import { guardLine, MAX_LINE_BYTES } from '../../../../irc/guard.ts'
import type {
  AccountView,
  AdapterContext,
  ContactView,
  Logger,
  PutResult,
  Said,
  SignUp,
} from '../../../../bridge/adapter.ts'
import type { FileRef } from '../../../../bridge/model/body.ts'
import type { AccountId, ChatId, NetworkId, UserId } from '../../../../bridge/model/ids.ts'
import type { RootDeps, UserResult, UsersPort, Where } from '../../../../adapters/irc-gateway/root/deps.ts'
import { Root } from '../../../../adapters/irc-gateway/root/root.ts'
import { isTrue } from '../../../../adapters/irc-gateway/root/setting-values.ts'
import { defaultOf } from '../../../../adapters/irc-gateway/root/settings.ts'
import type {
  ChannelPort,
  ClientPort,
  ContactKey,
  Face,
  PersonPort,
  SettingsPort,
} from '../../../../adapters/irc-gateway/types.ts'
import type { ServerMessage } from '../../../../adapters/irc-gateway/wire/message.ts'
import { encode } from '../../../../adapters/irc-gateway/wire/message.ts'
import { VirtualClock } from '../../../kit/clock.ts'

export const retro = 'retro:alice@home.example' as AccountId
export const work = 'work:alice@work.example' as AccountId
export const bob: ContactKey = { account: retro, user: 'bob@home.example' as UserId }
export const carol: ContactKey = { account: retro, user: 'carol@home.example' as UserId }

/** Passwords that tests give; none may come back. */
export const SECRET = 'tr0ub4dor&3'

const view = (id: AccountId, login: string): AccountView => ({
  id,
  network: id.slice(0, id.indexOf(':')) as NetworkId,
  login: login as UserId,
  state: { kind: 'online', since: 0 },
  wanted: true,
  fixed: false,
  picture: 'none',
})

export class FakeSettings implements SettingsPort {
  readonly values = new Map<string, string>()
  get(name: string): string {
    return this.values.get(name) ?? defaultOf(name)
  }
  isOn(name: string): boolean {
    return isTrue(this.get(name))
  }
  own(name: string): string | undefined {
    return this.values.get(name)
  }
  async set(name: string, value: string | undefined): Promise<void> {
    if (value === undefined) this.values.delete(name)
    else this.values.set(name, value)
  }
}

const nothing = (): never => {
  throw new Error('root does not use that')
}

export class FakePerson implements PersonPort {
  readonly user = 'alice' as UserId
  nick = 'alice'
  readonly clients = new Set<ClientPort>()
  readonly settings = new FakeSettings()
  away: string | undefined
  views: readonly AccountView[] = [view(retro, 'alice@home.example'), view(work, 'alice@work.example')]
  readonly contacts = new Map<string, ContactView>()
  readonly nicks = new Map<string, ContactKey>()
  readonly joined: ChannelPort[] = [channelPort('&bitlbee', 'control')]
  /** What the core was told to do, passwords as `*`. */
  readonly commands: string[] = []
  readonly secrets: string[] = []
  readonly told: string[] = []
  /** What else was done. */
  readonly done: string[] = []
  answers: (line: string) => readonly string[] | Error = () => ['Done.']

  tell = nothing
  say = nothing
  sayIn = nothing
  typing = nothing
  awayReply = nothing
  readonly lastNamed = undefined
  chatOf = ({ user }: ContactKey): ChatId => user as string as ChatId
  setName = nothing
  setNick = nothing
  invite = nothing
  part = nothing
  setTopic = nothing
  joinControl = nothing

  rootSays(...lines: readonly string[]): void {
    this.told.push(...lines)
  }
  accounts(): readonly AccountView[] {
    return this.views
  }
  contact(key: ContactKey): ContactView | undefined {
    return this.contacts.get(`${key.account} ${key.user}`)
  }
  *faces(): Iterable<Face> {
    yield this.#root()
    for (const [nick, key] of this.nicks) yield this.#faceOf(nick, key)
  }
  face(nick: string): Face | undefined {
    return [...this.faces()].find((face) => face.nick.toLowerCase() === nick.toLowerCase())
  }
  faceOf(key: ContactKey): Face | undefined {
    return [...this.faces()].find(({ contact }) => contact?.account === key.account && contact.user === key.user)
  }
  channels(): Iterable<ChannelPort> {
    return this.joined
  }
  channel(name: string): ChannelPort | undefined {
    return this.joined.find((one) => one.name === name)
  }
  async setAway(words: string | undefined): Promise<void> {
    this.away = words
  }
  async rename(key: ContactKey, nick: string): Promise<string | undefined> {
    this.done.push(`rename ${key.user} ${nick}`)
    const old = this.faceOf(key)?.nick
    if (old !== undefined) this.nicks.delete(old)
    this.nicks.set(nick === '' ? (key.user.split('@')[0] ?? '') : nick, key)
    return undefined
  }
  async openGroup(keys: readonly ContactKey[], name = '#chat_01') {
    this.done.push(`openGroup ${keys.map(({ user }) => user).join(' ')} ${name}`)
    const channel = channelPort(name, 'group')
    this.joined.push(channel)
    return channel
  }
  async command(line: string, secret?: string, file?: FileRef): Promise<readonly string[]> {
    this.commands.push(`${line}${secret === undefined ? '' : ' *'}${file === undefined ? '' : ` <${file.name}>`}`)
    if (secret !== undefined) this.secrets.push(secret)
    const answer = this.answers(line)
    if (answer instanceof Error) throw answer
    return answer
  }

  add(key: ContactKey, nick: string, more: Partial<ContactView> = {}): void {
    this.nicks.set(nick, key)
    const contact: ContactView = { user: key.user, name: '', listed: true, blocked: false, hasUs: true, ...more }
    this.contacts.set(`${key.account} ${key.user}`, contact)
  }

  #root(): Face {
    const nick = this.settings.get('root_nick')
    return { ...NOBODY, contact: undefined, nick, ident: 'root', host: 'localhost', address: 'root', online: true }
  }

  #faceOf(nick: string, key: ContactKey): Face {
    const contact = this.contact(key)
    const [ident = '', host = ''] = key.user.split('@')
    const show = contact?.presence?.show ?? 'offline'
    const isOnline = show !== 'offline'
    return {
      ...NOBODY,
      contact: key,
      nick,
      ident,
      host,
      address: key.user,
      online: isOnline,
      away: isOnline && show !== 'online' ? 'Busy' : undefined,
      status: contact?.presence?.text,
      listed: contact?.listed ?? false,
      blocked: contact?.blocked ?? false,
    }
  }
}

const NOBODY = { realname: '', away: undefined, status: undefined, listed: false, blocked: false }

export const channelPort = (name: string, kind: ChannelPort['kind']): ChannelPort => ({
  name,
  kind,
  topic: '',
  topicBy: '',
  topicAt: 0,
  createdAt: 0,
  members: () => [{ nick: 'bob', prefixes: '', face: { ...NOBODY, contact: bob } as unknown as Face }],
  chat: undefined,
})

export class FakeClient implements ClientPort {
  nick = 'alice'
  readonly mask = 'alice!alice@localhost'
  readonly username = 'alice'
  realname = 'Alice'
  readonly host = 'localhost'
  readonly tls = false
  readonly caps = new Set<never>()
  readonly connectedAt = 0
  readonly activeAt = 0
  person: PersonPort | undefined
  readonly sent: ServerMessage[] = []

  constructor(person?: PersonPort) {
    this.person = person
  }

  setRealname(realname: string): void {
    this.realname = realname
  }

  send(...messages: readonly ServerMessage[]): void {
    this.sent.push(...messages)
  }
  numeric = nothing
  rename = nothing
  close = nothing
}

export class FakeUsers implements UsersPort {
  readonly calls: string[] = []
  refusal: string | undefined
  readonly #person: PersonPort

  constructor(person: PersonPort) {
    this.#person = person
  }

  async register(client: ClientPort, name: string, password: string): Promise<UserResult> {
    return this.#attach('register', client, name, password)
  }
  async identify(client: ClientPort, name: string, password: string): Promise<UserResult> {
    return this.#attach('identify', client, name, password)
  }
  async setPassword(user: UserId, password: string): Promise<UserResult> {
    return this.#result('setPassword', user, password)
  }
  async drop(user: UserId, password: string): Promise<UserResult> {
    return this.#result('drop', user, password)
  }

  #attach(call: string, client: ClientPort, name: string, password: string): UserResult {
    const result = this.#result(call, name, password)
    if (result.kind === 'done' && client instanceof FakeClient) client.person = this.#person
    return result
  }

  #result(call: string, name: string, password: string): UserResult {
    this.calls.push(`${call} ${name} ${password === SECRET ? '*' : password}`)
    if (this.refusal !== undefined) return { kind: 'refused', detail: this.refusal }
    return { kind: 'done', user: name.toLowerCase() as UserId }
  }
}

export class Bench {
  readonly clock = new VirtualClock()
  readonly person = new FakePerson()
  readonly client = new FakeClient(this.person)
  readonly users = new FakeUsers(this.person)
  readonly stored = new Map<string, string>()
  readonly log: string[] = []
  admins: readonly string[] = []
  networks: readonly { id: NetworkId; type: string }[] = [
    { id: 'retro' as NetworkId, type: 'msn' },
    { id: 'work' as NetworkId, type: 'msn' },
  ]
  signUp: SignUp | undefined
  root = this.start()

  constructor() {
    this.person.add(bob, 'bob', { presence: { show: 'online', text: 'at work' }, groups: ['Friends'] })
    this.person.add(carol, 'carol', { presence: { show: 'busy' }, hasUs: false })
  }

  /** Files that were offered, and what becomes of them. */
  readonly offered: string[] = []
  taken: PutResult = { kind: 'refused', reason: 'network', detail: 'no connection' }

  /** What the history has of every conversation. */
  written: readonly Said[] = []

  /** As after a restart: only what is stored is still there. */
  start(): Root {
    const { stored } = this
    const logger: Logger = {
      child: () => logger,
      debug: (...all) => void this.log.push(JSON.stringify(all)),
      info: (...all) => void this.log.push(JSON.stringify(all)),
      warn: (...all) => void this.log.push(JSON.stringify(all)),
      error: (...all) => void this.log.push(JSON.stringify(all)),
    }
    const context: Pick<AdapterContext, 'clock' | 'log' | 'state' | 'people' | 'signUp' | 'history'> = {
      history: { said: async () => this.written, latest: async () => [] },
      clock: this.clock,
      log: logger,
      state: {
        get: async (key) => stored.get(key),
        list: async (prefix) => [...stored].filter(([key]) => key.startsWith(prefix)).toSorted(),
        update: async (changes) => {
          for (const [key, value] of changes) {
            if (value === undefined) stored.delete(key)
            else stored.set(key, value)
          }
        },
      },
      people: {
        networks: [],
        accountsOf: () => this.person.views,
        contactsOf: (account) =>
          [...this.person.contacts].filter(([key]) => key.startsWith(`${account} `)).map(([, contact]) => contact),
        contact: (account, user) => this.person.contact({ account, user }),
      },
      ...(this.signUp === undefined ? {} : { signUp: this.signUp }),
    }
    const deps: RootDeps = {
      network: 'gateway' as NetworkId,
      account: 'gateway' as AccountId,
      context: context as AdapterContext,
      server: 'localhost',
      control: '&bitlbee',
      users: this.users,
      inbox: {
        take: async (_, { nick }, { name }) => {
          this.offered.push(`${name} ${nick}`)
          return this.taken
        },
      },
      dcc: { send: async (_, { nick }, { name }) => `${name} of ${nick} is offered.` },
      knownNetworks: () => this.networks,
      isAdmin: (user) => this.admins.includes(user),
    }
    this.root = new Root(deps)
    return this.root
  }

  /** What root answers. */
  async say(line: string, where: Where = 'query', client = this.client): Promise<readonly string[]> {
    const from = client.sent.length
    await this.root.hear(client, line, where)
    return textsOf(client.sent.slice(from))
  }

  async oper(password: string, name = 'alice', client = this.client): Promise<readonly string[]> {
    const from = client.sent.length
    await this.root.oper(client, name, password)
    return textsOf(client.sent.slice(from))
  }
}

const textsOf = (messages: readonly ServerMessage[]): readonly string[] => messages.map(({ params }) => params[1] ?? '')

/** Whether a message leaves as one whole line. */
export const isOneLine = (message: ServerMessage): boolean => {
  const line = encode(message, new Set(), 'localhost')
  const body = line.slice(0, -2)
  const text = message.params.at(-1) ?? ''
  return (
    line.endsWith('\r\n') &&
    !guardLine(body).changed &&
    Buffer.byteLength(body) <= MAX_LINE_BYTES &&
    body.endsWith(text) &&
    !/[\r\n\0]/.test(text)
  )
}
