/** The contact list: add, remove, rename, block, allow, info, nudge. */
import { playingWords } from '../../../bridge/model/playing-words.ts'
import type { AccountView, ContactView } from '../../../bridge/adapter.ts'
import type { Availability } from '../../../bridge/model/presence.ts'
import { findAccount, type Tagged, taggedAccounts } from './accounts.ts'
import { addressOf, findContact, shown, type Somebody } from './contacts.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { quote } from './group-commands.ts'
import { confirmed } from './sign-in.ts'
import { isNick } from './setting-values.ts'
import { columns } from './words.ts'

/** Lines of a list of names; the rest is counted. */
const MOST_LINES = 500

const failed = (lines: readonly string[]): boolean => lines.some((line) => line.includes(' failed: '))

const add = async (call: PersonCall): Promise<Answer> => {
  const { person, questions } = call
  const isTemporary = call.words[0]?.toLowerCase() === '-tmp'
  const asked = isTemporary ? call.words.slice(1) : call.words
  const isGrouped = asked[0]?.toLowerCase() === '-g'
  const [, group = ''] = isGrouped ? asked : []
  // Somebody who is on no list is in no group either.
  if (isGrouped && (group === '' || isTemporary)) return 'usage'
  const words = isGrouped ? asked.slice(2) : asked
  if (words.length > 3) return 'usage'
  const tagged = accountOf(words, call)
  if (tagged === undefined) return 'usage'
  if ('wrong' in tagged) return [tagged.wrong]
  const { id, login } = tagged.account
  const [address = '', nick] = tagged.rest
  if (address === '' || /[\s,]/.test(address)) return 'usage'
  if (nick !== undefined && !isNick(nick)) return [`The requested nick \`${shown(nick)}' is invalid`]
  const user = addressOf(address, login)
  const key = { account: id, user }
  const other = nick === undefined ? undefined : person.face(nick)
  if (other !== undefined && (other.contact?.user !== user || other.contact.account !== id))
    return [`The requested nick \`${shown(nick ?? '')}' already exists`]
  const lines = await person.command(`${isTemporary ? 'start-chat' : 'add'} ${user} ${id}`)
  if (failed(lines)) return lines
  await questions.settle(person.user, ({ yes }) => yes === `accept ${user} ${id}`)
  const moved = group === '' ? [] : await intoGroup(call, tagged.account, user, group)
  const wrong = nick === undefined ? undefined : await person.rename(key, nick)
  return [
    ...(isTemporary ? [] : lines),
    ...moved,
    ...(wrong === undefined ? [] : [wrong]),
    howToWrite(user, person.faceOf(key)?.nick),
  ]
}

/** As in BitlBee, the group is made if there is none of that name. */
const intoGroup = async (
  { person, deps }: PersonCall,
  { id, own }: AccountView,
  user: string,
  group: string,
): Promise<readonly string[]> => {
  const listed = deps.context.people.contactsOf(id).flatMap(({ groups = [] }) => groups)
  const isThere = [...(own?.groups ?? []), ...listed].some((name) => name.toLowerCase() === group.toLowerCase())
  const made = isThere ? [] : await person.command(`add-group ${quote(group)} ${id}`)
  const moved = await person.command(`move ${user} ${quote(group)} ${id}`)
  return failed(made) ? moved : [...made, ...moved]
}

const howToWrite = (user: string, nick: string | undefined): string =>
  nick === undefined
    ? `As soon as ${user} is there you see a nick for them.`
    : `To write to ${user} say: /msg ${nick} hello`

/** With one account it may be left out, as long as an address follows. */
const accountOf = (
  words: readonly string[],
  { person, deps }: PersonCall,
):
  | { readonly account: Tagged['account']; readonly rest: readonly string[] }
  | { readonly wrong: string }
  | undefined => {
  const [first = ''] = words
  const [only, ...others] = taggedAccounts(person, deps)
  if (first.includes('@') && only !== undefined && others.length === 0 && only.account.login !== first.toLowerCase())
    return { account: only.account, rest: words }
  if (words.length < 2) return undefined
  const tagged = findAccount(first, person, deps)
  return 'wrong' in tagged ? tagged : { account: tagged.account, rest: words.slice(1) }
}

