/** What no single field can know: references between the parts of a config, and things named twice. */
import { didYouMean, type Problem } from './problems.ts'
import { checkSetting, rowsOf, settingRow } from '../adapters/irc-gateway/root/settings.ts'
import type { HostPort } from './fields.ts'
import { nearest } from '../bridge/nearest.ts'
import type { Config, LinkEnd, NetworkConfig } from './schema.ts'

type Path = readonly PropertyKey[]

export const crossChecks = (config: Config): readonly Problem[] => [
  ...twice(config),
  ...people(config),
  ...accounts(config),
  ...links(config),
  ...listeners(config),
  ...media(config),
  ...config.networks.flatMap((network, index) => {
    if (network.type === 'irc') return [...ircChecks(network, ['networks', index])]
    if (network.type === 'msn-service') return [...elsewhereChecks(config, network, ['networks', index])]
    if (network.type === 'irc-gateway') return [...gatewayChecks(network, ['networks', index])]
    return network.type === 'matrix' ? [...matrixChecks(network, ['networks', index])] : []
  }),
]

function* elsewhereChecks(
  config: Config,
  { elsewhere }: Extract<NetworkConfig, { readonly type: 'msn-service' }>,
  at: Path,
): Generator<Problem> {
  for (const [index, id] of (elsewhere?.networks ?? []).entries()) {
    const path = [...at, 'elsewhere', 'networks', index]
    const network = config.networks.find((one) => one.id === id)
    if (network === undefined) yield { path, message: unknown('network', id, idsOf(config.networks)) }
    else if (network.type !== 'matrix' && network.type !== 'irc')
      yield { path, message: `is of type ${network.type}: only those of types matrix and irc have addresses here` }
  }
}

/** Networks and accounts share one space of names: the bot of an IRC network is an account with the network's id. */
function* twice(config: Config): Generator<Problem> {
  const first = new Map<string, Path>()
  for (const part of ['networks', 'accounts', 'people'] as const) {
    if (part === 'people') first.clear()
    for (const [index, { id }] of config[part].entries()) {
      const path = [part, index, 'id']
      const before = first.get(id)
      if (before === undefined) first.set(id, path)
      else yield { path, message: `is already the id of ${before.slice(0, 2).map(String).join('.')}: choose another` }
    }
  }
}

function* people(config: Config): Generator<Problem> {
  const named = new Map<string, Path>()
  for (const [index, { users }] of config.people.entries())
    for (const [position, { network, user }] of users.entries()) {
      const path = ['people', index, 'users', position]
      if (!config.networks.some(({ id }) => id === network))
        yield { path: [...path, 'network'], message: unknown('network', network, idsOf(config.networks)) }
      const before = named.get(`${network} ${user}`)
      if (before === undefined) named.set(`${network} ${user}`, path)
      else yield { path, message: `is already a user of ${before.slice(0, 2).map(String).join('.')}` }
    }
}

function* accounts(config: Config): Generator<Problem> {
  const signedIn = new Map<string, number>()
  for (const [index, account] of config.accounts.entries()) {
    const path = ['accounts', index]
    const network = config.networks.find(({ id }) => id === account.network)
    if (network === undefined)
      yield { path: [...path, 'network'], message: unknown('network', account.network, idsOf(config.networks)) }
    else if (network.type !== 'msn')
      yield {
        path: [...path, 'network'],
        message: `is of type ${network.type}: accounts belong to networks of type msn${
          network.type === 'msn-service'
            ? '; people of our own service are made with: msn-bridge account add ADDRESS'
            : ''
        }`,
      }
    if (account.person !== undefined && !config.people.some(({ id }) => id === account.person))
      yield { path: [...path, 'person'], message: unknown('person', account.person, idsOf(config.people)) }
    const key = `${account.network} ${account.login.toLowerCase()}`
    const before = signedIn.get(key)
    if (before === undefined) signedIn.set(key, index)
    else
      yield { path: [...path, 'login'], message: `is already signed in by accounts.${before}: one would end the other` }
  }
}

