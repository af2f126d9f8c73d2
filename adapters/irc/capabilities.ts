/** What a relay bot on IRC can show, and what connections of their own for ghosts can. */
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
    company: 'dropped',
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

/** The bot speaks for those who have no connection: it puts their names in front itself. */
export const puppetCapabilities: Capabilities = {
  ...relayCapabilities,
  ops: { ...relayCapabilities.ops, profile: 'native' },
  puppets: 'native',
  placesGhosts: true,
}
