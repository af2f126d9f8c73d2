/** The part of irc-framework 4.14.0 that this adapter uses. The package has no types of its own. */
declare module 'irc-framework' {
  import type { EventEmitter } from 'node:events'

  /** One parsed line. Names of tags are in lower case; `nick` is empty for what a server says itself. */
  export interface IrcMessage {
    readonly tags: Readonly<Record<string, string>>
    readonly prefix: string
    readonly nick: string
    readonly ident: string
    readonly hostname: string
    readonly command: string
    readonly params: readonly string[]
  }

  /** What the library writes to and reads from. Emits `open`, `line` (text) and `close` (error or undefined). */
  export interface Transport extends EventEmitter {
    connect(): void
    writeLine(line: string, written?: () => void): void
    close(force: boolean): void
    disposeSocket(): void
    setEncoding(encoding: string): boolean
  }

  export interface ConnectOptions {
    host: string
    port: number
    nick: string
    username: string
    gecos: string
    password?: string
    /** Without it the server's password would also be tried for SASL. */
    account: { account?: string; password?: string }
    /** `address` is the one of whoever is spoken for. */
    webirc?: { password: string; username: string; hostname: string; address: string }
    sasl_mechanism?: 'PLAIN' | 'EXTERNAL'
    version: string
    enable_echomessage: boolean
    enable_chghost: boolean
    auto_reconnect: false
    ping_interval: 0
    ping_timeout: 0
    transport: new () => Transport
  }

  export interface SaslFailure {
    readonly reason: string
    readonly message?: string
  }

  export class Client {
    readonly network: {
      readonly cap: { isEnabled(name: string): boolean }
      readonly options: Readonly<Record<string, unknown>>
    }
    readonly user: { readonly nick: string }
    requestCap(names: readonly string[]): void
    connect(options: ConnectOptions): void
    on(event: 'sasl failed', listener: (failure: SaslFailure) => void): this
    removeAllListeners(): this
  }

  const framework: {
    readonly Client: typeof Client
    readonly ircLineParser: (line: string) => IrcMessage
  }
  export default framework
}
