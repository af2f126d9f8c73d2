/** Puts the parts of the adapter together: what comes in, what goes out, and what both stand on. */
import type { Account, AdapterContext } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { Appservice } from './appservice.ts'
import { Audience } from './audience.ts'
import { CatchUp } from './catch-up.ts'
import { Choices } from './choices.ts'
import type { MatrixConfig } from './config.ts'
import { Deliveries } from './delivery.ts'
import { Doings } from './doings.ts'
import { Ephemeral } from './ephemeral.ts'
import { Faces } from './faces.ts'
import { Hearing } from './hearing.ts'
import { Homeserver } from './homeserver.ts'
import { Intake } from './intake.ts'
import { Names } from './names.ts'
import { grantOf } from './permissions.ts'
import { PictureAsks } from './picture-asks.ts'
import { PresenceEngine, REFRESH_MS } from './presence-engine.ts'
import type { LoadedRegistration } from './registration.ts'
import { RoomService } from './room-service.ts'
import { SaidOnce } from './said-once.ts'
import { Secrets } from './secrets.ts'
import { StatusField } from './status-field.ts'
import { Talk } from './talk.ts'
import type { MatrixDeps } from './types.ts'
import { GhostTyping } from './typing.ts'
import { Uploads } from './upload.ts'

export interface PartsOptions {
  readonly network: NetworkId
  readonly account: Account
  readonly config: MatrixConfig
  readonly context: AdapterContext
  readonly loaded: LoadedRegistration
  /** The as_token for double puppets, read anew. */
  readonly everybody: string | undefined
}

/** Everything of one run, from `start` to `stop`. */
export interface Parts {
  readonly homeserver: Homeserver
  readonly appservice: Appservice
  readonly intake: Intake
  readonly catchUp: CatchUp
  readonly service: RoomService
  readonly deliveries: Deliveries
  readonly presence: PresenceEngine
  readonly ephemeral: Ephemeral
  readonly talk: Talk
  readonly life: AbortController
}

export const makeParts = (options: PartsOptions): Parts => {
  const { network, account, config, context, loaded, everybody } = options
  const { clock, log, metrics, state } = context
  const { registration, file } = loaded
  const life = new AbortController()
  const homeserver = new Homeserver({
    network,
    url: config.homeserver,
    domain: config.domain,
    ghostPrefix: config.ghosts.prefix,
    registration,
    file,
    requestTimeoutMs: config.timing.request_timeout_ms,
    pingMs: config.timing.ping_ms,
    clock,
    log,
    metrics,
  })
  const deps: MatrixDeps = { network, account, context, homeserver }
  const service: RoomService = new RoomService({
    ...deps,
    life: life.signal,
    ghostNames: { prefix: config.ghosts.prefix, name: config.ghosts.name },
    newRooms: { version: config.room_version, federate: config.federate },
    withSpaces: config.spaces,
    ...(everybody === undefined ? {} : { everybody: { kind: 'token', token: everybody } }),
    ...(context.secrets === undefined ? {} : { box: context.secrets }),
    roleOf: (user) => grantOf(config, user),
    greet: (user, room) => talk.greet(user, room, life.signal),
    missed: (_, events) => intake.transaction({ events }),
  })
  const { table, ghosts, puppets, rooms } = service
  const names = new Names(homeserver)
  const choices = new Choices(context)
  const talk: Talk = new Talk({
    ...deps,
    table,
    ghosts,
    grantOf: (user) => grantOf(config, user),
    nameOf: (user, room) => names.of(user, room),
    own: {
      homeserver,
      table,
      puppets,
      setHome: (user, room) => rooms.setHome(user, room),
      sync: (room, signal) => rooms.sync(room, signal),
    },
    secrets: new Secrets(context),
    choices,
    pictures: new PictureAsks({ network, clock, homeserver }),
    answers: new SaidOnce(context),
    signedIn: (user, { account: signedIn, network: on, login }) => {
      void service.spaces.ensure({ owner: user, account: signedIn, network: on, login }, life.signal)
      void ephemeral.ask(user, homeserver, life.signal)
    },
  })
  const audience = new Audience(table)
  const presence = new PresenceEngine({
    network,
    homeserver,
    context,
    status: new StatusField({ homeserver, state }),
    mode: config.presence,
    perSecond: config.presence_per_second,
    refreshMs: REFRESH_MS,
    canSee: (ghost) => audience.canSee(ghost, clock.now()),
  })
  const typing = new GhostTyping(homeserver, clock)
  const doings = new Doings({ homeserver, audience, engine: presence, typing, life: life.signal })
  const ephemeral = new Ephemeral({
    network,
    account,
    context,
    rooms: table,
    ghosts,
    grantOf: (user) => grantOf(config, user),
    audience,
    moreToSee: () => presence.look(),
  })
  const faces = new Faces({ network, account: account.id, context, isOurs: (id) => ghosts.isOurs(id) })
  const hearing = new Hearing({ config, service, talk, names, faces, emit: (event) => context.emit(event) })
  const intake = new Intake({
    network,
    state,
    clock,
    log,
    metrics,
    direct: (event) => hearing.direct(event),
    emit: (event) => context.emit(event),
    act: (event, signal) => hearing.act(event, signal),
    ephemeral: (event) => void ephemeral.take(event),
    conceal: (event) => talk.conceal(event),
  })
  const catchUp = new CatchUp({
    network,
    context,
    homeserver,
    table,
    take: (transaction) => intake.transaction(transaction),
    life: life.signal,
  })
  const uploads = new Uploads({
    network,
    homeserver: config.homeserver,
    token: registration.as_token,
    files: context.files,
  })
  const deliveries = new Deliveries({
    ...deps,
    place: (file, signal) => uploads.place(file, signal),
    table,
    rooms,
    ghosts,
    puppets,
    choices: (room, event, offered) => choices.note(room, event, offered),
    typing: (room, ghost, forMs) => doings.typing(room, ghost, forMs),
    read: (room, ghost, upTo) => doings.read(room, ghost, upTo),
    presence: (ghost, shown, chat) => doings.presence(ghost, shown, chat),
    spoke: (room, ghost) => doings.spoke(room, ghost),
    muted: (room, detail) => void service.speech.silenced(room, detail),
  })
  const appservice = new Appservice({
    host: config.listen.host,
    port: config.listen.port,
    hsToken: registration.hs_token,
    log,
    transaction: (body, first) => catchUp.transaction(body, first),
    isGhost: (user) => ghosts.userOf(user) !== undefined,
  })
  return { homeserver, appservice, intake, catchUp, service, deliveries, presence, ephemeral, talk, life }
}
