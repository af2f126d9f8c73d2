/** Puts together everything about rooms, ghosts, spaces and who is in them. */
import { Claims } from './claims.ts'
import { Ghosts, type GhostSettings } from './ghosts.ts'
import { Members } from './members.ts'
import type { Grant } from './permissions.ts'
import { Puppets, type Box } from './puppets.ts'
import { RoomMaker, type RoomSettings } from './room-make.ts'
import type { RoomParts } from './room-parts.ts'
import { Table } from './room-table.ts'
import { Rooms } from './rooms.ts'
import { Spaces } from './spaces.ts'
import { Speech } from './speech.ts'
import type { MatrixDeps, Mxid, PuppetToken, RoomId } from './types.ts'
import { Upgrades } from './upgrades.ts'

export interface RoomServiceDeps extends MatrixDeps {
  /** Aborted when the adapter stops. */
  readonly life: AbortSignal
  readonly ghostNames: GhostSettings
  readonly newRooms: RoomSettings
  readonly withSpaces: boolean
  /** For double puppeting of all people of the domain. */
  readonly everybody?: PuppetToken
  /** For tokens on disk; without it they are only kept in memory. */
  readonly box?: Box
  roleOf(user: Mxid): Grant
  /** Says hello in a room that the bot was invited to. */
  greet(user: Mxid, room: RoomId): Promise<void>
  /** What was said in a room before we were told of it, oldest first: to be taken like what arrives. */
  missed(room: RoomId, events: readonly unknown[]): Promise<void>
}

export class RoomService implements RoomParts {
  readonly network: MatrixDeps['network']
  readonly account: MatrixDeps['account']
  readonly context: MatrixDeps['context']
  readonly homeserver: MatrixDeps['homeserver']
  readonly life: AbortSignal
  readonly table: Table
  readonly ghosts: Ghosts
  readonly puppets: Puppets
  readonly maker: RoomMaker
  readonly spaces: Spaces
  readonly rooms: Rooms
  readonly speech: Speech
  readonly members: Members

  constructor(deps: RoomServiceDeps) {
    const { network, account, context, homeserver, life } = deps
    this.network = network
    this.account = account
    this.context = context
    this.homeserver = homeserver
    this.life = life
    this.table = new Table(context.state, context.log)
    this.ghosts = new Ghosts(deps, deps.ghostNames)
    this.puppets = new Puppets(
      deps,
      {
        ...(deps.everybody === undefined ? {} : { everybody: deps.everybody }),
        ...(deps.box === undefined ? {} : { box: deps.box }),
        lost: async (user) => {
          await this.rooms.tell(
            user,
            'The homeserver does not accept your access token any more, so I deleted it: say "login-matrix" with a new one.',
            `token/${context.clock.now()}`,
          )
        },
      },
      (id) => this.ghosts.isOurs(id),
    )
    this.maker = new RoomMaker(
      deps,
      deps.newRooms,
      (room) => this.table.byRoom(room) !== undefined || this.spaces.has(room),
    )
    this.spaces = new Spaces(this, this.maker, this.puppets, deps.withSpaces)
    this.rooms = new Rooms(this)
    this.speech = new Speech(this, this.rooms)
    const upgrades = new Upgrades(this, this.rooms)
    const claims = new Claims(this, this.rooms, deps)
    this.members = new Members(this, {
      rooms: this.rooms,
      speech: this.speech,
      upgrades,
      claims,
      roleOf: (user) => deps.roleOf(user),
      greet: (user, room) => deps.greet(user, room),
    })
  }

  /** Reads what is on disk; asks the homeserver nothing. */
  async start(): Promise<void> {
    await Promise.all([
      this.table.start(),
      this.ghosts.start(),
      this.puppets.start(),
      this.maker.start(),
      this.spaces.start(),
      this.rooms.start(),
    ])
  }
}
