/** What a client sees of the world: all of its person's, or, as long as it is nobody's, root in the control channel. */
import { sameName } from '../../../irc/casemap.ts'
import {
  maskOf,
  type ChannelMember,
  type ChannelPort,
  type ClientPort,
  type Face,
  type GatewayDeps,
  type PersonPort,
} from '../types.ts'
import { CASE_MAPPING } from '../wire/isupport.ts'
import { CONTROL_TOPIC } from '../world/control-channels.ts'
import { rootFace as rootNamed } from '../world/faces.ts'

export type Sight = Pick<PersonPort, 'faces' | 'face' | 'channels' | 'channel'>

export const ROOT_NICK = 'root'

export const same = (one: string, other: string): boolean => sameName(one, other, CASE_MAPPING)

/** Root as somebody sees it who is not identified yet. */
export const rootFace = (server: string): Face => rootNamed(ROOT_NICK, server)

export const sightOf = (client: ClientPort, deps: GatewayDeps): Sight => client.person ?? strangersSight(client, deps)

const strangersSight = (client: ClientPort, { server, control }: GatewayDeps): Sight => {
  const root = rootFace(server)
  const members: readonly ChannelMember[] = [
    { nick: root.nick, face: root, prefixes: '@' },
    { nick: client.nick, face: undefined, prefixes: '@' },
  ]
  const channel: ChannelPort = {
    name: control,
    kind: 'control',
    topic: CONTROL_TOPIC,
    topicBy: maskOf(root),
    topicAt: client.connectedAt,
    createdAt: client.connectedAt,
    members: () => members,
    chat: undefined,
  }
  return {
    faces: () => [root],
    face: (nick) => (same(nick, root.nick) ? root : undefined),
    channels: () => [channel],
    channel: (name) => (same(name, control) ? channel : undefined),
  }
}

export const rootOf = (sight: Pick<Sight, 'faces'>): Face | undefined => {
  for (const face of sight.faces()) if (face.contact === undefined) return face
  return undefined
}

/** Letters before a channel that make it STATUSMSG: "@&bitlbee". Who has which is nobody's business here. */
export const withoutStatus = (target: string): string => target.replace(/^[@%+]+(?=[&#])/, '')

export const isChannel = (name: string): boolean => /^[&#]/.test(name)
