/** What the gateway shows to IRC clients. */
import type { Capabilities } from '../../../bridge/model/capabilities.ts'

export const capabilities: Capabilities = {
  ops: {
    message: 'native',
    // In words, but our own: the history has only what was said first.
    edit: 'native',
    redact: 'text',
    reaction: 'text',
    member: 'native',
    topic: 'native',
    typing: 'native',
    read: 'dropped',
    // Contacts are shown from `context.people`, and called as `nick_format` says.
    company: 'dropped',
    presence: 'dropped',
    profile: 'dropped',
    title: 'dropped',
    // Clients have no mark for it: only what went wrong is worth a line, and one for a message each would be too many.
    delivery: 'text',
    status: 'native',
  },
  bodies: { text: 'native', action: 'native', notice: 'native', nudge: 'native', file: 'text' },
  puppets: 'native',
  replies: 'inline',
  // What was under way when the last run died is shown again, and marked so: `Delivery.again`.
  idempotent: true,
  // Written in order in one turn: there is nothing to wait for.
  pipeline: 256,
}
