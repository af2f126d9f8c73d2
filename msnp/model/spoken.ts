/**
 * A message as somebody says it who takes part in a conversation through another client. `email` in lower case.
 * Source: docs/protocol.md, Participants.
 */
export interface Spoken {
  readonly email: string
  readonly payload: Uint8Array
}
