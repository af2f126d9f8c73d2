/** A client of the HTTP gateway as old ones are: one POST after the other, the newest SessionID in each. */
import http from 'node:http'

export interface GatewayReply {
  readonly status: number
  readonly type: string
  readonly header: string
  readonly body: string
}

export const postGateway = (
  port: number,
  query: string,
  body = '',
  method = 'POST',
  more: Readonly<Record<string, string>> = {},
): Promise<GatewayReply> =>
  new Promise((resolve, reject) => {
    const bytes = Buffer.from(body, 'utf8')
    const request = http.request({
      host: '127.0.0.1',
      port,
      agent: false,
      method,
      // Through a proxy the whole address stands in the first line.
      path: `http://gateway.messenger.hotmail.com/gateway/gateway.dll?${query}`,
      headers: {
        'User-Agent': 'MSMSGS',
        'Content-Type': 'application/x-msn-messenger',
        'Content-Length': bytes.length,
        ...more,
      },
    })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          header: String(response.headers['x-msn-messenger'] ?? ''),
          body: text,
        }),
      )
    })
    request.end(bytes)
  })

export class GatewayGuest {
  readonly #port: number
  readonly #server: 'NS' | 'SB'
  readonly #place: string
  #heard = ''
  /** All SessionIDs so far. */
  readonly names: string[] = []
  closed = false

  constructor(port: number, server: 'NS' | 'SB', place: string) {
    this.#port = port
    this.#server = server
    this.#place = place
  }

  async post(body: string): Promise<GatewayReply> {
    const name = this.names.at(-1)
    const query =
      name === undefined
        ? `Action=open&Server=${this.#server}&IP=${this.#place}`
        : `${body === '' ? 'Action=poll&Lifespan=3&' : ''}SessionID=${name}`
    const reply = await postGateway(this.#port, query, body)
    const session = /SessionID=([^;]+)/.exec(reply.header)?.[1]
    if (session !== undefined) this.names.push(session)
    this.closed ||= reply.header.includes('Session=close')
    this.#heard += reply.body
    return reply
  }

  /** Says something and polls until that has come; gives all since the last time. */
  async until(pattern: RegExp, body?: string): Promise<string> {
    if (body !== undefined) await this.post(body)
    for (let poll = 0; poll < 50 && !pattern.test(this.#heard); poll++) {
      if (this.closed) throw new Error(`closed before ${pattern.source}: ${this.#heard}`)
      const { status } = await this.post('')
      if (status !== 200) throw new Error(`${status} before ${pattern.source}: ${this.#heard}`)
    }
    if (!pattern.test(this.#heard)) throw new Error(`no ${pattern.source} in ${this.#heard}`)
    const heard = this.#heard
    this.#heard = ''
    return heard
  }
}
