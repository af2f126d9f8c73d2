/** The adapter `matrix`: people live on a homeserver that we are registered with, and meet the other networks there. */
import type { Account, AdapterContext, Addressed, HomePolicy, Session } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { MediaResult } from '../../bridge/model/result.ts'
import type { AdapterOptions, HostingAdapter, RegistrationAnswer } from '../module.ts'
import type { MatrixConfig } from './config.ts'
import { NO_HOMESERVER } from './failures.ts'
import { addressedMxid, parseMxid, parseRoom } from './ids.ts'
import { mediaOf } from './media.ts'
import { path } from './paths.ts'
import { makeParts, type Parts } from './parts.ts'
import { loadRegistration, writeRegistration } from './registration.ts'
import { MatrixSession } from './session.ts'

type Options = AdapterOptions<MatrixConfig>

/** To whom the bot's account belongs: nobody of the people, the bridge itself. */
const BRIDGE = 'bridge' as PersonId

export const create = (options: Options): HostingAdapter => new MatrixAdapter(options)

/** Writes the registration file, for `msn-bridge registration`. */
export const registration = ({ config, network, dataFolder }: Options): Promise<RegistrationAnswer> =>
  writeRegistration(config, network, dataFolder)

interface Running {
  readonly parts: Parts
  readonly session: MatrixSession
  readonly port: number
}

class MatrixAdapter implements HostingAdapter {
  readonly network: NetworkId
  readonly role = 'hosts'
  readonly homes: HomePolicy
  readonly #options: Options
  readonly #account: Account
  #running: Running | undefined

  constructor(options: Options) {
    const { config, network } = options
    this.network = network
    this.homes = config.portals
    this.#options = options
    this.#account = {
      id: String(network) as AccountId,
      network,
      person: BRIDGE,
      login: `@${config.bot.localpart}:${config.domain}`,
      secret: '',
    }
  }

  async start(context: AdapterContext): Promise<void> {
    const options = this.#options
    const { config, network, dataFolder } = options
    const loaded = loadRegistration(config, network, dataFolder)
    if (loaded.outdated.length > 0)
      context.log.warn(
        { file: loaded.file, keys: loaded.outdated },
        'the config has changed since the registration was written: run msn-bridge registration and restart the homeserver',
      )
    const parts = makeParts({
      network,
      account: this.#account,
      config,
      context,
      loaded,
      everybody: config.double_puppet === undefined ? undefined : options.secret(config.double_puppet.as_token),
    })
    const session = new MatrixSession({ account: this.#account.id, botName: config.bot.name, context, parts })
    try {
      await Promise.all([parts.service.start(), parts.talk.load(), parts.presence.start(), session.load()])
      await parts.catchUp.start()
      await parts.intake.start()
      this.#running = { parts, session, port: await parts.appservice.start() }
    } catch (error) {
      await end(parts)
      throw error
    }
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running !== undefined) await end(running.parts)
  }

  session(): Session {
    if (this.#running === undefined) throw new Error('the matrix adapter has not been started')
    return this.#running.session
  }

  ownAccounts(): readonly Account[] {
    return [this.#account]
  }

  parseChat(name: string): ChatId | { readonly wrong: string } {
    return parseRoom(name, this.#options.config.domain)
  }

  parseUser(name: string): UserId | { readonly wrong: string } {
    return parseMxid(name, this.#options.config.domain)
  }

  addressed(local: string): Addressed | undefined {
    const who = addressedMxid(local)
    // Our own ghosts and the bot are nobody to talk with: each word would come back.
    const isOurs = this.#running?.parts.service.ghosts.isOurs(who?.kind === 'user' ? who.user : '')
    return isOurs === false ? who : undefined
  }

  async exists(user: UserId, signal: AbortSignal): Promise<boolean> {
    const at = { method: 'GET', path: path`/_matrix/client/v3/profile/${user}`, signal } as const
    const answer = await this.#running?.parts.homeserver.request(at)
    if (answer?.ok !== false || answer.failure.kind !== 'refused') return true
    const { status, errcode } = answer.failure
    // Synapse says M_UNKNOWN of its own people.
    return status !== 404 || errcode === 'M_UNRECOGNIZED' || errcode === NO_HOMESERVER
  }

  media(ref: string, signal: AbortSignal): Promise<MediaResult> {
    const { config, network, dataFolder } = this.#options
    const token = (): string => loadRegistration(config, network, dataFolder).registration.as_token
    return mediaOf(ref, { homeserver: config.homeserver.replace(/\/+$/, ''), token }, signal)
  }

  describe(): readonly string[] {
    const { config } = this.#options
    const running = this.#running
    const here = `Matrix ${config.homeserver} (${config.domain})`
    if (running === undefined) return [`${here}: not started`]
    const { table, ghosts } = running.parts.service
    const state = running.session.state.kind === 'online' ? 'connected' : 'not connected'
    return [
      `${here}: ${state} as ${this.#account.login}, ${table.size} rooms, ${ghosts.size} ghosts`,
      `events from the homeserver on ${config.listen.host}:${running.port}`,
    ]
  }
}

/** In reverse of the start. */
const end = async (parts: Parts): Promise<void> => {
  await parts.appservice.stop()
  parts.life.abort()
  await parts.intake.stop()
  parts.ephemeral.clear()
  await parts.presence.stop()
  await parts.homeserver.close()
}
