/** What a client may ask about users, devices, profiles, presence and media. */
import { randomBytes } from 'node:crypto'
import { badRequest, forbidden, MatrixError, notFound } from './errors.ts'
import type { FakeHomeserver } from '../fake-homeserver.ts'
import { route, type Incoming, type Route } from './router.ts'
import { tableOf } from './state.ts'

/** The password of every person. */
export const PASSWORD = 'secret-password'

const SPEC_VERSIONS = ['r0.6.1', ...Array.from({ length: 15 }, (_, index) => `v1.${index + 1}`)]

export const accountRoutes = (server: FakeHomeserver): readonly Route[] => {
  const { state } = server
  const own = ({ params, user }: Incoming): string => {
    if (params['user'] !== user) throw forbidden('Cannot act for other users')
    return user
  }
  const ownProfile = ({ params, user }: Incoming): string => {
    if (params['user'] !== user) throw badRequest("Cannot set another user's profile", 'M_FORBIDDEN')
    return user
  }
  const versions = () => ({
    versions: SPEC_VERSIONS,
    unstable_features: {
      'org.matrix.msc3026.busy_presence': server.options.busy === true,
      'fi.mau.msc2659.stable': true,
      'uk.tcpip.msc4133.stable': true,
    },
  })
  const capabilities = () => ({
    capabilities: {
      'm.room_versions': {
        default: server.options.roomVersion ?? '12',
        available: Object.fromEntries(Array.from({ length: 12 }, (_, index) => [String(index + 1), 'stable'])),
      },
      'm.profile_fields': { enabled: true },
    },
  })

  const register = ({ body, service }: Incoming) => {
    if (body['type'] !== 'm.login.application_service') throw forbidden('Registration has been disabled')
    if (service === undefined) throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Invalid access token passed.')
    const id = `@${String(body['username'])}:${state.domain}`
    if (!service.owns(id)) throw badRequest('Invalid user localpart for this application service.', 'M_EXCLUSIVE')
    state.register(id)
    const answer = { user_id: id, home_server: state.domain }
    return body['inhibit_login'] === true ? answer : { ...answer, ...signIn(id, body['device_id']) }
  }
  const signIn = (id: string, wanted: unknown) => {
    const device = typeof wanted === 'string' ? wanted : randomBytes(5).toString('hex').toUpperCase()
    state.user(id).devices.add(device)
    return { access_token: state.newToken(id), device_id: device }
  }
  const login = ({ body, service }: Incoming) => {
    const name = String(tableOf(body['identifier'])['user'] ?? body['user'])
    const id = name.startsWith('@') ? name : `@${name}:${state.domain}`
    const allowed =
      body['type'] === 'm.login.application_service' ? service?.owns(id) === true : body['password'] === PASSWORD
    if (!allowed || !state.users.has(id)) throw forbidden('Invalid username or password')
    return { user_id: id, home_server: state.domain, ...signIn(id, body['device_id']) }
  }
  const putDevice = ({ params, user, service }: Incoming) => {
    const { devices } = state.user(user)
    const device = params['device'] ?? ''
    if (!devices.has(device) && service === undefined) throw notFound('No device found')
    devices.add(device)
    return {}
  }

  const putField = (request: Incoming) => {
    const field = request.params['field'] ?? ''
    const value = request.body[field]
    if (value === undefined) throw badRequest(`Missing key '${field}'`, 'M_MISSING_PARAM')
    server.setProfile(ownProfile(request), field, value)
    return {}
  }
  const getField = ({ params }: Incoming) => {
    const field = params['field'] ?? ''
    const value = state.user(params['user'] ?? '').profile.get(field)
    if (value === undefined) throw notFound('Profile was not found')
    return { [field]: value }
  }
  const deleteField = (request: Incoming) => {
    server.setProfile(ownProfile(request), request.params['field'] ?? '', undefined)
    return {}
  }

  const putPresence = (request: Incoming) => {
    const { presence, status_msg: status } = request.body
    if (typeof presence !== 'string') throw badRequest('Unable to parse state')
    const user = state.user(own(request))
    server.presence.set(user, request.device, presence, typeof status === 'string' ? status : undefined)
    return {}
  }
  const getPresence = ({ params, user }: Incoming) => {
    const id = params['user'] ?? ''
    if (id !== user && !state.knows(user, id)) throw forbidden('You are not allowed to see their presence.')
    return server.presenceContent(state.user(id))
  }

  const putData = (request: Incoming) => {
    state.user(own(request)).accountData.set(dataKey(request), request.body)
    return {}
  }
  const getData = (request: Incoming) => {
    const data = state.user(own(request)).accountData.get(dataKey(request))
    if (data === undefined) throw notFound('Account data not found')
    return data
  }
  const dataKey = ({ params }: Incoming): string => `${params['room'] ?? ''} ${params['type'] ?? ''}`

  const upload = ({ raw, headers, query }: Incoming) => ({
    content_uri: state.upload(raw, String(headers['content-type'] ?? ''), query.get('filename') ?? ''),
  })
  const download = ({ params }: Incoming) => state.mediaOf(params['server'] ?? '', params['media'] ?? '')
  /** The picture as it is: nothing here makes it smaller. */
  const thumbnail = (incoming: Incoming) => {
    if (incoming.query.get('width') === null || incoming.query.get('method') === null)
      throw new MatrixError(400, 'M_MISSING_PARAM', 'which size?')
    return download(incoming)
  }
  const legacy = () => {
    throw notFound('Not found')
  }
  const ping = ({ params, service, body }: Incoming) => {
    if (service === undefined || service.registration.id !== params['service'])
      throw forbidden('Only application services can use the /appservice/ping endpoint')
    return server.ping(service, body['transaction_id'])
  }

  return [
    route('GET /_matrix/client/versions', versions, true),
    route('GET /_matrix/client/v3/capabilities', capabilities),
    route('GET /_matrix/client/v3/account/whoami', ({ user, device }) => ({
      user_id: user,
      is_guest: false,
      ...(device === undefined ? {} : { device_id: device }),
    })),
    route('POST /_matrix/client/v3/register', register, true),
    route('GET /_matrix/client/v3/login', () => ({ flows: [{ type: 'm.login.password' }] }), true),
    route('POST /_matrix/client/v3/login', login, true),
    route('PUT /_matrix/client/v3/devices/:device', putDevice),
    route(
      'GET /_matrix/client/v3/profile/:user',
      ({ params }) => Object.fromEntries(state.user(params['user'] ?? '').profile),
      true,
    ),
    route('GET /_matrix/client/v3/profile/:user/:field', getField, true),
    route('PUT /_matrix/client/v3/profile/:user/:field', putField),
    route('DELETE /_matrix/client/v3/profile/:user/:field', deleteField),
    route('PUT /_matrix/client/v3/presence/:user/status', putPresence),
    route('GET /_matrix/client/v3/presence/:user/status', getPresence),
    route('PUT /_matrix/client/v3/user/:user/account_data/:type', putData),
    route('GET /_matrix/client/v3/user/:user/account_data/:type', getData),
    route('PUT /_matrix/client/v3/user/:user/rooms/:room/account_data/:type', putData),
    route('GET /_matrix/client/v3/user/:user/rooms/:room/account_data/:type', getData),
    route('POST /_matrix/media/v3/upload', upload),
    route('GET /_matrix/client/v1/media/download/:server/:media', download),
    route('GET /_matrix/client/v1/media/download/:server/:media/:name', download),
    route('GET /_matrix/media/v3/download/:server/:media', legacy, true),
    route('GET /_matrix/client/v1/media/thumbnail/:server/:media', thumbnail),
    route('POST /_matrix/client/v1/appservice/:service/ping', ping),
  ]
}
