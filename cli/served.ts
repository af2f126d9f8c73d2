/**
 * What the commands do, wherever they run: in the daemon for a command line that asks through the control port, or in the
 * command line itself when no daemon runs.
 */
import type { AccountAdmin, AccountAnswer } from '../adapters/module.ts'
import { keepsAccounts } from '../adapters/registry.ts'
import type { Adapter } from '../bridge/adapter.ts'
import type { Identity } from '../bridge/identity.ts'
import type { NetworkId, PersonId } from '../bridge/model/ids.ts'
import type { ControlAnswer, ControlRequest } from '../bridge/ops/control.ts'
import { type Report, reportText } from '../bridge/ops/report.ts'
import type { Config } from '../config/schema.ts'

export interface Served {
  readonly config: Config
  readonly accounts: (network: NetworkId) => AccountAdmin | undefined
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'parseUser'>>
  readonly identity: Pick<Identity, 'personOf' | 'link' | 'unlink' | 'people'> | undefined
  readonly backup: (file: string) => Promise<void>
  /** Only a running daemon has these. */
  readonly live?: { readonly report: () => Report; readonly reconnect: (name: string) => Promise<readonly string[]> }
}

const done = (...lines: readonly string[]): ControlAnswer => ({ kind: 'done', lines })
const failed = (wrong: string): ControlAnswer => ({ kind: 'failed', wrong })

/** Rejections are failures, too: their message is a sentence. */
export const serve = async ({ command, args }: ControlRequest, served: Served): Promise<ControlAnswer> => {
  const word = (name: string): string => args[name] ?? ''
  switch (command) {
    case 'account add':
    case 'account passwd':
    case 'account remove':
    case 'account list':
      return accountCommand(command, args, served)
    case 'link':
    case 'unlink':
      return linkPerson(command, { person: word('PERSON'), network: word('NETWORK'), user: word('USER') }, served)
    case 'backup':
      await served.backup(word('FILE'))
      return done(`The database is copied to ${word('FILE')}.`)
    case 'status':
      return served.live === undefined ? noDaemon(served) : done(...reportText(served.live.report()))
    case 'reconnect': {
      if (served.live === undefined) return noDaemon(served)
      const name = word('ACCOUNT')
      const tried = await served.live.reconnect(name)
      if (tried.length > 0) return done(`Reconnecting ${tried.join(', ')}.`)
      return failed(`${name} is no account or network that waits; msn-bridge status lists them`)
    }
    default:
      return failed(`the daemon knows no command ${command}: is it older than this command line?`)
  }
}

const noDaemon = ({ config }: Served): ControlAnswer => failed(`no daemon runs on the data folder ${config.data}`)

const accountCommand = async (
  command: string,
  args: ControlRequest['args'],
  served: Served,
): Promise<ControlAnswer> => {
  const address = args['ADDRESS'] ?? ''
  const network = chooseService(served.config, args['network'], address)
  if ('wrong' in network) return failed(network.wrong)
  const admin = served.accounts(network.id)
  if (admin === undefined) return failed(`the service ${network.id} is not running; msn-bridge status says why`)
  const password = args['password'] ?? ''
  switch (command) {
    case 'account add':
      return answered(await admin.add(address, password), (whole) => `${whole} can sign in now.`)
    case 'account passwd':
      return answered(await admin.passwd(address, password), (whole) => `${whole} has a new password.`)
    case 'account remove':
      return answered(await admin.remove(address), (whole) => `${whole} is removed.`)
    default: {
      const rows = await admin.list()
      return done(
        ...rows.map(
          ({ address: each, name, online }) =>
            `${each}${name === '' || name === each ? '' : ` (${name})`}${online ? ', signed in' : ''}`,
        ),
      )
    }
  }
}

const answered = (answer: AccountAnswer, line: (address: string) => string): ControlAnswer =>
  answer.kind === 'done' ? done(line(answer.address)) : failed(answer.wrong)

/** The one that is named, the only one there is, or the one whose domain the address has. */
export const chooseService = (
  config: Config,
  named: string | undefined,
  address: string,
): { readonly id: NetworkId } | { readonly wrong: string } => {
  const services = config.networks.filter(keepsAccounts)
  const ids = services.map(({ id }) => id).join(', ')
  if (services.length === 0) return { wrong: 'this config has no network of type msn-service, which keeps accounts' }
  if (named !== undefined) {
    const found = services.find(({ id }) => id === named)
    return found === undefined
      ? { wrong: `${named} is no service of this config; there is ${ids}` }
      : { id: found.id as NetworkId }
  }
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
  const fitting = services.filter((service) => service.type === 'msn-service' && service.domain === domain)
  const [only, ...others] = fitting.length > 0 ? fitting : services
  if (only !== undefined && others.length === 0) return { id: only.id as NetworkId }
  return { wrong: `which service? Say --network and one of ${ids}` }
}

const linkPerson = async (
  command: 'link' | 'unlink',
  words: { readonly person: string; readonly network: string; readonly user: string },
  { config, adapters, identity }: Served,
): Promise<ControlAnswer> => {
  const network = words.network as NetworkId
  const adapter = adapters.get(network)
  if (adapter === undefined)
    return failed(
      `${words.network} is no network of this config; there is ${config.networks.map(({ id }) => id).join(', ')}`,
    )
  const user = adapter.parseUser(words.user)
  if (typeof user !== 'string') return failed(user.wrong)
  if (identity === undefined) return failed('the daemon is stopping')
  const people = identity.people().map(({ id }) => String(id))
  if (!people.includes(words.person))
    return failed(
      `${words.person} is no person of this config${people.length > 0 ? `; there is ${people.join(', ')}` : ': add it under people'}`,
    )
  const ref = { network, user }
  if (command === 'link') {
    await identity.link(ref, words.person as PersonId)
    return done(`${user} on ${network} is ${words.person}.`)
  }
  if (identity.personOf(ref) !== (words.person as PersonId))
    return failed(`${user} on ${network} is not linked with ${words.person}`)
  await identity.unlink(ref)
  return done(`${user} on ${network} is not ${words.person} any more.`)
}
