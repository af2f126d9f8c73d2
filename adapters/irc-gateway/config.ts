/** The `irc-gateway` network in the config: an IRC server that we are ourselves. */
import { z } from 'zod'
import { file, id, listenAt, millis } from '../../config/fields.ts'

const count = (description: string) => z.number().int().min(1).max(1_000_000).meta({ description })

export const ircGatewayConfig = z
  .strictObject({
    id: id('this network'),
    type: z
      .literal('irc-gateway')
      .meta({ description: "People's IRC clients connect to the bridge itself, and find their contacts there." }),
    listen: listenAt('Where IRC clients connect. It is not encrypted: keep it on loopback, or use tls.').prefault(
      '127.0.0.1:6667',
    ),
    tls: z
      .strictObject({
        listen: listenAt('Where IRC clients connect with TLS.').prefault('0.0.0.0:6697'),
        cert: file('Certificate with its chain, PEM.'),
        key: file('Its private key, PEM.'),
      })
      .meta({ description: 'A second address, for clients that connect with TLS.' })
      .optional(),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, 'is no name of a server: use letters, digits, dots and hyphens')
      .meta({ description: 'How the server calls itself, as root!root@NAME.' })
      .default('localhost'),
    control: z
      .string()
      .regex(/^&[^\s,\x07]{1,49}$/, 'is no control channel: write & and a name, for example "&bitlbee"')
      .meta({ description: 'The channel where root and the contacts are. Scripts for BitlBee look for &bitlbee.' })
      .default('&bitlbee'),
    motd: z
      .array(z.string())
      .meta({ description: 'Lines that everybody reads when they connect; {control} stands for the control channel.' })
      .default(['Welcome. Your MSN contacts are in {control}, where you are already. Go there, and say "help".']),
    register: z
      .enum(['open', 'closed'])
      .meta({
        description: 'Whether whoever connects may make an account with `register` (open), or nobody new (closed).',
      })
      .default('open'),
    admins: z
      .array(z.string().min(1))
      .meta({ description: 'Accounts of the gateway whose owners may use all commands of the bridge.' })
      .default([]),
    settings: z
      .record(
        z.string(),
        z
          .union([z.string(), z.boolean(), z.number()], { error: 'must be a text, a number, true or false' })
          .transform(String),
      )
      .meta({ description: 'Other defaults for what people change with `set`: { typing_notice: true }.' })
      .default({}),
    friend_requests: z
      .enum(['ask', 'accept', 'ignore'])
      .meta({ description: 'What happens when somebody adds one of the people here: root asks, or all are let in.' })
      .default('ask'),
    offline_as: z
      .enum(['away', 'hidden'])
      .meta({ description: 'How somebody looks on MSN while none of their clients is connected.' })
      .default('away'),
    dcc: z
      .strictObject({
        receive: z
          .enum(['any', 'passive', 'off'])
          .meta({
            description:
              'Files that clients offer by DCC SEND, to root as own picture, to contacts as files. any: we connect to the address that the client comes from, or it to us. passive: only it to us; for where clients come through a proxy on this machine. off: none are taken.',
          })
          .default('any'),
      })
      .meta({ description: 'Files from IRC clients.' })
      .prefault({}),
    playback: count(
      'Messages of one conversation that are shown to who was away; the rest stays in the history.',
    ).default(500),
    limits: z
      .strictObject({
        clients: count('Connections at once.').default(5_000),
        clients_per_person: count('Clients that one account may have attached.').default(25),
        strangers_per_address: count(
          'Connections from one address that are not identified; one more ends the oldest of them.',
        ).default(50),
        accounts: count('Accounts of the gateway.').default(10_000),
        failures: count('Wrong passwords for one account or from one address within window_ms.').default(10),
        window_ms: millis('Wrong passwords are counted for so long.').default(600_000),
        lines_per_second: count('Lines of one client that are read in a second, when it goes on and on.').default(50),
        burst: count('Lines of one client that are read at once.').default(500),
        register_ms: millis('A client that has not said who it is after so long is closed.').default(60_000),
        ping_ms: millis('A client that is silent for so long is asked whether it is there.').default(90_000),
        ping_timeout_ms: millis('And closed after so long without an answer.').default(60_000),
      })
      .meta({ description: 'What keeps one client from being a burden to the others.' })
      .prefault({}),
  })
  .meta({ description: "An IRC server of our own: people's IRC clients connect to it, as they do to BitlBee." })

export type IrcGatewayConfig = z.output<typeof ircGatewayConfig>
