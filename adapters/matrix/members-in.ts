/** Pure. Who is in a room, of an answer of the homeserver. */
import { recordOf, textIn } from './untrusted.ts'

/** `state_key`s of a `/members` answer with that membership. */
export const membersIn = (answer: unknown, memberships: readonly string[]): readonly string[] => {
  const { chunk } = recordOf(answer)
  if (!Array.isArray(chunk)) return []
  return chunk.flatMap((event: unknown) => {
    const user = textIn(event, 'state_key')
    const membership = textIn(recordOf(event)['content'], 'membership')
    return user !== undefined && membership !== undefined && memberships.includes(membership) ? [user] : []
  })
}
