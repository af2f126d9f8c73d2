/** What only the operators of the bridge may do. */
import { confirm } from './confirm.ts'
import type { Answer, Call, Command, CommandDeps } from './deps.ts'
import { counted, stateWords } from './words.ts'
import type { CommandRequest } from '../adapter.ts'
import type { UserId } from '../model/ids.ts'
import type { Portal } from '../portals.ts'

/** Lines of `list-users`; the rest is counted. */
const USER_LINES = 100

/** `USER` is one of the network where the command is said. */
const userHere = (name: string, { from }: CommandRequest, deps: CommandDeps): UserId | { readonly wrong: string } =>
  deps.adapters.get(from.network)?.parseUser(name) ?? { wrong: `${from.network} is not running.` }

const sudo = async ({ request, words, deps, runAs }: Call): Promise<Answer> => {
  const [name = '', ...line] = words
  const user = userHere(name, request, deps)
  if (typeof user !== 'string') return [user.wrong]
  const from = { network: request.from.network, user }
  deps.log.info({ by: request.from.user, user, command: line[0] }, 'an admin runs a command for somebody')
  return runAs({ ...request, from, fromName: user, role: 'user', line: line.join(' ') })
}

const listUsers = async ({ deps }: Call): Promise<Answer> => {
  const identities = deps.identity.identities()
  const lines = deps.identity.people().flatMap(({ id, name }) => {
    const users = identities.filter(({ person }) => person === id).map(({ user }) => `${user.user} on ${user.network}`)
    const accounts = deps.accounts.all().filter((one) => one.person === id && deps.accounts.originOf(one.id) !== 'own')
    if (users.length === 0 && accounts.length === 0) return []
    const states = accounts.map((account) => {
      const state = deps.stateOf(account.id)
      return `${account.id} (${state === undefined ? 'not connected' : stateWords(state, deps.clock.now(), false)})`
    })
    return [`${name}: ${[...users, ...states].join(', ')}`]
  })
  if (lines.length === 0) return ['Nobody has an account here.']
  const more = lines.length - USER_LINES
  return [...lines.slice(0, USER_LINES), ...(more > 0 ? [`and ${more} more`] : [])]
}

const deleteAllPortals = async ({ request, words, deps }: Call): Promise<Answer> => {
  const owner = words[0] === undefined ? undefined : userHere(words[0], request, deps)
  if (typeof owner === 'object') return [owner.wrong]
  const all = deps.portals.all().filter((portal) => isOwned(portal, owner))
  if (all.length === 0) return ['There is no chat to take down.']
  const whose = owner === undefined ? 'of everybody' : `of ${owner}`
  return confirm(
    request,
    `${counted(all.length, 'chat')} ${whose} that the bridge made will be taken down. Links that were made by hand stay.`,
    async () => {
      for (const { id } of all) await deps.chats.deletePortal(id)
      deps.linksChanged()
      return [`${all.length} chats ${whose} are taken down.`]
    },
  )
}

/** Made by the bridge for somebody. */
const isOwned = ({ legs, origin }: Portal, owner: UserId | undefined): boolean =>
  origin !== 'config' &&
  legs.some(({ request }) => request.kind === 'portal' && (owner === undefined || request.owner === owner))

const common = { group: 'The bridge', role: 'admin' } as const

/** In the order of `help`. */
export const adminCommands: readonly (readonly [string, Command])[] = [
  ['list-users', { ...common, usage: 'list-users', about: 'who has accounts here', least: 0, most: 0, run: listUsers }],
  [
    'sudo',
    {
      ...common,
      usage: 'sudo USER COMMAND',
      about: 'run a command as if USER had said it',
      least: 2,
      most: Number.POSITIVE_INFINITY,
      run: sudo,
    },
  ],
  [
    'delete-all-portals',
    {
      ...common,
      usage: 'delete-all-portals [USER]',
      about: 'take down all chats that were made for USER, or for everybody',
      least: 0,
      most: 1,
      run: deleteAllPortals,
    },
  ],
]
