/** `npm run demo`: the bridge with nearly its built-in defaults, and two contacts who come by themselves. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccountAdmin } from '../adapters/module.ts'
import { certificateName } from '../adapters/msn-service/config.ts'
import { keepHeapSmall } from '../bridge/ops/heap.ts'
import type { NetworkId } from '../bridge/model/ids.ts'
import { failWith, type Io } from '../cli/io.ts'
import { run } from '../cli/run.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import type { Daemon } from '../daemon.ts'
import { characters } from './characters.ts'
import { DemoContact } from './contact.ts'

/** Milliseconds of a step; tests take shorter ones. */
const STEP_MS = Number(process.env['MSN_BRIDGE_DEMO_STEP_MS'] ?? 1_000)
/** How often the contacts look for somebody new, in steps. */
const LOOK_STEPS = 1

const SERVICE = 'home' as NetworkId

/** A file, so that commands in another terminal find the same bridge: `--config demo/config.yaml`. */
const CONFIG = join(import.meta.dirname, '../../demo/config.yaml')

interface Company {
  readonly stop: () => void
}

/** They sign in as soon as the service runs, and look for somebody new from then on. */
const bring = (daemon: Daemon, config: Config): Company => {
  const over = new AbortController()
  let contacts: readonly DemoContact[] | undefined
  let waits = false
  const look = async (): Promise<void> => {
    const accounts = daemon.accountsOf(SERVICE)
    if (accounts === undefined) {
      if (!waits) log('Penny and Max wait, since the MSN service does not run. Above it is said why.')
      waits = true
      return
    }
    contacts ??= await arrive(accounts, config)
    for (const { address } of await accounts.list())
      if (!contacts.some((contact) => contact.address === address))
        await Promise.all(contacts.map((contact) => contact.befriend(address)))
  }
  const live = async (): Promise<void> => {
    while (!over.signal.aborted) {
      // What the disk refuses now is looked at again with the next step.
      await look().catch((error: unknown) => log(String(error)))
      await sleep(LOOK_STEPS * STEP_MS, undefined, { signal: over.signal }).catch(() => undefined)
    }
  }
  void live()
  return {
    stop: () => {
      over.abort()
      for (const contact of contacts ?? []) contact.stop()
    },
  }
}

const arrive = async (accounts: AccountAdmin, { data, networks }: Config): Promise<readonly DemoContact[]> => {
  const service = networks.find(({ type }) => type === 'msn-service')
  if (service?.type !== 'msn-service') throw new Error('the config has no MSN service')
  const cast = characters(service.domain)
  for (const { address, password } of cast) {
    const added = await accounts.add(address, password)
    if (added.kind === 'refused') await accounts.passwd(address, password)
  }
  const own = new Set(cast.map(({ address }) => address))
  const contacts = cast.map(
    (character) =>
      new DemoContact({
        character,
        server: service.listen,
        nexus: `https://${service.passport.listen.host}:${service.passport.listen.port}/rdr/pprdr.asp`,
        ca: readFileSync(join(data, certificateName(service.id)), 'utf8'),
        stepMs: STEP_MS,
        isFriend: (address) => !own.has(address),
        log,
      }),
  )
  for (const contact of contacts) void contact.live()
  return contacts
}

const log = (line: string): void => void process.stderr.write(`demo: ${line}\n`)

process.umask(0o077)
keepHeapSmall()
const folder = process.cwd()
const io: Io = { env: process.env, folder, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr }
const loaded = loadConfig(process.env['MSN_BRIDGE_DEMO_CONFIG'] ?? CONFIG, process.env, folder)
if (loaded.kind === 'broken') {
  process.exitCode = failWith(io, 2, ...loaded.problems)
} else {
  const { config, file } = loaded
  mkdirSync(config.data, { recursive: true })
  let company: Company | undefined
  process.exitCode = await run(config, file, io, {
    thirdStep: 'Penny and Max come by themselves:   /msg penny hello',
    started: (daemon) => {
      company = bring(daemon, config)
    },
    stopping: () => company?.stop(),
  })
}
