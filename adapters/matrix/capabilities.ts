/** What a room of Matrix can show. */
import type { Capabilities } from '../../bridge/model/capabilities.ts'

/** `idempotent`: the homeserver knows our transaction ids again, even after its own restart. */
export const capabilitiesOf = (idempotent: boolean): Capabilities => ({
  ops: {
    message: 'native',
    edit: 'native',
    redact: 'native',
    reaction: 'native',
    member: 'native',
    topic: 'native',
    typing: 'native',
    read: 'native',
    company: 'dropped',
    presence: 'native',
    profile: 'native',
    title: 'native',
    delivery: 'native',
    status: 'native',
  },
  bodies: { text: 'native', action: 'native', notice: 'native', nudge: 'emulated', file: 'emulated' },
  puppets: 'native',
  replies: 'native',
  idempotent,
  // Events of one room are put in order by the homeserver: one at a time keeps ours.
  pipeline: 1,
})
