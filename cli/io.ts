/** Where a command reads and writes; tests and main.ts bring their own. */
import type { ReadStream } from 'node:tty'
import type { Environment } from '../config/load.ts'

export interface Io {
  readonly env: Environment
  /** Relative paths of the command line begin here. */
  readonly folder: string
  readonly stdin: ReadStream | NodeJS.ReadStream
  readonly stdout: Out
  readonly stderr: Out
}

export interface Out {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** 0 done, 1 failed, 2 a mistake in the command line or the config. */
export type ExitCode = 0 | 1 | 2

/** How this program is called from here: inside npm scripts and after `npx` it is not in the path. */
export const invocation = (env: Environment): string =>
  env['npm_lifecycle_event'] === undefined && env['npm_command'] === undefined ? 'msn-bridge' : 'npx msn-bridge'

export const failWith = (io: Io, code: ExitCode, ...lines: readonly string[]): ExitCode => {
  for (const line of lines) io.stderr.write(`msn-bridge: ${line}\n`)
  return code
}
