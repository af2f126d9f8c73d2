/** The IRCv3 capabilities of the gateway: what is offered, with which value, and what each needs beside it. Pure. */

interface CapRow {
  /** What `CAP LS 302` says behind the name. */
  readonly value?: string
  /** Has no effect until these are on, too. Any order is fine, so the request is granted all the same. */
  readonly needs?: readonly Cap[]
}

/** Sources: the document of each name at ircv3.net/specs/extensions. */
export const CAPS = {
  sasl: { value: 'PLAIN' },
  'server-time': {},
  'message-tags': {},
  'echo-message': {},
  /** "depends on the batch capability which MUST be negotiated to use labeled responses" */
  'labeled-response': { needs: ['batch'] },
  batch: {},
  'away-notify': {},
  'extended-join': {},
  setname: {},
  'multi-prefix': {},
  'userhost-in-names': {},
  chghost: {},
  'invite-notify': {},
  'account-tag': {},
  'account-notify': {},
  'standard-replies': {},
  'extended-monitor': {},
  /** Switched on by `CAP LS 302` itself, and never off again then. */
  'cap-notify': {},
  'no-implicit-names': {},
  'draft/no-implicit-names': {},
  'draft/chathistory': { needs: ['batch', 'server-time', 'message-tags'] },
  'draft/event-playback': { needs: ['draft/chathistory'] },
  'draft/read-marker': {},
} as const satisfies Readonly<Record<string, { readonly value?: string; readonly needs?: readonly string[] }>>

export type Cap = keyof typeof CAPS

const ROWS: Readonly<Record<Cap, CapRow>> = CAPS

export const CAP_NAMES: readonly Cap[] = Object.keys(CAPS).filter((name): name is Cap => Object.hasOwn(CAPS, name))

const isCap = (name: string): name is Cap => Object.hasOwn(CAPS, name)

/** Whether a capability has an effect: it is on, and so is what it needs. */
export const works = (caps: ReadonlySet<Cap>, cap: Cap): boolean =>
  caps.has(cap) && (ROWS[cap].needs ?? []).every((other) => works(caps, other))

/** The words of `CAP LS`; values are for those who said 302. */
export const offered = (withValues: boolean): readonly string[] =>
  CAP_NAMES.map((name) => {
    const { value } = ROWS[name]
    return withValues && value !== undefined ? `${name}=${value}` : name
  })

/**
 * What is on after `CAP REQ :words`; undefined: refused as a whole. `fixed` cannot be switched off.
 * "The capability identifier set must be accepted as a whole, or rejected entirely."
 */
export const requested = (
  caps: ReadonlySet<Cap>,
  words: readonly string[],
  fixed: Cap | undefined,
): ReadonlySet<Cap> | undefined => {
  const next = new Set(caps)
  for (const word of words) {
    const off = word.startsWith('-')
    const name = off ? word.slice(1) : word
    if (!isCap(name) || (off && name === fixed)) return undefined
    if (off) next.delete(name)
    else next.add(name)
  }
  return next
}

/** Words into lists of at most `room` bytes each; no words: one empty list. */
export const wordLines = (words: readonly string[], room: number): readonly string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && Buffer.byteLength(line) + 1 + Buffer.byteLength(word) > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}
