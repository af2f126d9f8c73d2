/** The `msn-service` network in the config: the MSN service that we are ourselves. */
import { z } from 'zod'
import { file, hostPort, id, listenAt, millis } from '../../config/fields.ts'

const count = (value: number, description: string) => z.number().int().min(1).meta({ description }).default(value)

const rate = (burst: number, perSecond: number, description: string) =>
  z
    .strictObject({
      burst: z.number().int().min(1).meta({ description: 'So many at once,' }).default(burst),
      per_second: z.number().positive().meta({ description: 'then so many a second.' }).default(perSecond),
    })
    .meta({ description })
    .prefault({})

const limits = z
  .strictObject({
    contacts: count(150, 'People on one list (FL, AL or BL); one more is answered with 210.'),
    groups: count(30, 'Groups of one account; one more is answered with 223.'),
    group_name_bytes: count(61, 'Length of a group name; longer is answered with 229.'),
    name_bytes: count(387, 'Length of a friendly name as it is on the wire; longer is answered with 209.'),
    phone_bytes: count(95, 'Length of a phone number as it is on the wire; longer is answered with 201.'),
    message_bytes: count(1664, 'Size of a message on a switchboard; longer closes the switchboard.'),
    sessions: count(20_000, 'People signed in at once; one more is answered with 910.'),
    connections: count(25_000, 'Connections at once over all listeners.'),
    connections_per_address: count(2_000, 'Connections at once from one address.'),
    new_connections: rate(1_000, 100, 'New connections from one address; more are cut at once.'),
    switchboards_per_account: count(
      64,
      'Switchboards of one account at once; one more is answered with 714. Channels of other networks have as many as they need.',
    ),
    members: count(50, 'People in one switchboard; one more is answered with 713.'),
    switchboards: rate(10, 0.5, 'New switchboards of one account; more are answered with 800.'),
    calls: rate(20, 1, 'Invitations from one switchboard connection; more are answered with 713.'),
    commands: rate(400, 50, 'Commands of one connection; more are answered with 800 or close it.'),
    messages: rate(200, 100, 'Messages of one switchboard connection; more wait.'),
    banned_words: z
      .array(z.string().min(1))
      .meta({ description: 'A friendly name that holds one of these is answered with 209.' })
      .default([]),
    rates: z.boolean().meta({ description: 'false switches all rates off, for measurements.' }).default(true),
  })
  .meta({
    description: 'What one person or address may use. Each limit answers with the code that the protocol has for it.',
  })
  .prefault({})

const hostName = (description: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, 'is no host: write a name or an IPv4 address, without port')
    .meta({ description })

/** By these Microsoft's clients of 5.0 to 7.0 ask for their login. What serves other purposes today is not among them. */
const CLASSIC_NAMES = ['nexus.passport.com', 'login.passport.com', 'loginnet.passport.com']

