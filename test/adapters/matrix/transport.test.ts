import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import {
  ASIDE,
  type LibraryResponse,
  MAX_ANSWER_BYTES,
  Transport,
  type TransportError,
} from '../../../adapters/matrix/transport.ts'
import { VirtualClock } from '../../kit/clock.ts'

const TIMEOUT_MS = 60_000
const clock = new VirtualClock()
let transport = new Transport(clock)
let server: Server | undefined

afterEach(() => {
  transport.close()
  transport = new Transport(clock)
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

const serve = async (listener: RequestListener): Promise<string> => {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Outcome {
  readonly error: TransportError | null
  readonly response: LibraryResponse | undefined
}

const ask = (
  uri: string,
  aside: { readonly signal?: AbortSignal; readonly token?: string } = {},
  query: Readonly<Record<string, string>> = {},
): Promise<Outcome> =>
  new Promise((resolve) => {
    const headers = { Authorization: 'Bearer ours', 'Content-Type': 'application/json' }
    const qs = { ...query, [ASIDE]: { ...aside, transport } }
    transport.request({ uri, method: 'PUT', qs, headers, body: '{"a":"ü"}', timeout: TIMEOUT_MS }, (error, response) =>
      resolve({ error, response }),
    )
  })

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString()
  return text
}

test('a request goes out whole and its answer comes back as JSON', async () => {
  const seen: string[] = []
  const url = await serve((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push(request.method ?? '', request.url ?? '', request.headers.authorization ?? '', body)
      response.writeHead(201).end('{"ok":true}')
    })
  })
  const { response } = await ask(`${url}/a`, {}, { user_id: '@a b:c', ts: '5' })
  expect(response).toMatchObject({ statusCode: 201, body: { ok: true } })
  expect(seen).toEqual(['PUT', '/a?user_id=%40a%20b%3Ac&ts=5', 'Bearer ours', '{"a":"ü"}'])
})

test("somebody else's token takes the place of ours", async () => {
  const url = await serve((request, response) => {
    response.end(JSON.stringify({ token: request.headers.authorization }))
  })
  expect((await ask(url, { token: 'theirs' })).response?.body).toEqual({ token: 'Bearer theirs' })
})

test('one connection serves requests after each other', async () => {
  const ports = new Set<number | undefined>()
  const url = await serve((request, response) => {
    ports.add(request.socket.remotePort)
    response.end('{}')
  })
  for (let count = 0; count < 5; count++) expect((await ask(url)).error).toBeNull()
  expect(ports.size).toBe(1)
})

test('a redirect is an answer, and nobody goes there', async () => {
  let requests = 0
  const url = await serve((_, response) => {
    requests++
    response.writeHead(302, { Location: '/elsewhere' }).end()
  })
  expect((await ask(url)).response?.statusCode).toBe(302)
  expect(requests).toBe(1)
})

test('where nobody listens, nothing was sent', async () => {
  const url = await serve(() => undefined)
  server?.close()
  await once(server ?? fail(), 'close')
  expect((await ask(url)).error).toMatchObject({ kind: 'network', sent: false })
})

const fail = (): never => {
  throw new Error('there is no server')
}

test('a connection that ends before the answer may have carried the request', async () => {
  const url = await serve((request) => {
    request.resume().once('end', () => request.socket.destroy())
  })
  expect((await ask(url)).error).toMatchObject({ kind: 'network', sent: true })
})

test('a connection that ends in the middle of the answer is no answer', async () => {
  const url = await serve((request, response) => {
    response.writeHead(200, { 'Content-Length': 100 })
    response.write('{"half":', () => request.socket.destroy())
  })
  expect((await ask(url)).error).toMatchObject({ kind: 'network', sent: true })
})

test('an answer that takes too long is given up', async () => {
  const arrived = Promise.withResolvers<undefined>()
  const url = await serve(() => arrived.resolve(undefined))
  const asked = ask(url)
  await arrived.promise
  await clock.advance(TIMEOUT_MS)
  expect((await asked).error).toMatchObject({ kind: 'timeout', sent: true, message: 'no answer within 60 s' })
  expect(clock.sleeping).toBe(0)
})

test('an answer that is too long is given up', async () => {
  const url = await serve((_, response) => {
    response.end(Buffer.alloc(MAX_ANSWER_BYTES + 1, ' '))
  })
  expect((await ask(url)).error).toMatchObject({ kind: 'too-large', sent: true })
})

test('a request can be taken back, before and after it went out', async () => {
  const arrived = Promise.withResolvers<undefined>()
  const url = await serve(() => arrived.resolve(undefined))
  const back = new AbortController()
  const asked = ask(url, { signal: back.signal })
  await arrived.promise
  back.abort()
  expect((await asked).error).toMatchObject({ kind: 'aborted' })
  expect((await ask(url, { signal: back.signal })).error).toMatchObject({ kind: 'aborted', sent: false })
})

test('closing ends what is under way', async () => {
  const arrived = Promise.withResolvers<undefined>()
  const url = await serve(() => arrived.resolve(undefined))
  const asked = ask(url)
  await arrived.promise
  transport.close()
  expect((await asked).error).toMatchObject({ kind: 'network', sent: true })
})