/** For commands that take one contact, and nothing behind. */
const withContact =
  (act: (somebody: Somebody, call: PersonCall) => Promise<Answer>) =>
  async (call: PersonCall): Promise<Answer> => {
    if (call.words.length > 2 || call.words.some((word) => word === '' || /\s/.test(word))) return 'usage'
    const somebody = findContact(call.words, call.person, call.deps)
    return 'wrong' in somebody ? [somebody.wrong] : act(somebody, call)
  }

const remove = withContact(async ({ account, user, nick }, { person }) => {
  const lines = await confirmed(person, `remove ${user} ${account}`)
  return failed(lines)
    ? lines
    : [`Buddy \`${user}'${nick === undefined ? '' : ` (nick ${nick})`} removed from contact list`]
})

const rename = async ({ person, words }: PersonCall): Promise<Answer> => {
  const isTakenBack = words[0]?.toLowerCase() === '-del'
  const [old = '', wanted = ''] = isTakenBack ? [words[1]] : words
  if (old === '' || (wanted === '' && !isTakenBack) || words.length > 2) return 'usage'
  const face = person.face(old)
  if (face === undefined) {
    const isOwn = old.toLowerCase() === person.nick.toLowerCase()
    return [isOwn ? 'Use /nick to change your own nick.' : `Nick \`${shown(old)}' does not exist`]
  }
  if (wanted !== '' && !isNick(wanted)) return [`Nick \`${shown(wanted)}' is invalid`]
  const taken = wanted === '' ? undefined : person.face(wanted)
  if (taken !== undefined && taken.nick !== face.nick) return [`Nick \`${shown(wanted)}' already exists`]
  if (face.contact === undefined) {
    await person.settings.set('root_nick', wanted === '' ? undefined : wanted)
    return ['Nick successfully changed']
  }
  const wrong = await person.rename(face.contact, wanted)
  if (wrong !== undefined) return [wrong]
  const now = person.faceOf(face.contact)?.nick ?? wanted
  return [isTakenBack ? `Nickname reset to \`${now}'` : 'Nick successfully changed']
}

/** Without a contact: who is on that list. */
const onList =
  (isOn: (contact: ContactView) => boolean, act: (call: PersonCall) => Promise<Answer>) =>
  async (call: PersonCall): Promise<Answer> => {
    const { person, words, deps } = call
    const [first] = words
    const isNickOfSomebody = first !== undefined && (person.face(first) !== undefined || first.includes('@'))
    if (words.length > 1 || isNickOfSomebody) return act(call)
    const all = taggedAccounts(person, deps)
    const tagged = first === undefined ? undefined : findAccount(first, person, deps)
    if (tagged !== undefined && 'wrong' in tagged) return act(call)
    const accounts = tagged === undefined ? all : [tagged]
    const rows = accounts.flatMap(({ account: { id } }) =>
      deps.context.people
        .contactsOf(id)
        .filter(isOn)
        .map(({ user }) => columns([32, 16], [user, person.faceOf({ account: id, user })?.nick ?? '(none)'])),
    )
    const more = rows.length - MOST_LINES
    return [
      columns([32, 16], ['Handle', 'Nickname']),
      ...rows.slice(0, MOST_LINES),
      more > 0 ? `End of list, without ${more} more.` : 'End of list.',
    ]
  }

const block = onList(
  ({ blocked }) => blocked,
  withContact(async ({ account, user }, { person }) => {
    const lines = await person.command(`block ${user} ${account}`)
    return failed(lines) ? lines : [`Buddy \`${user}' moved from allow- to block-list`]
  }),
)

const allow = onList(
  ({ blocked, listed }) => !blocked && listed,
  withContact(async ({ account, user }, { person }) => {
    const lines = await person.command(`unblock ${user} ${account}`)
    return failed(lines) ? lines : [`Buddy \`${user}' moved from block- to allow-list`]
  }),
)

