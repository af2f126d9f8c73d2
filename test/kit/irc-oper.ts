import { IrcClient } from './irc-client.ts'

/** How long a line stands, in InspIRCd's words. */
const FOR = '1h'

/** An IRC operator of InspIRCd. Each method resolves when the server has done it. */
export class IrcOper {
  readonly client: IrcClient
  #barriers = 0

  private constructor(client: IrcClient) {
    this.client = client
  }

  static async connect(port: number, nick = 'oper'): Promise<IrcOper> {
    const client = await IrcClient.connect(port, nick)
    client.send('OPER oper operpass')
    await client.next(/^\S+ 381 /)
    return new IrcOper(client)
  }

  async kill(nick: string, reason = 'killed by the test'): Promise<void> {
    await this.#done(`KILL ${nick} :${reason}`)
  }

  /** Bans `user@host` (KLINE here, GLINE everywhere) or an address (ZLINE); those whom it fits are thrown out. */
  async ban(kind: 'KLINE' | 'GLINE' | 'ZLINE', mask: string, reason = 'banned by the test'): Promise<void> {
    await this.#done(`${kind} ${mask} ${FOR} :${reason}`)
  }

  /** Takes a ban back. */
  async unban(kind: 'KLINE' | 'GLINE' | 'ZLINE', mask: string): Promise<void> {
    await this.#done(`${kind} ${mask}`)
  }

  /** `samode('#channel', '+m')`, whoever is operator there. */
  async samode(target: string, modes: string): Promise<void> {
    await this.#done(`SAMODE ${target} ${modes}`)
  }

  /** Names of the servers that are linked now, our own included. */
  async servers(): Promise<readonly string[]> {
    const from = this.client.lines.length
    await this.#done('LINKS')
    return this.client.lines.slice(from).flatMap((line) => /^\S+ 364 \S+ (\S+) /.exec(line)?.[1] ?? [])
  }

  /** Links with another server; nobody waits for it here. */
  async link(server: string): Promise<void> {
    await this.#done(`CONNECT ${server}`)
  }

  async unlink(server: string): Promise<void> {
    await this.#done(`SQUIT ${server} :split by the test`)
  }

  close(): void {
    this.client.close()
  }

  /** A server answers in order: what came before the PONG is done. */
  async #done(line: string): Promise<void> {
    const token = `barrier-${++this.#barriers}`
    this.client.send(line)
    this.client.send(`PING ${token}`)
    await this.client.next(new RegExp(` PONG .*${token}$`))
  }
}
