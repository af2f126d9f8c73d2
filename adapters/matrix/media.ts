/** Bytes of files that people of Matrix sent, from our own homeserver only. */
import type { MediaResult, Reason } from '../../bridge/model/result.ts'
import { parseRef, type Mxc } from './mxc.ts'
import { path } from './paths.ts'
import { jsonOf, textIn } from './untrusted.ts'

/** What is read of an answer that says why not. Bytes. */
const MAX_ERROR_BYTES = 10_000

export interface MediaDeps {
  /** As in the config, without a slash at the end: `http://127.0.0.1:8008`. */
  readonly homeserver: string
  /** Read anew for each request. */
  readonly token: () => string
}

/** `ref`: `mxc://server/id`, or a small picture of it. Never rejects. */
export const mediaOf = async (
  ref: string,
  { homeserver, token }: MediaDeps,
  signal: AbortSignal,
): Promise<MediaResult> => {
  const parsed = parseRef(ref)
  if (parsed === undefined) return refused('not-found', 'this is no address of a file on Matrix')
  try {
    const headers = { authorization: `Bearer ${token()}`, 'accept-encoding': 'identity' }
    const { mxc, size } = parsed
    const places = size === undefined ? [authenticated(mxc), legacy(mxc)] : thumbnails(mxc, size)
    for (const place of places) {
      const answer = await fetch(homeserver + place, { headers, redirect: 'manual', signal })
      const media = await judged(answer, signal)
      if (media !== undefined) return media
    }
    return refused('not-found', 'the homeserver has no way to give files')
  } catch (error) {
    const detail = error instanceof Error && error.cause instanceof Error ? error.cause.message : 'the request failed'
    return refused('network', `the homeserver has not given the file: ${detail}`)
  }
}

const authenticated = ({ server, id }: Mxc): string => path`/_matrix/client/v1/media/download/${server}/${id}`
/** Before version 1.11 of the specification. */
const legacy = ({ server, id }: Mxc): string => path`/_matrix/media/v3/download/${server}/${id}`

const thumbnails = ({ server, id }: Mxc, size: number): readonly string[] => {
  const query = `?width=${size}&height=${size}&method=crop`
  return [
    path`/_matrix/client/v1/media/thumbnail/${server}/${id}` + query,
    path`/_matrix/media/v3/thumbnail/${server}/${id}` + query,
  ]
}

/** undefined: the homeserver does not know this way of asking. */
const judged = async (answer: Response, signal: AbortSignal): Promise<MediaResult | undefined> => {
  if (answer.status >= 300 && answer.status < 400)
    return (
      (await followed(answer, signal)) ?? refused('protocol', 'the homeserver sends us somewhere else for the file')
    )
  if (answer.ok && answer.body !== null) return taken(answer, answer.body)
  const errcode = textIn(jsonOf(await beginning(answer)), 'errcode') ?? `HTTP ${answer.status}`
  if (errcode === 'M_UNRECOGNIZED') return undefined
  return refused(REASONS[errcode] ?? reasonOf(answer.status), `the homeserver has not given the file: ${errcode}`)
}

/** To where the homeserver keeps its files (MSC3860). Once, and never with our token. */
const followed = async (answer: Response, signal: AbortSignal): Promise<MediaResult | undefined> => {
  await answer.body?.cancel()
  const location = answer.headers.get('location')
  const url = location === null ? null : URL.parse(location, answer.url)
  // Never from a safe connection to an unsafe one.
  if (url === null || (url.protocol !== 'https:' && (url.protocol !== 'http:' || answer.url.startsWith('https:'))))
    return undefined
  const moved = await fetch(url, { redirect: 'error', headers: { 'accept-encoding': 'identity' }, signal })
  if (moved.ok && moved.body !== null) return taken(moved, moved.body)
  await moved.body?.cancel()
  return undefined
}

const taken = ({ headers }: Response, body: ReadableStream<Uint8Array>): MediaResult => {
  const length = headers.get('content-length')
  // What was compressed on the way has another length here.
  const told = length !== null && /^\d{1,15}$/.test(length) && headers.get('content-encoding') === null
  return {
    kind: 'media',
    body,
    mime: mimeOf(headers.get('content-type')),
    ...(told ? { size: Number(length) } : {}),
  }
}

/** Kinds that a browser may show without running anything; all others are just bytes. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp', 'image/heic', 'image/jxl'],
  ...['audio/mpeg', 'audio/mp4', 'audio/aac', 'audio/ogg', 'audio/opus', 'audio/wav', 'audio/x-wav', 'audio/flac'],
  ...['audio/webm', 'video/mp4', 'video/webm', 'video/ogg', 'video/quicktime', 'video/x-msvideo', 'video/mpeg'],
  ...['text/plain', 'application/pdf', 'application/zip', 'application/gzip', 'application/x-7z-compressed'],
])

const mimeOf = (type: string | null): string => {
  const mime = type?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return SHOWN.has(mime) ? mime : 'application/octet-stream'
}

const REASONS: Readonly<Record<string, Reason>> = {
  M_NOT_FOUND: 'not-found',
  M_FORBIDDEN: 'forbidden',
  M_UNKNOWN_TOKEN: 'forbidden',
  M_MISSING_TOKEN: 'forbidden',
  M_TOO_LARGE: 'too-large',
  M_LIMIT_EXCEEDED: 'rate-limited',
  M_NOT_YET_UPLOADED: 'network',
}

const reasonOf = (status: number): Reason =>
  status === 404
    ? 'not-found'
    : status === 401 || status === 403
      ? 'forbidden'
      : status === 429
        ? 'rate-limited'
        : 'network'

const beginning = async (answer: Response): Promise<string> => {
  if (answer.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_ERROR_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

const refused = (reason: Reason, detail: string): MediaResult => ({
  kind: 'refused',
  reason,
  detail,
})
