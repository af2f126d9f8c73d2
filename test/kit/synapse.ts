/** A real Synapse on a fresh SQLite database: found in MSN_BRIDGE_SYNAPSE (a venv) or in .venv-synapse of the repository. */
import { createHmac, randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ForeignServer, steadyPorts, temporaryFolder } from './foreign-server.ts'
import { SdkPerson } from './matrix-client.ts'

const VENV = fileURLToPath(new URL('../../.venv-synapse', import.meta.url))
const DOMAIN = 'localhost'
/** It writes down who is online before it ends; without that, presence is pushed to nobody for a while after. */
const GOODBYE_MS = 20_000
const PASSWORD = 'secret-password'

/** Its python, if Synapse is installed there. */
const findPython = (): string | undefined => {
  const given = process.env['MSN_BRIDGE_SYNAPSE']
  const places = given === undefined ? [join(VENV, 'bin/python')] : [join(given, 'bin/python'), given]
  return places.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return path.endsWith('python') || path.endsWith('python3')
    } catch {
      return false
    }
  })
}

/** Says on the terminal that tests are skipped, and why. True: skip them. */
export const missingSynapse = (): boolean => {
  if (findPython() !== undefined) return false
  process.stderr.write(
    '\n!!! SKIPPED: Synapse not installed ' +
      '(python3 -m venv .venv-synapse && .venv-synapse/bin/pip install matrix-synapse==1.163.2)\n\n',
  )
  return true
}

export interface SynapseOptions {
  /** Registration files of application services. */
  readonly registrations?: readonly string[]
  /** Where clients connect; by default a free port. */
  readonly port?: number
  /** Lines of YAML added to homeserver.yaml. */
  readonly extra?: string
}

export class Synapse {
  readonly kind = 'synapse'
  readonly domain = DOMAIN
  readonly port: number
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>
  readonly #secret: string
  readonly #people: SdkPerson[] = []
  #server: ForeignServer

  private constructor(port: number, folder: Awaited<ReturnType<typeof temporaryFolder>>, secret: string) {
    this.port = port
    this.#folder = folder
    this.#secret = secret
    this.#server = this.#spawn()
  }

  static async start(options: SynapseOptions = {}): Promise<Synapse> {
    const [free = 0] = await steadyPorts(1)
    const port = options.port ?? free
    const folder = await temporaryFolder('synapse')
    const secret = randomBytes(16).toString('hex')
    const file = (name: string): string => join(folder.path, name)
    await writeFile(file('signing.key'), `ed25519 a_test ${randomBytes(32).toString('base64').replace(/=+$/, '')}\n`)
    await writeFile(file('log.yaml'), LOG)
    await writeFile(file('homeserver.yaml'), config(file, port, secret, options))
    const synapse = new Synapse(port, folder, secret)
    try {
      await synapse.#healthy()
    } catch (error) {
      await synapse.stop()
      throw error
    }
    return synapse
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** What it has written to the terminal, for a test that fails. */
  get output(): string {
    return this.#server.output
  }

  /** Somebody with an account, whose client syncs. The same name again is another client of the same person. */
  async person(name: string): Promise<SdkPerson> {
    await this.#register(name)
    const person = await SdkPerson.login(this.url, `@${name}:${DOMAIN}`, PASSWORD)
    this.#people.push(person)
    return person
  }

  /** Ends it politely; `up` brings it back. */
  async down(): Promise<void> {
    await this.#server.stop('SIGTERM', GOODBYE_MS)
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#server.stop('SIGKILL')
  }

  async up(): Promise<void> {
    this.#server = this.#spawn()
    await this.#healthy()
  }

  async restart(): Promise<void> {
    await this.down()
    await this.up()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#people.map((person) => person.stop()))
    await this.#server.stop()
    await this.#folder.remove()
  }

  #spawn(): ForeignServer {
    const args = ['-m', 'synapse.app.homeserver', '-c', join(this.#folder.path, 'homeserver.yaml')]
    return new ForeignServer(findPython() ?? 'python3', args, { cwd: this.#folder.path })
  }

  async #healthy(): Promise<void> {
    await this.#server.listening(this.port)
    const answer = await fetch(`${this.url}/health`)
    if (!answer.ok) throw new Error(`Synapse is not healthy: ${answer.status}\n${this.output}`)
  }

  /** With the shared secret: HMAC-SHA1 over nonce, name, password and role, divided by NUL. */
  async #register(name: string): Promise<void> {
    const url = `${this.url}/_synapse/admin/v1/register`
    const { nonce } = (await (await fetch(url)).json()) as { readonly nonce: string }
    const mac = createHmac('sha1', this.#secret).update([nonce, name, PASSWORD, 'notadmin'].join('\0')).digest('hex')
    const body = JSON.stringify({ nonce, username: name, password: PASSWORD, admin: false, mac })
    const answer = await fetch(url, { method: 'POST', body })
    const text = await answer.text()
    if (!answer.ok && !text.includes('M_USER_IN_USE')) throw new Error(`cannot register ${name}: ${text}`)
  }
}

const LOG = `version: 1
formatters: { plain: { format: "%(levelname)s %(name)s %(message)s" } }
handlers: { out: { class: logging.StreamHandler, formatter: plain, stream: ext://sys.stderr } }
root: { level: WARNING, handlers: [out] }
disable_existing_loggers: false
`

const PLENTY = '{ per_second: 100000, burst_count: 100000 }'

const config = (
  file: (name: string) => string,
  port: number,
  secret: string,
  { registrations = [], extra = '' }: SynapseOptions,
): string => `server_name: ${DOMAIN}
public_baseurl: http://127.0.0.1:${port}/
pid_file: ${file('pid')}
log_config: ${file('log.yaml')}
signing_key_path: ${file('signing.key')}
media_store_path: ${file('media')}
listeners:
  - { port: ${port}, bind_addresses: ["127.0.0.1"], type: http, resources: [{ names: [client] }] }
database: { name: sqlite3, args: { database: ${file('homeserver.db')} } }
registration_shared_secret: ${secret}
macaroon_secret_key: ${secret}
form_secret: ${secret}
report_stats: false
suppress_key_server_warning: true
trusted_key_servers: []
federation_domain_whitelist: []
enable_registration: false
bcrypt_rounds: 4
presence: { enabled: true, sync_online_timeout: 10m }
filter_timeline_limit: 5000
app_service_config_files: [${registrations.map((path) => JSON.stringify(path)).join(', ')}]
rc_message: ${PLENTY}
rc_registration: ${PLENTY}
rc_login: { address: ${PLENTY}, account: ${PLENTY}, failed_attempts: ${PLENTY} }
rc_joins: { local: ${PLENTY}, remote: ${PLENTY} }
rc_joins_per_room: ${PLENTY}
rc_admin_redaction: ${PLENTY}
rc_invites: { per_room: ${PLENTY}, per_user: ${PLENTY}, per_issuer: ${PLENTY} }
rc_presence: { per_user: ${PLENTY} }
rc_room_creation: ${PLENTY}
rc_media_create: ${PLENTY}
${extra}
`
