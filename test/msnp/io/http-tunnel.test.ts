/** Our end of the HTTP gateway, at gateways that are not ours. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_ANSWER_BYTES, openHttpTunnel, type HttpTunnelOptions } from '../../../msnp/io/http-tunnel.ts'
import type { Tunnel } from '../../../msnp/io/tunnel.ts'

/** Polled, with time enough for a machine that is busy. */
const soon = <Value>(read: () => Value) => expect.poll(read, { timeout: 10_000 })

const servers: http.Server[] = []
const tunnels: Tunnel[] = []
afterEach(async () => {
  for (const tunnel of tunnels.splice(0)) tunnel.destroy()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

type Answer = (request: { url: string; body: string; response: http.ServerResponse; socket: unknown }) => void

const gateway = async (answer: Answer, host = '127.0.0.1') => {
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => answer({ url: request.url ?? '', body, response, socket: request.socket }))
  })
  servers.push(server)
  server.listen(0, host)
  await once(server, 'listening')
  return new URL(`http://${host}:${(server.address() as AddressInfo).port}`)
}

const header = (words: string) => ({ 'X-MSN-Messenger': words })

const open = (url: URL, options: Partial<HttpTunnelOptions> = {}) => {
  const tunnel = openHttpTunnel({
    gateway: url,
    server: 'NS',
    host: 'messenger.example',
    pollMs: 5,
    timeoutMs: 5_000,
    allowPrivate: undefined,
    now: () => Date.now(),
    ...options,
  })
  tunnels.push(tunnel)
  const seen = { heard: '', ended: false, closed: false, error: '' }
  tunnel.on('data', (chunk: Buffer) => (seen.heard += chunk.toString()))
  tunnel.on('end', () => (seen.ended = true))
  tunnel.on('error', (error: NodeJS.ErrnoException) => (seen.error = error.code ?? ''))
  tunnel.on('close', () => (seen.closed = true))
  return { tunnel, seen }
}

describe('a gateway', () => {
  it('that sends us to another host of its own gets the next requests there', async () => {
    const asked: string[] = []
    const url = await gateway(({ url: path, response }) => {
      asked.push(path)
      response.writeHead(200, header('SessionID=1.2; GW-IP=127.0.0.2')).end()
    })
    const other: string[] = []
    const second = http.createServer((request, response) => {
      other.push(`${request.headers.host ?? ''}${request.url ?? ''}`)
      response.writeHead(200, header('SessionID=1.3; GW-IP=127.0.0.2; Session=close')).end('bye')
    })
    servers.push(second)
    second.listen(Number(url.port), '127.0.0.2')
    await once(second, 'listening')
    const { tunnel, seen } = open(url)
    tunnel.write(Buffer.from('VER\r\n'))
    await soon(() => seen).toEqual({ heard: 'bye', ended: true, closed: true, error: '' })
    expect(asked).toEqual(['/gateway/gateway.dll?Action=open&Server=NS&IP=messenger.example'])
    expect(other).toEqual([`127.0.0.2:${url.port}/gateway/gateway.dll?Action=poll&SessionID=1.2`])
  })

  it.each(['127.0.0.2', '10.0.0.1', '127.1', '2130706434', '[::1]', '127.0.0.2:1'])(
    'that is public sends nobody to %s',
    async (place) => {
      const asked: string[] = []
      const url = await gateway(({ url: path, response }) => {
        asked.push(path)
        const closes = asked.length > 1 ? '; Session=close' : ''
        response.writeHead(200, header(`SessionID=1.2; GW-IP=${place}${closes}`)).end()
      })
      const { tunnel, seen } = open(url, { allowPrivate: false })
      tunnel.write(Buffer.from('VER\r\n'))
      await soon(() => seen.closed).toBe(true)
      expect([asked.length, seen.error]).toEqual([2, ''])
    },
  )

  it('that closed the connection between two requests is asked once more', async () => {
    const sockets = new Set<unknown>()
    let polls = 0
    const url = await gateway(({ url: path, response, socket }) => {
      sockets.add(socket)
      if (path.includes('poll') && ++polls === 2) {
        response.socket?.resetAndDestroy()
        return
      }
      response.writeHead(200, header(`SessionID=1.2${polls > 3 ? '; Session=close' : ''}`)).end()
    })
    const { tunnel, seen } = open(url)
    tunnel.write(Buffer.from('VER\r\n'))
    await soon(() => seen.closed).toBe(true)
    expect([seen.error, sockets.size]).toEqual(['', 2])
  })

  it.each<[string, Answer, string]>([
    ['is none', ({ response }) => response.writeHead(404).end(), 'it answered 404'],
    ['gives no name', ({ response }) => response.writeHead(200).end(), 'it gave no SessionID'],
    [
      'never stops',
      ({ response }) => response.writeHead(200, header('SessionID=1.2')).end(Buffer.alloc(MAX_ANSWER_BYTES + 1)),
      `an answer of more than ${MAX_ANSWER_BYTES} bytes`,
    ],
    ['hangs up', ({ response }) => response.socket?.destroy(), 'ECONNRESET'],
    [
      'hangs up in the middle',
      ({ response }) => {
        response.writeHead(200, { ...header('SessionID=1.2'), 'Content-Length': 10 })
        response.write('12345', () => response.socket?.destroy())
      },
      'ECONNRESET',
    ],
    ['speaks no HTTP', ({ response }) => response.socket?.end('220 hello\r\n'), 'HPE_INVALID_CONSTANT'],
  ])('that %s ends the connection with words', async (_, answer, wrong) => {
    const url = await gateway(answer)
    const { tunnel, seen } = open(url)
    tunnel.write(Buffer.from('VER\r\n'))
    await soon(() => seen.closed).toBe(true)
    expect(seen.error).toBe(`the HTTP gateway ${url.host}: ${wrong}`)
    expect(seen.heard).toBe('')
  })

  it('that is silent is given up', async () => {
    const url = await gateway(() => undefined)
    const { tunnel, seen } = open(url, { timeoutMs: 50 })
    tunnel.write(Buffer.from('VER\r\n'))
    await soon(() => seen.error).toBe(`the HTTP gateway ${url.host}: no answer within 50 ms`)
  })
})

describe('our side', () => {
  it('knows what has been taken', async () => {
    const url = await gateway(({ body, response }) =>
      response.writeHead(200, header('SessionID=1.2')).end(body.toLowerCase()),
    )
    const { tunnel, seen } = open(url)
    const taken: string[] = []
    tunnel.write(Buffer.from('ONE'), () => taken.push('one'))
    tunnel.write(Buffer.from('TWO'), () => taken.push('two'))
    expect([tunnel.writableLength, taken]).toEqual([6, []])
    await soon(() => seen.heard).toBe('onetwo')
    expect([tunnel.writableLength, taken]).toEqual([0, ['one', 'two']])
  })

  it('cut off asks nothing more and says so once', async () => {
    let asked = 0
    const url = await gateway(({ response }) => {
      asked++
      response.writeHead(200, header('SessionID=1.2')).end()
    })
    const { tunnel, seen } = open(url, { pollMs: 60_000 })
    tunnel.write(Buffer.from('VER\r\n'))
    await soon(() => tunnel.writableLength).toBe(0)
    let closes = 0
    tunnel.on('close', () => closes++)
    tunnel.destroy()
    tunnel.destroy()
    tunnel.write(Buffer.from('VER\r\n'))
    await soon(() => seen.closed).toBe(true)
    expect([asked, closes, seen.error, tunnel.writable]).toEqual([1, 1, '', false])
  })
})
