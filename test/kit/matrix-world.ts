/** A whole world for scenarios with Matrix: the daemon with an MSN service, a homeserver, people on both, and IRC if asked for. */
import { writeFileSync } from 'node:fs'
import { makeFolder, removeFolder, runCommand, startDaemon, type RunningDaemon } from './daemon.ts'
import { steadyPorts } from './foreign-server.ts'
import type { FakeHomeserver } from './fake-homeserver.ts'
import type { Homeserver, StartHomeserver } from './homeservers.ts'
import { Inspircd } from './inspircd.ts'
import { IrcClient } from './irc-client.ts'
import type { MatrixPerson, SeenEvent } from './matrix-person.ts'
import { bodyOf } from './matrix-person.ts'
import { Messenger, type SignInOptions } from './messenger.ts'
import { address, DOMAIN } from './world.ts'

export interface MatrixWorldOptions {
  readonly start: StartHomeserver
  /** Local parts of the accounts on the MSN service, besides `alice`, who is on Matrix, too. */
  readonly people?: readonly string[]
  /** With an IRC server, and the network `irc` on it; or on the one at that port, which is the test's. */
  readonly irc?: boolean | number
  /** YAML lines, indented by four spaces, added to the network `irc`. */
  readonly ircMore?: string
  /** YAML lines, indented by four spaces, added to the networks. */
  readonly service?: string
  readonly msn?: string
  readonly matrix?: string
  /** YAML list items of further networks, indented by two spaces. */
  readonly networks?: string
  /** YAML list items under `links:`. */
  readonly links?: readonly string[]
  /** YAML at the end of the config. The file `./password` holds the password of every MSN account. */
  readonly more?: string
  /** Where the MSN network is, e.g. a proxy; by default the service itself. */
  readonly msnPort?: number
  /** host:port of the switchboard as clients are told. */
  readonly switchboardPublic?: string
  /** The daemon is started by the test. */
  readonly stopped?: boolean
  /** The MSN service is a daemon of its own, which lives on when the bridge is killed. */
  readonly ownService?: boolean
}

interface Ports {
  readonly msn: number
  readonly passport: number
  readonly admin: number
  readonly matrix: number
  readonly homeserver: number
  readonly media: number
}

interface Parts {
  readonly homeserver: Homeserver
  readonly ircd: Inspircd | undefined
  readonly service: RunningDaemon | undefined
}

export const PASSWORD = 'secret-password'
const SHORT = '    timing: { backoff_ms: [100, 200, 400], stable_ms: 500 }'

/** Somebody on Matrix who is signed in to MSN with the bot. */
export interface Resident {
  readonly person: MatrixPerson
  /** The room with the bot. */
  readonly home: string
}

export class MatrixWorld {
  readonly folder: string
  readonly ports: Ports
  readonly homeserver: Homeserver
  readonly ircd: Inspircd | undefined
  #daemon: RunningDaemon | undefined
  readonly #service: RunningDaemon | undefined
  readonly #messengers: Messenger[] = []
  readonly #ircClients: IrcClient[] = []

  private constructor(ports: Ports, folder: string, parts: Parts) {
    this.ports = ports
    this.folder = folder
    this.homeserver = parts.homeserver
    this.ircd = parts.ircd
    this.#service = parts.service
  }