function* links(config: Config): Generator<Problem> {
  const linked = new Map<string, Path>()
  for (const [index, ends] of config.links.entries()) {
    for (const [position, end] of ends.entries()) {
      const path = ['links', index, position]
      yield* endChecks(config, end, path)
      const key = chatKey(config, end)
      const before = linked.get(key)
      if (before === undefined) linked.set(key, path)
      else
        yield { path, message: `is already linked in ${before.map(String).join('.')}: put all its ends into one link` }
    }
    if (ends.filter((end) => 'lobby' in end).length > 1)
      yield { path: ['links', index], message: 'has two lobbies: a link can have one, since it routes by contact' }
  }
}

function* endChecks(config: Config, end: LinkEnd, path: Path): Generator<Problem> {
  if ('network' in end) {
    const network = config.networks.find(({ id }) => id === end.network)
    if (network === undefined)
      yield { path: [...path, 'network'], message: unknown('network', end.network, idsOf(config.networks)) }
    else if (network.type === 'matrix') {
      if (!MATRIX_ROOM.test(end.channel))
        yield {
          path: [...path, 'channel'],
          message: `is no room: write its address "#name:${network.domain}" or its id "!abc:${network.domain}"`,
        }
    } else if (network.type !== 'irc')
      yield {
        path: [...path, 'network'],
        message: `is of type ${network.type}, which has no channels: write { account, contact } with an account of it`,
      }
    return
  }
  if (!config.accounts.some(({ id }) => id === end.account))
    yield { path: [...path, 'account'], message: unknown('account', end.account, idsOf(config.accounts)) }
  if ('group' in end && new Set(end.group.map((member) => member.toLowerCase())).size < end.group.length)
    yield { path: [...path, 'group'], message: 'names somebody twice' }
}

