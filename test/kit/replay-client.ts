/** Plays the server of a transcript against our client machines. */
import { Buffer } from 'node:buffer'
import { DIALECTS, knownDialects, type Dialect } from '../../msnp/model/dialect.ts'
import { listOf } from '../../msnp/model/lists.ts'
import { parsePersonalMessage } from '../../msnp/model/personal-message.ts'
import { statusOf } from '../../msnp/model/status.ts'
import { parseKeyedChange } from '../../msnp/session/list-words.ts'
import { NotificationClient } from '../../msnp/session/notification-client.ts'
import type { NotificationCommand, NotificationRequest } from '../../msnp/session/notification-states.ts'
import { SwitchboardClient } from '../../msnp/session/switchboard-client.ts'
import type { AckType, SwitchboardCommand } from '../../msnp/session/switchboard-client-states.ts'
import { decodeName } from '../../msnp/wire/escape.ts'
import { CLIENT_LIMITS, Framer, isFault, type Frame } from '../../msnp/wire/frame.ts'
import { verbOf } from '../../msnp/wire/verbs.ts'
import type { Machine, Output } from '../../sansio/machine.ts'
import type { TranscriptConnection, TranscriptFrame } from './transcript.ts'

export const MODES = ['whole', 'byte by byte', 'coalesced'] as const
export type Mode = (typeof MODES)[number]

export interface Played {
  /** As plain data, without what only names our own objects. */
  readonly events: readonly unknown[]
  /** What our client said, and what the transcript's client said: names decoded, transaction ids left out. */
  readonly said: readonly string[]
  readonly saidThere: readonly string[]
  /** What the transcript's client said and ours cannot be made to say. */
  readonly skipped: readonly string[]
  readonly unknownLines: number
  readonly malformedLines: number
  /** Transaction id of the transcript -> ours. */
  readonly trids: ReadonlyMap<string, string>
  readonly client: NotificationClient | SwitchboardClient
}

/** What to tell our client so that it says what the transcript's client says. */
type Told<Command> =
  | { readonly kind: 'command'; readonly command: Command }
  /** It says it by itself. */
  | { readonly kind: 'automatic' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'skip' }

/** An id that is never ours: what a server answers to something that we did not say. */
const FOREIGN = 4_000_000_000
const START = 1_000_000

const plainWords = (words: readonly string[], hasTrid: boolean): string =>
  [words[0]!, ...words.slice(hasTrid ? 2 : 1)].map(decodeName).join(' ')

const hasTrid = (verb: string): boolean => verbOf(verb)?.client?.trid !== 'none'

export function playAgainstClient(
  connection: TranscriptConnection,
  dialect: Dialect,
  mode: Mode,
  known?: ReadonlyMap<string, string>,
): Played {
  const ns = new NotificationClient({ timings: { commandMs: 60_000, pingMs: 45_000, pongMs: 30_000 } })
  const sb = new SwitchboardClient({
    email: connection.email,
    dialect,
    timings: { commandMs: 60_000, ackMs: 60_000, nakMs: 60_000, joinMs: 60_000, switchboardIdleMs: 0 },
  })
  return connection.role === 'NS'
    ? play(connection, ns, mode, known, notificationCommands(connection))
    : play(connection, sb, mode, known, switchboardCommand)
}

