import { expect, test } from 'vitest'
import { answerOf, DEFAULT_LIMIT_MS, failureWithout, MAX_LIMIT_MS } from '../../../adapters/matrix/failures.ts'
import { TransportError } from '../../../adapters/matrix/transport.ts'

const NOW = Date.UTC(2024, 0, 1)

test.each<[status: number, body: unknown, expected: object, headers?: Record<string, string>]>([
  [200, { a: 1 }, { ok: true, value: { a: 1 } }],
  [201, {}, { ok: true, value: {} }],
  [200, { errcode: 'M_FORBIDDEN' }, { ok: true, value: { errcode: 'M_FORBIDDEN' } }],
  [200, '<html>', { failure: { kind: 'refused', errcode: 'NO_HOMESERVER' } }],
  [302, '', { failure: { kind: 'refused', errcode: 'NO_HOMESERVER', status: 302 } }],
  [404, '<html>', { failure: { kind: 'refused', errcode: 'NO_HOMESERVER' } }],
  [
    403,
    { errcode: 'M_FORBIDDEN', error: 'no' },
    { failure: { kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail: 'M_FORBIDDEN: no' } },
  ],
  [401, { errcode: 'M_UNKNOWN_TOKEN' }, { failure: { kind: 'token', errcode: 'M_UNKNOWN_TOKEN' } }],
  [401, { errcode: 'M_MISSING_TOKEN' }, { failure: { kind: 'token', errcode: 'M_MISSING_TOKEN' } }],
  [429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1234 }, { failure: { kind: 'limited', retryAfterMs: 1234 } }],
  [429, {}, { failure: { kind: 'limited', retryAfterMs: 7_000 } }, { 'retry-after': '7' }],
  [
    429,
    {},
    { failure: { kind: 'limited', retryAfterMs: 9_000 } },
    { 'retry-after': new Date(NOW + 9_000).toUTCString() },
  ],
  [429, 'slow down', { failure: { kind: 'limited', retryAfterMs: DEFAULT_LIMIT_MS } }],
  [429, { retry_after_ms: -5 }, { failure: { kind: 'limited', retryAfterMs: DEFAULT_LIMIT_MS } }],
  [429, { retry_after_ms: 1e12 }, { failure: { kind: 'limited', retryAfterMs: MAX_LIMIT_MS } }],
  [500, { errcode: 'M_UNKNOWN' }, { failure: { kind: 'busy', status: 500, errcode: 'M_UNKNOWN' } }],
  [502, '<html>', { failure: { kind: 'busy', status: 502, detail: 'HTTP 502' } }],
])('%i with %j is %j', (statusCode, body, expected, headers = {}) => {
  expect(answerOf({ statusCode, body, headers }, NOW)).toMatchObject(expected)
})

test('what came without an answer says whether it may have been carried out', () => {
  expect(failureWithout(new TransportError('network', false, 'refused'))).toEqual({
    kind: 'unreachable',
    sent: false,
    detail: 'refused',
  })
  expect(failureWithout(new TransportError('timeout', true, 'slow'))).toMatchObject({ kind: 'unreachable', sent: true })
  expect(failureWithout(new TransportError('aborted', true, 'enough'))).toMatchObject({ kind: 'aborted' })
  expect(failureWithout(new Error('a bug'))).toMatchObject({ kind: 'unreachable', sent: true, detail: 'a bug' })
})