  static async start(
    given: MatrixWorldOptions,
    before?: (ports: Ports) => Promise<Partial<MatrixWorldOptions>>,
  ): Promise<MatrixWorld> {
    const [msn = 0, passport = 0, admin = 0, matrix = 0, homeserverPort = 0, media = 0] = await steadyPorts(6)
    const ports = { msn, passport, admin, matrix, homeserver: homeserverPort, media }
    const options = { ...given, ...(await before?.(ports)) }
    const folder = makeFolder()
    const ircd = options.irc === true ? await Inspircd.start() : undefined
    const serviceFolder = options.ownService === true ? makeFolder() : folder
    let service: RunningDaemon | undefined
    let homeserver: Homeserver | undefined
    try {
      writeFileSync(`${folder}/config.yaml`, config(options, ports, ircd?.port ?? portIn(options.irc)))
      writeFileSync(`${folder}/password`, PASSWORD, { mode: 0o600 })
      if (options.ownService === true) writeFileSync(`${serviceFolder}/config.yaml`, serviceConfig(options, ports))
      for (const name of ['alice', ...(options.people ?? ['bob'])])
        await succeed(runCommand(['account', 'add', address(name)], { folder: serviceFolder, stdin: PASSWORD }))
      if (options.ownService === true) service = await startDaemon({ folder: serviceFolder })
      await succeed(runCommand(['registration'], { folder }))
      const registrations = [`${folder}/data/matrix-registration.yaml`]
      homeserver = await options.start({ port: ports.homeserver, registrations })
      const world = new MatrixWorld(ports, folder, { homeserver, ircd, service })
      if (options.stopped !== true) await world.run()
      return world
    } catch (error) {
      await homeserver?.stop()
      await ircd?.stop()
      await service?.stop()
      removeFolder(folder)
      removeFolder(serviceFolder)
      throw error
    }
  }

