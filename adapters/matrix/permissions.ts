/** What people of Matrix may do, by the map of the config: a user id counts more than a domain, and that more than "*". Pure. */
import type { Role } from '../../bridge/adapter.ts'
import type { MatrixConfig } from './config.ts'
import { domainOf } from './ids.ts'
import type { Mxid, Room } from './types.ts'

/** relay: may speak where a relay is set. user: may sign in to MSN. admin: may do everything. none: is not heard. */
export type Grant = 'none' | 'relay' | 'user' | 'admin'

/** Without a map, everybody of the bridge's own domain is a user. Domains are compared without regard to case, ids exactly. */
export const grantOf = ({ permissions, domain }: Pick<MatrixConfig, 'permissions' | 'domain'>, user: Mxid): Grant => {
  const home = domainOf(user).toLowerCase()
  let ofDomain: Grant | undefined
  let ofAll: Grant | undefined
  for (const [who, grant] of Object.entries(permissions ?? { [domain]: 'user' as const })) {
    if (who === user) return grant
    if (who === '*') ofAll = grant
    else if (who.toLowerCase() === home) ofDomain = grant
  }
  return ofDomain ?? ofAll ?? 'none'
}

/** What the commands of the bridge know of them: who may only speak may not command. */
export const roleOf = (grant: Grant): Role => (grant === 'relay' ? 'none' : grant)

/** Whether what they do in this room goes to the other side: the owner always, others only where a relay speaks for them. */
export const maySpeak = (room: Pick<Room, 'kind' | 'owner' | 'relay'>, user: Mxid, grant: Grant): boolean =>
  room.kind !== 'home' && grant !== 'none' && (room.owner === user || room.relay)

/** Whether somebody whom they invite is called on the other side, in the owner's name: more than speaking there. */
export const mayCall = ({ owner }: Pick<Room, 'owner'>, user: Mxid, grant: Grant): boolean =>
  grant === 'admin' || (grant === 'user' && (owner === undefined || owner === user))
