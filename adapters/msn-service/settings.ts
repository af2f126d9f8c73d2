/** From the words of the config to those of the service. */
import { isIP } from 'node:net'
import type { ListenAddress, MsnServerOptions, ServiceLimits, ServiceTimings } from '../../msnp/index.ts'
import type { MsnServiceConfig } from './config.ts'

const NO_LIMIT = { burst: 0, intervalMs: 1 }

export function limitsOf({ limits }: MsnServiceConfig): Partial<ServiceLimits> {
  const rate = ({ burst, per_second }: { readonly burst: number; readonly per_second: number }) =>
    limits.rates ? { burst, intervalMs: 1_000 / per_second } : NO_LIMIT
  return {
    contacts: limits.contacts,
    groups: limits.groups,
    groupNameBytes: limits.group_name_bytes,
    nameBytes: limits.name_bytes,
    phoneBytes: limits.phone_bytes,
    messageBytes: limits.message_bytes,
    bannedWords: limits.banned_words.map((word) => word.toLowerCase()),
    sessions: limits.sessions,
    connections: limits.connections,
    connectionsPerAddress: limits.connections_per_address,
    connectionRate: rate(limits.new_connections),
    switchboardsPerAccount: limits.switchboards_per_account,
    roomMembers: limits.members,
    switchboardRate: rate(limits.switchboards),
    callRate: rate(limits.calls),
    commandRate: rate(limits.commands),
    messageRate: rate(limits.messages),
  }
}

export function timingsOf({
  timing,
  passport,
  challenge,
  challenge_switchboards,
}: MsnServiceConfig): Partial<ServiceTimings> {
  const schedule = typeof challenge === 'number' ? challenge * 60_000 : challenge
  return {
    signInMs: timing.sign_in_ms,
    pingMs: timing.ping_ms,
    challengeMs: timing.challenge_ms,
    invitationMs: timing.invitation_ms,
    ringMs: timing.ring_ms,
    ticketMs: passport.ticket_seconds * 1_000,
    challenge: schedule,
    switchboardChallenge: challenge_switchboards ? schedule : 'off',
  }
}

type Places = Pick<MsnServerOptions, 'listen' | 'public'>

/** What the HTTP listeners do beside the login. */
export function webOf({
  passport,
  http_gateway: gateway,
}: MsnServiceConfig): Pick<MsnServerOptions, 'legacyTls' | 'gateway'> {
  return {
    legacyTls: passport.legacy,
    ...(gateway === undefined ? {} : { gateway: { sessions: gateway.sessions, idleMs: gateway.idle_ms } }),
  }
}

export function placesOf(config: MsnServiceConfig): Places {
  const { listen, dispatch, switchboard, passport, http_gateway: gateway } = config
  return {
    listen: {
      notification: listen,
      passport: passport.listen,
      ...(dispatch === undefined ? {} : { dispatch: dispatch.listen }),
      ...(switchboard.listen === undefined || isSame(switchboard.listen, listen)
        ? {}
        : { switchboard: switchboard.listen }),
      ...(gateway?.listen === undefined ? {} : { http: gateway.listen }),
    },
    public: {
      ...(config.public === undefined ? {} : { notification: config.public }),
      ...switchboardName(config),
      ...(passport.public === undefined ? {} : { passport: passport.public }),
      ...(gateway?.public === undefined ? {} : { gateway: gateway.public }),
    },
  }
}

/** On a shared port, the public name of the notification server is that of the switchboards. */
function switchboardName({ listen, public: notification, switchboard }: MsnServiceConfig): {
  switchboard?: ListenAddress
} {
  if (switchboard.public !== undefined) return { switchboard: switchboard.public }
  const isShared = switchboard.listen === undefined || isSame(switchboard.listen, listen)
  return isShared && notification !== undefined ? { switchboard: notification } : {}
}

/** What the certificate of the login page must hold for: every name by which a client may find it. */
export function certificateNames({ domain, passport, public: notification }: MsnServiceConfig): readonly string[] {
  const names = [
    passport.public?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
    notification?.host,
    isEverywhere(passport.listen.host) ? undefined : passport.listen.host,
    domain,
    ...passport.certificate_names,
    'localhost',
    '127.0.0.1',
  ]
  return [...new Set(names.filter((name) => name !== undefined && (isIP(name) !== 0 || isName(name))))] as string[]
}

/** Port 0 is any free one: two of them are two. */
const isSame = (one: ListenAddress, other: ListenAddress): boolean =>
  one.host === other.host && one.port === other.port && one.port !== 0

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'
const isName = (name: string): boolean => /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(name)