  get daemon(): RunningDaemon {
    if (this.#daemon === undefined) throw new Error('the daemon does not run')
    return this.#daemon
  }

  /** The homeserver that fails on command. */
  get fake(): FakeHomeserver {
    if (this.homeserver.kind !== 'fake') throw new Error('Synapse does not fail on command')
    return this.homeserver
  }

  /** `@msnbot:localhost`. */
  get bot(): string {
    return `@msnbot:${this.homeserver.domain}`
  }

  /** Of somebody on the MSN service, by the local part of the address. */
  ghost(name: string): string {
    return `@msn_retro_${name}=40${DOMAIN}:${this.homeserver.domain}`
  }

  /** Starts the daemon and waits until the homeserver and it have met. */
  async run(): Promise<void> {
    await this.runOnly()
    await this.online('matrix')
  }

  async runOnly(): Promise<void> {
    this.#daemon = await startDaemon({ folder: this.folder })
  }

  async online(account: string): Promise<void> {
    await this.daemon.waitFor((entry) => entry['account'] === account && entry.msg === 'signed in')
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#daemon?.kill()
    this.#daemon = undefined
  }

  command(...args: readonly string[]): ReturnType<typeof runCommand> {
    return runCommand(args, { folder: this.folder })
  }

  /** Signs somebody in on the MSN service; they let `friends` in and have them on their list. */
  async messenger(name: string, friends: readonly string[] = ['alice'], options?: SignInOptions): Promise<Messenger> {
    const where = { notification: this.ports.msn, passport: this.ports.passport }
    const messenger = await Messenger.signIn(where, address(name), PASSWORD, options)
    for (const friend of friends) await messenger.add(address(friend))
    this.#messengers.push(messenger)
    return messenger
  }

  async irc(nick: string, ...channels: readonly string[]): Promise<IrcClient> {
    if (this.ircd === undefined) throw new Error('this world has no IRC server')
    const client = await IrcClient.connect(this.ircd.port, nick)
    for (const channel of channels) await client.join(channel)
    this.#ircClients.push(client)
    return client
  }

  /** Somebody on Matrix, in a room with the bot, which has greeted them; not signed in to anything. */
  async guest(name: string): Promise<Resident> {
    const person = await this.homeserver.person(name)
    const home = await person.dm(this.bot)
    await person.waitForMessage(home, /help/)
    return { person, home }
  }

  /** Somebody on Matrix who has signed in with the bot, to the account of the same name unless another is given, and joins where they are invited. */
  async resident(name = 'alice', account = name): Promise<Resident> {
    const resident = await this.guest(name)
    resident.person.acceptInvites()
    expectWords(await this.login(resident, account), /^Signed in/)
    return resident
  }

  /** Says `login`, then the password; answers what the bot says to that. */
  async login(resident: Resident, account: string, password = PASSWORD, network = 'retro'): Promise<SeenEvent> {
    await this.ask(resident, `login ${network} ${address(account)}`, /password/i)
    return this.ask(resident, password)
  }

  /** Says something to the bot, and answers the first thing that it says after that and that fits. */
  async ask({ person, home }: Resident, line: string, fits: RegExp = /./): Promise<SeenEvent> {
    const known = new Set(person.messages(home).map(({ id }) => id))
    await person.say(home, line)
    return person.waitForMessage(
      home,
      (event) => !known.has(event.id) && event.sender === this.bot && fits.test(bodyOf(event)),
    )
  }

  /** The room in which a person meets these people of MSN, when they are all there. */
  async portal(person: MatrixPerson, ...names: readonly string[]): Promise<string> {
    const ghosts = names.map((name) => this.ghost(name))
    const theirs = (room: string): boolean => ghosts.every((ghost) => person.membership(room, ghost) === 'join')
    const others = (room: string): number =>
      person.members(room).filter((user) => user !== person.id && user !== this.bot).length
    return person.waitForRoom((room) => theirs(room) && others(room) === names.length)
  }

  async status(): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/status`, {
      headers: { accept: 'application/json' },
    })
    return answer.json()
  }

  /** A metric as the admin page shows it, labels included in `line`; 0 where there is none. */
  async metric(line: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.ports.admin}/metrics`)).text()
    const found = text.split('\n').find((each) => each.startsWith(`${line} `))
    return Number(found?.slice(line.length + 1) ?? 0)
  }

  async stop(): Promise<void> {
    for (const messenger of this.#messengers) messenger.ns.kill()
    for (const client of this.#ircClients) client.close()
    await this.#daemon?.stop()
    await this.homeserver.stop()
    await this.ircd?.stop()
    await this.#service?.stop()
    if (this.#service !== undefined) removeFolder(this.#service.folder)
    removeFolder(this.folder)
  }
}

const succeed = async (command: ReturnType<typeof runCommand>): Promise<void> => {
  const { code, stderr, stdout } = await command
  if (code !== 0) throw new Error(stderr === '' ? stdout : stderr)
}

const expectWords = (event: SeenEvent, words: RegExp): void => {
  if (!words.test(bodyOf(event))) throw new Error(`the bot said: ${bodyOf(event)}`)
}

const portIn = (irc: MatrixWorldOptions['irc']): number | undefined => (typeof irc === 'number' ? irc : undefined)

const config = (options: MatrixWorldOptions, ports: Ports, irc: number | undefined): string => `
data: ./data
log: { level: debug }
admin: { listen: 127.0.0.1:${ports.admin} }
media: { listen: 127.0.0.1:${ports.media} }
networks:
${options.ownService === true ? '' : homeNetwork(options, ports)}  - id: retro
    type: msn
    server: 127.0.0.1:${options.msnPort ?? ports.msn}
    passport: { nexus: "https://127.0.0.1:${ports.passport}/rdr/pprdr.asp" }
    insecure: true
${options.msn ?? SHORT}
  - id: matrix
    type: matrix
    homeserver: http://127.0.0.1:${ports.homeserver}
    domain: localhost
    listen: 127.0.0.1:${ports.matrix}
${options.matrix ?? SHORT}
${
  irc === undefined
    ? ''
    : `  - id: irc
    type: irc
    server: 127.0.0.1:${irc}
    tls: false
    nick: msnbridge
${options.ircMore ?? ''}
    flood: { burst: 1000, interval_ms: 0 }
${SHORT.replace(' }', ', members_quiet_ms: 100, members_latest_ms: 500, members_grace_ms: 2000 }')}
`
}${options.networks ?? ''}
${options.links === undefined ? '' : `links:\n${options.links.map((link) => `  - ${link}`).join('\n')}\n`}${options.more ?? ''}`

const homeNetwork = (options: MatrixWorldOptions, ports: Ports): string => `  - id: home
    type: msn-service
    domain: ${DOMAIN}
    listen: 127.0.0.1:${ports.msn}
    passport: { listen: 127.0.0.1:${ports.passport} }
${options.switchboardPublic === undefined ? '' : `    switchboard: { public: ${options.switchboardPublic} }\n`}${options.service ?? ''}
`

const serviceConfig = (options: MatrixWorldOptions, ports: Ports): string => `
data: ./data
admin: { listen: 127.0.0.1:0 }
networks:
${homeNetwork(options, ports)}`
