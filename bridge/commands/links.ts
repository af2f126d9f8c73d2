/** `link` and `unlink`: a channel becomes one conversation with a contact, a group or a lobby, and stops being one. */
import type { Account } from '../adapter.ts'
import { chooseAccount, portalOf } from './accounts.ts'
import type { Answer, Call, Command, CommandDeps } from './deps.ts'
import type { UserId } from '../model/ids.ts'
import type { Found, LinkEnd } from '../portals.ts'

const linkChat = async ({ request, words, deps }: Call): Promise<Answer> => {
  const { chat } = request
  if (chat === undefined || chat.account !== undefined)
    return ['Say it in the channel that is to be linked; if I am not in it, invite me.']
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1 })
  if ('wrong' in choice) return [choice.wrong]
  const [target, surplus] = choice.rest
  if (target === undefined || surplus !== undefined) return ['Whom? Write an address, several with commas, or lobby.']
  const end = parseEnd(target, choice.account, deps)
  if ('wrong' in end) return [end.wrong]
  const here: LinkEnd = { kind: 'channel', network: chat.network, account: request.via, chat: chat.chat }
  const result = await deps.link([end, here])
  if (result.kind === 'refused') return [`Not linked: ${result.detail}`]
  deps.linksChanged()
  return [`This channel is linked with ${endWords(end)} (${choice.account.id}).`]
}

const unlinkChat = async ({ request, words, deps }: Call): Promise<Answer> => {
  if (words.length === 0) {
    const found = portalOf(request, deps)
    return found === undefined ? ['This chat is not linked.'] : unlinkLeg(found, deps, 'This channel')
  }
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1 })
  if ('wrong' in choice) return [choice.wrong]
  const [target, surplus] = choice.rest
  if (target === undefined || surplus !== undefined) return ['Whom? Write an address, several with commas, or lobby.']
  const end = parseEnd(target, choice.account, deps)
  if ('wrong' in end) return [end.wrong]
  const found = deps.portals.findEnd(end)
  if (found === undefined) return [`${endWords(end)} (${choice.account.id}) is not linked.`]
  return unlinkLeg(found, deps, endWords(end))
}

const unlinkLeg = async ({ portal, leg }: Found, deps: CommandDeps, what: string): Promise<readonly string[]> => {
  if (portal.origin === 'config') return ['That link is in the config file: take it out there.']
  const result = await deps.unlink(leg.id)
  if (result.kind === 'refused') return [`Not unlinked: ${result.detail}`]
  deps.linksChanged()
  return [`${what} is not linked any more.`]
}

const parseEnd = (
  target: string,
  { id, network }: Account,
  deps: CommandDeps,
): LinkEnd | { readonly wrong: string } => {
  if (target.toLowerCase() === 'lobby') return { kind: 'lobby', network, account: id }
  const adapter = deps.adapters.get(network)
  if (adapter === undefined) return { wrong: `${network} is not running.` }
  const members: UserId[] = []
  for (const name of target.split(',').filter((each) => each !== '')) {
    const user = adapter.parseUser(name)
    if (typeof user !== 'string') return user
    members.push(user)
  }
  const [user, ...others] = members
  if (user === undefined) return { wrong: 'Whom? Write an address, several with commas, or lobby.' }
  if (others.length === 0) return { kind: 'contact', network, account: id, user }
  return { kind: 'group', network, account: id, members }
}

const endWords = (end: LinkEnd): string => {
  switch (end.kind) {
    case 'contact':
      return end.user
    case 'group':
      return end.members.join(', ')
    case 'lobby':
      return 'everybody without a link of their own'
    case 'channel':
      return end.chat
  }
}

/** In the order of `help`. */
export const linkCommands: readonly (readonly [string, Command])[] = [
  [
    'link',
    {
      usage: 'link ADDRESS[,ADDRESS...]|lobby [ACCOUNT]',
      about: 'make this channel one conversation with a contact, a group, or everybody else',
      group: 'Chats',
      role: 'admin',
      aliases: ['bridge'],
      least: 1,
      most: 2,
      run: linkChat,
    },
  ],
  [
    'unlink',
    {
      usage: 'unlink [ADDRESS] [ACCOUNT]',
      about: 'undo link, for this channel or for a contact',
      group: 'Chats',
      role: 'admin',
      aliases: ['unbridge'],
      least: 0,
      most: 2,
      run: unlinkChat,
    },
  ],
]
