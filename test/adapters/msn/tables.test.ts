import { describe, expect, it } from 'vitest'
import { availabilityOf, statusFor } from '../../../adapters/msn/presence.ts'
import { faultOfClose, needsPerson, sessionFault } from '../../../adapters/msn/faults.ts'
import {
  BUSY_MS,
  MAX_NAKS,
  resultOfInvite,
  resultOfInvites,
  resultOfOpen,
  resultOfSend,
  SLOW_MS,
  SOON_MS,
  type InviteFailure,
  type NotDelivered,
  type OpenFailure,
} from '../../../adapters/msn/results.ts'
import { parseAddress } from '../../../adapters/msn/words.ts'
import type { Availability } from '../../../bridge/model/presence.ts'
import { STATUSES, errorCode, type ClientCloseReason, type SignInFailure } from '../../../msnp/index.ts'

const refusal = (code: number): Extract<InviteFailure & OpenFailure, { kind: 'refused' }> => ({
  kind: 'refused',
  code,
  name: errorCode(code).name,
  meaning: errorCode(code).meaning,
})
const short = (result: NotDelivered): readonly unknown[] =>
  result.kind === 'retry'
    ? [result.kind, result.reason, result.wait]
    : result.kind === 'refused'
      ? [result.kind, result.reason]
      : [result.kind]

describe('presence', () => {
  it('keeps every status that a person can choose', () => {
    for (const status of STATUSES) expect(statusFor(availabilityOf(status))).toBe(status)
  })

  it.each([
    ['offline', 'AWY'],
    ['hidden', 'HDN'],
    ['online', 'NLN'],
  ] as [Availability, string][])('asks for %s as %s', (show, status) => {
    expect(statusFor(show)).toBe(status)
  })

  it('shows who is not seen as offline', () => {
    expect(availabilityOf(undefined)).toBe('offline')
  })
})

/** docs/protocol.md, Switchboard and Errors. */
describe('an invitation that comes to nothing', () => {
  it.each([
    [217, ['retry', 'offline', 'recipient-online']],
    [216, ['refused', 'blocked']],
    [208, ['refused', 'not-found']],
    [205, ['refused', 'not-found']],
    [201, ['refused', 'not-found']],
    [713, ['retry', 'rate-limited', SLOW_MS]],
    [800, ['retry', 'rate-limited', SLOW_MS]],
    [911, ['retry', 'network', SOON_MS]],
    [913, ['retry', 'forbidden', SLOW_MS]],
    [280, ['retry', 'network', BUSY_MS]],
    [500, ['retry', 'network', BUSY_MS]],
    [601, ['retry', 'network', BUSY_MS]],
    [707, ['retry', 'network', BUSY_MS]],
    [999, ['retry', 'network', BUSY_MS]],
  ])('with %i', (code, expected) => {
    expect(short(resultOfInvite(refusal(code), 'bob@example.com'))).toEqual(expected)
  })

  it.each([
    [{ kind: 'timeout', waitingFor: 'JOI' }, ['retry', 'offline', SLOW_MS]],
    [{ kind: 'timeout', waitingFor: 'CAL' }, ['retry', 'network', BUSY_MS]],
    [{ kind: 'closed' }, ['retry', 'network', SOON_MS]],
  ] as [InviteFailure, unknown[]][])('with %j', (failure, expected) => {
    expect(short(resultOfInvite(failure, 'bob@example.com'))).toEqual(expected)
  })

  it('does not pretend to know more than the server says', () => {
    expect(resultOfInvite(refusal(217), 'bob@example.com').detail).toBe('bob@example.com is offline (or hidden)')
  })
})

describe('no switchboard', () => {
  it.each([
    [refusal(800), ['retry', 'rate-limited', SLOW_MS]],
    [refusal(713), ['retry', 'rate-limited', SLOW_MS]],
    [refusal(913), ['retry', 'forbidden', SLOW_MS]],
    [refusal(911), ['retry', 'network', SOON_MS]],
    ...[280, 281, 500, 600, 707].map((code) => [refusal(code), ['retry', 'network', BUSY_MS]] as const),
    [refusal(302), ['retry', 'protocol', SLOW_MS]],
    [{ kind: 'hidden' }, ['retry', 'forbidden', SLOW_MS]],
    [{ kind: 'closed' }, ['retry', 'network', 'session-online']],
    [{ kind: 'aborted' }, ['retry', 'network', 'session-online']],
    [{ kind: 'timeout', waitingFor: 'XFR' }, ['retry', 'network', BUSY_MS]],
    [{ kind: 'unreachable', detail: 'ECONNREFUSED' }, ['retry', 'network', BUSY_MS]],
    [{ kind: 'invalid', detail: 'x' }, ['retry', 'protocol', SLOW_MS]],
  ] as [OpenFailure, unknown[]][])('because of %j', (failure, expected) => {
    expect(short(resultOfOpen(failure))).toEqual(expected)
  })
})

