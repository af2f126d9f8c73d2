/** What the drivers of IRC programs that people use have in common, so that one story can be told with each of them. */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { DEADLINE_MS } from './messenger.ts'

export interface RealClient {
  readonly nick: string
  /** Resolves when the program shows that it is in. */
  join(channel: string): Promise<void>
  /** To a channel that we are in, or to a nick. */
  say(target: string, text: string): Promise<void>
  /** `/me text`. */
  act(target: string, text: string): Promise<void>
  /** All that the program has written down about a channel or a query; '' as long as there is none. */
  logOf(target: string): string
  /** What somebody said there, in order, without time and nick; an action reads `/me waves`. */
  said(by: string, target: string): readonly string[]
  /** Resolves with the log as soon as it fits. Rejects with the end of it when the program ends or `ms` are over. */
  until(target: string, fits: Fits, what?: string, ms?: number): Promise<string>
  /** QUIT, and the program has ended. */
  quit(): Promise<void>
  /** Ends the program however it does, and removes its files. Twice is harmless. */
  stop(): Promise<void>
}

export type Fits = RegExp | ((log: string) => boolean)

export interface Registration {
  readonly port: number
  readonly nick: string
}

/** No terminal, no locale and no folder of the machine that the test runs on. */
export const bareEnvironment = (home: string): Readonly<Record<string, string>> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: home,
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TERM: 'dumb',
})

/** The text of a file that the program may not have made yet. */
export const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

const LOOK_EVERY_MS = 20
/** Characters of a log, and of what else was seen, in the words of an error. */
const SHOWN = 2_000

interface Wait {
  readonly log: () => string
  readonly fits: Fits
  readonly what?: string | undefined
  readonly ms?: number | undefined
  readonly ended: () => boolean
  /** What else helps when it was in vain, e.g. the screen. */
  readonly seen: () => Promise<string> | string
}

/** Foreign programs tell nobody what they have written: their log is read now and then. */
export const untilLog = async ({ log, fits, what, ms = DEADLINE_MS, ended, seen }: Wait): Promise<string> => {
  const deadline = Date.now() + ms
  for (;;) {
    // Asked before the log is read: what a program wrote at its end still counts.
    const over = ended()
    const text = log()
    if (typeof fits === 'function' ? fits(text) : fits.test(text)) return text
    if (over || Date.now() > deadline) {
      const complaint = over ? 'the program ended' : `nothing within ${ms} ms`
      const hoped = what ?? (typeof fits === 'function' ? 'what the test asked for' : String(fits))
      throw new Error(
        `${complaint} while waiting for ${hoped}; the log ends:\n${text.slice(-SHOWN)}\n${(await seen()).slice(-SHOWN)}`,
      )
    }
    await pause(LOOK_EVERY_MS)
  }
}

/** Texts of the lines that match, by the groups `action` or `text` of the pattern. */
export const textsOf = (log: string, pattern: RegExp): readonly string[] =>
  log.split('\n').flatMap((line) => {
    const { action, text } = pattern.exec(line)?.groups ?? {}
    if (action !== undefined) return [`/me ${action}`]
    return text === undefined ? [] : [text]
  })

export const escaped = (nick: string): string => nick.replace(/[^\w]/g, '\\$&')

/** What is one line to a client must not be two. */
export const oneLine = (text: string): string => {
  if (/[\r\n\0]/.test(text)) throw new Error('one line at a time')
  return text
}

/** The client once its server has let it in; it is stopped when that does not happen. `where`: the log that says so. */
export const welcomed = async <Client extends Pick<RealClient, 'until' | 'stop'>>(
  client: Client,
  where: string,
  words: RegExp,
): Promise<Client> => {
  try {
    await client.until(where, words, 'the welcome of the server')
  } catch (error) {
    await client.stop()
    throw error
  }
  return client
}
