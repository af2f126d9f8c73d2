/** A whole world for scenarios: the daemon with an MSN service, an account on that service, and a real IRC server. */
import { writeFileSync } from 'node:fs'
import { freePort, makeFolder, removeFolder, runCommand, startDaemon, type RunningDaemon } from './daemon.ts'
import { IrcClient } from './irc-client.ts'
import { Inspircd } from './inspircd.ts'
import { Messenger, type SignInOptions } from './messenger.ts'
import { Ngircd } from './ngircd.ts'

export interface WorldOptions {
  readonly ircd?: 'inspircd' | 'ngircd'
  /** With Atheme beside the InspIRCd: NickServ and SASL. */
  readonly services?: boolean
  /** The InspIRCd throttles what comes in, as a public one does, and the relay keeps to it, but both so many times as fast. */
  readonly hurry?: number
  /** YAML list items under `links:`. */
  readonly links: readonly string[]
  /** Local parts of the accounts on the service, besides `relay`. */
  readonly people?: readonly string[]
  /** Channels in which IRC people may be expected. */
  readonly channels?: readonly string[]
  /** Where the `msn` account signs in, e.g. a proxy; by default the service itself. */
  readonly msnPort?: number
  /** Where the bot connects, e.g. a proxy; by default the IRC server itself. */
  readonly ircPort?: number
  /** host:port of the switchboard as clients are told. */
  readonly switchboardPublic?: string
  /** YAML lines, indented by six spaces, added to the networks. */
  readonly service?: string
  readonly msn?: string
  readonly irc?: string
}

export const DOMAIN = 'home.example'
export const address = (name: string): string => `${name}@${DOMAIN}`
const PASSWORD = 'secret-password'

export class World {
  readonly folder = makeFolder()
  readonly ircd: Inspircd | Ngircd
  readonly ports: {
    readonly msn: number
    readonly passport: number
    readonly admin: number
    readonly media: number
  }
  #daemon: RunningDaemon | undefined
  readonly #messengers: Messenger[] = []
  readonly #ircClients: IrcClient[] = []

  private constructor(ircd: Inspircd | Ngircd, ports: World['ports']) {
    this.ircd = ircd
    this.ports = ports
  }

  static async start(options: WorldOptions, before?: (world: World) => Promise<Partial<WorldOptions>>): Promise<World> {
    const ircd = await (options.ircd === 'ngircd'
      ? Ngircd.start()
      : Inspircd.start({
          services: options.services === true,
          ...(options.hurry === undefined ? {} : { fakelag: true, hurry: options.hurry }),
        }))
    const world = new World(ircd, {
      msn: await freePort(),
      passport: await freePort(),
      admin: await freePort(),
      media: await freePort(),
    })
    try {
      const all = { ...options, ...(await before?.(world)) }
      writeFileSync(`${world.folder}/config.yaml`, world.#config(all))
      for (const name of ['relay', ...(all.people ?? ['bob'])]) {
        const setup = { ...world.#setup(), stdin: PASSWORD }
        const { code, stderr } = await runCommand(['account', 'add', address(name)], setup)
        if (code !== 0) throw new Error(stderr)
      }
      await world.run()
    } catch (error) {
      await world.stop()
      throw error
    }
    return world
  }

  get daemon(): RunningDaemon {
    if (this.#daemon === undefined) throw new Error('the daemon does not run')
    return this.#daemon
  }

  /** Starts the daemon and waits until both accounts are online. */
  async run(): Promise<void> {
    this.#daemon = await startDaemon(this.#setup())
    await this.online('relay')
    await this.online('irc')
  }

  /** Without waiting for anybody to be online. */
  async runOnly(): Promise<void> {
    this.#daemon = await startDaemon(this.#setup())
  }

  async online(account: string): Promise<void> {
    await this.daemon.waitFor((entry) => entry['account'] === account && entry.msg === 'signed in')
  }

  async kill(): Promise<void> {
    await this.daemon.kill()
    this.#daemon = undefined
  }

  /** A command line beside the daemon. */
  command(...args: readonly string[]): ReturnType<typeof runCommand> {
    return runCommand(args, this.#setup())
  }

  /** Signs somebody in on the service; they let `relay` in and have it on their list. */
  async messenger(name: string, options?: SignInOptions): Promise<Messenger> {
    const where = { notification: this.ports.msn, passport: this.ports.passport }
    const messenger = await Messenger.signIn(where, address(name), PASSWORD, options)
    await messenger.add(address('relay'))
    this.#messengers.push(messenger)
    return messenger
  }

  async irc(nick: string, ...channels: readonly string[]): Promise<IrcClient> {
    const client = await IrcClient.connect(this.ircd.port, nick)
    for (const channel of channels) await client.join(channel)
    this.#ircClients.push(client)
    return client
  }

  async status(): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/status`, {
      headers: { accept: 'application/json' },
    })
    return answer.json()
  }

  async stop(): Promise<void> {
    for (const messenger of this.#messengers) messenger.ns.kill()
    for (const client of this.#ircClients) client.close()
    await this.#daemon?.stop()
    await this.ircd.stop()
    removeFolder(this.folder)
  }

  #setup(): { readonly folder: string; readonly env: Readonly<Record<string, string>> } {
    return { folder: this.folder, env: { RELAY_PASSWORD: PASSWORD } }
  }

  #config(options: WorldOptions): string {
    const { msn, passport, admin, media } = this.ports
    return `
data: ./data
log: { level: debug }
admin: { listen: 127.0.0.1:${admin} }
media: { listen: 127.0.0.1:${media} }
networks:
  - id: home
    type: msn-service
    domain: ${DOMAIN}
    listen: 127.0.0.1:${msn}
    passport: { listen: 127.0.0.1:${passport} }
${options.switchboardPublic === undefined ? '' : `    switchboard: { public: ${options.switchboardPublic} }\n`}${options.service ?? ''}
  - id: retro
    type: msn
    server: 127.0.0.1:${options.msnPort ?? msn}
    passport: { nexus: "https://127.0.0.1:${passport}/rdr/pprdr.asp" }
    insecure: true
${options.msn ?? '    timing: { backoff_ms: [100, 200, 400] }'}
  - id: irc
    type: irc
    server: 127.0.0.1:${options.ircPort ?? this.ircd.port}
    tls: false
    nick: msnbridge
    flood: ${options.hurry === undefined ? '{ burst: 1000, interval_ms: 0 }' : `{ burst: 4, interval_ms: ${1_100 / options.hurry} }`}
    permissions: { admins: { hostmasks: ["op!*@*"] } }
${options.irc ?? '    timing: { backoff_ms: [100, 200, 400] }'}
people:
  - { id: alice }
accounts:
  - { id: relay, network: retro, person: alice, login: ${address('relay')}, password: { env: RELAY_PASSWORD } }
links:
${options.links.map((link) => `  - ${link}`).join('\n')}
`
  }
}
