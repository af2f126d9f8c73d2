/** Files from elsewhere, brought to a homeserver that wants them and to one that does not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Uploads, type Placed } from '../../../adapters/matrix/upload.ts'
import type { Files } from '../../../bridge/adapter.ts'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { MediaResult } from '../../../bridge/model/result.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
let seen: string[] = []
beforeEach(() => {
  seen = []
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void
const serve = async (answer: Answer): Promise<string> => {
  const server = createServer((request, response) => {
    const { url, headers } = request
    seen.push(`${url} ${headers.authorization} ${headers['content-type']} ${headers['content-length']}`)
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const MATRIX = 'matrix' as NetworkId
const FILE: FileRef = {
  network: '~files' as NetworkId,
  ref: 'abc',
  name: 'my cat.png',
  media: 'image',
  mime: 'image/png',
}
const never = new AbortController().signal
const media = (content: string, size?: number): MediaResult => ({
  kind: 'media',
  body: new Blob([content]).stream(),
  ...(size === undefined ? {} : { size }),
})
const uploads = (homeserver: string, open: () => MediaResult): Uploads => {
  const files: Files = {
    maxBytes: 100,
    put: () => Promise.reject(new Error('not asked')),
    refusal: () => undefined,
    open: () => Promise.resolve(open()),
  }
  return new Uploads({ network: MATRIX, homeserver, token: 'secret', files })
}
const refusing = (status: number, body: object): Promise<string> =>
  serve((request, response) => {
    request.resume()
    response.writeHead(status).end(JSON.stringify(body))
  })

test('a file is brought once, with its kind and size, and is a file of Matrix then', async () => {
  let got = ''
  const url = await serve((request, response) => {
    void text(request).then((words) => {
      got = words
      response.end(JSON.stringify({ content_uri: 'mxc://example.org/one' }))
    })
  })
  const made = uploads(`${url}/`, () => media('bytes', 5))
  const placed = { kind: 'placed', file: { ...FILE, network: MATRIX, ref: 'mxc://example.org/one', size: 5 } }
  expect(await made.place(FILE, never)).toEqual(placed)
  expect(await made.place(FILE, never)).toMatchObject({ kind: 'placed', file: { ref: 'mxc://example.org/one' } })
  expect(got).toBe('bytes')
  expect(seen).toEqual(['/_matrix/media/v3/upload?filename=my+cat.png Bearer secret image/png 5'])
})

test('a file of Matrix is there already', async () => {
  const own = { ...FILE, network: MATRIX }
  const made = uploads('http://127.0.0.1:1', () => media('', 0))
  expect(await made.place(own, never)).toEqual({ kind: 'placed', file: own })
})

test.each<[string, number, object, object]>([
  ['too large', 413, { errcode: 'M_TOO_LARGE' }, { kind: 'link' }],
  ['not wanted', 403, { errcode: 'M_FORBIDDEN' }, { kind: 'link' }],
  ['not understood', 200, { content_uri: 'https://evil.example/' }, { kind: 'link' }],
  [
    'one of too many',
    429,
    { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1_234 },
    { kind: 'retry', result: { wait: 1_234 } },
  ],
  ['too much now', 503, {}, { kind: 'retry', result: { kind: 'retry', reason: 'network' } }],
])('one that is %s', async (_, status, body, expected) => {
  const url = await refusing(status, body)
  expect(await uploads(url, () => media('bytes', 5)).place(FILE, never)).toMatchObject(expected)
})

test('a homeserver that does not want the rest need not take it', async () => {
  const url = await serve((request, response) => {
    response.writeHead(413, { connection: 'close' }).end(JSON.stringify({ errcode: 'M_TOO_LARGE' }))
    request.resume()
  })
  let cancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: () => void (cancelled = true),
  })
  const made = uploads(url, () => ({ kind: 'media', body: endless, size: 100_000_000_000 }))
  expect(await made.place(FILE, never)).toEqual<Placed>({ kind: 'link' })
  await expect.poll(() => cancelled).toBe(true)
})

test('what is gone, or of unknown size, is a link', async () => {
  const gone: MediaResult = { kind: 'refused', reason: 'not-found', detail: 'gone' }
  expect(await uploads('http://127.0.0.1:1', () => gone).place(FILE, never)).toEqual({ kind: 'link' })
  expect(await uploads('http://127.0.0.1:1', () => media('x')).place(FILE, never)).toEqual({ kind: 'link' })
})

test('where nobody listens, it is tried again; taken back, nothing happens', async () => {
  const made = uploads('http://127.0.0.1:1', () => media('x', 1))
  expect(await made.place(FILE, never)).toMatchObject({ kind: 'retry', result: { kind: 'retry', reason: 'network' } })
  expect(await made.place(FILE, AbortSignal.abort())).toMatchObject({ kind: 'retry' })
})
