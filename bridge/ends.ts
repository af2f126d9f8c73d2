/** Pure. The ends of a conversation: when two are the same chat, what a conversation of them is, and what they are called. */
import type { AccountId, ChatId, ChatRef, NetworkId, UserId } from './model/ids.ts'
import type { Leg, Portal, PortalKind } from './store/port.ts'
import { placeName } from './tell.ts'

/** One end of a link, parsed by its adapter (`linkEnd` in link.ts does that). */
export type LinkEnd =
  | { readonly kind: 'contact'; readonly network: NetworkId; readonly account: AccountId; readonly user: UserId }
  | {
      readonly kind: 'group'
      readonly network: NetworkId
      readonly account: AccountId
      readonly members: readonly UserId[]
    }
  | { readonly kind: 'lobby'; readonly network: NetworkId; readonly account: AccountId }
  | { readonly kind: 'channel'; readonly network: NetworkId; readonly account: AccountId; readonly chat: ChatId }

/** A leg before it has an id. */
export type Draft = Pick<Leg, 'network' | 'via' | 'request' | 'chat'>

export const draftOf = (end: LinkEnd): Draft => ({ network: end.network, via: end.account, request: requestOf(end) })

const requestOf = (end: LinkEnd): Leg['request'] => {
  switch (end.kind) {
    case 'contact':
      return { kind: 'direct', with: end.user }
    case 'group':
      return { kind: 'group', members: end.members }
    case 'lobby':
      return { kind: 'lobby' }
    case 'channel':
      return { kind: 'channel', name: end.chat }
  }
}

export const chatKey = (chat: ChatRef): string => `${chat.network}\n${chat.account ?? ''}\n${chat.chat}`

/** The same for two ends that are one chat. A channel is the same whoever reads it. */
export const endKey = ({ network, via, request }: Draft): string => {
  switch (request.kind) {
    case 'direct':
      return directKey(via, request.with)
    case 'group':
      return ['group', via, ...new Set(request.members.toSorted())].join('\n')
    case 'channel':
      return `channel\n${network}\n${request.name}`
    case 'lobby':
      return lobbyKey(via)
    case 'portal':
      return `portal\n${via}\n${request.portal}`
    case 'home':
      return `home\n${via}\n${request.user}`
    case 'chat':
      return `chat\n${via}\n${chatKey(request.chat)}`
  }
}

export const directKey = (via: AccountId, user: UserId): string => `direct\n${via}\n${user}`
export const lobbyKey = (via: AccountId): string => `lobby\n${via}`

export const kindOf = (requests: readonly Leg['request'][]): PortalKind => {
  const kinds = new Set(requests.map(({ kind }) => (kind === 'chat' ? 'group' : kind)))
  for (const kind of ['lobby', 'group', 'direct'] as const) if (kinds.has(kind)) return kind
  return 'channel'
}

/** Made for people where they live, and by nobody's link: it gives way to a link, and takes part in it. */
export const madeItself = (portal: Portal): boolean =>
  portal.origin === 'command' &&
  portal.legs.length > 1 &&
  portal.legs.filter(({ request }) => request.kind !== 'portal').length === 1

/** Where the bridge itself has something to say: to people, but not to the contacts of somebody who lives elsewhere. */
export const bridgeSpeaksIn = ({ legs }: Portal): readonly Leg[] => {
  const owned = new Set(legs.flatMap(({ request }) => (request.kind === 'portal' ? [request.account] : [])))
  return legs.filter(({ flow, via }) => flow !== 'in' && !owned.has(via))
}

/** "contact bob@home.example", "channel #friends", "the lobby of relay". */
export const describeLeg = ({ via, request }: Pick<Leg, 'via' | 'request'>): string => {
  switch (request.kind) {
    case 'direct':
      return `contact ${placeName(request)}`
    case 'group':
      return `group of ${placeName(request)}`
    case 'channel':
      return `channel ${placeName(request)}`
    case 'lobby':
      return `the lobby of ${via}`
    case 'portal':
      return `a chat of ${request.owner}`
    case 'home':
      return `home of ${request.user}`
    case 'chat':
      return `group ${request.chat.chat}`
  }
}