function play<Command, Event extends { readonly kind: string }>(
  connection: TranscriptConnection,
  client: Machine<Command, Event> & (NotificationClient | SwitchboardClient),
  mode: Mode,
  known: ReadonlyMap<string, string> | undefined,
  commandFor: (frame: TranscriptFrame, id: number) => Told<Command>,
): Played {
  const events: unknown[] = []
  const said: string[] = []
  const saidThere: string[] = []
  const skipped: string[] = []
  const trids = new Map<string, string>(known)
  /** Said in the transcript and not yet by our client. */
  const due: TranscriptFrame[] = []
  const own = new Framer('client', CLIENT_LIMITS)
  let now = START

  const take = (outputs: readonly Output<Event>[]): void => {
    for (const output of outputs) {
      if (output.kind === 'event') events.push(plainEvent(output.event))
      else if (output.kind === 'close') {
        if (output.reason.kind === 'peer-violation') throw new Error(output.reason.detail)
        events.push({ kind: 'close', reason: output.reason })
      } else {
        own.push(output.bytes)
        for (let frame = own.next(); frame !== undefined; frame = own.next()) {
          if (isFault(frame)) throw new Error(`our client wrote what cannot be framed: ${frame.fault}`)
          wrote(frame)
        }
      }
    }
  }
  const wrote = (frame: Frame): void => {
    said.push(plainWords([frame.verb, ...frame.params], hasTrid(frame.verb)) + payloadOf(frame.payload))
    const at = due.findIndex(({ words }) => words[0] === frame.verb)
    const [match] = at === -1 ? [] : due.splice(at, 1)
    if (match !== undefined && hasTrid(frame.verb)) trids.set(match.words[1]!, frame.params[0]!)
  }
  /** Bytes of the server, as they would be for our transaction ids. */
  const rewritten = (frame: TranscriptFrame): Buffer => {
    const [verb = '', trid = '', ...rest] = frame.words
    const rule = /^\d{3}$/.test(verb) ? 'first' : verbOf(verb)?.server?.trid
    const answers = rule === 'first' || (rule === 'some' && /^\d+$/.test(trid) && trids.has(trid))
    if (!answers || trid === '0') return frame.bytes
    const line = [verb, trids.get(trid) ?? String(FOREIGN + Number(trid)), ...rest].join(' ')
    return Buffer.concat([Buffer.from(`${line}\r\n`, 'latin1'), frame.payload ?? Buffer.alloc(0)])
  }
  const feed = (frames: readonly TranscriptFrame[]): void => {
    switch (mode) {
      case 'whole':
        for (const frame of frames) take(client.receive(rewritten(frame), now))
        break
      case 'byte by byte':
        for (const frame of frames) {
          for (const byte of rewritten(frame)) take(client.receive(Uint8Array.of(byte), now))
        }
        break
      case 'coalesced':
        take(client.receive(Buffer.concat(frames.map(rewritten)), now))
        break
    }
  }

  let waiting: TranscriptFrame[] = []
  const flush = (): void => {
    if (waiting.length > 0) feed(waiting)
    waiting = []
  }
  for (const [index, frame] of connection.frames.entries()) {
    if (frame.from === 'server') {
      waiting.push(frame)
      continue
    }
    // What a client says by itself may have been said ahead of an answer there: it changes nothing that was not answered.
    if (commandFor(frame, index).kind !== 'automatic') flush()
    const told = commandFor(frame, index)
    const line = plainWords(frame.words, hasTrid(frame.words[0]!)) + payloadOf(frame.payload)
    if (told.kind === 'skip') {
      skipped.push(line)
      continue
    }
    saidThere.push(line)
    due.push(frame)
    if (told.kind === 'command') take(client.command(told.command, now))
    else if (told.kind === 'ping') take(client.tick((now = client.wakeAt ?? now)))
  }
  flush()
  return {
    events,
    said,
    saidThere,
    skipped,
    trids,
    unknownLines: client.unknownLines,
    malformedLines: client.malformedLines,
    client,
  }
}

const payloadOf = (payload: Uint8Array | undefined): string =>
  payload === undefined ? '' : `\n${Buffer.from(payload).toString()}`

/** Payloads as text, and of a session only what is told of it. */
const plainEvent = (event: object): unknown =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array
        ? Buffer.from(value).toString()
        : name === 'session' && isSession(value)
          ? value.email
          : value,
    ]),
  )

const isSession = (value: unknown): value is { readonly email: string } =>
  typeof value === 'object' && value !== null && 'email' in value

/** From MSNP10 on clients name people by the ids that the server gave them; ours is told addresses. */
function notificationCommands(connection: TranscriptConnection) {
  const addresses = new Map<string, string>()
  for (const { from, words } of connection.frames) {
    const [, email] = words.map((word) => /^N=(.*)$/.exec(word)).find((match) => match !== null) ?? []
    const [, id] = words.map((word) => /^C=(.*)$/.exec(word)).find((match) => match !== null) ?? []
    if (from === 'server' && email !== undefined && id !== undefined) addresses.set(id, email)
  }
  return (frame: TranscriptFrame, id: number): Told<NotificationCommand> =>
    notificationCommand(frame, connection.email, id, (word) => addresses.get(word) ?? word)
}

