/** Who is spoken of in a message: links to people, as clients write them, and `m.mentions`. Pure. */
import { parseMxid } from './ids.ts'
import { mxidOf, type Mxid } from './types.ts'

/** A link to a person, a room or a message: of no use outside of Matrix. */
export const isMatrixLink = (href: string): boolean => /^(https:\/\/matrix\.to\/#\/|matrix:)/.test(href)

/** The person that a link means, if it means one: `https://matrix.to/#/%40alice%3Aexample.org`. */
export const personOfLink = (href: string): Mxid | undefined => {
  if (!isMatrixLink(href)) return undefined
  const user = parseMxid(href, '')
  return typeof user === 'string' ? mxidOf(user) : undefined
}

/** Always sent: without it clients search the text for names, and ring by mistake. */
export const mentionsOf = (...users: readonly Mxid[]): { readonly user_ids?: readonly Mxid[] } =>
  users.length === 0 ? {} : { user_ids: users }
