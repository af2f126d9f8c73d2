/** The commands that only mean something on Matrix; all others belong to the bridge. */
import type { Role } from '../../bridge/adapter.ts'
import type { Puppets, PuppetResult } from './puppets.ts'
import type { SetHomeResult } from './homes.ts'
import type { HomeserverPort, Mxid, Room, RoomId, RoomTable } from './types.ts'

export interface OwnDeps {
  readonly homeserver: Pick<HomeserverPort, 'request'>
  readonly table: Pick<RoomTable, 'put'>
  readonly setHome: (user: Mxid, room: RoomId) => Promise<SetHomeResult>
  readonly puppets: Pick<Puppets, 'by' | 'login' | 'logout' | 'failed'>
  /** Asserts again who is in the room, how they are called, and what the room is; answers with a sentence. */
  readonly sync: (room: Room, signal: AbortSignal) => Promise<string>
}

export interface OwnCall {
  readonly user: Mxid
  readonly role: Role
  readonly roomId: RoomId
  /** What it is to the bridge; undefined: nothing yet. */
  readonly room: Room | undefined
  readonly signal: AbortSignal
}

/** `ask`: the next thing that they say is their token. */
export type OwnAnswer = string | { readonly ask: string }

interface Own {
  readonly usage: string
  readonly about: string
  run(call: OwnCall, deps: OwnDeps): Promise<OwnAnswer>
}

const NOT_BRIDGED = 'Say it in a room that is bridged.'

const relay =
  (on: boolean): Own['run'] =>
  async ({ room, role, user }, { table }) => {
    if (room === undefined || room.kind === 'home') return NOT_BRIDGED
    if (role !== 'admin' && room.owner !== user) return 'Only the owner of this room and admins may change that.'
    if (room.relay === on) return on ? 'It is so already.' : 'Nobody is passed on here already.'
    await table.put({ ...room, relay: on })
    if (on) return 'From now on, what people without an account of their own write here is passed on with their names.'
    return room.owner === undefined
      ? 'What people write here is not passed on any more; set-relay undoes that.'
      : 'From now on only what you write yourself is passed on.'
  }

const setManagementRoom: Own['run'] = async ({ user, roomId }, { setHome }) => {
  const set = await setHome(user, roomId)
  return set.kind === 'refused'
    ? set.detail
    : 'From now on I speak with you here, and every line of yours is a command.'
}

const loginMatrix: Own['run'] = () =>
  Promise.resolve({
    ask: 'Write your access token in your next message; your client shows it in its settings, under help. I delete the message at once. Or write: cancel',
  })

const logoutMatrix: Own['run'] = async ({ user }, { puppets }) => words(await puppets.logout(user))

const pingMatrix: Own['run'] = async ({ user, signal }, { homeserver, puppets }) => {
  const by = puppets.by(user)
  if (by === undefined) return 'I have no token of yours; login-matrix gives me one.'
  const answer = await homeserver.request({ ...by, method: 'GET', path: '/_matrix/client/v3/account/whoami', signal })
  if (answer.ok) return 'I can speak for you: what you write elsewhere appears here as you.'
  if (answer.failure.kind !== 'token' && answer.failure.kind !== 'refused')
    return `The homeserver does not answer (${answer.failure.detail}). Try again later.`
  await puppets.failed(user)
  return 'Your token is not accepted any more. Give me a new one: login-matrix'
}

const sync: Own['run'] = async ({ room, signal }, deps) =>
  room === undefined || room.kind === 'home' ? NOT_BRIDGED : deps.sync(room, signal)

const TABLE: ReadonlyMap<string, Own> = new Map<string, Own>([
  [
    'login-matrix',
    { usage: 'login-matrix', about: 'let what you write elsewhere appear here as you', run: loginMatrix },
  ],
  ['logout-matrix', { usage: 'logout-matrix', about: 'undo login-matrix', run: logoutMatrix }],
  ['ping-matrix', { usage: 'ping-matrix', about: 'whether I can speak for you', run: pingMatrix }],
  [
    'set-management-room',
    { usage: 'set-management-room', about: 'make this room the one where I speak with you', run: setManagementRoom },
  ],
  [
    'set-relay',
    { usage: 'set-relay', about: 'pass on what people without an account write in this room', run: relay(true) },
  ],
  ['sync', { usage: 'sync', about: 'put the names, members and facts of this room right', run: sync }],
  ['unset-relay', { usage: 'unset-relay', about: 'undo set-relay', run: relay(false) }],
])

/** undefined: it is not ours. Nothing of ours takes a word. */
export const ownCommand = (verb: string): Own | undefined => TABLE.get(verb)

/** A row of `help`, beside those of the bridge. */
export const OWN_HELP = `Matrix: ${[...TABLE.keys()].join(', ')}`

export const words = ({ detail }: PuppetResult): string => detail