function notificationCommand(
  frame: TranscriptFrame,
  email: string,
  id: number,
  addressOf: (word: string) => string,
): Told<NotificationCommand> {
  const [verb = '', , ...words] = frame.words
  const [first = '', second = '', third] = words
  const ask = (request: NotificationRequest): Told<NotificationCommand> => ({
    kind: 'command',
    command: { kind: 'request', id, request },
  })
  const group = (word: string | undefined): { readonly group?: string } => (word === undefined ? {} : { group: word })
  switch (verb) {
    case 'VER':
      return { kind: 'command', command: { kind: 'sign-in', email, dialects: knownDialects(words) } }
    case 'CVR':
    case 'SYN':
      return { kind: 'automatic' }
    case 'USR':
      return second === 'I'
        ? { kind: 'automatic' }
        : { kind: 'command', command: { kind: 'ticket', ticket: third ?? '' } }
    case 'PNG':
      return { kind: 'ping' }
    case 'OUT':
      return { kind: 'command', command: { kind: 'sign-out' } }
    case 'CHG': {
      const status = statusOf(first)
      if (status === undefined || second === '') return { kind: 'skip' }
      const object = third === undefined ? {} : { object: decodeName(third) }
      return ask({ kind: 'status', status, clientId: Number(second), ...object })
    }
    case 'ADD': {
      const list = listOf(first)
      if (list === undefined || list === 'RL' || list === 'PL') return { kind: 'skip' }
      return ask({ kind: 'list-add', list, email: second, name: decodeName(third ?? ''), ...group(words[3]) })
    }
    case 'ADC': {
      const change = parseKeyedChange(words)
      if (change === undefined || change.list === 'RL' || change.list === 'PL') return { kind: 'skip' }
      const { list, email: address = addressOf(change.id ?? ''), name = address } = change
      return ask({ kind: 'list-add', list, email: address, name, ...group(change.group) })
    }
    case 'REM': {
      const list = listOf(first)
      if (list === undefined || list === 'RL') return { kind: 'skip' }
      return ask({ kind: 'list-remove', list, email: addressOf(second), ...group(third) })
    }
    case 'ADG':
      return ask({ kind: 'group-add', name: decodeName(first) })
    case 'REG':
      return ask({ kind: 'group-rename', group: first, name: decodeName(second) })
    case 'RMG':
      return ask({ kind: 'group-remove', group: first })
    case 'SBP':
      return ask({ kind: 'rename', email: addressOf(first), name: decodeName(third ?? '') })
    case 'UUX':
      return ask({ kind: 'personal-message', message: parsePersonalMessage(frame.payload ?? new Uint8Array()) })
    case 'GCF':
      return ask({ kind: 'file', name: first })
    case 'REA':
      if (first === email && words.length === 2 && second === 'x') return { kind: 'skip' }
      return ask({ kind: 'rename', email: first, name: decodeName(second) })
    case 'PRP':
      if (first === 'MFN') return ask({ kind: 'rename', email, name: decodeName(second) })
      return ask({ kind: 'phone', code: first, value: decodeName(second) })
    case 'BLP':
      return ask({ kind: 'privacy', privacy: first === 'AL' ? 'AL' : 'BL' })
    case 'GTC':
      return ask({ kind: 'prompt', prompt: first === 'A' })
    case 'URL':
      return ask({ kind: 'url', words })
    case 'XFR':
      return ask({ kind: 'switchboard' })
    default:
      return { kind: 'skip' }
  }
}

function switchboardCommand(frame: TranscriptFrame, id: number): Told<SwitchboardCommand> {
  const [verb = '', , first = '', second = '', third = ''] = frame.words
  switch (verb) {
    case 'USR':
      return { kind: 'command', command: { kind: 'open', token: second } }
    case 'ANS':
      return { kind: 'command', command: { kind: 'answer', token: second, session: third } }
    case 'CAL':
      return { kind: 'command', command: { kind: 'invite', id, email: first } }
    case 'MSG':
      return {
        kind: 'command',
        command: { kind: 'send', id, payload: frame.payload ?? new Uint8Array(), ack: first as AckType },
      }
    case 'OUT':
      return { kind: 'command', command: { kind: 'leave' } }
    default:
      return { kind: 'skip' }
  }
}

/** The dialect that the people of a transcript speak. */
export const dialectOf = (connections: readonly TranscriptConnection[]): Dialect => {
  const spoken = connections
    .flatMap(({ frames }) => frames)
    .find(({ from, words }) => from === 'server' && words[0] === 'VER')
  return DIALECTS.find((dialect) => dialect === spoken?.words[2]) ?? 'MSNP9'
}
