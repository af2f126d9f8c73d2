/** Who there is: blist. */
import type { Face } from '../types.ts'
import { taggedAccounts } from './accounts.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { columns } from './words.ts'

/** Lines of a list; the rest is counted. */
const MOST_LINES = 1_000

const KINDS = ['all', 'online', 'offline', 'away'] as const

type Kind = 'online' | 'away' | 'offline'

const kindOf = ({ online, away }: Face): Kind => (!online ? 'offline' : away === undefined ? 'online' : 'away')

const SHOWN_AS: Readonly<Record<(typeof KINDS)[number] | 'present', readonly Kind[]>> = {
  all: ['online', 'away', 'offline'],
  present: ['online', 'away'],
  online: ['online'],
  away: ['away'],
  offline: ['offline'],
}

/** BitlBee's widths: nick, address and account, status. */
const WIDTHS = [16, 40]

const blist = async ({ person, words, deps }: PersonCall): Promise<Answer> => {
  if (words.length > 2) return 'usage'
  const [first, second] = words
  const which = KINDS.find((kind) => kind === first?.toLowerCase())
  if (which === undefined && second !== undefined) return 'usage'
  const pattern = which === undefined ? first : second
  const wanted = SHOWN_AS[which ?? (pattern === undefined ? 'present' : 'all')]
  const matches = matcher(pattern)
  const tags = new Map(taggedAccounts(person, deps).map(({ account, tag }) => [account.id, tag]))
  // Nicks of those who are on the list no more are kept, in case they write.
  const faces = [...person.faces()].filter(({ contact, listed }) => contact !== undefined && listed)
  const byKind = Map.groupBy(faces, kindOf)
  const rows = wanted.flatMap((kind) =>
    (byKind.get(kind) ?? []).filter(matches).map((face) => {
      const tag = face.contact === undefined ? '' : (tags.get(face.contact.account) ?? face.contact.account)
      return columns(WIDTHS, [face.nick, `${face.address} ${tag}`, statusOf(face)])
    }),
  )
  const count = (kind: Kind): number => byKind.get(kind)?.length ?? 0
  const more = rows.length - MOST_LINES
  return [
    columns(WIDTHS, ['Nick', 'Handle/Account', 'Status']),
    ...rows.slice(0, MOST_LINES),
    ...(more > 0 ? [`and ${more} more: write a part of a name behind it`] : []),
    `${faces.length} buddies (${count('online')} available, ${count('away')} away, ${count('offline')} offline)`,
  ]
}

const statusOf = ({ online, away, status }: Face): string => {
  if (!online) return 'Offline'
  return away ?? (status === undefined || status === '' ? 'Online' : `Online (${status})`)
}

/** `*` is anything and `?` one letter; without them a part is enough. */
const matcher = (pattern: string | undefined): ((face: Face) => boolean) => {
  if (pattern === undefined) return () => true
  const parts = pattern.toLowerCase()
  if (!/[*?]/.test(parts)) return ({ nick, address }) => nick.toLowerCase().includes(parts) || address.includes(parts)
  return ({ nick, address }) => fits(nick.toLowerCase(), parts) || fits(address, parts)
}

/** In time that grows with both lengths, whatever the pattern is. */
const fits = (text: string, pattern: string): boolean => {
  let at = 0
  let star = -1
  let from = 0
  let index = 0
  while (index < text.length) {
    if (pattern[at] === '*') {
      star = at++
      from = index
    } else if (pattern[at] === '?' || pattern[at] === text[index]) {
      at++
      index++
    } else if (star !== -1) {
      at = star + 1
      index = ++from
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

export const listCommands: readonly RootCommand[] = [
  {
    name: 'blist',
    who: 'identified',
    usage: ['blist [all|online|offline|away] [<pattern>]'],
    about: 'your contacts, with how they are',
    help: ['Without a word: those who are there. The pattern is a part of a nick or an address, or has * and ? in it.'],
    least: 0,
    run: blist,
  },
]
