/** How somebody appears to their contacts. */
import { askRoster } from './ask-roster.ts'
import { chooseAccount, ownAccounts } from './accounts.ts'
import type { Answer, Call, Command } from './deps.ts'
import { SHOWN } from './words.ts'
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

const common = { group: 'You', role: 'user', least: 1, most: Number.POSITIVE_INFINITY } as const

/** In the order of `help`. */
export const selfCommands: readonly (readonly [string, Command])[] = [
  [
    'set-name',
    { ...common, usage: 'set-name NAME [ACCOUNT]', about: 'how you are called by your contacts', run: setName },
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
