/** Reads the conversations in test/transcripts (its README tells the format). */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { payloadRule } from '../../msnp/wire/verbs.ts'

export interface TranscriptFrame {
  readonly kind: 'frame'
  readonly connection: string
  readonly from: 'client' | 'server'
  /** Words of the line, as byte strings. */
  readonly words: readonly string[]
  readonly payload: Buffer | undefined
  /** As on the wire, line end and payload included. */
  readonly bytes: Buffer
  /** Where it stands in the file, from 1. */
  readonly at: number
}

export interface HttpsExchange {
  readonly kind: 'https'
  readonly url: string
  readonly authorization: string | undefined
  readonly status: number
  /** Names as they were written. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly at: number
}

export type TranscriptStep =
  | TranscriptFrame
  | HttpsExchange
  | { readonly kind: 'connect'; readonly connection: string; readonly at: number }
  | { readonly kind: 'closed'; readonly connection: string; readonly by: 'client' | 'server'; readonly at: number }

export interface TranscriptConnection {
  /** `A.NS`, `B.SB`; or the port of the client in place of the letter. */
  readonly name: string
  readonly role: 'NS' | 'SB'
  /** Whose it is, from its USR or ANS. */
  readonly email: string
  readonly frames: readonly TranscriptFrame[]
}

export interface Transcript {
  readonly steps: readonly TranscriptStep[]
  /** In the order in which they were opened. */
  readonly connections: readonly TranscriptConnection[]
}

const unescape = (text: string): Buffer =>
  Buffer.from(text.replaceAll('\\r\\n', '\r\n').replaceAll('\\n', '\n'), 'utf8')

const FRAME = /^\[(\w+\.(?:NS|SB))\] ([CS]): (.*)$/
const STATE = /^ {3}\[(\w+\.(?:NS|SB))\] --- (TCP connect|server closed|client closed)/
const TIMED = /^ *\d+\.\d{3} \[(\d+)(->|<-)(\d+)\] (?:([CS]): (.*)|--- connect)$/
const FIN = /^ *\d+\.\d{3} \[(\d+)\] --- (client|server) FIN$/
const HTTPS = /^ {3}\[HTTPS\] (?:GET (\S+)(?: {2}Authorization: (.*))?|-> (\d{3}) \[(.*)\])$/

/** Throws on a line that it does not understand: a fixture must be read whole. */
export function parseTranscript(text: string): Transcript {
  const steps: TranscriptStep[] = []
  const roles = new Map<string, 'NS' | 'SB'>()
  let open: { connection: string; from: 'client' | 'server'; text: string; at: number } | undefined
  let request: { url: string; authorization: string | undefined } | undefined

  const finish = (): void => {
    if (open !== undefined) steps.push(frameOf(open))
    open = undefined
  }

  for (const [index, line] of text.split('\n').entries()) {
    const at = index + 1
    const plain = FRAME.exec(line)
    const timed = TIMED.exec(line)
    const payload = open === undefined ? null : /^ {10,11}(\| )?(.*)$/.exec(line)
    if (plain !== null) {
      finish()
      open = { connection: plain[1]!, from: plain[2] === 'C' ? 'client' : 'server', text: plain[3]!, at }
    } else if (timed !== null) {
      finish()
      const [, port = '', , serverPort = '', side, words = ''] = timed
      const role = serverPort === '1864' ? 'SB' : 'NS'
      roles.set(port, role)
      const connection = `${port}.${role}`
      if (side === undefined) steps.push({ kind: 'connect', connection, at })
      else open = { connection, from: side === 'C' ? 'client' : 'server', text: words, at }
    } else if (open !== undefined && payload !== null) {
      open.text += payload[2]!
    } else {
      finish()
      const state = STATE.exec(line)
      const fin = FIN.exec(line)
      const https = HTTPS.exec(line)
      if (state !== null) {
        const [, connection = '', what = ''] = state
        if (what === 'TCP connect') steps.push({ kind: 'connect', connection, at })
        else steps.push({ kind: 'closed', connection, by: what === 'server closed' ? 'server' : 'client', at })
      } else if (fin !== null) {
        const [, port = '', by] = fin
        steps.push({
          kind: 'closed',
          connection: `${port}.${roles.get(port) ?? 'NS'}`,
          by: by as 'client' | 'server',
          at,
        })
      } else if (https !== null) {
        if (https[1] !== undefined) request = { url: https[1], authorization: https[2] }
        else if (request !== undefined) {
          steps.push({ kind: 'https', ...request, status: Number(https[3]), headers: headersOf(https[4]!), at })
          request = undefined
        }
      } else if (!/^$|^#|^=====/.test(line)) {
        throw new Error(`line ${at} of the transcript was not understood`)
      }
    }
  }
  finish()
  return { steps, connections: connectionsOf(steps) }
}

function frameOf(open: {
  readonly connection: string
  readonly from: 'client' | 'server'
  readonly text: string
  readonly at: number
}): TranscriptFrame {
  const bytes = unescape(open.text)
  const end = bytes.indexOf('\r\n')
  if (end === -1) throw new Error(`the line ${open.at} of the transcript has no end`)
  const rest = bytes.subarray(end + 2)
  const words = bytes.toString('latin1', 0, end).split(' ')
  const { connection, from, at } = open
  const payload = payloadRule(words[0]!, from) === undefined ? undefined : rest
  if (rest.length !== (payload === undefined ? 0 : Number(words.at(-1)))) {
    throw new Error(`the payload after line ${at} of the transcript has ${rest.length} bytes`)
  }
  return { kind: 'frame', connection, from, words, payload, bytes, at }
}

/** `('Name', 'value'), ('Name', "value")` as a Python program prints it. */
const headersOf = (list: string): (readonly [string, string])[] =>
  [...list.matchAll(/\('([^']*)', (?:'([^']*)'|"([^"]*)")\)/g)].map(
    ([, name = '', single, double]) => [name, single ?? double ?? ''] as const,
  )

function connectionsOf(steps: readonly TranscriptStep[]): TranscriptConnection[] {
  const names = new Set(steps.flatMap((step) => (step.kind === 'connect' ? [step.connection] : [])))
  return [...names].map((name) => {
    const frames = steps.filter((step) => step.kind === 'frame').filter((frame) => frame.connection === name)
    const role = name.endsWith('.SB') ? 'SB' : 'NS'
    const first = frames.find(({ from, words }) => from === 'client' && ['USR', 'ANS'].includes(words[0]!))
    const email = first?.words.find((word) => word.includes('@'))
    if (email === undefined) throw new Error(`nobody can be found whose connection ${name} is`)
    return { name, role, email, frames }
  })
}

export const TRANSCRIPTS = [
  'escargot-MSNP8',
  'escargot-MSNP9',
  'escargot-MSNP12',
  'libpurple-MSNP9-with-escargot',
] as const

export const readTranscript = (name: (typeof TRANSCRIPTS)[number]): Transcript =>
  parseTranscript(readFileSync(new URL(`../transcripts/${name}.txt`, import.meta.url), 'utf8'))
