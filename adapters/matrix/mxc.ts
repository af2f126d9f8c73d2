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

/** What display pictures of MSN measure on both sides, and custom emoticons. */
export const FACE_SIZE = 96
export const EMOTICON_SIZE = 48
const SIZED = /^(.+)#(96|48)$/

/** The ref of the same picture, small, as the homeserver makes it. */
export const thumbnailOf = (uri: string, size: number): string => `${uri}#${size}`

/** Without the size. */
export const uriOf = (ref: string): string => SIZED.exec(ref)?.[1] ?? ref

/** `size`: of the sides, where a small one is meant. */
export const parseRef = (ref: string): { readonly mxc: Mxc; readonly size?: number } | undefined => {
  const [, uri, size] = SIZED.exec(ref) ?? []
  const mxc = parseMxc(uri ?? ref)
  return mxc && { mxc, ...(size === undefined ? {} : { size: Number(size) }) }
}

/** undefined: no such address. */
export const parseMxc = (uri: unknown): Mxc | undefined => {
  if (typeof uri !== 'string' || !uri.startsWith('mxc://')) return undefined
  const [server = '', id = '', ...rest] = uri.slice('mxc://'.length).split('/', 3)
  if (rest.length > 0 || server.length > MAX_PART || id.length > MAX_PART) return undefined
  return SERVER.test(server) && !server.includes('..') && ID.test(id) ? { server, id } : undefined
}
