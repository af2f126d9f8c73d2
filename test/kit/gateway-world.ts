/** A whole world for scenarios of the gateway: the daemon with its MSN service, an account network on it, and the gateway. */
import { writeFileSync } from 'node:fs'
import { Ear } from './ear.ts'
import { freePort, makeFolder, removeFolder, runCommand, startDaemon, type RunningDaemon } from './daemon.ts'
import { IrcClient, requesting } from './irc-client.ts'
import { Messenger, type SignInOptions } from './messenger.ts'

export const DOMAIN = 'home.example'
export const address = (name: string): string => `${name}@${DOMAIN}`
export const PASSWORD = 'secret-password'
export const CONTROL = '&bitlbee'

export interface GatewayWorldOptions {
  /** Flow YAML added to the gateway: "offline_as: hidden, limits: { clients: 10 }". */
  readonly gateway?: string
  /** YAML of further networks, and what else belongs into the config. */
  readonly networks?: string
  readonly more?: string
  /** Accounts on the service that are there before, by local part. */
  readonly people?: readonly string[]
}

export class GatewayWorld {
  readonly folder = makeFolder()
  readonly ports: { readonly msn: number; readonly passport: number; readonly admin: number; readonly irc: number }
  readonly #messengers: Messenger[] = []
  readonly #clients: IrcClient[] = []
  #daemon: RunningDaemon | undefined

  private constructor(ports: GatewayWorld['ports']) {
    this.ports = ports
  }

  static async start(options: GatewayWorldOptions = {}): Promise<GatewayWorld> {
    const world = new GatewayWorld({
      msn: await freePort(),
      passport: await freePort(),
      admin: await freePort(),
      irc: await freePort(),
    })
    try {
      writeFileSync(`${world.folder}/config.yaml`, world.#config(options))
      for (const name of options.people ?? ['bob']) await world.account(name)
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

  async run(): Promise<void> {
    this.#daemon = await startDaemon({ folder: this.folder })
  }

  async kill(): Promise<void> {
    await this.daemon.kill()
    this.#daemon = undefined
  }

  /** An account on the service. */
  async account(name: string): Promise<void> {
    const { code, stderr } = await this.command(['account', 'add', address(name)], PASSWORD)
    if (code !== 0) throw new Error(stderr)
  }

  command(args: readonly string[], stdin = ''): ReturnType<typeof runCommand> {
    return runCommand(args, { folder: this.folder, stdin })
  }

  /** Signs somebody in on the service. */
  async messenger(name: string, options?: SignInOptions): Promise<Messenger> {
    const where = { notification: this.ports.msn, passport: this.ports.passport }
    const messenger = await Messenger.signIn(where, address(name), PASSWORD, options)
    this.#messengers.push(messenger)
    return messenger
  }

  /** An IRC client, registered and in the control channel, of an account of the gateway that is there or not. */
  async irc(nick: string, before: readonly string[] = []): Promise<IrcClient> {
    const client = await IrcClient.connect(this.ports.irc, nick, false, before)
    this.#clients.push(client)
    await client.next(/ 366 /)
    return client
  }

  /** Somebody new: makes an account with `register`, and with it one on the service that is signed in. */
  async newcomer(nick: string, caps: readonly string[] = []): Promise<IrcClient> {
    const client = await this.irc(nick, caps.length === 0 ? [] : requesting(caps))
    client.say(CONTROL, `register ${PASSWORD}`)
    await this.signedIn(nick)
    return client
  }

  /** Somebody on the service who has put a person of the gateway on their list; the person has said yes. */
  async friend(name: string, person: string): Promise<Ear> {
    const ear = new Ear(await this.messenger(name))
    await ear.messenger.add(address(person))
    await ear.messenger.ns.next(
      (line) => line.words[0] === 'ADD' && line.words.includes('RL') && line.words.includes(address(person)),
    )
    return ear
  }

  /** Another client of somebody who has an account. */
  attach(nick: string, caps: readonly string[] = [], account = nick): Promise<IrcClient> {
    return this.irc(nick, [`PASS ${account}:${PASSWORD}`, ...(caps.length === 0 ? [] : requesting(caps))])
  }

  async signedIn(name: string): Promise<void> {
    await this.daemon.waitFor((entry) => entry['account'] === `retro:${address(name)}` && entry.msg === 'signed in')
  }

  async stop(): Promise<void> {
    for (const messenger of this.#messengers) messenger.ns.kill()
    for (const client of this.#clients) client.close()
    await this.#daemon?.stop()
    removeFolder(this.folder)
  }

  #config({ gateway = '', networks = '', more = '' }: GatewayWorldOptions): string {
    const { msn, passport, admin, irc } = this.ports
    const timing = 'timing: { backoff_ms: [100, 200, 500], notice_after_ms: 500 }'
    const files = 'files: { listen: 127.0.0.1, first_port: 0, last_port: 0 }'
    return `
data: ./data
log: { level: debug }
admin: { listen: 127.0.0.1:${admin} }
media: { listen: 127.0.0.1:0 }
networks:
  - { id: home, type: msn-service, domain: ${DOMAIN}, listen: 127.0.0.1:${msn}, passport: { listen: 127.0.0.1:${passport} } }
  - { id: retro, type: msn, server: 127.0.0.1:${msn}, passport: { nexus: "https://127.0.0.1:${passport}/rdr/pprdr.asp" }, ${files}, ${timing} }
  - { id: irc, type: irc-gateway, listen: 127.0.0.1:${irc}${gateway === '' ? '' : `, ${gateway}`} }
${networks}
${more}
`
  }
}

/** Somebody new on a gateway elsewhere: registered there. */
export const registered = async (port: number, nick: string): Promise<IrcClient> => {
  const client = await IrcClient.connect(port, nick)
  await client.next(/ 366 /)
  client.say(CONTROL, `register ${PASSWORD}`)
  await client.next(/Account successfully created/)
  return client
}
