/** Why a server would not have us, and whether to come back. The words of ERROR lines differ, their meanings hardly. Pure. */
import type { Fault } from '../../bridge/model/result.ts'

/** `stop`: trying again does harm (a ban grows, a fight goes on) until a person has acted. */
export interface Ending {
  readonly fault: Fault
  readonly stop: boolean
  /** For those who have more than one connection: what it says about the others. */
  readonly cause: 'killed' | 'banned' | 'throttled' | 'full' | 'lost'
  /** Milliseconds to stay away at least. */
  readonly retryAfter?: number
}

/** After "you connect too fast" servers count from the last attempt. */
const THROTTLED_MS = 120_000
/** How much of a server's words reaches the operator. */
const MAX_WORDS = 200

const quoted = (words: string): string => `"${words.replace(/[\x00-\x1f\x7f]/g, '').slice(0, MAX_WORDS)}"`

export const lost = (detail: string): Ending => ({ fault: { code: 'network', detail }, stop: false, cause: 'lost' })

const banned = (words: string): Ending => ({
  fault: {
    code: 'banned',
    detail: `The IRC server has banned us: ${quoted(words)}. Ask its operators, then restart the connection`,
  },
  stop: true,
  cause: 'banned',
})

const killed = (words: string): Ending => ({
  fault: {
    code: 'banned',
    detail: `An operator of the IRC network has ended our connection: ${quoted(words)}. Ask them before you restart it`,
  },
  stop: true,
  cause: 'killed',
})

export const badCredentials = (detail: string): Ending => ({
  fault: { code: 'bad-credentials', detail },
  stop: true,
  cause: 'lost',
})

/** A KILL of us, or the words in the ERROR that follows one. */
export const readKill = (words: string): Ending => {
  if (/nick(name)? collision|services? (restart|reset)/i.test(words))
    return lost(`Nickname collision: ${quoted(words)}`)
  if (/\b(ghost|regain|recover|release)\b/i.test(words)) {
    return {
      fault: {
        code: 'signed-in-elsewhere',
        detail: `Somebody with our password has taken the nickname back: ${quoted(words)}. Only one bridge may use it`,
      },
      stop: true,
      cause: 'lost',
    }
  }
  return killed(words)
}

/** The text of an ERROR line, which closes the connection. */
export const readError = (words: string): Ending => {
  if (/thrott|too fast|reconnecting too|wait a while|try again later/i.test(words)) {
    return {
      ...lost(`The IRC server wants us to wait: ${quoted(words)}`),
      retryAfter: THROTTLED_MS,
      cause: 'throttled',
    }
  }
  if (/too many|no more connections|connection limit|session limit/i.test(words)) {
    return {
      ...lost(`The IRC server takes no more connections from this host: ${quoted(words)}`),
      retryAfter: THROTTLED_MS,
      cause: 'full',
    }
  }
  if (/\bkilled\b/i.test(words)) return readKill(words)
  if (/\b([kgzdxq]-?lined?|akill|autokill|banned|blacklist|dnsbl|not welcome|denied access)\b/i.test(words)) {
    return banned(words)
  }
  if (/bad password|password mismatch|access denied/i.test(words)) return badPassword(words)
  return lost(`The IRC server closed the connection: ${quoted(words)}`)
}

const badPassword = (words: string): Ending =>
  badCredentials(`The IRC server refuses its password: ${quoted(words)}. Check "password" of this network`)

/** Numerics that end an attempt to register; undefined for all others. */
export const readNumeric = (command: string, words: string): Ending | undefined => {
  switch (command) {
    case '465':
    case '463':
      return banned(words)
    case '464':
      return badPassword(words)
    default:
      return undefined
  }
}

/** What the library says of a failed SASL: only a refusal of the password is final, services come and go. */
export const readSaslFailure = (reason: string, words: string): Ending => {
  if (reason === 'capability_missing') {
    return lost('The IRC server offers no SASL now; its services may be away. Use "nickserv" where there never is SASL')
  }
  if (reason === 'unsupported_mechanism') {
    return badCredentials('The IRC server does not know this SASL mechanism. Change "sasl.mechanism" of this network')
  }
  return badCredentials(
    `The IRC services refuse our account: ${quoted(words)}. Check account and password under "sasl" of this network`,
  )
}

/** Why there was no connection at all; `place` is host:port. */
export const unreachable = (place: string, error: Error | undefined): Ending => {
  const code = error !== undefined && 'code' in error ? String(error.code) : ''
  if (/ALTNAME/.test(code)) {
    return lost(
      `The certificate of ${place} is for another name (${code}). Write that name in "server" of this network`,
    )
  }
  if (/EXPIRED|NOT_YET_VALID/.test(code)) {
    return lost(`The certificate of ${place} is out of date (${code}). Check our clock, or ask its operators`)
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return lost(
      `The certificate of ${place} is not trusted (${code}). Give its authority: write tls: { ca: FILE } in this network`,
    )
  }
  if (/SSL|EPROTO|WRONG_VERSION/.test(code)) {
    return lost(`${place} speaks no TLS (${code}). Check port and "tls" of this network`)
  }
  return lost(
    `Cannot reach ${place}${code === '' ? '' : ` (${code})`}. Check "server" of this network, and the network`,
  )
}
