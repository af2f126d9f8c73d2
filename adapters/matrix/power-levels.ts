/** Pure. Who may do what in a room: `m.room.power_levels`, and what room version 12 changed about it. */
import type { Mxid } from './types.ts'
import { recordOf } from './untrusted.ts'

/** Of the bot in rooms that it makes. */
export const BOT_LEVEL = 100
/** Of the person whom a room is for: may name it, invite, remove people and upgrade it, but not encrypt it or take power. */
const OWNER_LEVEL = 50

/**
 * From version 12 on, whoever makes a room stands above all levels and must not be named among them; before, they must.
 */
export const creatorsStandAbove = (roomVersion: string): boolean =>
  /^\d+$/.test(roomVersion) ? Number(roomVersion) >= 12 : roomVersion.startsWith('org.matrix.hydra')

/** For `power_level_content_override` of a room that the bot makes. Everybody may speak and invite. */
export const portalLevels = (roomVersion: string, bot: Mxid, owner: Mxid): Readonly<Record<string, unknown>> => ({
  users: { ...(creatorsStandAbove(roomVersion) ? {} : { [bot]: BOT_LEVEL }), [owner]: OWNER_LEVEL },
  users_default: 0,
  events_default: 0,
  state_default: OWNER_LEVEL,
  invite: 0,
  kick: OWNER_LEVEL,
  ban: OWNER_LEVEL,
  redact: OWNER_LEVEL,
  events: {
    'm.room.name': OWNER_LEVEL,
    'm.room.topic': OWNER_LEVEL,
    'm.room.avatar': OWNER_LEVEL,
    'm.room.tombstone': OWNER_LEVEL,
    'm.room.encryption': BOT_LEVEL,
    'm.room.power_levels': BOT_LEVEL,
    'm.room.history_visibility': BOT_LEVEL,
    'm.room.server_acl': BOT_LEVEL,
  },
})

/** Old room versions allow numbers in strings. */
const levelIn = (value: unknown, otherwise: number): number => {
  if (typeof value !== 'number' && (typeof value !== 'string' || !/^-?\d{1,9}$/.test(value))) return otherwise
  const level = Number(value)
  return Number.isFinite(level) ? level : otherwise
}

/** The content of the create event, as far as power is concerned. `sender` is unknown where only the content was asked for. */
export interface Creation {
  readonly roomVersion: string
  readonly creators: readonly string[]
}

/** `content` of `m.room.create`, and who sent it if that is known. */
export const creationOf = (content: unknown, sender?: string): Creation => {
  const { room_version: version, additional_creators: others } = recordOf(content)
  const roomVersion = typeof version === 'string' ? version : '1'
  if (!creatorsStandAbove(roomVersion)) return { roomVersion, creators: [] }
  const more = Array.isArray(others) ? others.filter((one): one is string => typeof one === 'string') : []
  return { roomVersion, creators: sender === undefined ? more : [sender, ...more] }
}

/** The level of somebody. `levels`: untrusted content of `m.room.power_levels`. */
export const levelOf = (levels: unknown, user: string, creators: readonly string[] = []): number => {
  if (creators.includes(user)) return Number.POSITIVE_INFINITY
  const content = recordOf(levels)
  return levelIn(recordOf(content['users'])[user], levelIn(content['users_default'], 0))
}

/** What it takes to send an ordinary message. */
export const levelToSpeak = (levels: unknown): number => {
  const content = recordOf(levels)
  return levelIn(recordOf(content['events'])['m.room.message'], levelIn(content['events_default'], 0))
}

/** The same levels with `user` at `level`; undefined when they have it already. */
export const withLevel = (levels: unknown, user: Mxid, level: number): Record<string, unknown> | undefined => {
  if (levelOf(levels, user) >= level) return undefined
  const content = recordOf(levels)
  return { ...content, users: { ...recordOf(content['users']), [user]: level } }
}
