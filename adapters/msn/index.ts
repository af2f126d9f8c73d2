/** The adapter `msn`: we sign in to an MSN network with people's accounts. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Account, Adapter, AdapterContext, Session } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { allowedAddresses, FilePorts, MsnClient, wrongAllowance, type MsnClientOptions } from '../../msnp/index.ts'
import type { AdapterOptions } from '../module.ts'
import type { MsnConfig } from './config.ts'
import { isGroupId } from './groups.ts'
import type { OpenLine } from './line.ts'
import { MsnSession } from './session.ts'
import type { FileSettings } from './transfers/account-files.ts'
import { parseAddress } from './words.ts'

export const create = (options: AdapterOptions<MsnConfig>): Adapter => new MsnAdapter(options)

interface Started {
  readonly context: AdapterContext
  /** Certificate authority of the login servers, PEM. */
  readonly ca: string | undefined
  readonly mayConnect: (address: string) => boolean
  readonly ports: FilePorts
}

export class MsnAdapter implements Adapter {
  readonly network: NetworkId
  readonly role = 'joins'
  readonly #config: MsnConfig
  readonly #openLine: OpenLine
  readonly #sessions = new Map<AccountId, MsnSession>()
  #started: Started | undefined

  /** `openLine`: for tests without a network. */
  constructor(options: AdapterOptions<MsnConfig>, openLine: OpenLine = (line) => new MsnClient(line)) {
    this.network = options.network
    this.#config = options.config
    this.#openLine = openLine
  }

  async start(context: AdapterContext): Promise<void> {
    const { ca, files } = this.#config
    for (const entry of files.allow) {
      const wrong = wrongAllowance(entry)
      if (wrong !== undefined) throw new Error(`${entry} ${wrong}: check "files.allow" of this network`)
    }
    if (files.last_port < files.first_port) throw new Error('files.last_port is below files.first_port: exchange them')
    const mayConnect = allowedAddresses(files.allow)
    const ports = new FilePorts({ host: files.listen, from: files.first_port, to: files.last_port })
    this.#started = { context, mayConnect, ports, ca: ca === undefined ? undefined : await pem(ca) }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.stop()))
  }

  session(account: Account): Session {
    const known = this.#sessions.get(account.id)
    if (known !== undefined) return known
    if (this.#started === undefined) throw new Error('the msn adapter has not been started')
    const started = this.#started
    const session = new MsnSession({
      network: this.network,
      account,
      context: started.context,
      client: () => clientOptions(this.#config, started.ca),
      pictures: { fetch: this.#config.pictures.fetch, maxBytes: this.#config.pictures.max_kb * 1_000 },
      mail: this.#config.mail_notifications,
      openLine: this.#openLine,
      files: fileSettings(this.#config, started),
      random: () => randomBytes(16).toString('hex'),
    })
    this.#sessions.set(account.id, session)
    return session
  }

  ownAccounts(): readonly Account[] {
    return []
  }

  parseChat(name: string): ChatId | { readonly wrong: string } {
    const chat = name.trim() as ChatId
    if (isGroupId(chat)) return chat
    const user = this.parseUser(name)
    return typeof user === 'string' ? (user as string as ChatId) : user
  }

  parseUser(name: string): UserId | { readonly wrong: string } {
    return parseAddress(name) ?? { wrong: `${name} is no MSN address: write it like bob@example.com` }
  }

  describe(): readonly string[] {
    const { host, port } = this.#config.server
    const sessions = [...this.#sessions.values()]
    const online = sessions.filter(({ state }) => state.kind === 'online').length
    const { http_gateway: gateway } = this.#config
    const through = gateway === undefined ? '' : ` through ${new URL(gateway).host}`
    return [`MSN network at ${host}:${port}${through}, ${online} of ${sessions.length} accounts signed in`]
  }
}

const pem = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new Error(`the certificate authority ${path} cannot be read: check "ca" of this network`)
  }
}

/** Generations of clients: 6.0 is the first that knows peers, and 8.0 is not known to know MSNFTP. */
const FIRST_WITH_PEERS = 1
const FIRST_WITHOUT_MSNFTP = 6

const fileSettings = ({ files }: MsnConfig, { mayConnect, ports }: Started): FileSettings => ({
  receives: files.receive,
  peersFrom: files.protocol === 'auto' ? FIRST_WITH_PEERS : FIRST_WITHOUT_MSNFTP,
  sends: files.send,
  maxBytes: files.max_mb * 1_000_000,
  direction: files.direction,
  ports,
  publicHost: files.public,
  mayConnect,
  answerMs: files.answer_timeout_ms,
  timings: {},
})

const clientOptions = (
  config: MsnConfig,
  ca: string | undefined,
): Omit<MsnClientOptions, 'login' | 'password' | 'status' | 'picture' | 'personalMessage' | 'onEvent'> => {
  const { timing } = config
  return {
    server: config.server,
    passport: config.passport,
    ...(config.http_gateway === undefined ? {} : { gateway: config.http_gateway }),
    dialects: config.dialects,
    ...(ca === undefined ? {} : { ca }),
    insecure: config.insecure,
    beside: config.beside_messenger ?? false,
    loginHosts: config.login_hosts,
    ...(config.allow_private_hosts === undefined ? {} : { allowPrivateHosts: config.allow_private_hosts }),
    timings: {
      commandMs: timing.command_timeout_ms,
      signInMs: timing.connect_timeout_ms,
      pingMs: timing.ping_ms,
      pongMs: timing.ping_timeout_ms,
      ackMs: timing.ack_timeout_ms,
      joinMs: timing.join_timeout_ms,
      switchboardIdleMs: timing.switchboard_idle_ms,
      gatewayPollMs: timing.gateway_poll_ms,
    },
  }
}
