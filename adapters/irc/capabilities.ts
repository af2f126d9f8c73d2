/** What a relay bot on IRC can show. Puppets (a connection for each ghost) will bring a second literal beside this one. */
import type { Capabilities } from '../../bridge/model/capabilities.ts'

/** Lines of one chat under way at once: one PING then confirms them all. */
const PIPELINE = 16

export const relayCapabilities: Capabilities = {
  ops: {
    message: 'native',
    edit: 'text',
    redact: 'text',
    reaction: 'text',
    // Joins and quits of people who only open and close a window are the noise that IRC people complain of first.
    member: 'dropped',
    topic: 'native',
    typing: 'dropped',
    read: 'dropped',
    // A digest, if it is configured.
    presence: 'emulated',
    profile: 'dropped',
    title: 'dropped',
    delivery: 'text',
    status: 'native',
  },
  bodies: { text: 'native', action: 'native', notice: 'native', nudge: 'emulated', file: 'text' },
  puppets: 'prefix',
  replies: 'inline',
  idempotent: false,
  pipeline: PIPELINE,
}
