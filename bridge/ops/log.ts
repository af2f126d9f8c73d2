/** Log lines: pretty on a terminal, JSON otherwise. */
import { type DestinationStream, pino, stdTimeFunctions } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Logger } from '../adapter.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  readonly level: LogLevel
  readonly pretty: boolean
  readonly out: { write(text: string): unknown }
}

/** Belt and braces: nothing should log these, and if something does, they do not appear. */
const SECRET_KEYS = ['password', 'secret', 'ticket', 'token', 'cookie', 'authorization', 'passphrase', 'privateKey']

export const createLog = ({ level, pretty, out }: LogOptions): Logger => {
  const stream = pretty ? prettyStream(out) : { write: (line: string) => void out.write(line) }
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' },
    },
    stream,
  )
}

const prettyStream = (out: LogOptions['out']): DestinationStream => {
  const pretty = prettyFactory({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
  })
  return { write: (line) => void out.write(pretty(JSON.parse(line))) }
}
