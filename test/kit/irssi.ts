import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, temporaryFolder } from './foreign-server.ts'
import {
  bareEnvironment,
  escaped,
  oneLine,
  textOf,
  textsOf,
  untilLog,
  welcomed,
  type Fits,
  type RealClient,
  type Registration,
} from './real-client.ts'

export interface IrssiOptions extends Registration {
  /** The server's password (PASS). */
  readonly password?: string
  /** TLS: with a checked certificate when its authority is given, with any certificate otherwise. */
  readonly tls?: { readonly ca?: string }
  /** SASL PLAIN. */
  readonly sasl?: { readonly account: string; readonly password: string }
  /** Lines that it sends without a pause; then two in a second. It is read when irssi connects. */
  readonly atOnce?: number
}

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

const run = promisify(execFile)

/** What `logOf` calls the log of everything, the window of the server included. */
export const EVERYTHING = '(everything)'

const NEW_SESSION = ['new-session', '-d', '-x', '160', '-y', '50']

/** tmux takes no command above 16 kB. */
const TYPED_AT_ONCE = 1_000

/** Real irssi on a terminal that tmux makes for it: text is typed, and its logs are read. */
export class Irssi implements RealClient {
  readonly nick: string
  readonly #folder: Folder
  readonly #pid: number
  #stopped = false

  private constructor(nick: string, folder: Folder, pid: number) {
    this.nick = nick
    this.#folder = folder
    this.#pid = pid
  }

  /** Resolves when it is registered. */
  static async start(options: IrssiOptions): Promise<Irssi> {
    return welcomed(await Irssi.launch(options), EVERYTHING, /-!- Welcome to /)
  }

  /** Resolves when the program runs; nobody knows whether the server takes it. */
  static async launch(options: IrssiOptions): Promise<Irssi> {
    const folder = await temporaryFolder('irssi')
    await mkdir(join(folder.path, 'log'))
    await writeFile(join(folder.path, 'config'), config(folder.path, options), { mode: 0o600 })
    // Two words, so that no shell comes between.
    const program = [findProgram('irssi') ?? 'irssi', `--home=${folder.path}`]
    try {
      await tmux(folder.path, ...NEW_SESSION, ...program, ';', 'set', 'remain-on-exit', 'on')
      const { stdout } = await tmux(folder.path, 'display-message', '-p', '#{pane_pid}')
      return new Irssi(options.nick, folder, Number(stdout))
    } catch (error) {
      await folder.remove()
      throw error
    }
  }

  /** Presses the keys of a text, then Enter. A text with a slash at the beginning is a command of irssi's. */
  async type(text: string): Promise<void> {
    const characters = Array.from(oneLine(text))
    const { path } = this.#folder
    for (let at = 0; at < characters.length; at += TYPED_AT_ONCE) {
      const keys = characters.slice(at, at + TYPED_AT_ONCE).join('')
      // A semicolon at the end of an argument would begin another command of tmux's.
      await tmux(path, 'send-keys', '-l', '--', keys.replace(/;$/, '\\;'))
    }
    await tmux(path, 'send-keys', 'Enter')
  }

  /** Lines at once, as from a clipboard. */
  async paste(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${oneLine(line)}\r`).join('')
    for (let at = 0; at < text.length; at += TYPED_AT_ONCE)
      await tmux(this.#folder.path, 'send-keys', '-l', '--', text.slice(at, at + TYPED_AT_ONCE))
  }

  /** `/nick bob`, in the window of the server or whichever is shown. */
  async command(line: string): Promise<void> {
    await this.type(line)
  }

  async join(channel: string): Promise<void> {
    await this.command(`/join ${channel}`)
    await this.until(channel, /-!- \S+ \[\S+\] has joined /, 'our own JOIN')
  }

  async say(target: string, text: string): Promise<void> {
    await this.type(`/msg ${target} ${text}`)
  }

  async act(target: string, text: string): Promise<void> {
    await this.type(`/action ${target} ${text}`)
  }

  logOf(target: string): string {
    const { path } = this.#folder
    return textOf(target === EVERYTHING ? join(path, 'all.log') : join(path, 'log', `${target.toLowerCase()}.log`))
  }

  said(by: string, target: string): readonly string[] {
    const who = escaped(by)
    // `12:00:00 <bob> hello`, `12:00:00  * bob waves`, `12:00:00 -bob:#channel- hello`
    const line = `(?:(?:<${who}>|-${who}(?::[^ ]+)?(?:\\([^ )]+\\))?-) (?<text>.*)| \\* ${who} (?<action>.*))`
    return textsOf(this.logOf(target), new RegExp(`^\\S+ ${line}$`, 'i'))
  }