export const msnServiceConfig = z
  .strictObject({
    id: id('this network'),
    type: z.literal('msn-service').meta({ description: "People's classic Messengers sign in to us." }),
    domain: z
      .string()
      .regex(/^[a-z0-9.-]{1,100}$/, 'is no domain: use lower case letters, digits, dots and hyphens')
      .meta({ description: 'Addresses of this service end in @ and this domain.' })
      .default('home.example'),
    listen: listenAt('The notification server. 0.0.0.0 opens it to the network.').prefault('127.0.0.1:1863'),
    public: hostPort(
      'The notification server as clients reach it, for redirects. By default the address they connected to.',
    ).optional(),
    dispatch: z
      .strictObject({ listen: listenAt('Where a client first asks and is sent on to the notification server.') })
      .meta({
        description: 'A dispatch server of its own. Without one the notification server signs people in directly.',
      })
      .optional(),
    switchboard: z
      .strictObject({
        listen: listenAt('The switchboard server, when it has a port of its own.').optional(),
        public: hostPort('The switchboard server as clients reach it.').optional(),
      })
      .meta({ description: 'Without it, switchboards share the port of the notification server.' })
      .prefault({}),
    passport: z
      .strictObject({
        listen: listenAt('The login server (HTTPS).').prefault('127.0.0.1:1443'),
        public: z
          .string()
          .regex(/^[^\s/]+$/, 'must be a host or host:port without https:// and path')
          .meta({
            description: 'host or host:port of the login server as clients reach it. By default what they asked for.',
          })
          .optional(),
        plain: z.boolean().meta({ description: 'Plain HTTP, for a TLS proxy in front.' }).default(false),
        ticket_seconds: z
          .number()
          .int()
          .min(1)
          .meta({ description: 'How long a ticket may be used to sign in.' })
          .default(30),
        legacy: z
          .boolean()
          .meta({
            description:
              'Speak TLS 1.0 and 1.1 too, with the ciphers that are left of them: the Windows of classic clients has no better. false: TLS 1.2 and later only.',
          })
          .default(true),
        certificate_names: z
          .array(hostName('A host name.'))
          .meta({
            description:
              'Further names for the certificate that is made: those by which classic clients find the login. With other names it is made anew, and clients must trust the new one.',
          })
          .default(CLASSIC_NAMES),
      })
      .meta({
        description:
          'The login server: exchanges a password for a ticket, by Passport 1.4 and by RST (MSN Messenger 7.5).',
      })
      .prefault({}),
    http_gateway: z
      .strictObject({
        listen: listenAt(
          'A port of plain HTTP for the gateway alone; clients expect 80. No password is taken there.',
        ).optional(),
        public: hostName(
          'The host of the gateway as clients reach it. By default the address that they connected to.',
        ).optional(),
        sessions: count(
          1_000,
          'Connections through the gateway at once; one more is answered with 503. One address has a quarter of them, 100 at least: ' +
            'behind a reverse proxy that sends no X-Forwarded-For, or is on another machine, that is for all people together.',
        ),
        idle_ms: millis(
          'A connection through the gateway about which the client does not ask for so long is over.',
        ).default(60_000),
      })
      .meta({
        description:
          'MSNP through HTTP, for clients that reach no other port. On the port of the login server, and on one of its own. Without it there is none.',
      })
      .optional(),
    tls: z
      .strictObject({
        cert: file('PEM file of the certificate, with its chain.'),
        key: file('PEM file of its private key.'),
      })
      .meta({
        description: 'Certificate of the login server. By default one is made in the data folder on the first start.',
      })
      .optional(),
    elsewhere: z
      .strictObject({
        networks: z
          .array(z.string().min(1))
          .min(1)
          .meta({ description: 'Networks whose people have addresses here: name@NETWORK.DOMAIN.' }),
        people: z
          .array(z.string().min(1))
          .meta({ description: 'Who may add them: addresses of this service, or "*". By default nobody.' })
          .default([]),
        servers: z
          .array(z.string().min(1))
          .meta({
            description: 'Of networks with servers, only people of these: "example.org", "*.example.org" or "*".',
          })
          .default([]),
        participants: z
          .number()
          .int()
          .min(0)
          .max(45)
          .meta({
            description:
              'So many members of a channel take part in its conversation, those who spoke last first; the others are names in the text, and with 0 all are.',
          })
          .default(20),
        invitations: z
          .strictObject({
            times: count(20, 'So many by one account'),
            hours: count(24, 'within so many hours; more are answered with 800.'),
          })
          .meta({ description: 'How many one account may add.' })
          .prefault({}),
      })
      .meta({ description: 'People and channels of other networks as contacts of those who sign in here.' })
      .optional(),
    bridge_contact: z
      .strictObject({
        enabled: z.boolean().meta({ description: 'false: there is none.' }).default(true),
        name: z.string().min(1).max(100).meta({ description: 'What it is called.' }).default('msn-bridge'),
        admins: z
          .array(z.string().min(1))
          .meta({
            description: 'Addresses of this service whose owners may say what only admins may. By default nobody.',
          })
          .default([]),
      })
      .meta({ description: 'The contact bridge@DOMAIN, always online: whoever talks to it gives commands.' })
      .prefault({}),
    limits,
    challenge: z
      .union([z.literal('off'), z.literal('once'), z.number().int().min(1)], {
        error: 'must be off, once, or a number of minutes',
      })
      .meta({ description: 'CHL: off, once after the first CHG, or every so many minutes.' })
      .default('off'),
    challenge_switchboards: z
      .boolean()
      .meta({ description: 'Send CHL on switchboards, too. Most clients do not expect it there.' })
      .default(false),
    sign_in: z
      .strictObject({
        failures: count(10, 'Wrong passwords of one account or address within the window, before it must wait.'),
        window_ms: millis('The window in which wrong passwords are counted, and how long the wait is.').default(
          300_000,
        ),
      })
      .meta({ description: 'Throttles attempts to guess passwords.' })
      .prefault({}),
    timing: z
      .strictObject({
        sign_in_ms: millis('A connection that has not signed in after so long is closed.').default(60_000),
        ping_ms: millis('How often clients are asked to say PNG; one that stops is closed after a while.').default(
          50_000,
        ),
        challenge_ms: millis('A challenge must be answered within so long, else 540.').default(50_000),
        invitation_ms: millis('A way into a switchboard (XFR, RNG) is good for so long.').default(120_000),
        ring_ms: millis('Somebody who was called and did not come may be called again after so long.').default(60_000),
      })
      .meta({ description: 'Milliseconds.' })
      .prefault({}),
  })
  .meta({ description: 'The MSN service of the bridge itself.' })

/** In the data folder: the certificate that is made when none is given, for clients to trust. */
export const certificateName = (id: string): string => `msn-service-${id}.crt`

export type MsnServiceConfig = z.output<typeof msnServiceConfig>
