/** What the switchboard answered -> what the lane is told. Pure; docs/protocol.md, Switchboard and Errors. */
import type { DeliveryResult, Reason } from '../../bridge/model/result.ts'
import type {
  CommandFailure,
  CommandResult,
  InviteResult,
  OpenSwitchboardResult,
  SendResult,
} from '../../msnp/index.ts'

export type NotDelivered = Exclude<DeliveryResult, { kind: 'delivered' }>
export type OpenFailure = Extract<OpenSwitchboardResult, { ok: false }>['failure']
export type InviteFailure = Exclude<InviteResult, { kind: 'joined' }>

export const DELIVERED: DeliveryResult = { kind: 'delivered', ids: [] }

/** Before another try, milliseconds: the trouble is over as soon as there is a new switchboard. */
export const SOON_MS = 2_000
/** The service is overloaded or broken. */
export const BUSY_MS = 15_000
/** We are too fast, or the person does not react. */
export const SLOW_MS = 60_000
/** So often one and the same message may be answered with NAK before it is given up. */
export const MAX_NAKS = 3

export const retry = (
  reason: Reason,
  wait: Extract<DeliveryResult, { kind: 'retry' }>['wait'],
  detail: string,
): NotDelivered => ({ kind: 'retry', reason, wait, detail })

export const refused = (reason: Reason, detail: string): NotDelivered => ({ kind: 'refused', reason, detail })

export const SIGNED_OUT = retry('network', 'session-online', 'the MSN account is not signed in')

const NO_ACCOUNT: ReadonlySet<number> = new Set([201, 205, 206, 208])
const notFound = (who: string): NotDelivered => refused('not-found', `${who} has no account on that MSN network`)

const TOO_FAST: ReadonlySet<number> = new Set([713, 714, 800])

/** XFR has nothing of ours in it that could be wrong, so nothing is refused for good. */
export const resultOfOpen = (failure: OpenFailure): NotDelivered => {
  switch (failure.kind) {
    case 'closed':
    case 'aborted':
      return SIGNED_OUT
    case 'hidden':
      return retry('forbidden', SLOW_MS, 'the MSN account appears offline and may not open a conversation')
    case 'unreachable':
      return retry('network', BUSY_MS, `the switchboard cannot be reached (${failure.detail})`)
    case 'timeout':
      return retry('network', BUSY_MS, `no switchboard in time (waited for ${failure.waitingFor})`)
    case 'invalid':
      return retry('protocol', SLOW_MS, failure.detail)
    case 'refused':
      if (failure.code === 913) return resultOfOpen({ kind: 'hidden' })
      if (TOO_FAST.has(failure.code)) {
        return retry('rate-limited', SLOW_MS, 'the MSN server wants us to open conversations more slowly')
      }
      // A ticket that was too old: the next one is fresh.
      if (failure.code === 911) return retry('network', SOON_MS, `no switchboard: ${failure.meaning} (911)`)
      return retry(
        failure.code < 400 && failure.code >= 300 ? 'protocol' : 'network',
        failure.code === 280 || failure.code === 281 || failure.code >= 500 ? BUSY_MS : SLOW_MS,
        `no switchboard: ${failure.meaning} (${failure.code})`,
      )
  }
}

/** `who`: the address that was called. */
export const resultOfInvite = (failure: InviteFailure, who: string): NotDelivered => {
  switch (failure.kind) {
    case 'closed':
      return retry('network', SOON_MS, 'the switchboard was closed before anybody came')
    case 'timeout':
      return failure.waitingFor === 'JOI'
        ? retry('offline', SLOW_MS, `${who} does not answer the invitation`)
        : retry('network', BUSY_MS, 'the switchboard does not answer')
    case 'refused':
      return resultOfCode(failure.code, failure.meaning, who)
  }
}

const resultOfCode = (code: number, meaning: string, who: string): NotDelivered => {
  switch (code) {
    case 217:
      // The service does not tell offline, hidden and unknown apart.
      return retry('offline', 'recipient-online', `${who} is offline (or hidden)`)
    case 216:
      return refused('blocked', `${who} does not take messages from this account`)
    case 911:
      return retry('network', SOON_MS, `the switchboard did not accept us: ${meaning} (${code})`)
    case 913:
      return resultOfOpen({ kind: 'hidden' })
    default:
      if (NO_ACCOUNT.has(code)) return notFound(who)
      if (TOO_FAST.has(code)) {
        return retry('rate-limited', SLOW_MS, 'the MSN server wants us to call people more slowly')
      }
      return retry('network', BUSY_MS, `${who} could not be called: ${meaning} (${code})`)
  }
}

/** Somebody is offline and could not be put on our list, so their coming will not be seen. */
export const resultOfWatch = (failure: CommandFailure, who: string): NotDelivered =>
  failure.kind === 'refused' && NO_ACCOUNT.has(failure.code)
    ? notFound(who)
    : retry('offline', SLOW_MS, `${who} is offline (or hidden), and cannot be put on the contact list`)

/** Nobody of a group came: wait for those who may yet come; refuse only when there is none. */
export const resultOfInvites = (failures: readonly NotDelivered[]): NotDelivered => {
  const waits = failures.filter((failure) => failure.kind === 'retry')
  const timed = waits.filter((failure) => typeof failure.wait === 'number')
  const [soonest] = timed.toSorted((a, b) => Number(a.wait) - Number(b.wait))
  const [offline] = waits
  const [first] = failures
  // A person who was called and did not come may be there the next time; presence alone would not tell.
  return soonest ?? offline ?? first ?? refused('not-found', 'the group has no members')
}

/** `naks`: how often this message was answered with NAK so far, this time included. */
export const resultOfSend = (result: Exclude<SendResult, { kind: 'acked' | 'sent' }>, naks: number): NotDelivered => {
  switch (result.kind) {
    case 'nak':
      return naks < MAX_NAKS
        ? retry('network', SOON_MS, 'the message did not reach the others')
        : refused('protocol', 'the MSN server says that the message cannot be delivered')
    case 'left-before-ack':
      return uncertain('everybody left before the message was acknowledged')
    case 'timeout':
      return uncertain('the message was not acknowledged in time')
    case 'lost':
      return uncertain('the switchboard was lost before the message was acknowledged')
    case 'not-written':
      if (result.why === 'too-large') return refused('too-large', 'the message does not fit into 1664 bytes')
      return result.why === 'backlog'
        ? retry('rate-limited', SOON_MS, 'too many messages wait for their acknowledgement')
        : retry('network', SOON_MS, 'the switchboard was closed before the message was written')
  }
}

const uncertain = (detail: string): NotDelivered => ({ kind: 'uncertain', detail })

/** What became of a request about the account itself. */
export const resultOfCommand = (result: CommandResult): DeliveryResult => {
  if (result.ok) return DELIVERED
  const { failure } = result
  switch (failure.kind) {
    case 'closed':
      return SIGNED_OUT
    case 'timeout':
      return retry('network', SLOW_MS, `the MSN server did not answer (waited for ${failure.waitingFor})`)
    case 'invalid':
      return refused('protocol', failure.detail)
    case 'refused':
      return failure.code === 800
        ? retry('rate-limited', SLOW_MS, 'that was too fast for the MSN server')
        : refused('protocol', `the MSN server refused: ${failure.meaning} (${failure.code})`)
  }
}
