/** Conversations: beginning them, who takes part, and their end. */
import { parseUser } from './ask-roster.ts'
import { chooseAccount, ownAccounts, portalOf } from './accounts.ts'
import { confirm } from './confirm.ts'
import type { Answer, Call, Command, CommandDeps } from './deps.ts'
import type { Account, CommandRequest } from '../adapter.ts'
import type { ChatRef, MessageId, UserId } from '../model/ids.ts'
import { madeItself } from '../ends.ts'
import type { Found } from '../portals.ts'

/** Members of a group that is made by command. */
const MOST_MEMBERS = 50
/** Lines of `groups`; the rest is counted. */
const GROUP_LINES = 50

interface Started {
  readonly account: Account
  readonly user: UserId
  /** Absent while it is being made. */
  readonly chat?: ChatRef
}

/** The chat with the one contact that the words name. */
const chatWith = async ({
  request,
  words,
  deps,
}: Pick<Call, 'request' | 'words' | 'deps'>): Promise<Started | { readonly wrong: string }> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1, rather: knows(words, deps) })
  if ('wrong' in choice) return choice
  const { account } = choice
  const user = parseUser(choice.rest, account, deps)
  if (typeof user !== 'string') return user
  const result = await deps.chats.startChat(account.id, [user], request.from)
  if (result.kind === 'refused') return { wrong: `No chat with ${user}: ${result.detail}` }
  return { account, user, ...(result.chat === undefined ? {} : { chat: result.chat }) }
}

const startChat = async ({ request, words, deps }: Call): Promise<Answer> => {
  const started = await chatWith({ request, words, deps })
  if ('wrong' in started) return [started.wrong]
  const { account, user } = started
  const isListed = deps.roster.contact(account.id, user)?.listed === true
  const hint = isListed ? '' : ` They are not on your contact list; to put them there: add ${user}`
  return [`The chat with ${user} is open (${account.id}).${hint}`]
}

const createGroup = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 2, rather: knows(words, deps) })
  if ('wrong' in choice) return [choice.wrong]
  const users: UserId[] = []
  for (const word of choice.rest) {
    const user = parseUser([word], choice.account, deps)
    if (typeof user !== 'string') return [user.wrong]
    if (!users.includes(user)) users.push(user)
  }
  if (users.length < 2) return ['A group needs two others at least; for one write: start-chat ADDRESS']
  if (users.length > MOST_MEMBERS) return [`That are too many: ${MOST_MEMBERS} at most.`]
  const result = await deps.chats.startChat(choice.account.id, users, request.from)
  if (result.kind === 'refused') return [`No group: ${result.detail}`]
  return [`The group with ${users.join(', ')} is open (${choice.account.id}).`]
}

/** Which account is meant by an address: the one whose contact that is. */
const knows =
  ([address = '']: readonly string[], deps: CommandDeps) =>
  ({ id }: Account): boolean =>
    deps.roster.contact(id, address.toLowerCase() as UserId)?.listed === true

const groups = async ({ request, deps }: Call): Promise<Answer> => {
  const lines = ownAccounts(request, deps).flatMap(({ id }) =>
    deps.portals.legsVia(id).flatMap(({ portal, leg }) => {
      if (portal.kind !== 'group') return []
      const names = membersOf({ portal, leg }, deps).map((user) => {
        const { nickname = '', name = '' } = deps.roster.contact(id, user) ?? {}
        return nickname || name || user
      })
      return [`${names.length === 0 ? 'a group' : names.join(', ')} (${id})`]
    }),
  )
  if (lines.length === 0) return ['You are in no group. To begin one: create-group ADDRESS ADDRESS']
  const more = lines.length - GROUP_LINES
  return [...lines.slice(0, GROUP_LINES), ...(more > 0 ? [`and ${more} more`] : [])]
}

/** As the network tells; else with whom it began. */
export const membersOf = ({ portal, leg }: Found, deps: CommandDeps): readonly UserId[] => {
  const here = leg.chat === undefined ? undefined : deps.sessionOf(leg.via)?.members(leg.chat)
  if (here !== undefined) return here
  if (leg.request.kind === 'direct') return [leg.request.with]
  if (leg.request.kind === 'group') return leg.request.members
  return portal.legs.flatMap(({ request }) =>
    request.kind === 'portal' ? request.with.map(({ user }) => user.user) : [],
  )
}

const invite = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'chat', least: 1 })
  if ('wrong' in choice) return [choice.wrong]
  const user = parseUser(choice.rest, choice.account, deps)
  if (typeof user !== 'string') return [user.wrong]
  const wrong = await changeMembers('invite', choice.account, user, request, deps)
  return [wrong ?? `Inviting ${user}.`]
}

const leave = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'chat' })
  if ('wrong' in choice) return [choice.wrong]
  const self = deps.identity.userOf(choice.account.id)
  if (self === undefined) return [`${choice.account.id} is not connected now.`]
  const wrong = await changeMembers('leave', choice.account, self.user, request, deps)
  return [wrong ?? `${choice.account.id} leaves the conversation; a new message opens it again.`]
}