/** Room ids need no domain: newer rooms have none in theirs. */
const MATRIX_ROOM = /^(?:![^\s]+|#[^\s:]+:[^\s]+)$/

const chatKey = (config: Config, end: LinkEnd): string => {
  if ('channel' in end) {
    const exact = config.networks.find(({ id }) => id === end.network)?.type === 'matrix'
    return `channel ${end.network} ${exact ? end.channel : end.channel.toLowerCase()}`
  }
  if ('contact' in end) return `contact ${end.account} ${end.contact.toLowerCase()}`
  if ('group' in end)
    return `group ${end.account} ${[...end.group]
      .map((member) => member.toLowerCase())
      .sort()
      .join(' ')}`
  return `lobby ${end.account}`
}

function* media(config: Config): Generator<Problem> {
  const { listen, public_url } = config.media
  if (public_url === undefined && isEverywhere(listen.host) && servesFiles(config))
    yield {
      path: ['media', 'public_url'],
      message: 'is missing: with listen on all addresses, say how people reach it',
    }
}

/** One port of one service may carry several of its listeners (all but HTTPS); everything else needs a place of its own. */
function* listeners(config: Config): Generator<Problem> {
  const taken: Listener[] = []
  for (const listener of listenersOf(config)) {
    const { at, path, owner } = listener
    if (at.port === 0) continue
    const before = taken.find((other) => collide(at, other.at))
    if (before === undefined) taken.push(listener)
    else if (before.owner !== owner || before.at.host !== at.host)
      yield { path, message: `is already the address of ${before.path.map(String).join('.')}: choose another port` }
  }
}

/** There are networks whose files the others get as links. */
export const servesFiles = (config: Config): boolean =>
  config.networks.some(({ type }) => type === 'matrix' || type === 'msn')

interface Listener {
  readonly at: HostPort
  readonly path: Path
  readonly owner: string
}

/** A port of all addresses leaves none of it to a single one. */
const collide = (one: HostPort, other: HostPort): boolean =>
  one.port === other.port && (one.host === other.host || isEverywhere(one.host) || isEverywhere(other.host))

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

function* listenersOf(config: Config): Generator<Listener> {
  yield { at: config.admin.listen, path: ['admin', 'listen'], owner: 'admin' }
  if (servesFiles(config)) yield { at: config.media.listen, path: ['media', 'listen'], owner: 'media' }
  for (const [index, network] of config.networks.entries()) {
    const path = ['networks', index]
    if (network.type === 'matrix' || network.type === 'irc-gateway')
      yield { at: network.listen, path: [...path, 'listen'], owner: network.id }
    if (network.type === 'irc-gateway' && network.tls !== undefined)
      yield { at: network.tls.listen, path: [...path, 'tls', 'listen'], owner: `${network.id} tls` }
    if (network.type !== 'msn-service') continue
    yield { at: network.listen, path: [...path, 'listen'], owner: network.id }
    if (network.dispatch !== undefined)
      yield { at: network.dispatch.listen, path: [...path, 'dispatch', 'listen'], owner: network.id }
    if (network.switchboard.listen !== undefined)
      yield { at: network.switchboard.listen, path: [...path, 'switchboard', 'listen'], owner: network.id }
    yield { at: network.passport.listen, path: [...path, 'passport', 'listen'], owner: `${network.id} https` }
    if (network.http_gateway?.listen !== undefined)
      yield { at: network.http_gateway.listen, path: [...path, 'http_gateway', 'listen'], owner: `${network.id} http` }
  }
}

function* ircChecks(network: Extract<NetworkConfig, { type: 'irc' }>, path: Path): Generator<Problem> {
  const { sasl, tls } = network
  const own = typeof tls === 'object' ? tls : undefined
  if (own !== undefined && (own.cert === undefined) !== (own.key === undefined))
    yield { path: [...path, 'tls'], message: 'has only one of cert and key: give both' }
  if (sasl?.mechanism === 'plain' && sasl.password === undefined)
    yield {
      path: [...path, 'sasl'],
      message: 'needs a password for the mechanism plain: write password: { env: NAME }',
    }
  if (sasl?.mechanism === 'external' && own?.cert === undefined)
    yield {
      path: [...path, 'sasl'],
      message: 'needs a certificate for the mechanism external: write tls: { cert, key }',
    }
}

function* gatewayChecks(network: Extract<NetworkConfig, { type: 'irc-gateway' }>, at: Path): Generator<Problem> {
  for (const [name, value] of Object.entries(network.settings)) {
    const path = [...at, 'settings', name]
    const row = settingRow(name, 'user')
    if (row === undefined) {
      const meant = nearest(
        name,
        rowsOf('user').map((known) => known.name),
      )
      const remedy = meant === undefined ? ': take it out; docs/irc.md lists all' : didYouMean(meant)
      yield { path, atKey: true, message: `is no setting${remedy}` }
      continue
    }
    const checked = checkSetting(row, value)
    if ('wrong' in checked) yield { path, message: `cannot be "${value}": ${checked.wrong}` }
  }
}

function* matrixChecks(network: Extract<NetworkConfig, { type: 'matrix' }>, path: Path): Generator<Problem> {
  if (network.bot.localpart.startsWith(network.ghosts.prefix))
    yield {
      path: [...path, 'bot', 'localpart'],
      message: `begins with ${network.ghosts.prefix}, as the ids of the ghosts do: choose another, or another ghosts.prefix`,
    }
  if (network.url === undefined && isEverywhere(network.listen.host))
    yield {
      path: [...path, 'url'],
      message: 'is missing: with listen on all addresses, say under which of them the homeserver finds us',
    }
}

const idsOf = (things: readonly { readonly id: string }[]): readonly string[] => [
  ...new Set(things.map(({ id }) => id)),
]

const unknown = (what: string, given: string, known: readonly string[]): string => {
  const meant = nearest(given, known)
  if (meant !== undefined) return `${given} is no ${what} of this config${didYouMean(meant)}`
  return `${given} is no ${what} of this config${known.length > 0 ? `; there is ${known.join(', ')}` : ': there is none yet'}`
}
