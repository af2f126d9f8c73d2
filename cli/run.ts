/** `msn-bridge run`: the daemon from its first line to its exit code. */
import { systemClock } from '../bridge/clock.ts'
import type { Logger } from '../bridge/adapter.ts'
import { ControlServer } from '../bridge/ops/control.ts'
import { createLog } from '../bridge/ops/log.ts'
import { createMetrics } from '../bridge/ops/metrics.ts'
import { StoreRefused, StoreUnavailable } from '../bridge/store/port.ts'
import type { Config } from '../config/schema.ts'
import { Daemon, StartRefused } from '../daemon.ts'
import { type ExitCode, failWith, invocation, type Io } from './io.ts'
import { fromHere, nextSteps } from './next-steps.ts'
import { serve } from './served.ts'
import { readVersion } from './version.ts'

/** A stop that takes longer is given up. */
const STOP_MS = 30_000
/** One Ctrl-C may arrive twice: from the terminal, and once more from npm or the binary, which pass it on. */
const SAME_SIGNAL_MS = 500

/** What else is to happen in the process: `npm run demo` brings people along. */
export interface Company {
  /** What comes after the sign-in, in place of making a friend an account: friends are here. */
  readonly thirdStep: string
  readonly started: (daemon: Daemon) => void
  readonly stopping: () => void
}

export const run = async (
  config: Config,
  configFile: string | undefined,
  io: Io,
  company?: Company,
): Promise<ExitCode> => {
  const pretty = io.stdout.isTTY === true
  const log = createLog({ level: config.log.level, pretty, out: io.stdout })
  dieOnBugs(log)
  const daemon = new Daemon({
    config,
    env: io.env,
    version: readVersion(),
    clock: systemClock,
    log,
    metrics: createMetrics(),
  })
  const stopped = untilSignal(log)
  try {
    await daemon.start()
  } catch (error) {
    if (error instanceof StartRefused || error instanceof StoreRefused) return failWith(io, 1, error.message)
    // The log has said why.
    if (error instanceof StoreUnavailable)
      return failWith(io, 1, `the data folder ${config.data} takes no writes: check that it is writable and has space`)
    throw error
  }
  const control = new ControlServer(config.data, log, (request) =>
    serve(request, {
      config,
      accounts: (network) => daemon.accountsOf(network),
      adapters: daemon.adapters,
      identity: daemon.identity,
      backup: (file) => daemon.backup(file),
      live: { report: () => daemon.report(), reconnect: (name) => daemon.reconnect(name) },
    }),
  )
  try {
    await control.start()
  } catch (error) {
    log.error({ detail: error instanceof Error ? error.message : String(error) }, 'commands cannot reach this daemon')
  }
  if (pretty) io.stdout.write(welcome(daemon, config, configFile, io, company?.thirdStep))
  else log.info(readyFields(daemon, config), 'ready')
  company?.started(daemon)

  const signal = await stopped
  log.info({ signal }, 'stopping')
  company?.stopping()
  setTimeout(() => {
    log.error({ seconds: STOP_MS / 1000 }, 'the stop took too long, ending now')
    process.exit(1)
  }, STOP_MS).unref()
  await control.stop()
  await daemon.stop()
  log.info({}, 'stopped')
  return 0
}

/** Resolves with the first signal; a second one ends the process where it stands. */
const untilSignal = (log: Logger): Promise<string> =>
  new Promise((resolve) => {
    let asked: number | undefined
    const take = (signal: string): void => {
      if (asked === undefined) {
        asked = systemClock.now()
        resolve(signal)
      } else if (systemClock.now() - asked >= SAME_SIGNAL_MS) {
        log.warn({ signal }, 'second signal, ending at once')
        process.exit(1)
      }
    }
    process.on('SIGTERM', take)
    process.on('SIGINT', take)
  })

/** Nobody knows what state we are in after a bug; what is on disk is safe, and a restart goes on from there. */
const dieOnBugs = (log: Logger): void => {
  const die = (error: unknown): void => {
    log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a bug, ending')
    process.exit(1)
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
}

const readyFields = (daemon: Daemon, config: Config) => ({
  networks: daemon
    .report()
    .networks.map(({ id, state, lines }) => `${id}: ${state === 'running' ? '' : `${state}: `}${lines.join('; ')}`),
  data: config.data,
  ...(daemon.adminPort === undefined ? {} : { admin: adminUrl(config, daemon.adminPort) }),
})

const adminUrl = ({ admin }: Config, port: number): string => {
  const host = fromHere(admin.listen.host)
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/status`
}

/** What somebody at a terminal wants to know: what is open, where the data is, what to type next. */
const welcome = (
  daemon: Daemon,
  config: Config,
  configFile: string | undefined,
  io: Io,
  thirdStep: string | undefined,
): string => {
  const call = invocation(io.env)
  const option = configFile === undefined ? '' : ` --config ${configFile}`
  const lines = [
    '',
    ...daemon
      .report()
      .networks.flatMap(({ id, state, lines: about }) =>
        about.map((line) => `  ${id.padEnd(10)} ${state === 'running' ? '' : `${state}: `}${line}`),
      ),
    `  ${'data'.padEnd(10)} ${config.data}`,
    `  ${'config'.padEnd(10)} ${configFile ?? 'none, built-in defaults'}`,
    ...(daemon.adminPort === undefined ? [] : [`  ${'status'.padEnd(10)} ${adminUrl(config, daemon.adminPort)}`]),
    '',
    ...nextSteps(
      config,
      daemon.report().networks.flatMap(({ id, state }) => (state === 'running' ? [id] : [])),
      (address) => `${call} account add ${address}${option}`,
      thirdStep,
    ),
    `  Stop with Ctrl-C.`,
    '',
    '',
  ]
  return lines.join('\n')
}
