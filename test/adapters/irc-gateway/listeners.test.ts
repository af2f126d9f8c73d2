import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type AddressInfo, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Listeners, type ListenersOptions } from '../../../adapters/irc-gateway/listeners.ts'
import { makeCertificate } from '../../../msnp/index.ts'
import { makeFolder, removeFolder } from '../../kit/daemon.ts'
import { Watch } from '../../kit/watch.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each()
})

const made = (more: Partial<ListenersOptions> = {}) => {
  const watch = new Watch()
  const got: { readonly socket: Socket; readonly tls: boolean }[] = []
  const turned = { count: 0 }
  const listeners = new Listeners({
    plain: ANY,
    tls: undefined,
    maxConnections: 10,
    onSocket: (socket, tls) => {
      got.push({ socket, tls })
      watch.changed()
    },
    onTurned: () => {
      turned.count++
      watch.changed()
    },
    ...more,
  })
  undo.push(() => listeners.stop())
  const portAt = (index: number): number => Number(/:(\d+)/.exec(listeners.places[index] ?? '')?.[1])
  return { listeners, got, turned, watch, portAt }
}

const client = (port: number): Socket => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined).resume()
  undo.push(() => socket.destroy())
  return socket
}

const certificate = async (): Promise<{ cert: string; key: string }> => {
  const folder = makeFolder()
  undo.push(() => removeFolder(folder))
  const { cert, key } = await makeCertificate([], Date.now())
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  return files
}

test('clients come in on the plain port and on the one with TLS, and it is known how', async () => {
  const files = await certificate()
  const { listeners, got, watch, portAt } = made({ tls: { ...ANY, ...files } })
  await listeners.start()
  expect(listeners.places).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^127\.0\.0\.1:\d+ \(TLS\)$/),
  ])
  client(portAt(0))
  await watch.until(() => got.length === 1)
  const secure = connectTls({ host: '127.0.0.1', port: portAt(1), rejectUnauthorized: false })
  undo.push(() => secure.destroy())
  await watch.until(() => got.length === 2)
  expect(got.map(({ tls }) => tls)).toEqual([false, true])
  got[1]?.socket.write('hello')
  expect(String((await once(secure, 'data'))[0])).toBe('hello')
})

test('what is no TLS on the port for it is cut, and the others stay', async () => {
  const { listeners, got, watch, portAt } = made({ tls: { ...ANY, ...(await certificate()) } })
  await listeners.start()
  client(portAt(0))
  await watch.until(() => got.length === 1)
  const odd = client(portAt(1))
  odd.write('NICK alice\r\nUSER alice 0 * :alice\r\n')
  await once(odd, 'close')
  expect(got).toHaveLength(1)
  expect(got[0]?.socket.destroyed).toBe(false)
})

test('a port that is taken is said in a sentence, and no other stays open', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  undo.push(() => other.close())
  const { port } = other.address() as AddressInfo
  const { listeners } = made({ tls: { host: '127.0.0.1', port, ...(await certificate()) } })
  await expect(listeners.start()).rejects.toThrow(
    `127.0.0.1:${port} is taken by another program: stop it, or choose another port`,
  )
  expect(listeners.places).toEqual([])
})

test('with too many connections the next one is turned away, until one of them goes', async () => {
  const { listeners, got, turned, watch, portAt } = made({ maxConnections: 2 })
  await listeners.start()
  client(portAt(0))
  client(portAt(0))
  await watch.until(() => got.length === 2)
  await once(client(portAt(0)), 'close')
  expect(turned.count).toBe(1)
  const [first] = got
  first?.socket.destroy()
  if (first !== undefined) await once(first.socket, 'close')
  client(portAt(0))
  await watch.until(() => got.length === 3)
})

test('a handshake that is never finished counts among the connections, and is cut when it stops', async () => {
  const { listeners, got, turned, watch, portAt } = made({
    maxConnections: 1,
    tls: { ...ANY, ...(await certificate()) },
  })
  await listeners.start()
  const silent = client(portAt(1))
  await once(silent, 'connect')
  // Whatever comes behind it finds the place taken.
  const knocking = client(portAt(1))
  await once(knocking, 'close')
  await watch.until(() => turned.count === 1)
  expect(got).toEqual([])
  const cut = once(silent, 'close')
  await listeners.stop()
  await cut
})

test('stop lets those read their last words who do, and cuts those who do not', async () => {
  const { listeners, got, watch, portAt } = made()
  await listeners.start()
  const reading = connect(portAt(0), '127.0.0.1')
  undo.push(() => reading.destroy())
  let words = ''
  reading.on('data', (chunk: Buffer) => (words += chunk.toString()))
  const deaf = connect({ port: portAt(0), host: '127.0.0.1', allowHalfOpen: true })
  undo.push(() => deaf.destroy())
  deaf.on('error', () => undefined).pause()
  await watch.until(() => got.length === 2)
  // More than the system takes by itself.
  for (const { socket } of got) socket.write(Buffer.alloc(8 * 1024 * 1024, 'x'))
  for (const { socket } of got) socket.write('goodbye')
  const ended = once(reading, 'close')
  await listeners.stop()
  await ended
  expect(words.endsWith('goodbye')).toBe(true)
  expect(got.every(({ socket }) => socket.destroyed)).toBe(true)
  await listeners.stop()
})
