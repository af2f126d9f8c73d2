/** Files of Matrix, from a homeserver that is well and from one that is not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mediaOf } from '../../../adapters/matrix/media.ts'
import { parseMxc } from '../../../adapters/matrix/mxc.ts'
import type { MediaResult } from '../../../bridge/model/result.ts'
import '../../kit/properties.ts'

const servers: Server[] = []
/** "GET /path with Bearer token" of each request. */
let seen: string[] = []

const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
  const server = createServer((request, response) => {
    seen.push(`${request.url ?? ''} with ${request.headers.authorization ?? 'nothing'}`)
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const json = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

beforeEach(() => {
  seen = []
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const REF = 'mxc://example.org:8448/aB-1_'
const get = (homeserver: string, ref = REF, signal = new AbortController().signal): Promise<MediaResult> =>
  mediaOf(ref, { homeserver, token: () => 'secret' }, signal)
const NEW = '/_matrix/client/v1/media/download/example.org%3A8448/aB-1_ with Bearer secret'
const OLD = '/_matrix/media/v3/download/example.org%3A8448/aB-1_ with Bearer secret'

test('a file comes with its kind and size, by our token', async () => {
  const url = await serve((_, response) =>
    response.writeHead(200, { 'content-type': 'Image/PNG; x=y', 'content-length': 5 }).end('bytes'),
  )
  const media = await get(url)
  expect(media).toMatchObject({ kind: 'media', mime: 'image/png', size: 5 })
  expect(media.kind === 'media' && (await text(media.body))).toBe('bytes')
  expect(seen).toEqual([NEW])
})

test.each(['text/html', 'image/svg+xml', 'application/javascript', 'nonsense', 'text/plain\tx'])(
  'what could run in a browser, like %s, is only bytes',
  async (type) => {
    const url = await serve((_, response) => response.writeHead(200, { 'content-type': type }).end('x'))
    expect(await get(url)).toMatchObject({ kind: 'media', mime: 'application/octet-stream' })
  },
)

test('what was compressed on the way has no size, and is itself again', async () => {
  const url = await serve((_, response) => {
    const body = gzipSync('bytes')
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body)
  })
  const media = await get(url)
  expect(media).not.toHaveProperty('size')
  expect(media.kind === 'media' && (await text(media.body))).toBe('bytes')
})

test('homeservers from before authenticated media are asked in the old way', async () => {
  const url = await serve((request, response) => {
    if (request.url?.includes('/client/v1/') === true) json(response, 404, { errcode: 'M_UNRECOGNIZED' })
    else response.end('old')
  })
  const media = await get(url)
  expect(media.kind === 'media' && (await text(media.body))).toBe('old')
  expect(seen).toEqual([NEW, OLD])
})

test('a file that lies elsewhere is fetched there, without our token', async () => {
  const store = await serve((_, response) => response.end('stored'))
  const url = await serve((_, response) => response.writeHead(307, { location: `${store}/x?sig=1` }).end())
  const media = await get(url)
  expect(media.kind === 'media' && (await text(media.body))).toBe('stored')
  expect(seen).toEqual([NEW, '/x?sig=1 with nothing'])
})

test.each(['file:///etc/passwd', 'ftp://a.example/b', 'http://[', undefined])(
  'nobody sends us to %s',
  async (location) => {
    const url = await serve((_, response) => response.writeHead(302, location === undefined ? {} : { location }).end())
    expect(await get(url)).toMatchObject({ kind: 'refused', reason: 'protocol' })
  },
)

test('nobody sends us around in circles', async () => {
  const url = await serve((_, response) => response.writeHead(302, { location: '/again' }).end())
  expect(await get(url)).toMatchObject({ kind: 'refused' })
  expect(seen).toHaveLength(2)
})

test.each<[number, object, string, number]>([
  [404, { errcode: 'M_NOT_FOUND' }, 'not-found', 1],
  [404, { errcode: 'M_UNRECOGNIZED' }, 'not-found', 2],
  [403, { errcode: 'M_FORBIDDEN' }, 'forbidden', 1],
  [401, { errcode: 'M_UNKNOWN_TOKEN' }, 'forbidden', 1],
  [413, { errcode: 'M_TOO_LARGE' }, 'too-large', 1],
  [429, { errcode: 'M_LIMIT_EXCEEDED' }, 'rate-limited', 1],
  [504, { errcode: 'M_NOT_YET_UPLOADED' }, 'network', 1],
  [502, {}, 'network', 1],
  [404, { errcode: 5 }, 'not-found', 1],
])('%i %o is refused as it should be', async (status, body, reason, requests) => {
  const url = await serve((_, response) => json(response, status, body))
  const media = await get(url)
  expect(media).toMatchObject({ kind: 'refused', reason })
  expect(JSON.stringify(media)).not.toContain('secret')
  expect(seen).toHaveLength(requests)
})

test('an error that never ends is not read to its end', async () => {
  const url = await serve((_, response) => {
    response.writeHead(500)
    const more = (): void => {
      if (response.destroyed) return
      response.write('x'.repeat(10_000), more)
    }
    more()
  })
  expect(await get(url)).toMatchObject({ kind: 'refused', reason: 'network' })
})

test('a homeserver that is not there, and a request that is taken back, are refusals', async () => {
  expect(await get('http://127.0.0.1:1')).toMatchObject({ kind: 'refused', reason: 'network' })
  const abort = new AbortController()
  const url = await serve(() => abort.abort())
  expect(await get(url, REF, abort.signal)).toMatchObject({ kind: 'refused', reason: 'network' })
})

test.each([
  'https://example.org/a',
  'mxc://example.org',
  'mxc://example.org/',
  'mxc:///a',
  'mxc://example.org/a/b',
  'mxc://example.org/a?b',
  'mxc://example.org/../a',
  'mxc://example.org/..',
  'mxc://exa mple/a',
  'mxc://a@b/c',
  'mxc://a..b/c',
  'mxc://example.org/%2e',
  `mxc://example.org/${'a'.repeat(300)}`,
])('%s is no address, and nobody is asked', async (ref) => {
  const url = await serve((_, response) => response.end('x'))
  expect(await get(url, ref)).toMatchObject({ kind: 'refused', reason: 'not-found' })
  expect(seen).toEqual([])
})

test.each(['mxc://example.org/abc', 'mxc://127.0.0.1:80/a', 'mxc://[::1]:8448/a', 'mxc://localhost/A_-9'])(
  '%s is an address',
  (ref) => {
    expect(parseMxc(ref)).toBeDefined()
  },
)

test('an address has only signs that are harmless in a path', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '.', '/', ':', '[', ']', '%', '?', '#', '@', '\\', '\n', '0') }),
      (rest) => {
        const mxc = parseMxc(`mxc://${rest}`)
        if (mxc === undefined) return
        expect(mxc.id).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(mxc.server).toMatch(/^[A-Za-z0-9.:[\]-]+$/)
        expect(mxc.server).not.toContain('..')
      },
    ),
    { numRuns: 1_000 },
  )
})
