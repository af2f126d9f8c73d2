/** Which contact is meant: by nick, or by account and address. */
import type { AccountId, UserId } from '../../../bridge/model/ids.ts'
import type { ContactKey, PersonPort } from '../types.ts'
import { findAccount, taggedAccounts } from './accounts.ts'
import type { RootDeps } from './deps.ts'

/** How they are called in answers. */
export interface Somebody extends ContactKey {
  readonly nick: string | undefined
}

type Found = Somebody | { readonly wrong: string }

/** `[account] <nick|address>`; what is behind them is not looked at. */
export const findContact = (words: readonly string[], person: PersonPort, deps: RootDeps): Found => {
  const [first = '', second] = words
  if (second === undefined) return byNick(first, person, deps)
  const tagged = findAccount(first, person, deps)
  if ('wrong' in tagged) return tagged
  return inAccount(second, tagged.account.id, tagged.account.login, person)
}

const byNick = (word: string, person: PersonPort, deps: RootDeps): Found => {
  const face = person.face(word)
  if (face?.contact !== undefined) return { ...face.contact, nick: face.nick }
  if (face !== undefined) return { wrong: `${face.nick} is me.` }
  if (!word.includes('@')) return { wrong: `Nick \`${shown(word)}' does not exist` }
  const all = taggedAccounts(person, deps)
  const user = word.toLowerCase() as UserId
  const knowing = all.filter(({ account }) => deps.context.people.contact(account.id, user) !== undefined)
  const [only, ...others] = knowing.length > 0 ? knowing : all
  if (only === undefined) return { wrong: 'You have no accounts yet. To add one say: account add msn you@example.com' }
  if (others.length > 0)
    return { wrong: `Through which account? ${[only, ...others].map(({ tag }) => tag).join(', ')}` }
  return inAccount(word, only.account.id, only.account.login, person)
}

const inAccount = (word: string, account: AccountId, login: string, person: PersonPort): Found => {
  const face = person.face(word)
  if (face?.contact?.account === account) return { ...face.contact, nick: face.nick }
  const user = addressOf(word, login)
  return { account, user, nick: person.faceOf({ account, user })?.nick }
}

/** Without a domain it is the one of the account itself. */
export const addressOf = (word: string, login: string): UserId => {
  const domain = login.slice(login.indexOf('@') + 1)
  const name = word.toLowerCase()
  return (name.includes('@') ? name : `${name}@${domain}`) as UserId
}

/** What somebody wrote, as long as a name may be. */
export const shown = (word: string): string => (word.length > 60 ? `${word.slice(0, 60)}...` : word)
