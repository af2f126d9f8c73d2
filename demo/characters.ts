/** Who they are, what they say, and how their day goes. */
import { randomBytes } from 'node:crypto'
import type { Character } from './contact.ts'

/** Nobody needs to sign in as them by hand: a password of this run. */
const password = (): string => randomBytes(12).toString('base64url')

export const characters = (domain: string): readonly Character[] => [
  {
    address: `penny@${domain}`,
    name: 'Penny',
    password: password(),
    hello: 'Hi! I am Penny, a demo contact. Write me anything: /msg penny hello',
    answers: [
      'Hello! It works: this came from MSN, over a switchboard, to you.',
      'Say "nudge" and I shake your window. Or: nudge penny',
      'In the control channel you can write "max: hi" to speak with Max.',
      'Try "chat with penny" there: it opens a channel, and /invite max brings him in.',
      'I can go on like this all day.',
    ],
    nudgesAfter: 1,
    day: [{ kind: 'status', status: 'NLN', steps: 600 }],
  },
  {
    address: `max@${domain}`,
    name: 'Max',
    password: password(),
    hello: 'Hey, Max here. I come and go: watch me in the control channel.',
    answers: ['Just a second ...', 'Back. You can see my status change, can you not?', 'Have you seen "blist"?'],
    nudgesAfter: 0,
    day: [
      { kind: 'status', status: 'NLN', steps: 15 },
      { kind: 'status', status: 'AWY', steps: 15 },
      { kind: 'status', status: 'BSY', steps: 15 },
      { kind: 'gone', steps: 10 },
    ],
  },
]
