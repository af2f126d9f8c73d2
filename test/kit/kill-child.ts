/**
 * The process that test/bridge/kill.test.ts kills: a hub between two networks that live in files. Each network sends
 * `total` numbered messages, remembers which were acknowledged, and writes down what it is given.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Account, Adapter, Clock, Delivery, Logger, Session } from '../../bridge/adapter.ts'
import { systemClock } from '../../bridge/clock.ts'
import { Hub } from '../../bridge/hub.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, OpenResult, RosterResult, SessionState } from '../../bridge/model/result.ts'
import { plain, textOf } from '../../bridge/model/text.ts'
import type { LinkEnd } from '../../bridge/portals.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { ableCapabilities } from './fake-adapter.ts'

const [folder = '', total = '0', pipelines = '1,1'] = process.argv.slice(2)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A network in files: `<name>.got`, `<name>.told`, `<name>.acknowledged`, one line for each. */
class FileNetwork implements Adapter, Session {
  readonly network: NetworkId
  readonly role = 'joins'
  readonly account: AccountId
  readonly state: SessionState = { kind: 'online', since: 0 }
  readonly #pipeline: number
  #count = 0

  constructor(name: string, pipeline: number) {
    this.network = name as NetworkId
    this.account = name as AccountId
    this.#pipeline = pipeline
  }

  write(what: string, line: string): void {
    appendFileSync(join(folder, `${this.network}.${what}`), `${line}\n`)
  }

  read(what: string): readonly string[] {
    const file = join(folder, `${this.network}.${what}`)
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  }

  get of(): Account {
    return { id: this.account, network: this.network, person: 'p' as PersonId, login: 'self', secret: '' }
  }

  get chat(): ChatRef {
    return { network: this.network, chat: '#room' as ChatId }
  }

  get end(): LinkEnd {
    return { kind: 'channel', network: this.network, account: this.account, chat: '#room' as ChatId }
  }

  async deliver({ op }: Delivery): Promise<DeliveryResult> {
    await turn()
    if (op.kind === 'message' && op.body.kind === 'text') this.write('got', textOf(op.body.text))
    else if (op.kind === 'delivery') this.write('told', `${op.outcome} ${op.target}`)
    else if (op.kind === 'status') this.write('told', 'status')
    process.stdout.write('.')
    await turn()
    return { kind: 'delivered', ids: [`${this.network}-${process.pid}-${++this.#count}` as MessageId] }
  }

  async open(): Promise<OpenResult> {
    return { kind: 'opened', chat: this.chat }
  }

  capabilities() {
    return { ...ableCapabilities, pipeline: this.#pipeline }
  }

  members = () => undefined
  drop = () => Promise.resolve()
  split: Session['split'] = (op) => [op]
  session = () => this
  ownAccounts = () => [this.of]
  parseChat = (name: string) => name as ChatId
  parseUser = (name: string) => name as UserId
  describe = () => []
  start = () => Promise.resolve()
  stop = () => Promise.resolve()
  connect = () => Promise.resolve()
  close = () => Promise.resolve()
  roster = (): Promise<RosterResult> => Promise.resolve({ kind: 'done' })
}

/** Sends what was not acknowledged yet, many at once, in order; the network waits for the disk before it forgets. */
const send = async (from: FileNetwork, hub: Hub, clock: Clock): Promise<void> => {
  const sent = new Set(from.read('acknowledged'))
  const underway: Promise<void>[] = []
  for (let number = 1; number <= Number(total); number++) {
    const id = String(number) as MessageId
    if (sent.has(id)) continue
    const event = {
      kind: 'message',
      chat: from.chat,
      sender: { network: from.network, user: 'someone' as UserId },
      id,
      at: clock.now(),
      body: { kind: 'text', text: plain(id) },
    } as const
    underway.push(hub.accept(event).then(() => from.write('acknowledged', id)))
    if (underway.length >= 20) await underway.shift()
    if (number % 7 === 0) await turn()
  }
  await Promise.all(underway)
}

const quiet = (): void => undefined
const log: Logger = {
  child: () => log,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: (fields, text) => process.stderr.write(`${text} ${JSON.stringify(fields)}\n`),
}

const [first = '1', second = '1'] = pipelines.split(',')
const left = new FileNetwork('left', Number(first))
const right = new FileNetwork('right', Number(second))
const networks = [left, right]
const store = new SqliteStore({ file: join(folder, 'bridge.db'), clock: systemClock, log })
await store.open()
const hub = new Hub({
  store,
  clock: systemClock,
  log,
  metrics: { count: quiet, gauge: quiet, observe: quiet },
  adapters: new Map(networks.map((network) => [network.network, network])),
  sessionOf: (account) => networks.find((network) => network.account === account),
  accounts: () => networks.map((network) => network.of),
})
await hub.start({ people: [], links: [[left.end, right.end]] })
process.stdout.write('.')
await Promise.all(networks.map((network) => send(network, hub, systemClock)))
while (hub.status().lanes.length > 0) await systemClock.sleep(5)
await hub.stop()
await store.close()
process.stdout.write('done\n')
