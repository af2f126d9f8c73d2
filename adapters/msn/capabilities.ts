/** What a switchboard can carry. Literals, so that a new kind of operation does not compile until it has been decided on. */
import type { Capabilities } from '../../bridge/model/capabilities.ts'

/**
 * Messages of one chat that may wait for their ACK at once. They go through one switchboard at a time, so the order is
 * the order of the wire, and each has an outcome of its own.
 */
export const PIPELINE = 16

export const capabilities: Capabilities = {
  ops: {
    message: 'native',
    edit: 'text',
    redact: 'text',
    reaction: 'text',
    // CAL and OUT, for people of MSN; that others come and go elsewhere is no news in a small window.
    member: 'native',
    topic: 'text',
    typing: 'native',
    read: 'dropped',
    company: 'dropped',
    presence: 'native',
    profile: 'native',
    title: 'dropped',
    delivery: 'text',
    status: 'emulated',
  },
  bodies: { text: 'native', action: 'emulated', notice: 'emulated', nudge: 'native', file: 'text' },
  puppets: 'prefix',
  replies: 'lines',
  // MSN has no ids of messages: what is sent twice arrives twice.
  idempotent: false,
  pipeline: PIPELINE,
}

/** Of a chat with somebody whose client takes files. */
export const offersFiles: Capabilities = { ...capabilities, bodies: { ...capabilities.bodies, file: 'native' } }

/** Of a chat of a channel: its members have faces of their own there, or their names in front. */
export const channelCapabilities: Capabilities = {
  ...capabilities,
  ops: { ...capabilities.ops, company: 'native' },
  puppets: 'native',
}

/** While files are offered to somebody: taking back the message takes back the offer. */
export const takesBackFiles = (able: Capabilities): Capabilities => ({
  ...able,
  ops: { ...able.ops, redact: 'emulated' },
})
