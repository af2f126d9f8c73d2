/** The `msn` network in the config: an MSN service that we sign in to with people's accounts. */
import { z } from 'zod'
import { file, hostPort, id, millis, supervision } from '../../config/fields.ts'

const httpsUrl = z.url({
  protocol: /^https?$/,
  error: 'is no URL: write for example https://nexus.example/rdr/pprdr.asp',
})

const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'is no URL: write for example http://gateway.example',
})

const rst = httpsUrl.meta({
  description: 'The login URL of later clients (RST.srf). Beside nexus or login it is tried first.',
})

const passport = z
  .union(
    [
      z.strictObject({
        nexus: httpsUrl.meta({ description: 'The nexus, asked for the login URL.' }),
        rst: rst.optional(),
      }),
      z.strictObject({
        login: httpsUrl.meta({ description: 'The login URL itself, for networks without a nexus.' }),
        rst: rst.optional(),
      }),
      z.strictObject({ rst }),
    ],
    { error: 'must be { nexus: URL }, { login: URL } or { rst: URL }' },
  )
  .meta({
    description:
      'Where passwords are exchanged for tickets: { nexus: URL }, { login: URL } or { rst: URL }; rst with another: where there is no RST, the other.',
  })

export const msnConfig = z
  .strictObject({
    id: id('this network'),
    type: z.literal('msn').meta({ description: 'We sign in to an MSN service somewhere.' }),
    server: hostPort('host:port of the dispatch or notification server.'),
    passport,
    http_gateway: httpUrl
      .meta({
        description:
          'The HTTP gateway of the network, to reach its servers through the web. By default they are connected to directly.',
      })
      .optional(),
    ca: file(
      'PEM file of the certificate authority that signed the login server (and the gateway), for self-signed networks.',
    ).optional(),
    insecure: z
      .boolean()
      .meta({
        description: 'Do not check the certificate of the login server. Passwords can be stolen: for tests only.',
      })
      .default(false),
    dialects: z
      .array(z.enum(['MSNP12', 'MSNP11', 'MSNP10', 'MSNP9', 'MSNP8']))
      .min(1)
      .meta({
        description:
          'Dialects to offer, best first. Personal messages and songs need MSNP11; most servers take the newest.',
      })
      .default(['MSNP12', 'MSNP11', 'MSNP10', 'MSNP9', 'MSNP8']),
    login_hosts: z
      .array(z.string().min(1))
      .meta({
        description: 'Further hosts that the login may redirect to, besides those under the same parent domain.',
      })
      .default([]),
    allow_private_hosts: z
      .boolean()
      .meta({
        description:
          'Follow redirects and invitations to private addresses. By default only when the server itself has one.',
      })
      .optional(),
    beside_messenger: z
      .boolean()
      .meta({
        description:
          'Stay signed in when a Messenger signs in with the same account, and take part in its conversations. Only the ' +
          'msn-service of an msn-bridge can do that; by default true where it is the one of this config.',
      })
      .optional(),
    pictures: z
      .strictObject({
        fetch: z
          .boolean()
          .meta({ description: 'Ask contacts for their display pictures, custom emoticons, winks and voice clips.' })
          .default(true),
        max_kb: z
          .number()
          .int()
          .min(1)
          .max(1_000)
          .meta({ description: 'Larger pictures are neither fetched nor shown as our own. Kilobytes.' })
          .default(200),
      })
      .meta({ description: 'Display pictures and custom emoticons.' })
      .prefault({}),
    mail_notifications: z
      .boolean()
      .meta({ description: 'Tell people of their mail, where the network has such.' })
      .default(false),
    hold_days: z
      .number()
      .min(0)
      .meta({ description: 'Messages for somebody who is offline are kept for so many days.' })
      .default(7),
    files: z
      .strictObject({
        receive: z.boolean().meta({ description: 'Take files that contacts offer, and hand them on.' }).default(true),
        send: z
          .boolean()
          .meta({ description: 'Offer files of others to contacts whose client can take them; else they get links.' })
          .default(true),
        protocol: z
          .enum(['auto', 'msnftp'])
          .meta({
            description:
              'auto: files go over the switchboard to Messenger 6.0 and later, and by MSNFTP to older ones. msnftp: by MSNFTP wherever the client knows it (up to 7.5), which is faster but needs a connection of its own. What contacts offer is taken either way.',
          })
          .default('auto'),
        max_mb: z
          .number()
          .positive()
          .max(10_000)
          .meta({
            description: 'Larger files, in millions of bytes, are neither taken nor offered; media.max_mb counts, too.',
          })
          .default(50),
        direction: z
          .enum(['listen', 'connect'])
          .meta({
            description:
              'listen: contacts connect to us, on the ports below. connect: we connect to them, where `allow` lets us. Only for where both are possible.',
          })
          .default('listen'),
        listen: z
          .string()
          .min(1)
          .meta({ description: 'The address on which a port is open while a file is awaited.' })
          .default('0.0.0.0'),
        public: z
          .string()
          .regex(/^[0-9A-Fa-f.:]+$/, 'is no address: write for example 203.0.113.7')
          .meta({
            description:
              'The address at which contacts reach us. By default the one that our connection to the server has; behind NAT, set it.',
          })
          .optional(),
        first_port: z
          .number()
          .int()
          .min(0)
          .max(65_535)
          .meta({ description: 'One port for each file that is awaited, from this one on. 0: any free one.' })
          .default(6_891),
        last_port: z.number().int().min(0).max(65_535).meta({ description: 'Up to this one.' }).default(6_900),
        allow: z
          .array(
            z
              .string()
              .regex(
                /^(public|[0-9A-Fa-f.:]+(\/\d{1,3})?)$/,
                'is no address: write for example 192.168.1.7, 192.168.1.0/24 or public',
              ),
          )
          .meta({
            description:
              'Where we may connect to for a file, since contacts name the place: addresses, networks (192.168.1.0/24), or public for all that are in no private network.',
          })
          .default([]),
        answer_timeout_ms: millis('A contact who has not answered an offer for so long gets the link.').default(
          300_000,
        ),
      })
      .meta({ description: 'Files from and to contacts.' })
      .prefault({}),
    timing: z
      .strictObject({
        ...supervision,
        command_timeout_ms: millis('A command without an answer for so long ends the connection.').default(30_000),
        ack_timeout_ms: millis('A message without ACK or NAK for so long is reported as uncertain.').default(30_000),
        join_timeout_ms: millis('An invited contact has so long to join a switchboard.').default(30_000),
        ping_ms: millis('A PNG is sent after so much silence.').default(45_000),
        ping_timeout_ms: millis('A PNG without QNG for so long ends the connection.').default(30_000),
        switchboard_idle_ms: millis('An unused switchboard is closed after so long.').default(300_000),
        gateway_poll_ms: millis(
          'An HTTP gateway that had something is asked again after so long; else up to four times later.',
        ).default(1_000),
      })
      .meta({ description: 'Milliseconds. The defaults suit public networks.' })
      .prefault({}),
  })
  .meta({ description: 'An MSN network that we sign in to.' })

export type MsnConfig = z.output<typeof msnConfig>
