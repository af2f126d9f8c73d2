/** The adapter `irc-gateway`: an IRC server that we are ourselves, where people find their contacts as nicks. */
import type { Account, AdapterContext, HomePolicy, PeopleNews, Session } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import { parseNick } from '../../irc/casemap.ts'
import type { AdapterOptions, HostingAdapter } from '../module.ts'
import type { IrcGatewayConfig } from './config.ts'
import { defaultsOf } from './defaults.ts'
import { makeParts, type Parts } from './parts.ts'
import type { Waiting } from './world/people.ts'

type Options = AdapterOptions<IrcGatewayConfig>

/** To whom the gateway's own account belongs: nobody of the people, the bridge itself. */
const BRIDGE = 'bridge' as PersonId

export const create = (options: Options): HostingAdapter => new IrcGatewayAdapter(options)

export class IrcGatewayAdapter implements HostingAdapter {
  readonly network: NetworkId
  readonly role = 'hosts'
  readonly homes: HomePolicy = 'on-message'
  readonly #options: Options
  readonly #account: Account
  #parts: Parts | undefined

  constructor(options: Options) {
    this.network = options.network
    this.#options = options
    this.#account = {
      id: String(options.network) as AccountId,
      network: options.network,
      person: BRIDGE,
      login: 'root',
      secret: '',
    }
  }

  async start(context: AdapterContext): Promise<void> {
    if (this.#parts !== undefined) return
    const { config, network } = this.#options
    const parts = makeParts({ config, network, account: this.#account.id, context, defaults: defaultsOf(config) })
    await parts.users.load()
    if (config.register === 'open')
      for (const admin of config.admins)
        if (!parts.users.has(admin.toLowerCase() as UserId))
          context.log.warn(
            { admin },
            'an admin of the gateway has no account yet: whoever registers that name is admin',
          )
    await parts.people.recall(parts.users.names())
    await parts.listeners.start()
    this.#parts = parts
  }

  async stop(): Promise<void> {
    const parts = this.#parts
    this.#parts = undefined
    if (parts === undefined) return
    parts.hall.dismiss('The bridge is going down')
    parts.dcc.stop()
    parts.inbox.stop()
    await parts.listeners.stop()
    await parts.dispatch.idle()
  }

  session(): Session {
    if (this.#parts === undefined) throw new Error('the irc-gateway adapter has not been started')
    return this.#parts.session
  }

  ownAccounts(): readonly Account[] {
    return [this.#account]
  }

  parseChat(name: string): ChatId | { readonly wrong: string } {
    return {
      wrong: `${name} cannot be linked: channels of the gateway belong to the people there. They link themselves by signing in.`,
    }
  }

  parseUser(name: string): UserId | { readonly wrong: string } {
    return parseNick(name)
  }

  peopleChanged(news: PeopleNews): void {
    this.#parts?.people.peopleChanged(news)
  }

  describe(): readonly string[] {
    const { config } = this.#options
    const parts = this.#parts
    if (parts === undefined) return [`IRC gateway on ${config.listen.host}:${config.listen.port}: not running`]
    const { people, clients, strangers } = parts.counts()
    return [
      `IRC gateway on ${parts.listeners.places.join(' and ')}: ${count(clients, 'client')} of ${count(people, 'person', 'people')}` +
        `${strangers > 0 ? `, ${strangers} not identified` : ''}, ${count(parts.users.size, 'account')}`,
      ...waitingWords([...parts.people.waiting()]),
    ]
  }
}

/** People that are named; the rest is counted. */
const MOST_NAMED = 10

const waitingWords = (all: readonly Waiting[]): readonly string[] => [
  ...all
    .slice(0, MOST_NAMED)
    .map(
      ({ user, clients, missed }) =>
        `${user}: ${clients === 0 ? 'not connected' : count(clients, 'client')}${missed > 0 ? `, ${count(missed, 'message')} missed` : ''}`,
    ),
  ...(all.length > MOST_NAMED ? [`and ${all.length - MOST_NAMED} more`] : []),
]

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`
