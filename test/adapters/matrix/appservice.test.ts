import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Appservice, MAX_BODY_BYTES } from '../../../adapters/matrix/appservice.ts'
import { FakeContext } from '../irc/fake-context.ts'

const TOKEN = 'the-hs-token'
const APP = '/_matrix/app/v1'

let context: FakeContext
let listener: Appservice
let port: number
let taken: unknown[]
let refuse: Error | undefined

beforeEach(async () => {
  context = new FakeContext()
  taken = []
  refuse = undefined
  listener = newListener(0)
  port = await listener.start()
})
afterEach(() => listener.stop())

const newListener = (at: number): Appservice =>
  new Appservice({
    host: '127.0.0.1',
    port: at,
    hsToken: TOKEN,
    log: context.log,
    transaction: (body) => {
      if (refuse !== undefined) return Promise.reject(refuse)
      taken.push(body)
      return Promise.resolve()
    },
    isGhost: (user) => user.startsWith('@msn_'),
  })

interface Answered {
  readonly status: number | undefined
  readonly allow?: string | undefined
  readonly body: unknown
}

const ask = (
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Readonly<Record<string, string>> = { Authorization: `Bearer ${TOKEN}` },
): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () =>
        resolve({ status: response.statusCode, allow: response.headers.allow, body: JSON.parse(text) }),
      )
    })
    asked.once('error', reject)
    asked.end(body)
  })

const transaction = (events: readonly unknown[]): string => JSON.stringify({ events })

test('a transaction is answered when it has been taken', async () => {
  expect(await ask('PUT', `${APP}/transactions/1`, transaction([{ a: 1 }]))).toMatchObject({ status: 200, body: {} })
  expect(taken).toEqual([{ events: [{ a: 1 }] }])
})

test('transaction ids mean nothing: the same one is taken again', async () => {
  for (const event of ['one', 'two']) await ask('PUT', `${APP}/transactions/1`, transaction([event]))
  expect(taken).toEqual([{ events: ['one'] }, { events: ['two'] }])
})

test('what cannot be stored is answered with 500, so that it comes again', async () => {
  refuse = new Error('The disk is full')
  expect(await ask('PUT', `${APP}/transactions/1`, transaction([]))).toMatchObject({
    status: 500,
    body: { errcode: 'M_UNKNOWN' },
  })
  expect(context.lines).toMatchObject([{ level: 'warn', fields: { detail: 'The disk is full' } }])
})

test('a transaction of more than 6 MB is taken', async () => {
  const events = Array.from({ length: 100 }, (_, index) => ({ index, body: 'x'.repeat(65_000) }))
  expect(await ask('PUT', `${APP}/transactions/1`, transaction(events))).toMatchObject({ status: 200 })
  expect(taken).toEqual([{ events }])
})

test('a transaction without end is refused', async () => {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Length': String(MAX_BODY_BYTES + 1) }
  const answered = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    socket.write(`PUT ${APP}/transactions/1 HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n{`)
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.once('close', () => resolve(text))
  })
  expect(answered).toMatch(/^HTTP\/1.1 413 /)
  expect(answered).toContain('M_TOO_LARGE')
  expect(taken).toEqual([])
})

test.each<[method: string, path: string, body: string | undefined, status: number, answer: unknown]>([
  ['POST', `${APP}/ping`, '{"transaction_id":"x"}', 200, {}],
  ['PUT', `${APP}/transactions/1`, '{"events":[', 400, { errcode: 'M_NOT_JSON' }],
  ['GET', `${APP}/users/%40msn_bob%3Ahs`, undefined, 200, {}],
  ['GET', `${APP}/users/%40alice%3Ahs`, undefined, 404, { errcode: 'M_NOT_FOUND' }],
  ['GET', `${APP}/users/%E0%A4%A`, undefined, 404, { errcode: 'M_NOT_FOUND' }],
  ['GET', `${APP}/rooms/%23msn%3Ahs`, undefined, 404, { errcode: 'M_NOT_FOUND' }],
  ['GET', `${APP}/thirdparty/protocol/msn`, undefined, 200, { instances: [] }],
  ['GET', `${APP}/thirdparty/protocol/irc`, undefined, 404, { errcode: 'M_NOT_FOUND' }],
  ['GET', `${APP}/thirdparty/user/msn?address=a`, undefined, 200, []],
  ['GET', `${APP}/nothing`, undefined, 404, { errcode: 'M_UNRECOGNIZED' }],
  ['PUT', '/transactions/1', '{}', 404, { errcode: 'M_UNRECOGNIZED' }],
  ['GET', '/', undefined, 404, { errcode: 'M_UNRECOGNIZED' }],
  ['GET', '//', undefined, 404, { errcode: 'M_UNRECOGNIZED' }],
  ['GET', `${APP}/transactions/1`, undefined, 405, { errcode: 'M_UNRECOGNIZED' }],
  ['GET', `${APP}/ping`, undefined, 405, { errcode: 'M_UNRECOGNIZED' }],
])('%s %s is answered', async (method, path, body, status, answer) => {
  expect(await ask(method, path, body)).toMatchObject({ status, body: answer })
})

test('the right method is named where the wrong one was used', async () => {
  expect((await ask('DELETE', `${APP}/transactions/1`)).allow).toBe('PUT')
})

test('the token may stand in the header or in the query', async () => {
  const body = transaction([])
  expect(await ask('PUT', `${APP}/transactions/1?access_token=${TOKEN}`, body, {})).toMatchObject({ status: 200 })
  expect(await ask('PUT', `${APP}/transactions/1`, body, { Authorization: `bearer ${TOKEN}` })).toMatchObject({
    status: 200,
  })
})

test.each<[what: string, query: string, headers: Readonly<Record<string, string>>]>([
  ['no token', '', {}],
  ['a wrong token', '', { Authorization: 'Bearer wrong' }],
  ['a wrong token in the query', '?access_token=wrong', {}],
  ['the beginning of the token', '', { Authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ['another scheme', '', { Authorization: `Basic ${TOKEN}` }],
  [
    'a wrong token in the header and the right one in the query',
    `?access_token=${TOKEN}`,
    { Authorization: 'Bearer x' },
  ],
])('%s is forbidden', async (_, query, headers) => {
  expect(await ask('PUT', `${APP}/transactions/1${query}`, transaction([]), headers)).toMatchObject({
    status: 403,
    body: { errcode: 'M_FORBIDDEN' },
  })
  expect(taken).toEqual([])
})

test('a wrong token is told once, without the token, until a right one comes', async () => {
  const wrongly = () => ask('PUT', `${APP}/transactions/1`, '{}', { Authorization: 'Bearer very-wrong' })
  for (let count = 0; count < 3; count++) await wrongly()
  expect(context.lines).toHaveLength(1)
  expect(context.lines[0]?.message).toContain('wrong hs_token')
  expect(JSON.stringify(context.lines)).not.toContain('very-wrong')
  await ask('POST', `${APP}/ping`, '{}')
  await wrongly()
  expect(context.lines).toHaveLength(2)
})

test('a port that is taken is told with the remedy', async () => {
  await expect(newListener(port).start()).rejects.toThrow(
    new RegExp(`^cannot listen on 127.0.0.1:${port} for the homeserver .*EADDRINUSE.*: change listen in the config$`),
  )
})

test('stopping ends open connections, and twice is harmless', async () => {
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  await listener.stop()
  await closed
  await listener.stop()
  await expect(ask('POST', `${APP}/ping`)).rejects.toThrow('ECONNREFUSED')
})
