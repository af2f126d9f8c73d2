/** Plays the clients of a transcript against our service, without sockets. */
import { Buffer } from 'node:buffer'
import { DEFAULT_LIMITS, type AccountRecord } from '../../msnp/service/contract.ts'
import type { Frame } from '../../msnp/wire/frame.ts'
import type { CloseReason } from '../../sansio/machine.ts'
import type { Mode } from './replay-client.ts'
import type { Transcript, TranscriptFrame } from './transcript.ts'
import { WholeService, type Served } from './whole-service.ts'

export interface ServedConnection {
  readonly answers: readonly Frame[]
  readonly closed: CloseReason | undefined
}

export interface ServedTranscript {
  readonly connections: ReadonlyMap<string, ServedConnection>
  /** As they are on disk at the end. */
  readonly accounts: ReadonlyMap<string, AccountRecord>
  /** GUIDs of the transcript and what our service has in their place. */
  readonly ids: ReadonlyMap<string, string>
}

/** Plays all of a transcript. `accounts`: as they were before it. */
export async function playAgainstService(
  { steps, connections }: Transcript,
  accounts: readonly AccountRecord[],
  mode: Mode,
): Promise<ServedTranscript> {
  const stored = new Map(accounts.map((account) => [account.email, account]))
  const service = new WholeService(stored)
  const owners = new Map(connections.map(({ name, email }) => [name, email]))
  const served = new Map<string, Served>()

  const ids = new Map<string, string>()
  /** Two answers to one request have their GUIDs in the same order. */
  const learnIds = (): void => {
    for (const { name, frames } of connections) {
      for (const theirs of frames) {
        const found = theirs.from === 'server' ? theirs.words.flatMap(guidsOf) : []
        if (found.length === 0 || found.every((id) => ids.has(id))) continue
        const ours = served
          .get(name)
          ?.answers.find(({ verb, params }) => verb === theirs.words[0] && params[0] === theirs.words[1])
        for (const [index, id] of (ours?.params.flatMap(guidsOf) ?? []).entries()) {
          if (found[index] !== undefined) ids.set(found[index], id)
        }
      }
    }
  }

  /** A client cannot say an id that it has not been told. */
  const needsAnId = ({ words }: TranscriptFrame): boolean => {
    const said = words.flatMap(guidsOf)
    if (said.some((id) => !ids.has(id))) learnIds()
    return said.some((id) => !ids.has(id))
  }

  /** What a client says, with our tickets, tokens, ids and session ids in place of those of the transcript. */
  const translated = (frame: TranscriptFrame): Buffer => {
    const [verb = '', ...words] = frame.words
    if (words.flatMap(guidsOf).length > 0) {
      learnIds()
      return Buffer.from(`${withIds(frame.words.join(' '), ids)}\r\n`, 'latin1')
    }
    const email = owners.get(frame.connection) ?? ''
    if (verb === 'USR' && words[1] === 'TWN' && words[2] === 'S') words.splice(3, Infinity, service.ticket(email))
    else if (frame.connection.endsWith('.SB') && (verb === 'USR' || verb === 'ANS')) {
      const way = wayIn(words[2]!)
      words[2] = way.token
      if (verb === 'ANS') words[3] = way.session
    } else return frame.bytes
    return Buffer.from([verb, ...words].join(' ') + '\r\n', 'latin1')
  }
  /** The XFR or RNG of ours that stands where the one with this token stands in the transcript. */
  const wayIn = (token: string): { readonly token: string; readonly session: string } => {
    for (const { name, frames } of connections) {
      const theirs = frames.filter(({ from, words }) => from === 'server' && isWayIn(words[0]!, words[2]!))
      const at = theirs.findIndex(({ words }) => words.includes(token))
      if (at === -1) continue
      const ours = served.get(name)?.answers.filter(({ verb, params }) => isWayIn(verb, params[1]!))[at]
      if (ours === undefined) break
      return ours.verb === 'RNG'
        ? { token: ours.params[3]!, session: ours.params[0]! }
        : { token: ours.params[4]!, session: '' }
    }
    throw new Error('nobody was given a way into this switchboard')
  }

  for (let at = 0; at < steps.length; at++) {
    const step = steps[at]!
    switch (step.kind) {
      case 'https':
        break
      case 'connect':
        served.set(step.connection, service.connect(step.connection.endsWith('.SB') ? 'SB' : 'NS'))
        break
      case 'closed':
        if (step.by === 'client') served.get(step.connection)?.receive(null)
        break
      case 'frame': {
        if (step.from === 'server') break
        const connection = served.get(step.connection)
        let bytes = translated(step)
        if (mode === 'coalesced') {
          // All that this client says until anybody else does anything.
          for (; at + 1 < steps.length; at++) {
            const next = steps[at + 1]!
            if (next.kind !== 'frame') break
            if (next.from === 'server') continue
            if (next.connection !== step.connection || isLast(next) || needsAnId(next)) break
            bytes = Buffer.concat([bytes, translated(next)])
          }
        }
        if (mode === 'byte by byte') for (const byte of bytes) connection?.receive(Uint8Array.of(byte))
        else connection?.receive(bytes)
        break
      }
    }
    await service.settled()
  }
  learnIds()
  return { connections: served, accounts: stored, ids }
}

const GUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const guidsOf = (word: string): readonly string[] => word.match(GUID) ?? []

/** A text with our ids in place of those of the transcript. */
export const withIds = (text: string, ids: ReadonlyMap<string, string>): string =>
  text.replace(GUID, (id) => ids.get(id) ?? id)

/** Whether the connection ends with it: what the answers to earlier commands are then is a matter of timing. */
const isLast = ({ words, payload }: TranscriptFrame): boolean =>
  words[0] === 'OUT' || (payload?.length ?? 0) > DEFAULT_LIMITS.messageBytes

const isWayIn = (verb: string, second: string): boolean => verb === 'RNG' || (verb === 'XFR' && second === 'SB')
