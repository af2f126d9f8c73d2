/** The whole configuration: the fragments of the adapters and what is common to all. */
import { z } from 'zod'
import { ircGatewayConfig } from '../adapters/irc-gateway/config.ts'
import { ircConfig } from '../adapters/irc/config.ts'
import { matrixConfig } from '../adapters/matrix/config.ts'
import { msnServiceConfig } from '../adapters/msn-service/config.ts'
import { msnConfig } from '../adapters/msn/config.ts'
import { file, id, listenAt, secret } from './fields.ts'

/** One fragment for each type of network; the registry has one module for each. */
export const fragments = {
  'msn-service': msnServiceConfig,
  msn: msnConfig,
  irc: ircConfig,
  'irc-gateway': ircGatewayConfig,
  matrix: matrixConfig,
} as const

const network = z.discriminatedUnion('type', [msnServiceConfig, msnConfig, ircConfig, ircGatewayConfig, matrixConfig])

const person = z.strictObject({
  id: id('this person'),
  name: z.string().min(1).meta({ description: 'The name that others see; by default the id.' }).optional(),
  users: z
    .array(
      z.strictObject({
        network: z.string().meta({ description: 'The id of a network.' }),
        user: z.string().min(1).meta({ description: 'Who they are there: a Matrix id, a nick.' }),
      }),
    )
    .meta({ description: 'Who they are on networks: { network, user }, for example a Matrix id or a nick.' })
    .default([]),
})

const address = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'is no address: write name@domain')

const account = z.strictObject({
  id: id('this account'),
  network: z.string().meta({ description: 'The id of a network of type msn.' }),
  person: z.string().meta({ description: 'The id of a person; by default the account stands alone.' }).optional(),
  login: address.meta({ description: 'The address to sign in with.' }),
  password: secret('Its password: { env: NAME } or { file: path }.'),
  picture: file(
    'Its display picture: PNG, JPEG or GIF. By default the avatar of its person, where they live on Matrix; set-picture wins over both.',
  ).optional(),
})

const end = z
  .union(
    [
      z.strictObject({ account: z.string(), contact: address }),
      z.strictObject({
        account: z.string(),
        group: z.array(address).min(2, 'must name two contacts or more; for one write contact: address'),
      }),
      z.strictObject({ account: z.string(), lobby: z.literal(true) }),
      z.strictObject({
        network: z.string(),
        channel: z
          .string()
          .regex(/^[#&+!][^\s,]*$/, 'is no channel: write it with its prefix and in quotes, for example "#friends"'),
      }),
    ],
    {
      error:
        'is no end of a link: write { account, contact: address }, { account, group: [address, address] }, ' +
        '{ account, lobby: true } or { network, channel: "#name" }',
    },
  )
  .meta({ description: 'A contact, a group or the lobby of an account, or a channel of a network.' })

export const configSchema = z.strictObject({
  data: z
    .string()
    .min(1)
    .meta({ description: 'Folder for the database, generated certificates and keys. Relative to this file.' })
    .default('./data'),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .meta({ description: 'debug, info, warn or error.' })
        .default('info'),
    })
    .meta({ description: 'Pretty on a terminal, JSON lines otherwise.' })
    .prefault({}),
  admin: z
    .strictObject({
      listen: listenAt('/healthz /readyz /metrics /status; keep it on loopback.').prefault('127.0.0.1:8090'),
      hosts: z
        .array(z.string().min(1))
        .meta({ description: 'Names under which it may be opened, besides localhost and addresses.' })
        .default([]),
    })
    .meta({ description: 'A page for the operator and for monitoring.' })
    .prefault({}),
  secrets: z
    .strictObject({
      key: secret(
        'Passwords that people log in with are stored encrypted with this key: { env: NAME } or { file: path }, 16 ' +
          'characters or more. By default <data>/secret.key, which is made once.',
      ).optional(),
    })
    .meta({ description: 'How stored passwords are protected. Without the key, people must log in again.' })
    .prefault({}),
  media: z
    .strictObject({
      listen: listenAt(
        'Where links to files are answered. Put a reverse proxy before it to be reached from outside.',
      ).prefault('127.0.0.1:29334'),
      public_url: z
        .url({ protocol: /^https?$/, error: 'is no URL: write for example https://files.example.org' })
        .regex(/^[^?#]*$/, 'has a query or a fragment: write only scheme, host, port and perhaps a path')
        .transform((url) => url.replace(/\/+$/, ''))
        .meta({ description: 'How people reach `listen`; by default http:// and `listen`.' })
        .optional(),
      expire_hours: z
        .number()
        .positive()
        .max(8_760)
        .meta({ description: 'A link works for so many hours.' })
        .default(168),
      max_mb: z
        .number()
        .positive()
        .max(10_000)
        .meta({ description: 'Larger files, in millions of bytes, are not handed on.' })
        .default(50),
      keep_mb: z
        .number()
        .positive()
        .max(10_000_000)
        .meta({
          description:
            'Files from networks that keep none, as MSN, are in the data folder until their links expire. So many millions of bytes in all.',
        })
        .default(2_000),
      share_percent: z
        .number()
        .positive()
        .max(100)
        .meta({
          description:
            'One sender may fill so much of keep_mb, so that others have room. A file beyond it is declined; nothing that is kept goes for it.',
        })
        .default(25),
    })
    .meta({ description: 'Files reach networks that have none as links that expire.' })
    .prefault({}),
  history: z
    .strictObject({
      days: z
        .number()
        .int()
        .min(0)
        .meta({ description: 'What was said is kept for so many days; 0 keeps it for ever.' })
        .default(90),
    })
    .meta({ description: 'Messages in the database. What still waits to be delivered stays, however old.' })
    .prefault({}),
  networks: z
    .array(network)
    .min(1, 'is empty: the bridge would have nothing to do; leave it out to get an MSN service and an IRC gateway')
    .meta({ description: 'The networks that the bridge hosts or joins.' })
    .prefault([
      { id: 'home', type: 'msn-service' },
      {
        id: 'msn',
        type: 'msn',
        server: '127.0.0.1:1863',
        passport: { nexus: 'https://127.0.0.1:1443/rdr/pprdr.asp' },
      },
      { id: 'irc', type: 'irc-gateway' },
    ]),
  people: z
    .array(person)
    .meta({ description: 'Humans: accounts of one person on several networks belong together.' })
    .default([]),
  accounts: z.array(account).meta({ description: 'Accounts that the bridge signs in with.' }).default([]),
  links: z
    .array(z.array(end).min(2, 'has only one end: a link needs two or more'))
    .meta({ description: 'Each link makes one conversation of its ends.' })
    .default([]),
})

export type Config = z.output<typeof configSchema>
export type NetworkConfig = Config['networks'][number]
export type NetworkType = keyof typeof fragments
export type LinkEnd = z.output<typeof end>
export type ConfigInput = z.input<typeof configSchema>
