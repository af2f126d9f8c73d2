import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, ForeignServer, steadyPorts, temporaryFolder } from './foreign-server.ts'

export interface NgircdOptions {
  /** The server's password. */
  readonly password?: string
  /** Connections that one address may have. */
  readonly perHost?: number
}

/** ngIRCd on a free port: the old kind of server, without SASL, tags or echoes. */
export class Ngircd {
  readonly port: number
  readonly #folder: { path: string; remove: () => Promise<void> }
  #server: ForeignServer

  private constructor(port: number, folder: { path: string; remove: () => Promise<void> }, server: ForeignServer) {
    this.port = port
    this.#folder = folder
    this.#server = server
  }

  static async start(options: NgircdOptions = {}): Promise<Ngircd> {
    const [port = 0] = await steadyPorts(1)
    const folder = await temporaryFolder('ngircd')
    await writeFile(join(folder.path, 'ngircd.conf'), config(port, options))
    const ircd = new Ngircd(port, folder, Ngircd.#spawn(folder.path))
    await ircd.#server.listening(port)
    return ircd
  }

  /** Ends the server; `restart` brings it back on the same port. */
  async halt(): Promise<void> {
    await this.#server.stop('SIGKILL')
  }

  async restart(): Promise<void> {
    this.#server = Ngircd.#spawn(this.#folder.path)
    await this.#server.listening(this.port)
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    await this.#folder.remove()
  }

  static #spawn(cwd: string): ForeignServer {
    return new ForeignServer(findProgram('ngircd') ?? 'ngircd', ['-n', '-f', join(cwd, 'ngircd.conf')], { cwd })
  }
}

const config = (port: number, { password, perHost = 0 }: NgircdOptions): string => `
[Global]
  Name = ng.example
  Info = test
  Listen = 127.0.0.1
  Ports = ${port}
  MotdPhrase = hello
  ${password === undefined ? '' : `Password = ${password}`}
[Limits]
  ConnectRetry = 5
  MaxConnectionsIP = ${perHost}
  MaxJoins = 0
  MaxNickLength = 30
  MaxPenaltyTime = 0
  PingTimeout = 60
  PongTimeout = 60
[Options]
  DNS = no
  Ident = no
  PAM = no
  ServerGID = 0
  ServerUID = 0
[Operator]
  Name = oper
  Password = operpass
`
