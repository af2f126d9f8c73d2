/** What an invitation is taken for, and how it is answered. Pure. Source: docs/protocol.md, Sessions. */
import { Buffer } from 'node:buffer'
import { parseMsnObject } from '../model/msn-object.ts'
import { EUF } from './contract.ts'
import { parseFileContext } from './file-context.ts'
import type { Role } from './session.ts'
import { answerTo, MAX_SLP_BYTES, SLP_TYPES, type Slp } from './slp.ts'

/** Base64 of the description of an object. */
const MAX_CONTEXT_CHARS = 8 * 1024

export const agreement = (invite: Slp, wire: number): Slp =>
  answerTo(invite, 200, SLP_TYPES.session, [['SessionID', String(wire)]])

/**
 * No connection from client to client: what there is to send goes over the switchboard. There is an address that is none,
 * since some clients of today ask again and again where there is no place at all.
 */
export const overSwitchboard = (request: Slp): Slp =>
  answerTo(request, 200, SLP_TYPES.transportAnswer, [
    ['Bridge', 'TCPv1'],
    ['Listening', 'false'],
    ['Nonce', '{00000000-0000-0000-0000-000000000000}'],
    ['IPv4Internal-Addrs', '0.0.0.0'],
    ['IPv4Internal-Port', '0'],
  ])

export function wireIdOf(word: string | undefined): number | undefined {
  const id = /^\d{1,10}$/.test(word ?? '') ? Number(word) : 0
  return id > 0 && id <= 0xffffffff ? id : undefined
}

export function objectOf(context: string) {
  if (context.length > MAX_CONTEXT_CHARS) return undefined
  return parseMsnObject(Buffer.from(context, 'base64').toString('utf8').replace(/\0+$/, ''))
}

/** undefined: not what we have, or not to be understood. */
export function roleOf(
  guid: string,
  context: string,
  invite: Slp,
): Extract<Role, { kind: 'serve' | 'take' }> | undefined {
  if (guid === EUF.object) {
    if (objectOf(context) === undefined) return undefined
    return { kind: 'serve', invite, phase: 'asked', bytes: new Uint8Array(), preparation: undefined }
  }
  const file = guid === EUF.file && context.length <= MAX_SLP_BYTES ? fileOf(context) : undefined
  return file && { kind: 'take', invite, file, isTaken: false, confirms: false, arrival: undefined, last: undefined }
}

const fileOf = (context: string) => parseFileContext(Buffer.from(context, 'base64'))
