/** Invitations to what the bridge cannot do: games, calls, webcams. Files have their own way. Pure. */
import { invitedTo } from '../../msnp/index.ts'
import { oneLine } from './words.ts'

/** Names of programs of others in our sentences, UTF-16 units. */
const MAX_NAME = 80

/** What somebody invites to, behind "invites you to". `name`: as the invitation calls it, UTF-8 as a byte string. */
export const applicationOf = (guid: string | undefined, name?: string): string => {
  const known = invitedTo(guid)
  if (known !== undefined) return known
  const called = oneLine(Buffer.from(name ?? '', 'latin1').toString('utf8'), MAX_NAME)
  return called === '' ? 'something' : `"${called}"`
}
