import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fifo } from './fifo.ts'
import { findProgram, ForeignServer, temporaryFolder } from './foreign-server.ts'
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

export interface WeechatOptions extends Registration {
  /** The server's password (PASS). */
  readonly password?: string
  /** TLS: with a checked certificate when its authority is given, with any certificate otherwise. */
  readonly tls?: { readonly ca?: string }
  /** SASL PLAIN. */
  readonly sasl?: { readonly account: string; readonly password: string }
  /** Names with commas between; by default all that WeeChat knows. */
  readonly capabilities?: string
}

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

/** What `logOf` and `command` call the buffer of the server. */
export const SERVER = 'server.test'

/** Real WeeChat without a terminal: its FIFO takes what would be typed, and its logs are read. */
export class Weechat implements RealClient {
  readonly nick: string
  readonly #folder: Folder
  readonly #program: ForeignServer
  readonly #fifo: Fifo
  #stopped = false

  private constructor(nick: string, folder: Folder, program: ForeignServer, fifo: Fifo) {
    this.nick = nick
    this.#folder = folder
    this.#program = program
    this.#fifo = fifo
  }

  /** Resolves when it is registered. */
  static async start(options: WeechatOptions): Promise<Weechat> {
    return welcomed(await Weechat.launch(options), SERVER, /\t--\tWelcome to /)
  }

  /** Resolves when the program runs; nobody knows whether the server takes it. */
  static async launch(options: WeechatOptions): Promise<Weechat> {
    const folder = await temporaryFolder('weechat')
    for (const [name, text] of Object.entries(config(options)))
      await writeFile(join(folder.path, `${name}.conf`), text, { mode: 0o600 })
    const args = ['--dir', folder.path]
    const program = new ForeignServer(findProgram('weechat-headless') ?? 'weechat-headless', args, {
      cwd: folder.path,
      env: bareEnvironment(folder.path),
    })
    try {
      const name = (): string | undefined => readdirSync(folder.path).find((each) => each.startsWith('weechat_fifo_'))
      await untilLog({
        log: () => name() ?? '',
        fits: /./,
        what: "WeeChat's FIFO (package weechat-plugins)",
        ended: () => program.ended,
        seen: () => program.output,
      })
      return new Weechat(options.nick, folder, program, Fifo.open(join(folder.path, name() ?? '')))
    } catch (error) {
      await program.stop()
      await folder.remove()
      throw error
    }
  }

  /** Types into a buffer: of a channel, a query that is open, or the server's. */
  async command(target: string, line: string): Promise<void> {
    this.#fifo.line(`irc.${bufferOf(target)} *${oneLine(line)}`)
  }

  async join(channel: string): Promise<void> {
    await this.command(SERVER, `/join ${channel}`)
    await this.until(channel, /\t-->\t/, 'our own JOIN')
  }

  async say(target: string, text: string): Promise<void> {
    if (isChannel(target)) await this.command(target, text.replace(/^\//, '//'))
    else await this.command(SERVER, `/query -noswitch ${target} ${text}`)
  }

  async act(target: string, text: string): Promise<void> {
    if (!isChannel(target)) await this.command(SERVER, `/query -noswitch ${target}`)
    await this.command(target, `/me ${text}`)
  }

  logOf(target: string): string {
    return textOf(join(this.#folder.path, 'logs', `irc.${bufferOf(target).toLowerCase()}.weechatlog`))
  }

  said(by: string, target: string): readonly string[] {
    const who = escaped(by)
    // `2026-01-01 12:00:00\t@bob\thello`, `…\t--\tNotice(bob) -> #channel: hello`, `…\t *\tbob waves`
    const speech = `(?:[~&@%+]?${who}\\t|--\\tNotice\\(${who}\\)(?: -> \\S+)?: )(?<text>.*)`
    const action = ` \\*\\t${who} (?<action>.*)`
    return textsOf(this.logOf(target), new RegExp(`^\\S+ \\S+\\t(?:${speech}|${action})$`, 'i'))
  }

  until(target: string, fits: Fits, what?: string, ms?: number): Promise<string> {
    return untilLog({
      log: () => this.logOf(target),
      fits,
      what,
      ms,
      ended: () => this.#program.ended,
      seen: () => `${this.logOf(SERVER).slice(-1_000)}\n${this.#program.output.slice(-1_000)}`,
    })
  }

  async quit(): Promise<void> {
    this.#fifo.line('core.weechat */quit')
    await untilLog({ log: () => '', fits: () => this.#program.ended, ended: () => false, seen: () => 'it still runs' })
    await this.stop()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#fifo.close()
    await this.#program.stop()
    await this.#folder.remove()
  }
}

const isChannel = (target: string): boolean => /^[#&]/.test(target)
const bufferOf = (target: string): string => (target === SERVER ? SERVER : `test.${target}`)

/** Its files, of which it fills in the rest. TLS has one name up to 3.8 and another one from 4.0 on. */
const config = ({ port, nick, password, tls, sasl, capabilities }: WeechatOptions): Record<string, string> => {
  const onOff = (on: boolean): string => (on ? 'on' : 'off')
  const secure = ['ssl', 'tls'].flatMap((name) => [
    `test.${name} = ${onOff(tls !== undefined)}`,
    `test.${name}_verify = ${onOff(tls?.ca !== undefined)}`,
  ])
  return {
    weechat: `[network]\n${tls?.ca === undefined ? '' : `gnutls_ca_user = "${tls.ca}"\n`}`,
    logger: '[file]\nflush_delay = 0\n',
    fifo: '[file]\nenabled = on\n',
    irc: `
[network]
autoreconnect_delay_growing = 1
[server]
test.addresses = "127.0.0.1/${port}"
test.autoconnect = on
test.autoreconnect = on
test.autoreconnect_delay = 1
test.anti_flood_prio_high = 0
test.anti_flood_prio_low = 0
test.anti_flood = 0
test.nicks = "${nick}"
test.username = "${nick}"
test.realname = "${nick}"
test.capabilities = "${capabilities ?? '*'}"
test.password = "${password ?? ''}"
test.sasl_mechanism = plain
test.sasl_username = "${sasl?.account ?? ''}"
test.sasl_password = "${sasl?.password ?? ''}"
${secure.join('\n')}
`,
  }
}
