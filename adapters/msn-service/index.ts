/** The adapter `msn-service`: an MSN service of our own, to which people's classic Messengers sign in. */
import { join } from 'node:path'
import type { Account, AdapterContext, Session } from '../../bridge/adapter.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import { PasswordCheck } from '../../bridge/password-check.ts'
import { forgetWatcher, MsnServer, type AccountRecord, type Host, type Listening } from '../../msnp/index.ts'
import type { AccountAdmin, AdapterModule, AdapterOptions, HostingAdapter } from '../module.ts'
import { Appearances } from './appearances.ts'
import { bridgeContact } from './bridge-contact.ts'
import { accountAddress, AccountBook, ServiceAccounts } from './accounts.ts'
import { certificateFor } from './certificate.ts'
import { certificateName, type MsnServiceConfig } from './config.ts'
import { Elsewhere } from './elsewhere.ts'
import { ServiceMetrics } from './metrics.ts'
import { Notices } from './notices.ts'
import { HostedSession } from './session.ts'
import { certificateNames, limitsOf, placesOf, timingsOf, webOf } from './settings.ts'

type Options = AdapterOptions<MsnServiceConfig>

export const create = (options: Options): MsnServiceAdapter => new MsnServiceAdapter(options)

/** The accounts of a service that is not running. */
export const accounts: NonNullable<AdapterModule<MsnServiceConfig>['accounts']> = ({ config }, state) => {
  const book = new AccountBook({ state, domain: config.domain })
  return new ServiceAccounts(book, {
    isOnline: () => false,
    passwordSet: () => undefined,
    removed: (record) => forgetWatcher(record, book),
  })
}

interface Running {
  readonly server: MsnServer
  readonly accounts: ServiceAccounts
  readonly metrics: ServiceMetrics
  readonly elsewhere: Elsewhere
  readonly life: AbortController
}

export class MsnServiceAdapter implements HostingAdapter {
  readonly network: NetworkId
  readonly role = 'hosts'
  /** How the people of the service look to others, while it runs. */
  readonly appearances = new Appearances()
  readonly #options: Options
  #running: Running | undefined

  constructor(options: Options) {
    this.network = options.network
    this.#options = options
  }

  async start(context: AdapterContext): Promise<void> {
    if (this.#running !== undefined) return
    const running = await this.#build(context)
    this.#running = running
    try {
      await running.server.start()
      running.metrics.start()
      running.elsewhere.resume(running.life.signal).catch((error: unknown) => {
        context.log.warn({ error: String(error) }, 'contacts elsewhere who were being brought cannot be read')
      })
    } catch (error) {
      this.#running = undefined
      throw error
    }
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.life.abort()
    await running?.server.stop()
    running?.metrics.stop()
  }

  /** While the service runs. */
  get accounts(): AccountAdmin | undefined {
    return this.#running?.accounts
  }

  session(account: Account): Session {
    return new HostedSession(account)
  }

  ownAccounts(): readonly Account[] {
    return []
  }

  parseChat(name: string): { readonly wrong: string } {
    return { wrong: `${name} cannot be linked: an MSN service has no channels. Link { account, contact } instead.` }
  }

  parseUser(name: string): UserId | { readonly wrong: string } {
    const email = accountAddress(name, this.#options.config.domain)
    return typeof email === 'string' ? (email as UserId) : email
  }

  describe(): readonly string[] {
    const { config, dataFolder } = this.#options
    const server = this.#running?.server
    const listening = server?.listening
    if (server === undefined || listening === undefined) return [`MSN service for ${config.domain}: not running`]
    const { signedIn, rooms } = server.counters()
    const scheme = config.passport.plain ? 'http' : 'https'
    return [
      `MSN service for ${config.domain} on ${place(listening.notification)}, ${signedIn} signed in, ${count(rooms, 'conversation')}`,
      ...others(listening),
      ...(config.switchboard.listen !== undefined && listening.switchboard === undefined
        ? [`MSN switchboards not yet on ${place(config.switchboard.listen)}: nobody can talk`]
        : []),
      `MSN login on ${scheme}://${place(listening.passport)}/rdr/pprdr.asp`,
      ...(config.http_gateway === undefined ? [] : [gatewayWords(scheme, listening)]),
      ...(config.tls === undefined && !config.passport.plain
        ? [`clients must trust its certificate: ${join(dataFolder, certificateName(config.id))}`]
        : []),
    ]
  }

  async #build(context: AdapterContext): Promise<Running> {
    const { state, log, clock, metrics } = context
    const { config, dataFolder } = this.#options
    const now = (): number => clock.now()
    const book = new AccountBook({ state, domain: config.domain })
    await book.upgrade()
    const { failures, window_ms } = config.sign_in
    const passwords = new PasswordCheck({
      hashOf: (email) => book.passwordHash(email),
      guesses: { failures, windowMs: window_ms },
      now,
    })
    const notices = new Notices(log, metrics, now)
    const tls = config.passport.plain
      ? 'plain'
      : await certificateFor({
          configured: config.tls,
          state,
          log,
          file: join(dataFolder, certificateName(config.id)),
          names: certificateNames(config),
          now: now(),
        })
    const elsewhere = new Elsewhere({ config, book, context })
    const host: Host = {
      verifyPassword: (email, password, address) => passwords.verify(email, password, address),
      load: (email) => book.load(email),
      save: (records) => book.save(records),
      introduce: (by, email) => elsewhere.introduce(by, email),
      participants: (email) => elsewhere.participants(email),
      onNotice: (notice) => notices.take(notice),
      onPresence: (seen) => this.appearances.take(seen),
    }
    const resident = await bridgeContact({ config, book, context, network: this.network })
    const server = new MsnServer({
      host,
      ...(resident === undefined ? {} : { resident }),
      tls,
      ...placesOf(config),
      ...webOf(config),
      limits: limitsOf(config),
      timings: timingsOf(config),
      now,
    })
    const removed = async (record: AccountRecord): Promise<void> => {
      passwords.forget(record.email)
      await server.remove(record)
    }
    return {
      server,
      elsewhere,
      life: new AbortController(),
      metrics: new ServiceMetrics(metrics, () => server.counters(), String(this.network)),
      accounts: new ServiceAccounts(book, {
        isOnline: (email) => server.isSignedIn(email),
        passwordSet: (email, password) => {
          passwords.passwordSet(email, password)
          server.disconnect(email)
        },
        removed,
      }),
    }
  }
}

const place = ({ host, port }: Listening['notification']): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

/** Where clients find the HTTP gateway. */
const gatewayWords = (scheme: string, { passport, http }: Listening): string =>
  `MSN HTTP gateway on ${scheme}://${place(passport)}${http === undefined ? '' : ` and http://${place(http)}`}`

function others({ dispatch, switchboard }: Listening): readonly string[] {
  return [
    ...(dispatch === undefined ? [] : [`MSN dispatch on ${place(dispatch)}`]),
    ...(switchboard === undefined ? [] : [`MSN switchboards on ${place(switchboard)}`]),
  ]
}
