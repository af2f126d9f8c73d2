import { setTimeout as pause } from 'node:timers/promises'
import { steadyPorts } from './foreign-server.ts'
import { Inspircd } from './inspircd.ts'
import type { IrcOper } from './irc-oper.ts'
import { DEADLINE_MS } from './messenger.ts'

export const HUB = 'hub.example'
export const LEAF = 'leaf.example'

const LOOK_EVERY_MS = 20

/** Two InspIRCd servers that are one network, until they are split. */
export class InspircdNetwork {
  readonly hub: Inspircd
  readonly leaf: Inspircd
  readonly #oper: IrcOper

  private constructor(hub: Inspircd, leaf: Inspircd, oper: IrcOper) {
    this.hub = hub
    this.leaf = leaf
    this.#oper = oper
  }

  /** Resolves when they are linked. */
  static async start(): Promise<InspircdNetwork> {
    const [hubPort = 0, leafPort = 0] = await steadyPorts(2)
    const toHub = { name: HUB, port: hubPort }
    const toLeaf = { name: LEAF, port: leafPort }
    const hub = await Inspircd.start({ place: { name: HUB, linkPort: hubPort, peers: [toLeaf] } })
    let leaf: Inspircd | undefined
    try {
      leaf = await Inspircd.start({ place: { name: LEAF, linkPort: leafPort, peers: [toHub] } })
      const network = new InspircdNetwork(hub, leaf, await hub.oper('linker'))
      await network.join()
      return network
    } catch (error) {
      await leaf?.stop()
      await hub.stop()
      throw error
    }
  }

  /** A netsplit: each half sees those of the other quit, `QUIT :hub.example leaf.example`. */
  async split(): Promise<void> {
    await this.#oper.unlink(LEAF)
    await this.#linked(false)
  }

  /** Links them again, also when the leaf was ended and started anew: each half sees those of the other join. */
  async join(): Promise<void> {
    await this.#oper.link(LEAF)
    await this.#linked(true)
  }

  async stop(): Promise<void> {
    this.#oper.close()
    await this.leaf.stop()
    await this.hub.stop()
  }

  /** Linking takes a few exchanges between the servers, of which clients are told nothing. */
  async #linked(wanted: boolean): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS
    while ((await this.#oper.servers()).includes(LEAF) !== wanted) {
      if (Date.now() > deadline)
        throw new Error(`the servers did not ${wanted ? 'link' : 'split'}:\n${this.hub.output}`)
      await pause(LOOK_EVERY_MS)
    }
  }
}
