/** What a client may do with rooms. */
import { badRequest, forbidden, notFound } from './errors.ts'
import type { FakeHomeserver } from '../fake-homeserver.ts'
import type { FakeRoom, NewEvent, StoredEvent } from './room.ts'
import { route, type Incoming, type Route } from './router.ts'

const PAGE = 10

/** As it is shown: with its age, by the clock of the homeserver. */
const aged = (event: StoredEvent): object => ({
  ...event,
  unsigned: { ...event.unsigned, age: Date.now() - event.origin_server_ts },
})

export const roomRoutes = (server: FakeHomeserver): readonly Route[] => {
  const { state } = server
  const roomOf = ({ params }: Incoming): FakeRoom => state.room(params['room'] ?? '')
  /** A room that they are in. */
  const within = (request: Incoming): FakeRoom => {
    const room = roomOf(request)
    room.assertJoined(request.user)
    return room
  }
  const target = ({ body }: Incoming): string => {
    if (typeof body['user_id'] !== 'string') throw badRequest('Missing params: user_id', 'M_MISSING_PARAM')
    return body['user_id']
  }
  const reasonOf = ({ body }: Incoming) => (typeof body['reason'] === 'string' ? { reason: body['reason'] } : {})
  /** Only application services may say when something happened. */
  const when = ({ query, service }: Incoming): { readonly ts?: number } => {
    const ts = Number(query.get('ts'))
    return service !== undefined && query.has('ts') && Number.isSafeInteger(ts) ? { ts } : {}
  }

  const join = (request: Incoming) => {
    const room = roomOf(request)
    state.join(room, request.user, request.body['reason'], when(request).ts)
    return { room_id: room.id }
  }
  const invite = async (request: Incoming) => {
    const user = target(request)
    await server.meet(user)
    state.invite(roomOf(request), request.user, user, reasonOf(request), when(request).ts)
    return {}
  }
  const membership = (what: 'leave' | 'ban', of: (request: Incoming) => string) => (request: Incoming) => {
    const content = { ...reasonOf(request), membership: what }
    const event = { type: 'm.room.member', sender: request.user, state_key: of(request), content }
    roomOf(request).add({ ...event, ...when(request) })
    return {}
  }
  const createRoom = async ({ body, user }: Incoming) => {
    for (const each of Array.isArray(body['invite']) ? (body['invite'] as readonly unknown[]) : [])
      await server.meet(String(each))
    return { room_id: state.createRoom(user, body).id }
  }

  const send = (request: Incoming) => {
    const { user, device, body, params } = request
    const room = roomOf(request)
    const lasting = device === undefined ? {} : { lasting: `${user} ${device} ${room.id} ${params['txn'] ?? ''}` }
    const event: NewEvent = { type: params['type'] ?? '', sender: user, content: body, ...when(request) }
    const event_id = state.once({ passing: passing(request), ...lasting }, () => room.add(event))
    room.typing.delete(user)
    server.presence.active(state.user(user), device)
    return { event_id }
  }
  const redact = (request: Incoming) => {
    const { user, device, params } = request
    const room = roomOf(request)
    const lasting = device === undefined ? {} : { lasting: `${user} ${device} ${room.id} ${params['txn'] ?? ''}` }
    const act = () => room.redact(user, params['event'] ?? '', request.body['reason'], when(request).ts)
    return { event_id: state.once({ passing: passing(request), ...lasting }, act) }
  }
  const passing = ({ path, service, user }: Incoming): string => `${path} ${service?.registration.id ?? user}`

  const putState = (request: Incoming) => {
    const { params, user, body } = request
    const event = { type: params['type'] ?? '', state_key: params['key'] ?? '', sender: user, content: body }
    return { event_id: roomOf(request).add({ ...event, ...when(request) }).event_id }
  }
  const getState = (request: Incoming) => {
    const event = within(request).state(request.params['type'] ?? '', request.params['key'] ?? '')
    if (event === undefined) throw notFound('Event not found.')
    return event.content
  }
  const getEvent = (request: Incoming) => {
    const event = within(request).event(request.params['event'] ?? '')
    if (event === undefined) throw notFound('Event not found.')
    return event
  }
  const messages = ({ query, ...request }: Incoming) => {
    const { types } = JSON.parse(query.get('filter') ?? '{}') as { readonly types?: readonly string[] }
    const events = within({ query, ...request }).events.filter(({ type }) => types?.includes(type) ?? true)
    const until = Number(query.get('from') ?? events.length)
    const start = Math.max(0, until - Number(query.get('limit') ?? PAGE))
    const chunk = events.slice(start, until).reverse()
    return { chunk: chunk.map(aged), start: String(until), ...(start > 0 ? { end: String(start) } : {}) }
  }
  const relations = (request: Incoming) => {
    const related = within(request).events.filter(({ content }) => {
      const relation = content['m.relates_to']
      return (
        typeof relation === 'object' &&
        relation !== null &&
        'event_id' in relation &&
        relation.event_id === request.params['event']
      )
    })
    return { chunk: related.toReversed() }
  }

  const typing = (request: Incoming) => {
    if (request.params['user'] !== request.user) throw forbidden("Cannot set another user's typing state")
    const room = within(request)
    server.setTyping(room, request.user, request.body['typing'] === true, Number(request.body['timeout'] ?? 0))
    server.presence.active(state.user(request.user), request.device)
    return {}
  }
  const receipt = (request: Incoming) => {
    server.setReceipt(within(request), request.user, request.params['event'] ?? '')
    server.presence.active(state.user(request.user), request.device)
    return {}
  }
  const upgrade = (request: Incoming) => {
    const version = request.body['new_version']
    if (typeof version !== 'string') throw badRequest('Missing params: new_version', 'M_MISSING_PARAM')
    return { replacement_room: state.upgrade(roomOf(request), request.user, version).id }
  }

  const getAlias = ({ params }: Incoming) => ({
    room_id: state.room(params['alias'] ?? '').id,
    servers: [state.domain],
  })
  const putAlias = ({ params, body }: Incoming) => {
    const alias = params['alias'] ?? ''
    if (state.aliases.has(alias)) throw badRequest('Room alias already exists', 'M_UNKNOWN')
    state.aliases.set(alias, state.room(String(body['room_id'])).id)
    return {}
  }
  const deleteAlias = ({ params }: Incoming) => {
    if (!state.aliases.delete(params['alias'] ?? '')) throw notFound('Unknown room alias')
    return {}
  }

  const at = '/_matrix/client/v3/rooms/:room'
  return [
    route(`PUT ${at}/send/:type/:txn`, send),
    route(`PUT ${at}/redact/:event/:txn`, redact),
    route('POST /_matrix/client/v3/createRoom', createRoom),
    route('POST /_matrix/client/v3/join/:room', join),
    route(`POST ${at}/join`, join),
    route(`POST ${at}/invite`, invite),
    route(
      `POST ${at}/leave`,
      membership('leave', ({ user }) => user),
    ),
    route(`POST ${at}/kick`, membership('leave', target)),
    route(`POST ${at}/ban`, membership('ban', target)),
    route(`POST ${at}/unban`, membership('leave', target)),
    route(`POST ${at}/forget`, () => ({})),
    route(`POST ${at}/upgrade`, upgrade),
    route(`PUT ${at}/state/:type`, putState),
    route(`PUT ${at}/state/:type/:key`, putState),
    route(`GET ${at}/state`, (request) => within(request).allState()),
    route(`GET ${at}/state/:type`, getState),
    route(`GET ${at}/state/:type/:key`, getState),
    route(`GET ${at}/event/:event`, getEvent),
    route(`GET ${at}/messages`, messages),
    route('GET /_matrix/client/v1/rooms/:room/relations/:event', relations),
    route(`GET ${at}/members`, (request) => ({
      chunk: within(request)
        .allState()
        .filter(({ type }) => type === 'm.room.member'),
    })),
    route(`GET ${at}/joined_members`, (request) => {
      // A service may ask about every room that one of its people is in.
      const room = roomOf(request)
      if (request.service === undefined || !server.serves(request.service, room)) room.assertJoined(request.user)
      const joined = room.members('join').map((user) => {
        const name = room.state('m.room.member', user)?.content['displayname']
        return [user, { display_name: name ?? null, avatar_url: null }] as const
      })
      return { joined: Object.fromEntries(joined) }
    }),
    route('GET /_matrix/client/v3/joined_rooms', ({ user }) => ({
      joined_rooms: state.joined(user).map(({ id }) => id),
    })),
    route(`PUT ${at}/typing/:user`, typing),
    route(`POST ${at}/receipt/:kind/:event`, receipt),
    route(`POST ${at}/read_markers`, () => ({})),
    route('GET /_matrix/client/v3/directory/room/:alias', getAlias, true),
    route('PUT /_matrix/client/v3/directory/room/:alias', putAlias),
    route('DELETE /_matrix/client/v3/directory/room/:alias', deleteAlias),
  ]
}
