/** Puts the parts of the gateway together: who comes in, who lives here, root, and what clients may ask. */
import { randomBytes } from 'node:crypto'
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { AccountId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { PasswordCheck } from '../../bridge/password-check.ts'
import { addressOf, Client } from './client.ts'
import { Dispatch } from './commands/dispatch.ts'
import { markLine, placeOfChannel } from './commands/markread.ts'
import type { IrcGatewayConfig } from './config.ts'
import { Dcc } from './dcc.ts'
import { DccInbox } from './dcc-inbox.ts'
import { Hall, type Resident } from './hall.ts'
import { Listeners } from './listeners.ts'
import { IRCD_LIMITS, type IrcdLimits } from './machine/ircd-events.ts'
import { IrcdMachine } from './machine/ircd.ts'
import { Root } from './root/root.ts'
import type { GatewayDeps } from './types.ts'
import { greetStranger } from './strangers.ts'
import { hashOf, Users } from './users.ts'
import { People } from './world/people.ts'
import type { Person } from './world/person.ts'
import { GatewaySession } from './world/session.ts'
import type { WorldOptions } from './world/types.ts'

export interface PartsOptions {
  readonly config: IrcGatewayConfig
  readonly network: NetworkId
  readonly account: AccountId
  readonly context: AdapterContext
  /** Of settings, by name. */
  readonly defaults: ReadonlyMap<string, string>
}

/** Everything of one run, from `start` to `stop`. */
export interface Parts {
  readonly users: Users
  readonly people: People
  readonly hall: Hall
  readonly listeners: Listeners
  readonly dispatch: Dispatch
  readonly dcc: Dcc
  readonly inbox: DccInbox
  readonly session: GatewaySession
  counts(): Counts
}

export interface Counts {
  /** Accounts with a client attached. */
  readonly people: number
  readonly clients: number
  /** Clients that are not identified. */
  readonly strangers: number
}

const VERSION = 'msn-bridge'
/** NETWORK in 005: clients name their window so. */
const NETWORK_NAME = 'msn-bridge'
/** Clients answer it like any other PING. */
const CONFIRM = 'seen'
const OWN_NICKS: ReadonlySet<string> = new Set(['root'])
const SECOND_MS = 1_000

export const makeParts = ({ config, network, account, context, defaults }: PartsOptions): Parts => {
  const { clock, log, metrics, state } = context
  const { name: server, control, limits } = config
  const deps: GatewayDeps = { network, account, context, server, control }
  const startedAt = clock.now()
  const motd = config.motd.map((line) => line.replaceAll('{control}', control))
  const prefix = randomBytes(6).toString('hex')
  let minted = 0

  const users = new Users({
    state,
    desk: new PasswordCheck({
      hashOf: (user) => hashOf(state, user),
      guesses: { failures: limits.failures, windowMs: limits.window_ms },
      now: () => clock.now(),
    }),
    register: config.register,
    max: limits.accounts,
    now: () => clock.now(),
  })
  const isAdmin = (user: UserId): boolean => config.admins.some((name) => name.toLowerCase() === String(user))
  const world: WorldOptions = {
    deps,
    questions: { ask: (person, asking) => root.ask(person, asking) },
    defaults,
    playback: config.playback,
    mint: () => `${prefix}-${(++minted).toString(36)}`,
    knows: (user) => users.has(user),
    roleOf: (user) => (isAdmin(user) ? 'admin' : 'user'),
    confirm: (client) => {
      if (client instanceof Client) client.command({ kind: 'confirm', token: CONFIRM })
    },
    faceChanged: (person, before, after) => dispatch.monitors.changed(person, before, after),
    markOf: (user, channel) => {
      const marks = dispatch.marks.known(user)
      return marks && markLine(channel.name, marks.get(placeOfChannel(channel)))
    },
  }
  const people = new People(world)
  const hall: Hall = new Hall({
    clock,
    log,
    metrics,
    users,
    residents: {
      load: async (user) => {
        const [person] = await Promise.all([people.get(user), dispatch.marks.of(user)])
        return residentOf(person)
      },
      forget: async (user) => {
        const wrong = await context.leave(user)
        if (wrong !== undefined) return wrong
        await people.erase(user)
        dispatch.marks.forget(user)
        return undefined
      },
    },
    greet: (client) => greetStranger(client, deps, users.size === 0 && config.register === 'open'),
    take: (client, line) => dispatch.take(client, line),
    limits: { clientsPerPerson: limits.clients_per_person, strangersPerAddress: limits.strangers_per_address },
  })
  const dcc = new Dcc(context)
  const inbox = new DccInbox({ network, context, receive: config.dcc.receive })
  const root: Root = new Root({
    ...deps,
    users: hall,
    dcc,
    inbox,
    knownNetworks: () => context.people.networks,
    isAdmin,
  })
  const counts = (): Counts => {
    const clients = hall.size
    let known = 0
    let attended = 0
    for (const person of people.attended()) {
      attended++
      known += person.clients.size
    }
    return { people: attended, clients, strangers: clients - known }
  }
  const dispatch: Dispatch = new Dispatch({
    ...deps,
    root,
    inbox,
    facts: { version: VERSION, startedAt, motd: () => motd, counts },
  })
  const machineLimits = limitsOf(config)
  const listeners = new Listeners({
    plain: config.listen,
    tls: config.tls === undefined ? undefined : { ...config.tls.listen, cert: config.tls.cert, key: config.tls.key },
    maxConnections: limits.clients,
    onSocket: (socket, tls) => {
      const host = addressOf(socket)
      const machine = new IrcdMachine(
        {
          server,
          network: NETWORK_NAME,
          version: VERSION,
          createdAt: startedAt,
          ownNicks: OWN_NICKS,
          address: host,
          motd,
          tls,
          limits: machineLimits,
        },
        clock.now(),
      )
      hall.enter(new Client(socket, host, tls, machine, hall))
    },
    onTurned: () => metrics.count('gateway_turned', { reason: 'full' }),
  })
  return { users, people, hall, listeners, dispatch, dcc, inbox, session: new GatewaySession(world, people), counts }
}

const limitsOf = ({ limits }: IrcGatewayConfig): IrcdLimits => ({
  ...IRCD_LIMITS,
  registerMs: limits.register_ms,
  pingMs: limits.ping_ms,
  pingTimeoutMs: limits.ping_timeout_ms,
  lineRate: { burst: limits.burst, intervalMs: SECOND_MS / limits.lines_per_second },
})

const residentOf = (person: Person): Resident => ({
  nick: () => person.nick,
  clients: person.clients,
  maySeveral: () => person.settings.isOn('allow_takeover'),
  attach: (client, inControl) => {
    client.belongsTo(person)
    person.attach(client, inControl ? { inControl } : { greeting: [WELCOME_BACK] })
  },
  detach: (client, clean) => person.detach(client, clean ? 'quit' : 'lost'),
  confirmed: (client) => person.confirmed(client),
})

const WELCOME_BACK = 'Welcome to the gateway. Your contacts are here; say "help" for all that I can do.'
