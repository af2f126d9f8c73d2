/** How somebody appears to their contacts. */
import { askRoster } from './ask-roster.ts'
import { chooseAccount, chooseOnly, ownAccounts } from './accounts.ts'
import type { Answer, Call, Command } from './deps.ts'
import { pictureWords } from './pictures.ts'
import { nameList, SHOWN } from './words.ts'
import { playingWords } from '../model/playing-words.ts'
import type { Availability } from '../model/presence.ts'

/** Characters of a personal message. */
const LONGEST_TEXT = 500

/** Who is seen offline wants `hidden`. */
const PINS: readonly Availability[] = ['online', 'away', 'busy', 'brb', 'phone', 'lunch', 'idle', 'hidden']

const setName = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1 })
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const name = rest.join(' ')
  const wrong = await askRoster({ kind: 'rename', name }, account, deps)
  return [wrong === undefined ? `${account.id} is called ${name} now.` : `set-name failed: ${wrong}`]
}

const setStatus = async ({ request, words, deps }: Call): Promise<Answer> => {
  const word = words[0]?.toLowerCase() ?? ''
  const text = words.slice(1).join(' ')
  const show = PINS.find((pin) => pin === word)
  if (show === undefined && word !== 'auto')
    return [`There is no status ${words[0] ?? ''}. There is: ${PINS.join(', ')}, and auto to follow what you do.`]
  if (text.length > LONGEST_TEXT) return [`That is too long: ${LONGEST_TEXT} characters at most.`]
  const own = ownAccounts(request, deps)
  if (own.length === 0) return [`You are not signed in. Say: ${request.trigger ?? ''}login`]
  const pin = show === undefined ? undefined : { show, ...(text === '' ? {} : { text }) }
  for (const { id } of own) await deps.pin(id, pin)
  if (show === undefined) return ['Your status follows what you do.']
  return [`Your status is "${SHOWN[show]}" until you say: ${request.trigger ?? ''}set-status auto`]
}

const WHO = { contacts: 'blocked', everyone: 'allowed' } as const

const setPrivacy = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster', least: 1 })
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const [word = '', ...more] = rest
  const who = word.toLowerCase()
  if ((who !== 'contacts' && who !== 'everyone') || more.length > 0)
    return [`Write: ${request.trigger ?? ''}set-privacy everyone|contacts`]
  const wrong = await askRoster({ kind: 'privacy', strangers: WHO[who] }, account, deps)
  if (wrong !== undefined) return [`set-privacy failed: ${wrong}`]
  return [
    who === 'everyone'
      ? `Whoever you have not blocked may see ${account.id} and write to it.`
      : `Only those whom you have let in may see ${account.id} and write to it.`,
  ]
}

const setMessage = async ({ request, words, deps }: Call): Promise<Answer> => {
  const choice = chooseAccount(words, request, deps, { scope: 'roster' })
  if ('wrong' in choice) return [choice.wrong]
  const { account, rest } = choice
  const text = rest.join(' ')
  if (text.length > LONGEST_TEXT) return [`That is too long: ${LONGEST_TEXT} characters at most.`]
  const wrong = await askRoster({ kind: 'personal-message', text }, account, deps)
  if (wrong !== undefined) return [`set-message failed: ${wrong}`]
  return [text === '' ? `${account.id} has no personal message now.` : `${account.id} says beside its name: ${text}`]
}

const profile = async (call: Call): Promise<Answer> => {
  const { deps } = call
  const account = chooseOnly(call)
  if ('wrong' in account) return [account.wrong]
  const own = deps.roster.own(account.id)
  if (own === undefined) return [`${account.id} was not connected yet, so nothing is known of it.`]
  const blocked = deps.roster.contacts(account.id).filter((contact) => contact.blocked)
  return [
    `${account.id}: ${account.login}`,
    `Name: ${own.name}`,
    ...(own.text === undefined || own.text === '' ? [] : [`Personal message: ${own.text}`]),
    ...(own.playing === undefined ? [] : [`Listening to: ${playingWords(own.playing)}`]),
    `Picture: ${pictureWords(account.id, deps)}`,
    `Who may see you: ${own.strangers === 'allowed' ? 'everyone whom you have not blocked' : 'only those whom you have let in'}`,
    `Groups: ${own.groups.length === 0 ? 'none' : own.groups.join(', ')}`,
    ...(blocked.length === 0 ? [] : [`Blocked: ${nameList(blocked)}`]),
  ]
}

const common = { group: 'You', role: 'user', least: 1, most: Number.POSITIVE_INFINITY } as const

/** In the order of `help`. */
export const selfCommands: readonly (readonly [string, Command])[] = [
  [
    'set-name',
    { ...common, usage: 'set-name NAME [ACCOUNT]', about: 'how you are called by your contacts', run: setName },
  ],
  [
    'set-message',
    {
      ...common,
      usage: 'set-message [TEXT] [ACCOUNT]',
      about: 'what stands beside your name; without a text, nothing',
      least: 0,
      run: setMessage,
    },
  ],
  [
    'set-privacy',
    {
      ...common,
      usage: 'set-privacy everyone|contacts [ACCOUNT]',
      about: 'who may see you and write to you besides those whom you have let in',
      run: setPrivacy,
    },
  ],
  [
    'profile',
    {
      ...common,
      usage: 'profile [ACCOUNT]',
      about: 'how your account appears, and its groups',
      least: 0,
      run: profile,
    },
  ],
  [
    'set-status',
    {
      ...common,
      usage: `set-status ${PINS.join('|')}|auto [TEXT]`,
      about: 'how available you look in all your accounts, whatever you do; auto follows what you do',
      run: setStatus,
    },
  ],
]
