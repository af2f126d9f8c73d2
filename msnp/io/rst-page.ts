import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { formatRstFault, formatRstSuccess, MESSENGER, parseRstRequest, RST_CONTENT_TYPE } from '../auth/rst.ts'
import type { Host, ServiceNotice, Tickets } from '../service/contract.ts'
import { readBody, reply } from './web.ts'

/** Bytes of a request; real ones are about 3 KiB. */
export const MAX_RST_BYTES = 32 * 1024
/** What a client that was throttled is told to wait. Seconds. */
export const RETRY_AFTER_S = 60

export interface RstPageOptions {
  readonly host: Pick<Host, 'verifyPassword'>
  readonly tickets: Tickets
  /** Milliseconds that a ticket is good for. */
  readonly ticketMs: number
  readonly now: () => number
  readonly onNotice: (notice: ServiceNotice) => void
  readonly onRefused: (reason: string) => void
}

/** The login of later clients. A wrong password is told with status 200, as they want it. Never rejects. */
export async function answerRst(
  options: RstPageOptions,
  request: IncomingMessage,
  response: ServerResponse,
  address: string,
): Promise<void> {
  const { host, tickets, ticketMs, now, onNotice, onRefused } = options
  const headers = { 'Content-Type': RST_CONTENT_TYPE }
  const body = await readBody(request, MAX_RST_BYTES)
  if (body === 'gone') return
  const asked = body === 'too large' ? undefined : parseRstRequest(body.toString('utf8'))
  if (asked === undefined) {
    onRefused(body === 'too large' ? 'a login request that is too large' : 'login without credentials')
    reply(response, { status: body === 'too large' ? 413 : 400, headers, body: formatRstFault('no request') })
    return
  }
  try {
    const email = asked.signIn.toLowerCase()
    switch (await host.verifyPassword(email, asked.password, address)) {
      case 'right': {
        const created = now()
        const wanted = asked.wanted.length === 0 ? [{ id: 1, address: MESSENGER }] : asked.wanted
        const answer = formatRstSuccess({
          signIn: asked.signIn,
          puid: createHash('sha256').update(email).digest('hex').slice(0, 16),
          tokens: wanted.map(({ id, address: place }) => ({
            id,
            address: place,
            ticket: tickets.mint(email, created),
          })),
          created,
          expires: created + ticketMs,
          secret: randomBytes(24).toString('base64'),
        })
        reply(response, { status: 200, headers, body: answer })
        break
      }
      case 'wrong':
        onRefused('wrong password')
        onNotice({ kind: 'refused', email, code: 911, address })
        reply(response, { status: 200, headers, body: formatRstFault('wrong password') })
        break
      case 'throttled':
        onRefused('throttled')
        onNotice({ kind: 'refused', email, code: 503, address })
        reply(response, {
          status: 503,
          headers: { ...headers, 'Retry-After': RETRY_AFTER_S },
          body: formatRstFault('busy'),
        })
        break
    }
  } catch (error) {
    onNotice({ kind: 'failure', detail: `checking a password: ${error instanceof Error ? error.message : 'unknown'}` })
    reply(response, { status: 500, headers, body: formatRstFault('busy') })
  }
}
