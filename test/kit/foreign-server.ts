import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Where Debian puts servers; a test without its server is skipped, loudly. CI installs them. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin']

export const findProgram = (name: string): string | undefined =>
  FOLDERS.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Says on the terminal that tests are skipped, and why. True: skip them. */
export const missing = (...programs: readonly string[]): boolean => {
  const absent = programs.filter((name) => findProgram(name) === undefined)
  if (absent.length === 0) return false
  const packages = absent.map((name) => (name === 'weechat-headless' ? `${name} weechat-plugins` : name)).join(' ')
  process.stderr.write(`\n!!! SKIPPED: ${absent.join(', ')} not installed (apt-get install ${packages})\n\n`)
  return true
}

/** Ports that were free a moment ago. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Systems give outgoing connections a port above: what listens below is never in their way. */
const LISTEN_FROM = 15_000
const LISTEN_TO = 32_000
const LISTEN_TRIES = 200

/** Ports that are free, and that stay so while many connections come and go: for servers that are away for a while. */
export const steadyPorts = async (count: number): Promise<readonly number[]> => {
  const taken: Server[] = []
  for (let tries = 0; taken.length < count; tries++) {
    if (tries > LISTEN_TRIES) throw new Error(`no ${count} free ports between ${LISTEN_FROM} and ${LISTEN_TO}`)
    const server = createServer()
    const port = LISTEN_FROM + Math.floor(Math.random() * (LISTEN_TO - LISTEN_FROM))
    const listening = once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.listen(port, '127.0.0.1')
    if (await listening) taken.push(server)
  }
  const ports = taken.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(taken.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export const temporaryFolder = async (name: string): Promise<{ path: string; remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), `msn-bridge-${name}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

const PATIENCE_MS = 20_000

/** A program of somebody else's, ended by its process id. */
export class ForeignServer {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #output = ''

  constructor(
    program: string,
    args: readonly string[],
    options: { cwd: string; uid?: number; gid?: number; env?: Readonly<Record<string, string>> },
  ) {
    this.#child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-20_000)
      })
    }
  }

  get output(): string {
    return this.#output
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Resolves when the port answers; rejects with what the program said when it ends before. */
  async listening(port: number): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await answers(port))) await this.#again(deadline, `does not listen on ${port}`)
  }

  /** Resolves when the program has written something that matches; rejects when it ends before. */
  async said(pattern: RegExp): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!pattern.test(this.#output)) await this.#again(deadline, `does not say ${String(pattern)}`)
  }

  /** `patienceMs`: then it is killed. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM', patienceMs = 3_000): Promise<void> {
    if (!this.ended) this.#child.kill(signal)
    const late = pause(patienceMs, 'late' as const, { ref: false })
    if ((await Promise.race([this.#exited, late])) === 'late') this.#child.kill('SIGKILL')
    await this.#exited
  }

  /** Foreign programs tell nobody that they are ready: they are asked now and then. */
  async #again(deadline: number, complaint: string): Promise<void> {
    if (this.ended || Date.now() > deadline) {
      await this.stop()
      throw new Error(`the server ${complaint}:\n${this.#output}`)
    }
    await pause(50)
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const finish = (yes: boolean): void => {
      socket.destroy()
      resolve(yes)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