/** How a contact looks to others. */
const SHOWN: Readonly<Record<Availability, string>> = {
  online: 'online',
  idle: 'idle',
  away: 'away',
  brb: 'back soon',
  busy: 'busy',
  phone: 'on the phone',
  lunch: 'out to lunch',
  hidden: 'hidden',
  offline: 'offline',
}

const info = withContact(async ({ account, user, nick }, { person, deps }) => {
  const contact = person.contact({ account, user })
  if (contact === undefined) return [`Nothing is known of ${user} here.`]
  const { name, nickname, presence, groups = [], phones = [] } = contact
  const tag = taggedAccounts(person, deps).find((one) => one.account.id === account)?.tag ?? account
  const { show = 'offline', text = '', playing } = presence ?? {}
  const said = text === '' ? '' : ` (${text})`
  const theirs = contact.hasUs ? 'they have you on theirs' : 'they do not have you on theirs'
  const marks = `They are ${contact.listed ? 'on' : 'not on'} your list, and ${theirs}.`
  return [
    `${nick ?? user}: ${user}, account ${tag}`,
    ...(name === '' ? [] : [`Name: ${name}`]),
    ...(nickname === undefined || nickname === '' ? [] : [`You call them: ${nickname}`]),
    `Status: ${SHOWN[show]}${said}`,
    ...(playing === undefined ? [] : [`Listens to: ${playingWords(playing)}`]),
    ...(groups.length === 0 ? [] : [`Groups: ${groups.join(', ')}`]),
    ...(phones.length === 0 ? [] : [`Phone: ${phones.map(({ kind, number }) => `${kind} ${number}`).join(', ')}`]),
    marks,
    ...(contact.blocked ? ['They are blocked. To undo that say: allow'] : []),
  ]
})

const nudge = withContact(async ({ account, user, nick }, { person }) => {
  const lines = await person.command(`nudge ${user} ${account}`)
  return lines.some((line) => line.startsWith('Nudged ')) ? [`Nudged ${nick ?? user}.`] : lines
})

const CONTACT = 'The contact is a nick, or an address; of several accounts write which one first.'

export const contactCommands: readonly RootCommand[] = [
  {
    name: 'add',
    who: 'identified',
    usage: ['add [-tmp] [-g <group>] <account> <address> [<nick>]'],
    about: 'puts somebody on your contact list',
    help: [
      'The nick is how you call them here. -tmp: only a nick to write to, not on the list. -g: into that group, which is made if there is none.',
      'With one account the name of it may be left out: add friend@example.com',
    ],
    least: 1,
    run: add,
  },
  {
    name: 'remove',
    who: 'identified',
    usage: ['remove [<account>] <nick|address>'],
    about: 'takes somebody off your contact list',
    help: [CONTACT],
    least: 1,
    run: remove,
  },
  {
    name: 'rename',
    who: 'identified',
    usage: ['rename <nick> <new nick>', 'rename -del <nick>'],
    about: 'gives a contact another nick, for you alone',
    help: ['-del: the nick is made of their name or address again.'],
    least: 2,
    run: rename,
  },
  {
    name: 'block',
    who: 'identified',
    usage: ['block [<account>] <nick|address>', 'block [<account>]'],
    about: 'lets somebody neither see you nor write to you',
    help: [CONTACT, 'Without a contact: who is blocked.'],
    least: 0,
    run: block,
  },
  {
    name: 'allow',
    who: 'identified',
    usage: ['allow [<account>] <nick|address>', 'allow [<account>]'],
    about: 'lets somebody see you and write to you; undoes block',
    help: [CONTACT, 'Without a contact: who may see you.'],
    least: 0,
    run: allow,
  },
  {
    name: 'info',
    who: 'identified',
    usage: ['info [<account>] <nick|address>'],
    about: 'what is known of somebody',
    help: [CONTACT],
    least: 1,
    run: info,
  },
  {
    name: 'nudge',
    who: 'identified',
    usage: ['nudge [<account>] <nick|address>'],
    about: "shakes somebody's window",
    help: [CONTACT, '/ctcp NICK NUDGE does the same.'],
    least: 1,
    run: nudge,
  },
]
