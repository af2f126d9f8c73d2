/** Addresses of media: `mxc://server/id`. Pure. */

export interface Mxc {
  readonly server: string
  readonly id: string
}

/** Longest name of a server and longest id, characters; homeservers make ids of 24 to 70. */
const MAX_PART = 255
/** A name, an IPv4 or an IPv6 address, with a port or without. */
const SERVER = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/
const ID = /^[A-Za-z0-9_-]+$/

/** What display pictures of MSN measure, on both sides. */
const THUMBNAIL = 96
const SMALL = `#${THUMBNAIL}`

/** The ref of the same picture, small, as the homeserver makes it. */
export const thumbnailOf = (uri: string): string => `${uri}${SMALL}`

/** `size`: of the sides, where a small one is meant. */
export const parseRef = (ref: string): { readonly mxc: Mxc; readonly size?: number } | undefined => {
  const isSmall = ref.endsWith(SMALL)
  const mxc = parseMxc(isSmall ? ref.slice(0, -SMALL.length) : ref)
  return mxc && { mxc, ...(isSmall ? { size: THUMBNAIL } : {}) }
}

/** undefined: no such address. */
export const parseMxc = (uri: unknown): Mxc | undefined => {
  if (typeof uri !== 'string' || !uri.startsWith('mxc://')) return undefined
  const [server = '', id = '', ...rest] = uri.slice('mxc://'.length).split('/', 3)
  if (rest.length > 0 || server.length > MAX_PART || id.length > MAX_PART) return undefined
  return SERVER.test(server) && !server.includes('..') && ID.test(id) ? { server, id } : undefined
}
