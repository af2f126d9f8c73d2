/** What nobody would write by mistake. */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { describeObject, formatMsnObject, parseMsnObject } from '../../../msnp/model/msn-object.ts'
import type { P2pOutput } from '../../../msnp/p2p/contract.ts'
import { Assembler } from '../../../msnp/p2p/assembler.ts'
import { P2pEndpoint } from '../../../msnp/p2p/endpoint.ts'
import { p2pMessage } from '../../../msnp/p2p/packet.ts'
import { parseMime } from '../../../msnp/wire/mime.ts'
import { randomOf, someBytes } from '../../kit/p2p-room.ts'

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'

const endpoint = (own = ALICE) => new P2pEndpoint({ own, random: randomOf(5) })

let ids = 100
const says = (to: P2pEndpoint, from: string, text: string, own = ALICE): readonly P2pOutput[] => {
  const body = Buffer.from(text, 'latin1')
  const packet = { session: 0, id: ++ids, offset: 0, total: body.length, flags: 0, ackId: 7, ackUid: 0, ackSize: 0 }
  return to.receive(from, parseMime(p2pMessage(own, { ...packet, body, footer: 0 })), 0)
}

const invitation = (lines: { to?: string; branch?: string; callId?: string; type?: string; euf?: string }): string => {
  const { to = ALICE, branch = '{B}', callId = '{C}', type = 'application/x-msnmsgr-sessionreqbody' } = lines
  return [
    `INVITE MSNMSGR:${ALICE} MSNSLP/1.0`,
    `To: <msnmsgr:${to}>`,
    `From: <msnmsgr:${BOB}>`,
    `Via: MSNSLP/1.0/TLP ;branch=${branch}`,
    'CSeq: 0 ',
    `Call-ID: ${callId}`,
    `Content-Type: ${type}`,
    '',
    `EUF-GUID: ${lines.euf ?? '{X}'}\r\nSessionID: 77\r\nAppID: 1\r\nContext: AA==\r\n\r\n\0`,
  ].join('\r\n')
}

describe('an invitation whose words cannot be said back', () => {
  it.each([
    ['a NUL in its address', { to: 'a\0lice@example.com' }],
    ['a NUL in its branch', { branch: '{\0}' }],
    ['a NUL in its Call-ID', { callId: '{\0}' }],
    ['a letter in its branch that is none of Latin-1 in upper case', { branch: '{\xb5}' }],
    ['a letter in its Call-ID that is none of Latin-1 in upper case', { callId: '{\xff}' }],
    ['the same, for a connection', { callId: '{\xff}', type: 'application/x-msnmsgr-transreqbody' }],
    ['the same, for something unknown', { callId: '{\xff}', type: 'text/plain' }],
  ])('with %s does no harm', (_, lines) => {
    const alice = endpoint()
    expect(() => says(alice, BOB, invitation(lines))).not.toThrow()
    // It can still talk.
    expect(says(alice, BOB, invitation({})).length).toBeGreaterThan(0)
  })
})

it('a message that comes crumb by crumb is given up, for each crumb costs more than it holds', () => {
  const assembler = new Assembler({ total: 1_000_000, maxAhead: 1_000_000 })
  let taken = 0
  while (taken < 1_000_000 && assembler.push(taken, Uint8Array.of(1)) !== 'wrong') taken++
  expect(taken).toBeLessThan(10_000)
  // Small packets alone are no harm.
  const small = new Assembler({ total: 20_000, maxAhead: 0 })
  for (let at = 0; at < 20_000; at += 200) expect(small.push(at, new Uint8Array(200))).not.toBe('wrong')
  expect(small.complete).toBe(true)
})

describe('an address that cannot stand in a negotiation', () => {
  it('is asked for nothing, and that is said', () => {
    const alice = endpoint()
    const xml = formatMsnObject(describeObject(someBytes(100), { creator: BOB, type: 2 }))
    const object = parseMsnObject(xml)
    if (object === undefined) throw new Error('no object')
    const session = alice.handle()
    const outputs = alice.command({ kind: 'fetch', session, peer: 'b\u014db@example.com', object, xml }, 0)
    expect(outputs).toEqual([{ kind: 'event', event: { kind: 'ended', session, how: 'carrier' } }])
    expect(alice.size).toBe(0)
  })
})
