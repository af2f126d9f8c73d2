/** The `matrix` network in the config: a homeserver whose people meet the other networks in their own client. */
import { z } from 'zod'
import { id, listenAt, millis, path, secret, supervision } from '../../config/fields.ts'

const url = (description: string) =>
  z
    .url({ protocol: /^https?$/, error: 'is no URL: write for example http://127.0.0.1:8008' })
    .regex(/^[^?#]*$/, 'has a query or a fragment: write only scheme, host, port and perhaps a path')
    .meta({ description })

/** What may stand before the colon of a user id. */
const localpart = z.string().regex(/^[a-z0-9._=/+-]{1,100}$/, 'is no name for a user: use a-z, 0-9 and . _ = / + -')

/** `example.org`, `example.org:8448`, `127.0.0.1`, `[::1]:8448`. */
const DOMAIN = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$/
const USER = /^@[^\s:]+:\S+$/

const whom = z
  .string()
  .refine(
    (who) => who === '*' || USER.test(who) || DOMAIN.test(who),
    'is nobody: write "*", the domain of a homeserver, or a user id such as "@alice:example.org"',
  )

const pattern = z.string().refine((text) => {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}, 'is no regular expression: write for example "@telegram_.+:example[.]org"')

export const matrixConfig = z
  .strictObject({
    id: id('this network'),
    type: z.literal('matrix').meta({ description: "People of a Matrix homeserver talk through the bridge's bot." }),
    homeserver: url('URL of the homeserver as the bridge reaches it.'),
    domain: z
      .string()
      .regex(DOMAIN, 'is no domain: write what stands after the colon in the ids of its users, such as example.org')
      .meta({ description: 'The server_name of the homeserver: what stands after the colon in user ids.' }),
    listen: listenAt('Where the homeserver brings us events.').prefault('127.0.0.1:29333'),
    url: url('The same address as the homeserver reaches it; by default http:// and `listen`.').optional(),
    registration: path(
      'The registration file, for the homeserver to read; by default <data>/<id>-registration.yaml.',
    ).optional(),
    bot: z
      .strictObject({
        localpart: localpart.meta({ description: 'Its user id before the colon.' }).default('msnbot'),
        name: z.string().min(1).max(100).meta({ description: 'Its name.' }).default('MSN bridge'),
      })
      .meta({ description: 'The bot that people write to.' })
      .prefault({}),
    ghosts: z
      .strictObject({
        prefix: localpart
          .meta({ description: 'Their user ids begin with it. No person of the homeserver may have such an id.' })
          .default('msn_'),
        name: z
          .string()
          .max(100)
          .refine(
            (text) => /\{(name|address)\}/.test(text),
            'would call everybody the same: write {name} or {address} in it',
          )
          .meta({ description: 'Their names: {name}, {address} and {network} are filled in.' })
          .default('{name}'),
      })
      .meta({ description: 'People of other networks, as users of the homeserver.' })
      .prefault({}),
    permissions: z
      .record(whom, z.enum(['relay', 'user', 'admin']))
      .meta({
        description:
          '"*", a domain or a user id: relay (may speak where a relay is set), user (may sign in to MSN) or admin. ' +
          'The closest one counts; by default everybody of the domain is a user.',
      })
      .optional(),
    portals: z
      .enum(['on-message', 'all', 'on-command'])
      .meta({
        description: 'When a contact gets a room: when somebody writes, all at the sign-in, or when asked for only.',
      })
      .default('on-message'),
    spaces: z.boolean().meta({ description: 'A space for each MSN account, with its rooms.' }).default(true),
    federate: z
      .boolean()
      .meta({ description: 'Whether people of other homeservers can be invited to the rooms.' })
      .default(true),
    room_version: z
      .string({ error: 'must be a text: write it in quotes, for example "11"' })
      .regex(/^[A-Za-z0-9._-]{1,32}$/, 'is no room version: write for example "11", in quotes')
      .meta({ description: 'Version of the rooms; by default what the homeserver makes.' })
      .optional(),
    presence: z
      .enum(['full', 'on-change', 'off'])
      .meta({
        description:
          'How contacts are shown: full keeps them online as long as they are, which costs requests all the time; ' +
          'on-change tells each change once; off tells nothing.',
      })
      .default('full'),
    presence_per_second: z
      .number()
      .positive()
      .max(1_000)
      .meta({ description: 'Requests a second that presence may cost the homeserver.' })
      .default(5),
    offline_as: z
      .enum(['away', 'hidden'])
      .meta({ description: 'How somebody who is offline on Matrix looks on MSN: away and reachable, or hidden.' })
      .default('away'),
    friend_requests: z
      .enum(['ask', 'accept', 'ignore'])
      .meta({ description: 'When somebody on MSN adds one of our people.' })
      .default('ask'),
    notices: z
      .boolean()
      .meta({ description: 'Bridge m.notice, which bots use. Two bots can talk to each other for ever.' })
      .default(false),
    other_bridges: z
      .array(pattern)
      .meta({ description: 'Users of other bridges, as regular expressions: what they write is not bridged.' })
      .default([]),
    double_puppet: z
      .strictObject({
        as_token: secret('The as_token of a registration that covers all people: { env: NAME } or { file: path }.'),
      })
      .meta({ description: 'Lets what people write elsewhere appear as themselves, without a login of theirs.' })
      .optional(),
    timing: z
      .strictObject({
        ...supervision,
        request_timeout_ms: millis('A request without an answer for so long is given up.').default(60_000),
        ping_ms: millis('How often the homeserver is asked whether it reaches us.').default(180_000),
      })
      .meta({ description: 'Milliseconds.' })
      .prefault({}),
  })
  .meta({ description: 'A Matrix homeserver that we are registered with.' })

export type MatrixConfig = z.output<typeof matrixConfig>
