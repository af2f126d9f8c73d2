import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort, makeFolder, removeFolder, type RunningDaemon, runCommand, startDaemon } from '../kit/daemon.ts'

let folder = ''
const running: RunningDaemon[] = []
beforeEach(() => {
  folder = makeFolder()
})
afterEach(async () => {
  for (const daemon of running.splice(0)) await daemon.kill()
  removeFolder(folder)
})

const service = (port: number, id = 'home'): string =>
  `  - { id: ${id}, type: msn-service, listen: "127.0.0.1:${port}", passport: { listen: "127.0.0.1:0", plain: true } }\n`
const configOf = (...networks: readonly string[]): string =>
  `admin: { listen: "127.0.0.1:0" }\nnetworks:\n${networks.join('')}`

const start = async (config: string): Promise<RunningDaemon> => {
  const daemon = await startDaemon({ config, folder })
  running.push(daemon)
  return daemon
}

/** Somebody else on a port. */
const occupy = async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  return { port: address.port, leave: () => new Promise((resolve) => server.close(resolve)) }
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it cleanly, with 0', async (signal) => {
  const daemon = await start(configOf(service(0)))
  process.kill(daemon.pid, signal)
  expect(await daemon.ended).toMatchObject({ code: 0, stderr: '' })
  expect(daemon.log.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' })
  expect(readdirSync(join(folder, 'data')).filter((name) => name.endsWith('.json'))).toEqual([])
})

test('a signal that arrives twice at once, as npm passes it on, still stops it cleanly', async () => {
  const daemon = await start(configOf(service(0)))
  process.kill(daemon.pid, 'SIGINT')
  process.kill(daemon.pid, 'SIGTERM')
  expect((await daemon.ended).code).toBe(0)
})

/** An IRC server that lets everybody in and never lets go. */
const clingingIrcd = async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setEncoding('latin1').on('error', () => undefined)
    socket.on('data', (lines: string) => {
      for (const line of lines.split('\r\n')) {
        if (line.startsWith('CAP LS')) socket.write(':irc CAP * LS :\r\n')
        if (line.startsWith('USER')) socket.write(':irc 001 msnbridge :Welcome\r\n')
        if (line.startsWith('PING')) socket.write(`:irc PONG irc ${line.slice(5)}\r\n`)
      }
    })
    sockets.add(socket)
  })
  const sockets = new Set<Socket>()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const leave = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: (server.address() as AddressInfo).port, leave }
}

test('a second signal, while the stop takes its time, ends it at once with 1', async () => {
  const ircd = await clingingIrcd()
  const daemon = await start(
    configOf(service(0), `  - { id: libera, type: irc, server: "127.0.0.1:${ircd.port}", tls: false }\n`),
  )
  await daemon.waitFor((entry) => entry['account'] === 'libera' && entry.msg === 'signed in')
  const pressing = setInterval(() => {
    try {
      process.kill(daemon.pid, 'SIGINT')
    } catch {
      // It has ended already.
    }
  }, 100)
  const { code } = await daemon.ended.finally(() => clearInterval(pressing))
  ircd.leave()
  expect(code).toBe(1)
  expect(daemon.log.at(-1)).toMatchObject({ level: 'warn', msg: 'second signal, ending at once' })
})

test('after kill -9 the next one starts on the same folder', async () => {
  const port = await freePort()
  const first = await start(configOf(service(port)))
  await first.kill()
  expect(await runCommand(['status'], { folder })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no daemon runs'),
  })
  const second = await start(configOf(service(port)))
  expect(await runCommand(['status'], { folder })).toMatchObject({ code: 0 })
  expect(await second.stop()).toBe(0)
})

test('when the only network finds its port taken, it ends with one line that names port and remedy', async () => {
  const stranger = await occupy()
  await expect(start(configOf(service(stranger.port)))).rejects.toThrow(
    new RegExp(`msn-bridge: [^\\n]*127\\.0\\.0\\.1:${stranger.port} [^\\n]*the port is taken[^\\n]*\\n$`),
  )
  await stranger.leave()
})

test('when one of two networks finds its port taken, the other runs and the status tells', async () => {
  const stranger = await occupy()
  const daemon = await start(configOf(service(stranger.port), service(0, 'other')))
  const status = (await (await fetch(`${daemon.admin}/status`)).json()) as { networks: readonly object[] }
  expect(status.networks).toMatchObject([
    { id: 'home', state: 'failed', lines: [expect.stringContaining(String(stranger.port))] },
    { id: 'other', state: 'running' },
  ])
  const ready = await fetch(`${daemon.admin}/readyz`)
  expect(ready.status).toBe(503)
  expect(await ready.text()).toMatch(new RegExp(`^not ready: home: .*:${stranger.port} .*the port is taken`))
  expect((await fetch(`${daemon.admin}/healthz`)).status).toBe(200)
  expect(daemon.log.filter(({ level }) => level === 'error')).toHaveLength(1)
  await stranger.leave()
  expect(await daemon.stop()).toBe(0)
})

test('without its admin page it runs all the same, and opens it when the port is free', async () => {
  const stranger = await occupy()
  const daemon = await start(configOf(service(0)).replace('127.0.0.1:0', `127.0.0.1:${stranger.port}`))
  expect(daemon.log).toContainEqual(
    expect.objectContaining({ level: 'error', detail: expect.stringContaining('is taken by another program') }),
  )
  await stranger.leave()
  await daemon.waitFor(({ msg }) => msg === 'the admin page is open')
  expect((await fetch(`http://127.0.0.1:${stranger.port}/healthz`)).status).toBe(200)
  expect(await daemon.stop()).toBe(0)
})

test('a foreign network that cannot be reached is one line, and everything else runs', async () => {
  const nobody = await freePort()
  const daemon = await start(
    configOf(
      service(0),
      `  - { id: libera, type: irc, server: "127.0.0.1:${nobody}", tls: false, timing: { backoff_ms: [60000] } }\n`,
    ),
  )
  const line = await daemon.waitFor(({ msg }) => msg === 'not connected, will try again')
  expect(line).toMatchObject({ level: 'warn', account: 'libera', network: 'libera', code: 'network' })
  expect((await fetch(`${daemon.admin}/readyz`)).status).toBe(200)
  expect(await daemon.stop()).toBe(0)
})

test('a database of a newer version is left alone, with one line that says what to do', async () => {
  const first = await start(configOf(service(0)))
  await first.stop()
  const database = new Database(join(folder, 'data', 'bridge.db'))
  database.pragma('user_version = 999')
  database.close()
  const { code, stderr } = await runCommand(['run'], { folder })
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^msn-bridge: The database .* was written by a newer msn-bridge .*: run that version, or .*\n$/,
  )
  expect((await runCommand(['account', 'list'], { folder })).stderr).toBe(stderr)
})