  until(target: string, fits: Fits, what?: string, ms?: number): Promise<string> {
    return untilLog({
      log: () => this.logOf(target),
      fits,
      what,
      ms,
      ended: () => !this.#runs(),
      seen: () => this.screen(),
    })
  }

  /** What a person would see now. */
  async screen(): Promise<string> {
    const { stdout } = await tmux(this.#folder.path, 'capture-pane', '-p')
    return stdout.trimEnd()
  }

  async quit(): Promise<void> {
    await this.command('/quit')
    await untilLog({ log: () => '', fits: () => !this.#runs(), ended: () => false, seen: () => this.screen() })
    await this.stop()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await tmux(this.#folder.path, 'kill-server')
    await untilLog({ log: () => '', fits: () => !this.#runs(), ended: () => false, seen: () => 'irssi still runs' })
    await this.#folder.remove()
  }

  /** tmux is its parent; once that has ended, whoever inherits a process that is over may leave it lying about. */
  #runs(): boolean {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${this.#pid}/stat`, 'latin1'))
    } catch {
      return false
    }
  }
}

/** The server of tmux is known by its socket in our own folder, so nobody else's is ever touched. */
const tmux = (folder: string, ...command: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  run(findProgram('tmux') ?? 'tmux', ['-u', '-f', '/dev/null', '-S', join(folder, 'tmux'), ...command], {
    cwd: folder,
    env: bareEnvironment(folder),
    encoding: 'utf8',
  })

const quoted = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`

const settings = (values: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(values)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${quoted(value)};`]))
    .join(' ')

const config = (folder: string, { port, nick, password, tls, sasl, atOnce = 50 }: IrssiOptions): string => `
servers = ( { ${settings({
  // It compares a certificate with names only, not with addresses.
  address: tls?.ca === undefined ? '127.0.0.1' : 'localhost',
  port: String(port),
  chatnet: 'test',
  autoconnect: 'yes',
  password,
  use_tls: tls === undefined ? 'no' : 'yes',
  tls_verify: tls?.ca === undefined ? 'no' : 'yes',
  tls_cafile: tls?.ca,
})} } );
chatnets = { test = { ${settings({
  type: 'IRC',
  nick,
  sasl_mechanism: sasl === undefined ? undefined : 'PLAIN',
  sasl_username: sasl?.account,
  sasl_password: sasl?.password,
})} }; };
settings = {
  core = { ${settings({
    real_name: nick,
    user_name: nick,
    nick,
    server_reconnect_time: '1sec',
    write_buffer_size: '0',
    log_timestamp: '%H:%M:%S ',
    log_open_string: '',
  })} };
  "fe-text" = { ${settings({ paste_detect_time: '0', paste_use_bracketed_mode: 'no' })} };
  "fe-common/core" = { ${settings({
    autolog: 'yes',
    autolog_level: 'ALL',
    autolog_path: `${folder}/log/$0.log`,
    autocreate_query_level: 'MSGS DCCMSGS NOTICES',
    print_active_channel: 'no',
    show_nickmode: 'no',
    show_nickmode_empty: 'no',
    term_charset: 'UTF-8',
  })} };
  "irc/core" = { ${settings({
    skip_motd: 'yes',
    // Typed lines go out at once; the server is the one to complain.
    cmds_max_at_once: String(atOnce),
    cmd_queue_speed: '10msec',
  })} };
};
logs = { "${folder}/all.log" = { auto_open = "yes"; level = "ALL"; }; };
`
