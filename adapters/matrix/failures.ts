/** What became of a request to the homeserver, as one of the kinds that the rest of the adapter knows. Pure. */
import { type LibraryResponse, TransportError } from './transport.ts'
import type { Answer, Failure } from './types.ts'

/** Asked to slow down without being told how long. */
export const DEFAULT_LIMIT_MS = 2_000
/** No homeserver asks for more in earnest. */
export const MAX_LIMIT_MS = 600_000

/** `now`: milliseconds since the epoch, for a `Retry-After` that is a date. */
export const answerOf = <Value>({ statusCode, headers, body }: LibraryResponse, now: number): Answer<Value> => {
  const map = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : undefined
  if (statusCode >= 200 && statusCode < 300)
    return map === undefined
      ? { ok: false, failure: noHomeserver(statusCode, 'the answer is no JSON') }
      : { ok: true, value: map as Value }
  const errcode = typeof map?.['errcode'] === 'string' ? map['errcode'] : undefined
  const error = typeof map?.['error'] === 'string' ? map['error'].slice(0, 300) : undefined
  const detail = [errcode ?? `HTTP ${statusCode}`, ...(error === undefined ? [] : [error])].join(': ')
  return { ok: false, failure: failureOf(statusCode, errcode, detail, limitMs(headers, map, now)) }
}

const failureOf = (status: number, errcode: string | undefined, detail: string, retryAfterMs: number): Failure => {
  if (status === 429) return { kind: 'limited', retryAfterMs, detail }
  if (status >= 500 || status === 0)
    return { kind: 'busy', status, detail, ...(errcode === undefined ? {} : { errcode }) }
  if (errcode === 'M_UNKNOWN_TOKEN' || errcode === 'M_MISSING_TOKEN') return { kind: 'token', errcode, detail }
  if (errcode === undefined) return noHomeserver(status, detail)
  return { kind: 'refused', status, errcode, detail }
}

/** Something else answers there: a web page, a proxy, a redirect. */
const noHomeserver = (status: number, detail: string): Failure => ({
  kind: 'refused',
  status,
  errcode: NO_HOMESERVER,
  detail,
})
export const NO_HOMESERVER = 'NO_HOMESERVER'

const limitMs = (
  headers: LibraryResponse['headers'],
  body: Readonly<Record<string, unknown>> | undefined,
  now: number,
): number => {
  const told = body?.['retry_after_ms']
  const header = headers['retry-after']
  const seconds = Number(header)
  const date = header === undefined ? Number.NaN : Date.parse(header) - now
  const found = [told, Number.isFinite(seconds) && header !== undefined ? seconds * 1_000 : date].find(
    (ms): ms is number => typeof ms === 'number' && Number.isFinite(ms) && ms >= 0,
  )
  return Math.min(found ?? DEFAULT_LIMIT_MS, MAX_LIMIT_MS)
}

/** For requests without an answer. */
export const failureWithout = (error: unknown): Failure => {
  if (!(error instanceof TransportError))
    return { kind: 'unreachable', sent: true, detail: error instanceof Error ? error.message : String(error) }
  if (error.kind === 'aborted') return { kind: 'aborted', detail: error.message }
  return { kind: 'unreachable', sent: error.sent, detail: error.message }
}
