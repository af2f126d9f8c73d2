/** Who may command the bridge: by services account, which cannot be faked, or by hostmask. Pure. */
import type { Role } from '../../bridge/adapter.ts'
import { fold } from '../../irc/casemap.ts'

export interface Who {
  readonly accounts: readonly string[]
  readonly hostmasks: readonly string[]
}

export interface Permissions {
  readonly admins: Who
  readonly users: Who
}

/** `*` any characters, `?` one; case does not count. */
export const matchesMask = (mask: string, glob: string): boolean => {
  const pattern = fold(glob, 'rfc1459').replace(/[\\^$.*+?()[\]{}|]/g, (sign) =>
    sign === '*' ? '.*' : sign === '?' ? '.' : `\\${sign}`,
  )
  return new RegExp(`^${pattern}$`, 'su').test(fold(mask, 'rfc1459'))
}

const isAmong = (who: Who, mask: string, account: string | undefined): boolean =>
  who.hostmasks.some((glob) => matchesMask(mask, glob)) ||
  (account !== undefined && who.accounts.some((name) => fold(name, 'rfc1459') === fold(account, 'rfc1459')))

/** `account`: the services account, undefined when there is none or nobody knows it. */
export const roleOf = (permissions: Permissions, mask: string, account: string | undefined): Role =>
  isAmong(permissions.admins, mask, account) ? 'admin' : isAmong(permissions.users, mask, account) ? 'user' : 'none'

/** Whether it is worth asking the server for somebody's services account. */
export const accountCouldHelp = (permissions: Permissions, mask: string): boolean => {
  const role = roleOf(permissions, mask, undefined)
  if (role === 'admin') return false
  return permissions.admins.accounts.length > 0 || (role === 'none' && permissions.users.accounts.length > 0)
}
