/** The `irc` network in the config: one bot connection that carries everyone. */
import { z } from 'zod'
import { file, hostPort, id, millis, secret, supervision } from '../../config/fields.ts'

/** What would end a line or a word on the wire has no place in a name. */
const word = (description: string) =>
  z
    .string()
    .regex(/^[^\s\0:,]+$/, 'must be one word without spaces, commas and colons')
    .meta({ description })

/** What RFC 2812 allows, and letters of other languages for the networks that take them. */
const nickname = (description: string) =>
  z
    .string()
    .regex(
      /^[\p{L}[\]\\`_^{|}][\p{L}\p{M}\p{N}[\]\\`_^{|}-]*$/u,
      'is no nickname: use letters, digits and _ - [ ] { } | ` ^ \\, beginning with no digit and no hyphen',
    )
    .meta({ description })

const channelName = z
  .string()
  .regex(/^[#&+!][^\s\0,\x07]*$/, 'is no channel: write it with its prefix and in quotes, for example "#friends"')

const channel = z.union(
  [
    channelName,
    z.strictObject({
      name: channelName,
      key: secret('The key of the channel (mode +k): { env: NAME } or { file: path }.'),
    }),
  ],
  { error: 'is no channel: write "#name" or { name: "#name", key: { env: NAME } }' },
)

const who = z.strictObject({
  accounts: z.array(z.string().min(1)).meta({ description: 'Names of services accounts.' }).default([]),
  hostmasks: z
    .array(
      z.string().regex(/^[^\s!@]+![^\s!@]+@[^\s!@]+$/, 'is no hostmask: write nick!user@host, * and ? match anything'),
    )
    .meta({ description: 'nick!user@host with * and ?.' })
    .default([]),
})

const template = (description: string) =>
  z
    .string()
    .min(1)
    .regex(/^[^\r\n\0]*$/, 'must be one line')
    .meta({ description })

const naming = (description: string) =>
  template(`${description} {name}, {local} (the part before the @) and {address} are filled in.`).regex(
    /\{(name|local|address)\}/,
    'must hold {name}, {local} or {address}: everybody would be called the same',
  )

const addresses = (description: string) => {
  const one = z
    .string()
    .regex(
      /^[\dA-Fa-f:]*[:.][\dA-Fa-f:.]+(\/\d{1,3})?$/,
      'is no address: write one like 192.0.2.7 or a prefix like 2001:db8:1::/64',
    )
  return z
    .union([one.transform((address) => [address]), z.array(one).min(1)], {
      error: 'is no address: write one like 192.0.2.7, a prefix like 2001:db8:1::/64, or a list of them',
    })
    .meta({ description })
}

const puppets = z
  .strictObject({
    enabled: z.boolean().meta({ description: 'Show each contact by a connection of their own.' }).default(false),
    channels: z
      .array(channelName)
      .meta({ description: 'Only in these; by default in all linked channels.' })
      .optional(),
    nick: naming('The nick.').default('{name}[m]'),
    rename: z.boolean().meta({ description: 'A changed name is a changed nick.' }).default(false),
    max: z.number().int().min(1).max(5_000).meta({ description: 'Connections at once.' }).default(50),
    connect_ms: z
      .number()
      .int()
      .min(0)
      .meta({ description: 'One new connection in so many milliseconds.' })
      .default(2_000),
    debounce_ms: z
      .number()
      .int()
      .min(0)
      .meta({ description: 'Who comes, or looks different, does so after this: what is over sooner is not shown.' })
      .default(5_000),
    quit_grace_ms: z
      .number()
      .int()
      .min(0)
      .meta({ description: 'Who went offline quits after this; whom a netsplit took is gone after this.' })
      .default(300_000),
    idle_days: z
      .number()
      .positive()
      .meta({ description: 'Who said nothing for so long quits, and comes back with the next word.' })
      .default(30),
    backoff_ms: millis('The first wait after a refusal of the server; each further one is twice as long.').default(
      60_000,
    ),
    nick_back_ms: millis('A nick that was taken from a puppet is asked for again after this.').default(60_000),
    private_minutes: z
      .number()
      .positive()
      .meta({ description: 'For so long after a private word the contact answers whoever said it.' })
      .default(30),
    username: template('The user name (ident). {id} is short and the same for good.').default('{local}'),
    realname: template('The real name. {name}, {local}, {address} and {id} are filled in.').default('{name} (MSN)'),
    source_address: addresses('Our own address for each: one, a list, or a prefix that is routed here.').optional(),
    webirc: z
      .strictObject({
        password: secret('The password that the server gave us for WEBIRC.'),
        hostname: template('The host that others see.').default('{id}.msn.invalid'),
        addresses: addresses('The address that the server sees, from a list or a prefix.').default([
          'fd00:6d73:6e::/64',
        ]),
      })
      .meta({ description: 'Tell the server a host and address for each (WEBIRC, also called CGIIRC).' })
      .optional(),
    sasl: z
      .strictObject({
        account: z.string().min(1).meta({ description: 'The services account for all of them.' }),
        password: secret('Its password.'),
      })
      .meta({ description: 'Identify all of them, where only those who do may join or speak.' })
      .optional(),
  })
  .meta({ description: 'A connection for each MSN contact, beside the bot.' })
  .prefault({})

export const ircConfig = z
  .strictObject({
    id: id('this network'),
    type: z.literal('irc').meta({ description: 'One bot on an IRC network speaks for everyone.' }),
    server: hostPort('host:port of the server.'),
    tls: z
      .union(
        [
          z.boolean(),
          z.strictObject({
            ca: file('PEM file of the authority that signed the server.').optional(),
            insecure: z.boolean().meta({ description: 'Do not check the certificate of the server.' }).default(false),
            cert: file('PEM file of our own certificate (SASL EXTERNAL, CertFP).').optional(),
            key: file('PEM file of its key.').optional(),
          }),
        ],
        { error: 'must be true, false or { ca, insecure, cert, key }' },
      )
      .meta({ description: 'true, false, or { ca, insecure, cert, key }.' })
      .default(true),
    nick: nickname('The nickname of the bot.').default('msnbridge'),
    alternates: z
      .array(nickname('A nickname.'))
      .meta({ description: 'Nicknames to try when the first is taken.' })
      .default([]),
    username: word('The user name (ident).').default('msnbridge'),
    realname: z.string().min(1).meta({ description: 'The real name.' }).default('MSN bridge'),
    password: secret('The password of the server (PASS).').optional(),
    sasl: z
      .strictObject({
        mechanism: z
          .enum(['plain', 'external'])
          .meta({ description: 'plain: account and password; external: the certificate of tls.cert.' })
          .default('plain'),
        account: z.string().min(1).meta({ description: 'The services account; by default the nick.' }).optional(),
        password: secret('Its password.').optional(),
      })
      .meta({ description: 'Identify while connecting. Preferred.' })
      .optional(),
    nickserv: z
      .strictObject({
        account: z.string().min(1).meta({ description: 'The services account; by default the nick.' }).optional(),
        password: secret('Its password.'),
        service: word('Whom to identify with.').default('NickServ'),
        recover: z
          .enum(['ghost', 'regain'])
          .meta({ description: 'The command that throws out whoever has our nick.' })
          .default('ghost'),
      })
      .meta({ description: 'Identify with NickServ, on networks without SASL; takes our nick back, too.' })
      .optional(),
    channels: z
      .array(channel)
      .meta({ description: 'Channels to join, besides those of the links: "#name" or { name, key }.' })
      .default([]),
    flood: z
      .strictObject({
        burst: z.number().int().min(1).meta({ description: 'Lines that may go out at once.' }).default(4),
        interval_ms: z.number().int().min(0).meta({ description: 'Then one line each.' }).default(1_100),
      })
      .meta({ description: 'Flood control. The defaults are safe with all common servers.' })
      .prefault({}),
    permissions: z
      .strictObject({
        admins: who.meta({ description: 'May use every command.' }).prefault({}),
        users: who.meta({ description: 'May use the commands of the chat that they are in.' }).prefault({}),
      })
      .meta({ description: 'Who may command the bridge. Everybody else may ask for help only.' })
      .prefault({}),
    command: z
      .string()
      .regex(/^\S+$/, 'must be one word')
      .meta({ description: 'A line that begins with this word is a command to the bridge.' })
      .default('!msn'),
    presence: z
      .strictObject({
        enabled: z.boolean().meta({ description: 'Announce who came and went.' }).default(false),
        channels: z
          .array(channelName)
          .meta({ description: 'Where to announce it; by default in all linked channels.' })
          .optional(),
        seconds: z.number().min(0).meta({ description: 'Changes are gathered for so long.' }).default(60),
      })
      .meta({ description: 'A digest of presence changes.' })
      .prefault({}),
    puppets,
    timing: z
      .strictObject({
        ...supervision,
        ping_ms: millis('A PING is sent after so much silence.').default(60_000),
        ping_timeout_ms: millis('A PING without PONG for so long ends the connection.').default(60_000),
        confirm_timeout_ms: millis('A line without echo or PONG for so long is uncertain.').default(30_000),
        rejoin_ms: millis('After a kick the channel is joined again so much later.').default(30_000),
        join_retry_ms: millis('A channel that would not let us in is tried again so much later.').default(300_000),
        members_quiet_ms: millis(
          'Who comes, goes or speaks in a channel is told on when nothing of it has happened for so long,',
        ).default(1_000),
        members_latest_ms: millis('and at the latest so long after the first.').default(5_000),
        members_grace_ms: millis(
          'Members that a netsplit took, and all while the bot is out of the channel, count as there for so long.',
        ).default(60_000),
        nickserv_ms: millis('How long NickServ may take for an answer.').default(10_000),
      })
      .meta({ description: 'Milliseconds. The defaults suit public networks.' })
      .prefault({}),
  })
  .meta({ description: 'An IRC network that we connect to as one bot.' })

export type IrcConfig = z.output<typeof ircConfig>