/** Goes the way of every other event, so that it comes behind what was said before, and a refusal is told in the chat. */
const changeMembers = async (
  change: 'invite' | 'leave',
  account: Account,
  user: UserId,
  request: CommandRequest,
  deps: CommandDeps,
): Promise<string | undefined> => {
  const found = portalOf(request, deps)
  const leg = found?.portal.legs.find(({ via }) => via === account.id)
  if (found === undefined || request.chat === undefined || leg === undefined)
    return 'Say it in a chat that is linked with that account.'
  if (leg.request.kind === 'lobby')
    return `A lobby has no conversation to ${change === 'leave' ? 'leave' : 'invite to'}.`
  await deps.accept({
    kind: 'member',
    ...saidIn(request.chat, request, deps),
    user: { network: account.network, user },
    change,
  })
  return undefined
}

/** What somebody does by command in a chat, as if they had done it there by hand. */
const saidIn = (chat: ChatRef, { from, fromName }: CommandRequest, deps: CommandDeps) => ({
  chat,
  sender: from,
  senderName: fromName,
  id: `command-${deps.mint()}` as MessageId,
  at: deps.clock.now(),
})

const nudge = async ({ request, words, deps }: Call): Promise<Answer> => {
  const send = async (chat: ChatRef): Promise<void> => {
    await deps.accept({ kind: 'message', ...saidIn(chat, request, deps), body: { kind: 'nudge' } })
  }
  if (words.length === 0) {
    const found = portalOf(request, deps)
    if (request.chat === undefined || found === undefined)
      return ['Whom? Say it in the chat with them, or write the address.']
    if (found.leg.request.kind === 'portal' && !isTheirs(found, request, deps)) return [NOT_THEIRS]
    await send(request.chat)
    return ['Nudged.']
  }
  const started = await chatWith({ request, words, deps })
  if ('wrong' in started) return [started.wrong]
  const { user, chat } = started
  if (chat === undefined) return [`The chat with ${user} is being opened; say nudge there.`]
  await send(chat)
  return [`Nudged ${user}.`]
}

const deletePortal = async ({ request, deps }: Call): Promise<Answer> => {
  const found = portalOf(request, deps)
  if (found === undefined) return ['This chat is not linked.']
  if (!isTheirs(found, request, deps)) return [NOT_THEIRS]
  if (found.leg.request.kind === 'portal' && !madeItself(found.portal)) return leaveLink(found, request, deps)
  if (found.portal.origin === 'config') return ['That link is in the config file: take it out there.']
  return confirm(
    request,
    'This chat will be taken down here; the other side keeps its own. A new message opens another one.',
    async () => {
      await deps.chats.deletePortal(found.portal.id)
      deps.linksChanged()
      return ['The chat is taken down.']
    },
  )
}

/** What was linked by hand stays linked: only the chat that somebody has of it where they live goes. */
const leaveLink = ({ leg }: Found, request: CommandRequest, deps: CommandDeps): Answer =>
  confirm(
    request,
    'This chat will be taken down here; the others that it is linked with go on. To have it again: start-chat ADDRESS.',
    async () => {
      const result = await deps.unlink(leg.id)
      deps.linksChanged()
      return [result.kind === 'refused' ? `Not taken down: ${result.detail}` : 'The chat is taken down.']
    },
  )

const NOT_THEIRS = 'This chat belongs to somebody else.'

/** It was made for them. What was linked by hand belongs to the admins. */
const isTheirs = ({ leg }: Found, request: CommandRequest, deps: CommandDeps): boolean => {
  const { request: place } = leg
  return (
    request.role === 'admin' ||
    (place.kind === 'portal' && ownAccounts(request, deps).some(({ id }) => id === place.account))
  )
}

const common = { group: 'Chats', role: 'user' } as const

/** In the order of `help`. */
export const chatCommands: readonly (readonly [string, Command])[] = [
  [
    'start-chat',
    {
      ...common,
      usage: 'start-chat ADDRESS [ACCOUNT]',
      about: 'open the chat with somebody',
      aliases: ['pm'],
      least: 1,
      most: 2,
      run: startChat,
    },
  ],
  [
    'create-group',
    {
      ...common,
      usage: 'create-group ADDRESS ADDRESS... [ACCOUNT]',
      about: 'open a chat with several people',
      least: 2,
      most: MOST_MEMBERS + 1,
      run: createGroup,
    },
  ],
  ['groups', { ...common, usage: 'groups', about: 'the groups that you are in', least: 0, most: 0, run: groups }],
  [
    'invite',
    {
      ...common,
      usage: 'invite ADDRESS [ACCOUNT]',
      about: 'bring somebody into this conversation',
      least: 1,
      most: 2,
      run: invite,
    },
  ],
  [
    'leave',
    {
      ...common,
      usage: 'leave [ACCOUNT]',
      about: 'leave this conversation on the other side',
      least: 0,
      most: 1,
      run: leave,
    },
  ],
  [
    'nudge',
    {
      ...common,
      usage: 'nudge [ADDRESS] [ACCOUNT]',
      about: 'shake the window of somebody, or of whom this chat is with',
      least: 0,
      most: 2,
      run: nudge,
    },
  ],
  [
    'delete-portal',
    { ...common, usage: 'delete-portal', about: 'take this chat down', least: 0, most: 0, run: deletePortal },
  ],
]
