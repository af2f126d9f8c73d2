/** What our HTTP pages have in common. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** `//login2.srf?lc=1033` occurs as well as `https://host/login2.srf`. Lower case, without the query. */
export const pathOf = (url: string): string =>
  url
    .replace(/^https?:\/\/[^/]*/i, '')
    .replace(/[?#].*$/s, '')
    .replace(/^\/+/, '/')
    .toLowerCase()

/** What follows the question mark. */
export const queryOf = (url: string): string => /\?([^#]*)/s.exec(url)?.[1] ?? ''

/** The client's address; behind a proxy on this machine (`plain`), what the proxy says. */
export function clientOf({ socket, headers }: IncomingMessage, plain: boolean): string {
  const direct = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (!plain || !/^(?:127\.|::1$)/.test(direct)) return direct
  const forwarded = String(headers['x-forwarded-for'] ?? '')
  return forwarded.split(',').at(-1)?.trim().slice(0, 64) || direct
}

/** 'too large': more than so many bytes, and the rest was not read. 'gone': it broke off. Never rejects. */
export function readBody(request: IncomingMessage, max: number): Promise<Buffer | 'too large' | 'gone'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    if (Number(request.headers['content-length'] ?? 0) > max) {
      resolve('too large')
      return
    }
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= max) chunks.push(chunk)
      else {
        chunks.length = 0
        resolve('too large')
      }
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => resolve('gone'))
    request.on('close', () => resolve('gone'))
  })
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number>>
  readonly body?: string | Uint8Array
  /** Clients that come once want the connection closed. */
  readonly keep?: boolean
}

/** `sent`: the system has all of it. */
export function reply(response: ServerResponse, { status, headers, body = '', keep }: Reply, sent?: () => void): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, {
    ...headers,
    ...(headers?.['Content-Type'] === undefined ? { 'Content-Type': 'text/html' } : {}),
    'Content-Length': bytes.length,
    'Cache-Control': 'no-cache',
    Connection: keep === true ? 'Keep-Alive' : 'close',
  })
  response.end(bytes, sent)
}
