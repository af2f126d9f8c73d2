/** Our session and classic Messengers on a real service, over real sockets. */
import { msnConfig, type MsnConfig } from '../../../adapters/msn/config.ts'
import { create } from '../../../adapters/msn/index.ts'
import type { Adapter, Session } from '../../../bridge/adapter.ts'
import { systemClock } from '../../../bridge/clock.ts'
import type { MessageEvent } from '../../../bridge/model/events.ts'
import type { ChatRef, EventId, UserId } from '../../../bridge/model/ids.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { MsnServer, newAccount, type AccountRecord, type Host } from '../../../msnp/index.ts'
import { Messenger, type Where } from '../../kit/messenger.ts'
import { Proxy } from '../../kit/proxy.ts'
import { account, network, Observer, words } from './fakes.ts'

export const relay = 'relay@example.com'
export const bob = 'bob@example.com'
export const carol = 'carol@example.com'
/** On nobody's list. */
export const dave = 'dave@example.com'
const off = { burst: 0, intervalMs: 1 }

const recordOf = (email: string): AccountRecord => ({
  ...newAccount(email, email.slice(0, email.indexOf('@'))),
  contacts: [relay, bob, carol]
    .filter((other) => other !== email && email !== dave)
    .map((other) => ({ email: other, name: other, lists: 11, groups: [0] })),
})

/** The service with three accounts; the relay goes through `ns`, and everybody through `sb`. */
export class Town {
  readonly core = new Observer(systemClock)
  readonly where: Where
  readonly ns: Proxy
  readonly sb: Proxy
  readonly server: MsnServer
  readonly adapter: Adapter
  readonly #cleanups: (() => Promise<void> | void)[] = []
  #deliveries = 0

  private constructor(
    server: MsnServer,
    ns: Proxy,
    sb: Proxy,
    where: Where,
    timing: object,
    more: object,
    web: boolean,
  ) {
    this.server = server
    this.ns = ns
    this.sb = sb
    this.where = where
    const config: MsnConfig = msnConfig.parse({
      id: 'retro',
      type: 'msn',
      server: `127.0.0.1:${ns.port}`,
      passport: web
        ? { rst: `http://127.0.0.1:${where.passport}/RST.srf` }
        : { login: `http://127.0.0.1:${where.passport}/login2.srf` },
      ...(web ? { http_gateway: `http://127.0.0.1:${where.passport}` } : {}),
      timing: { join_timeout_ms: 2_000, ack_timeout_ms: 2_000, ...timing },
      ...more,
    })
    this.adapter = create({ network, config, dataFolder: '/nowhere', secret: () => '' })
  }

  /** `web`: the relay goes in through the HTTP gateway instead, and logs in by RST. */
  static async build(timing: object = {}, more: object = {}, web = false): Promise<Town> {
    const records = new Map([relay, bob, carol, dave].map((email) => [email, recordOf(email)]))
    const host: Host = {
      verifyPassword: async (email, password) => (records.has(email) && password === 'secret' ? 'right' : 'wrong'),
      load: async (email) => records.get(email),
      save: async (changed) => {
        for (const record of changed) records.set(record.email, record)
      },
    }
    const sb = await Proxy.start(1)
    const any = { host: '127.0.0.1', port: 0 }
    const server = new MsnServer({
      host,
      listen: { notification: any, switchboard: any, passport: any },
      public: { switchboard: { host: '127.0.0.1', port: sb.port } },
      tls: 'plain',
      gateway: { lingerMs: 50 },
      limits: { switchboardRate: off, messageRate: off, commandRate: off },
    })
    await server.start()
    const { notification, passport, switchboard } = server.listening!
    sb.aim(switchboard!.port)
    const ns = await Proxy.start(notification.port)
    const where = { notification: notification.port, passport: passport.port, plain: true }
    const town = new Town(server, ns, sb, where, timing, more, web)
    await town.adapter.start(town.core.context)
    town.#cleanups.push(
      () => server.stop(),
      () => sb.stop(),
      () => ns.stop(),
      () => town.adapter.stop(),
    )
    return town
  }

  /** Ends everything that was started, in reverse. */
  async end(): Promise<void> {
    for (const clean of this.#cleanups.splice(0).reverse()) await clean()
  }

  get session(): Session {
    return this.adapter.session({ ...account, login: relay })
  }

  async online(): Promise<this> {
    await this.session.connect(AbortSignal.timeout(10_000))
    return this
  }

  async messenger(email: string): Promise<Messenger> {
    const messenger = await Messenger.signIn(this.where, email, 'secret')
    this.#cleanups.push(() => messenger.signOut())
    return messenger
  }

  say(text: string, chat: ChatRef) {
    const id = `event-${++this.#deliveries}` as EventId
    return this.session.deliver({ id, chat, op: words(text) }, AbortSignal.timeout(20_000))
  }

  heard(text: string): Promise<MessageEvent> {
    return this.core.until(`"${text}"`, () =>
      this.core.of('message').find(({ body }) => 'text' in body && textOf(body.text) === text),
    )
  }

  sees(email: string, show: string): Promise<true> {
    return this.core.until(`${email} ${show}`, () =>
      this.core.of('presence').findLast((event) => event.user.user === email)?.state.show === show ? true : undefined,
    )
  }

  state(kind: string): Promise<unknown> {
    return this.core.until(`the state ${kind}`, () => {
      const state = this.core.states.at(-1)
      return state?.kind === kind ? state : undefined
    })
  }

  async group(): Promise<ChatRef> {
    const opened = await this.session.open(
      { kind: 'group', members: [bob, carol] as UserId[] },
      AbortSignal.timeout(1_000),
    )
    if (opened.kind !== 'opened') throw new Error(opened.detail)
    return opened.chat
  }
}
