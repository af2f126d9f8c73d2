/** From the words of the command line to an exit code. Commands are loaded when they are asked for. */
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import type { ControlAnswer, ControlRequest } from '../bridge/ops/control.ts'
import { loadConfig } from '../config/load.ts'
import { printable } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { COMMANDS, helpText, type Parsed, parseArgs } from './args.ts'
import { type ExitCode, failWith, type Io } from './io.ts'
import { askPassword } from './password.ts'
import { readVersion } from './version.ts'

export const main = async (argv: readonly string[], io: Io): Promise<ExitCode> => {
  const parsed = parseArgs(argv)
  switch (parsed.kind) {
    case 'help':
      io.stdout.write(helpText(parsed.of))
      return 0
    case 'version':
      io.stdout.write(`${readVersion()}\n`)
      return 0
    case 'wrong':
      return failWith(io, 2, parsed.message)
    case 'command':
      return command(parsed, io)
  }
}

type Command = Extract<Parsed, { kind: 'command' }>

/** The others ask the daemon, or touch only what is in the data folder. */
const NEED_SECRETS: readonly string[] = ['run', 'check-config']

const command = async (parsed: Command, io: Io): Promise<ExitCode> => {
  const secrets = NEED_SECRETS.includes(parsed.name) ? 'needed' : 'unused'
  const loaded = loadConfig(parsed.options.config, io.env, io.folder, secrets)
  if (loaded.kind === 'broken') {
    for (const problem of loaded.problems) io.stderr.write(`${problem}\n`)
    return 2
  }
  switch (parsed.name) {
    case 'run':
      return (await import('./run.ts')).run(loaded.config, loaded.file, io)
    case 'check-config':
      io.stdout.write(`${loaded.file ?? 'the built-in defaults'}: all is well\n`)
      return 0
    case 'registration':
      return registration(parsed, loaded.config, io)
    case 'print-config':
      io.stdout.write(stringify(printable(loaded.config)))
      return 0
    default:
      return ask(parsed, loaded.config, io)
  }
}

/** Touches files only: also while the daemon runs. */
const registration = async (parsed: Command, config: Config, io: Io): Promise<ExitCode> => {
  const { writeRegistrations } = await import('./registration.ts')
  const answer = await writeRegistrations(config, parsed.options.network, io)
  if (answer.kind === 'failed') return failWith(io, 1, answer.wrong)
  for (const line of answer.lines) io.stdout.write(`${line}\n`)
  return 0
}

/** Through the daemon where one runs, else here. */
const ask = async (parsed: Command, config: Config, io: Io): Promise<ExitCode> => {
  const request = await requestOf(parsed, io)
  if ('wrong' in request) return failWith(io, 1, request.wrong)
  const answer = await answerTo(request, config, io)
  if (answer.kind === 'failed') return failWith(io, 1, answer.wrong)
  for (const line of answer.lines) io.stdout.write(`${line}\n`)
  return 0
}

const requestOf = async (parsed: Command, io: Io): Promise<ControlRequest | { readonly wrong: string }> => {
  const names = COMMANDS.find(({ name }) => name === parsed.name)?.words ?? []
  const args: Record<string, string> = Object.fromEntries(names.map((name, index) => [name, parsed.words[index] ?? '']))
  if (args['FILE'] !== undefined) args['FILE'] = resolve(io.folder, args['FILE'])
  if (parsed.options.network !== undefined) args['network'] = parsed.options.network
  if (parsed.name === 'account add' || parsed.name === 'account passwd') {
    const answer = await askPassword(io, args['ADDRESS'] ?? '')
    if ('wrong' in answer) return answer
    args['password'] = answer.password
  }
  return { command: parsed.name, args }
}

const answerTo = async (request: ControlRequest, config: Config, io: Io): Promise<ControlAnswer> => {
  const { askDaemon } = await import('../bridge/ops/control.ts')
  const answer = await askDaemon(config.data, request)
  if (answer !== undefined) return answer
  if (request.command === 'status' || request.command === 'reconnect')
    return { kind: 'failed', wrong: `no daemon runs on the data folder ${config.data}` }
  try {
    const { serveOffline } = await import('./offline.ts')
    return await serveOffline(request, config, io)
  } catch (error) {
    return { kind: 'failed', wrong: error instanceof Error ? error.message : String(error) }
  }
}