describe('a group of which nobody came', () => {
  const offline = resultOfInvite(refusal(217), 'a')
  const blocked = resultOfInvite(refusal(216), 'b')
  const silent = resultOfInvite({ kind: 'timeout', waitingFor: 'JOI' }, 'c')
  it.each([
    ['all offline', [offline, offline], ['retry', 'offline', 'recipient-online']],
    ['one offline, one blocks us', [blocked, offline], ['retry', 'offline', 'recipient-online']],
    ['one may yet come', [offline, silent], ['retry', 'offline', SLOW_MS]],
    ['all block us', [blocked, blocked], ['refused', 'blocked']],
    ['nobody at all', [], ['refused', 'not-found']],
  ])('%s', (_name, failures, expected) => {
    expect(short(resultOfInvites(failures))).toEqual(expected)
  })
})

describe('a message that was not acknowledged', () => {
  it.each([
    [{ kind: 'nak' }, 1, ['retry', 'network', SOON_MS]],
    [{ kind: 'nak' }, MAX_NAKS, ['refused', 'protocol']],
    [{ kind: 'left-before-ack' }, 0, ['uncertain']],
    [{ kind: 'timeout' }, 0, ['uncertain']],
    [{ kind: 'lost' }, 0, ['uncertain']],
    [{ kind: 'not-written', why: 'closed' }, 0, ['retry', 'network', SOON_MS]],
    [{ kind: 'not-written', why: 'empty' }, 0, ['retry', 'network', SOON_MS]],
    [{ kind: 'not-written', why: 'backlog' }, 0, ['retry', 'rate-limited', SOON_MS]],
    [{ kind: 'not-written', why: 'too-large' }, 0, ['refused', 'too-large']],
  ] as const)('%j for the %i. time', (result, naks, expected) => {
    expect(short(resultOfSend(result, naks))).toEqual(expected)
  })
})

describe('faults', () => {
  const failure = (kind: SignInFailure['kind'], more: Partial<SignInFailure> = {}) => ({ kind, detail: 'why', ...more })
  it.each([
    [failure('bad-credentials'), 'bad-credentials', true],
    [failure('signed-in-elsewhere'), 'signed-in-elsewhere', true],
    [failure('refused', { code: 511 }), 'banned', true],
    [failure('refused'), 'protocol', false],
    [failure('protocol'), 'protocol', false],
    [failure('busy', { retryAfterMs: 30_000 }), 'network', false],
    [failure('unreachable'), 'network', false],
    [failure('tls'), 'network', false],
    [failure('timeout'), 'network', false],
    [failure('aborted'), 'network', false],
  ])('of a sign-in: %j', (from, code, person) => {
    const { fault, retryAfter } = sessionFault(from)
    expect(fault.code).toBe(code)
    expect(needsPerson(fault)).toBe(person)
    expect(retryAfter).toBe(from.retryAfterMs)
  })

  it.each([
    [{ kind: 'signed-out' }, undefined, false],
    [{ kind: 'signed-in-elsewhere' }, 'signed-in-elsewhere', true],
    [{ kind: 'server-shutdown' }, 'shutdown', false],
    [{ kind: 'lost', detail: 'ECONNRESET' }, 'network', false],
    [{ kind: 'timeout', waitingFor: 'QNG' }, 'network', false],
    [{ kind: 'protocol', detail: 'x' }, 'protocol', false],
    [{ kind: 'refused', code: 540, detail: 'x' }, 'protocol', false],
    [{ kind: 'move-failed', failure: failure('bad-credentials') }, 'bad-credentials', true],
  ] as [ClientCloseReason, string | undefined, boolean][])('of a session that ended: %j', (reason, code, person) => {
    const fault = faultOfClose(reason)
    expect(fault?.code).toBe(code)
    expect(fault !== undefined && needsPerson(fault)).toBe(person)
  })
})

describe('addresses', () => {
  it.each([
    ['Bob@Example.com', 'bob@example.com'],
    [' bob@example.com ', 'bob@example.com'],
    ['bob', undefined],
    ['bob@', undefined],
    ['a@b@c', undefined],
    ['bob smith@example.com', undefined],
    ['bob%20@example.com', undefined],
    [`${'b'.repeat(130)}@example.com`, undefined],
  ])('%j is %j', (text, expected) => {
    expect(parseAddress(text)).toBe(expected)
  })
})
