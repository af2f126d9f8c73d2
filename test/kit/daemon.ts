/** A whole daemon as a child process from dist/main.js, and the command line beside it. `npm run build` comes first. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ENTRY = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const DEMO = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url))
/** Its standard input ends when the test runner does, however that ends: no daemon is left behind. */
const DIES_WITH_US = 'data:text/javascript,process.stdin.on("end",()=>process.exit(1)).resume().unref()'
const READY_MS = 30_000
const STOP_MS = 20_000

export interface DaemonSetup {
  /** The YAML of config.yaml; absent: no config file, so the defaults. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  /** An existing folder, e.g. that of a daemon that was killed. */
  readonly folder?: string
  /** What `npm run demo` starts, in place of the daemon alone. */
  readonly demo?: true
}

export interface LogEntry extends Readonly<Record<string, unknown>> {
  readonly level: string
  readonly msg: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningDaemon {
  readonly folder: string
  readonly pid: number
  /** All log lines so far, in order. */
  readonly log: readonly LogEntry[]
  /** The first line that matches, already written or yet to come. Rejects when the daemon ends before. */
  waitFor(matches: (entry: LogEntry) => boolean, ms?: number): Promise<LogEntry>
  /** http://127.0.0.1:PORT of the admin page. */
  readonly admin: string
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL: nothing is finished, nothing is said. */
  kill(): Promise<void>
  /** Ran to its end, whoever ended it. */
  readonly ended: Promise<Ended>
}

export const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'msn-bridge-test-'))

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** Ports that a world of this process has had lately: the system may give the same one again, and to two of its servers. */
const given = new Set<number>()
const GIVEN_LIMIT = 200

/** A port that nobody has right now, for daemons that come back on the same one. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  if (given.has(address.port)) return freePort()
  if (given.size >= GIVEN_LIMIT) given.clear()
  given.add(address.port)
  return address.port
}

/** Resolves when the daemon says that it is ready. */
export const startDaemon = async (setup: DaemonSetup): Promise<RunningDaemon> => {
  const folder = setup.folder ?? makeFolder()
  if (setup.config !== undefined) writeFileSync(join(folder, 'config.yaml'), setup.config)
  const child = spawnCommand(['run'], { ...setup, folder }, ['--import', DIES_WITH_US])
  const log: LogEntry[] = []
  const waiting = new Set<(entry: LogEntry | undefined) => void>()
  const ended = collect(child, (line) => {
    const entry = parseEntry(line)
    if (entry === undefined) return
    log.push(entry)
    for (const each of waiting) each(entry)
  })
  void ended.then(() => {
    for (const each of waiting) each(undefined)
  })
  const waitFor = (matches: (entry: LogEntry) => boolean, ms = READY_MS): Promise<LogEntry> => {
    const known = log.find(matches)
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      const finish = (entry: LogEntry | undefined): void => {
        if (entry !== undefined && !matches(entry)) return
        waiting.delete(finish)
        clearTimeout(timer)
        if (entry === undefined) reject(new Error(`the daemon ended or was silent; it had said:\n${words(log)}`))
        else resolve(entry)
      }
      const timer = setTimeout(() => finish(undefined), ms)
      waiting.add(finish)
    })
  }
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  try {
    const ready = await waitFor(({ msg }) => msg === 'ready')
    const admin = (typeof ready['admin'] === 'string' ? ready['admin'] : '').replace(/\/status$/, '')
    const stop = async (): Promise<number | null> => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const { code } = await ended
      clearTimeout(timer)
      return code
    }
    return { folder, pid: child.pid ?? 0, log, waitFor, admin, stop, kill, ended }
  } catch (error) {
    await kill()
    const { stderr } = await ended
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${stderr}`, { cause: error })
  }
}

/** One command to its end. */
export const runCommand = async (
  args: readonly string[],
  setup: Omit<DaemonSetup, 'config'> & { readonly folder: string; readonly stdin?: string },
): Promise<Ended> => {
  const child = spawnCommand(args, setup)
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(setup.stdin ?? '')
  return collect(child)
}

const spawnCommand = (
  args: readonly string[],
  { folder, env, demo }: DaemonSetup,
  runtimeOptions: readonly string[] = [],
): ChildProcess => {
  if (!existsSync(ENTRY)) throw new Error('dist/main.js is missing: npm run build')
  return spawn(process.execPath, [...runtimeOptions, ...(demo === true ? [DEMO] : [ENTRY, ...args])], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

const collect = async (child: ChildProcess, line?: (line: string) => void): Promise<Ended> => {
  const out: string[] = []
  const err: string[] = []
  if (child.stdout === null || child.stderr === null) throw new Error('a child without pipes')
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (each) => {
    out.push(`${each}\n`)
    line?.(each)
  })
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString('utf8')))
  await once(child, 'close')
  return { code: child.exitCode, stdout: out.join(''), stderr: err.join('') }
}

const parseEntry = (line: string): LogEntry | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'msg' in value ? (value as LogEntry) : undefined
  } catch {
    return undefined
  }
}

const words = (log: readonly LogEntry[]): string =>
  log
    .slice(-20)
    .map((entry) => JSON.stringify(entry))
    .join('\n')
