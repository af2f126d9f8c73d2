import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { askDaemon, type ControlAnswer, type ControlRequest, ControlServer } from '../../../bridge/ops/control.ts'
import { recordingLog } from '../../kit/observers.ts'

let folder = ''
const servers: ControlServer[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-control-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
  rmSync(folder, { recursive: true })
})

const serve = async (handle: (request: ControlRequest) => Promise<ControlAnswer>) => {
  const log = recordingLog()
  const server = new ControlServer(folder, log, handle)
  servers.push(server)
  await server.start()
  const door = JSON.parse(readFileSync(join(folder, 'control.json'), 'utf8')) as { port: number; token: string }
  return { server, log, door }
}

/** Writes lines to the port as they are, and gives back all that comes until the end. */
const raw = (port: number, ...lines: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(lines.map((line) => `${line}\n`).join('')))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })

test('a request gets its answer', async () => {
  await serve(async ({ command, args }) => ({ kind: 'done', lines: [`${command} ${args['ADDRESS'] ?? ''}`] }))
  expect(await askDaemon(folder, { command: 'account add', args: { ADDRESS: 'bob@home.example' } })).toEqual({
    kind: 'done',
    lines: ['account add bob@home.example'],
  })
})

test('an answer may be long', async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `person${index}@home.example, signed in`)
  await serve(async () => ({ kind: 'done', lines }))
  expect(await askDaemon(folder, { command: 'account list', args: {} })).toEqual({ kind: 'done', lines })
})

test('an exception is a failure with its sentence', async () => {
  await serve(async () => {
    throw new Error('the backup cannot be written')
  })
  expect(await askDaemon(folder, { command: 'backup', args: {} })).toEqual({
    kind: 'failed',
    wrong: 'the backup cannot be written',
  })
})

test('only the owner can read the door', async () => {
  await serve(async () => ({ kind: 'done', lines: [] }))
  expect(statSync(join(folder, 'control.json')).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['control.json'])
})

test('without the token nothing is done, and that is logged', async () => {
  let handled = 0
  const { door, log } = await serve(async () => {
    handled++
    return { kind: 'done', lines: [] }
  })
  const wrong = JSON.stringify({ token: 'x'.repeat(door.token.length), command: 'status', args: {} })
  expect(await raw(door.port, '{"nonce":"n"}', wrong)).toContain('"wrong":"not allowed"')
  expect(await raw(door.port, '{"nonce":"n"}', '{"command":"status"}')).toContain('"wrong":"not allowed"')
  expect(await raw(door.port, 'GET / HTTP/1.1', 'Host: localhost')).toContain('"wrong":"not allowed"')
  expect(handled).toBe(0)
  expect(log.lines).toHaveLength(3)
})

test('a line without end closes the connection', async () => {
  const { door } = await serve(async () => ({ kind: 'done', lines: [] }))
  expect(await raw(door.port, '', 'x'.repeat(200_000))).not.toContain('done')
})

test('without a daemon there is no answer', async () => {
  expect(await askDaemon(folder, { command: 'status', args: {} })).toBeUndefined()
})

test('a door left behind by a daemon that was killed is no door', async () => {
  const { server, door } = await serve(async () => ({ kind: 'done', lines: [] }))
  await server.stop()
  expect(readdirSync(folder)).toEqual([])
  writeFileSync(join(folder, 'control.json'), JSON.stringify({ pid: 1, ...door }))
  expect(await askDaemon(folder, { command: 'status', args: {} })).toBeUndefined()
})

test('another program that has the port by now never sees the token or the request', async () => {
  const seen: string[] = []
  const stranger = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk.toString('utf8'))
      socket.write('{"proof":"of nothing"}\n')
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  const { port } = stranger.address() as AddressInfo
  writeFileSync(join(folder, 'control.json'), JSON.stringify({ pid: 1, port, token: 'the-token' }))
  expect(await askDaemon(folder, { command: 'account add', args: { password: 'swordfish' } })).toBeUndefined()
  expect(seen.join('')).toContain('nonce')
  expect(seen.join('')).not.toMatch(/the-token|swordfish/)
  await new Promise((resolve) => stranger.close(resolve))
})
