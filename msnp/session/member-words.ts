/** People of a switchboard, as IRO and JOI name them. Pure. Source: docs/protocol.md, Switchboard. */
import { isAddress } from '../model/address.ts'
import { parseClientId } from '../model/client-id.ts'
import { nameOf } from '../model/names.ts'
import { encodeNick } from '../wire/escape.ts'

export interface MemberWords {
  readonly email: string
  readonly name: string
  /** Sum of the bits of what their client can do; from MSNP12 on. */
  readonly clientId: number | undefined
}

/** `bob@example.com Bob 268435456`: the words of JOI, and those of IRO behind its three numbers. */
export function parseMember([word, nick, client]: readonly string[]): MemberWords | undefined {
  // Later services add which of their places it is.
  const email = word?.replace(/;.*$/s, '')
  if (!isAddress(email)) return undefined
  return { email, name: nameOf(nick ?? email), clientId: client === undefined ? undefined : parseClientId(client) }
}

/** `clientIds`: whether the reader's dialect has them; somebody of whom nothing is known can do nothing. */
export const formatMember = ({ email, name, clientId = 0 }: MemberWords, clientIds: boolean): readonly string[] => [
  email,
  encodeNick(name),
  ...(clientIds ? [String(clientId)] : []),
]
