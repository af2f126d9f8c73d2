import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Chunks, CHUNK_PATIENCE_MS, MAX_CHUNKS, MAX_OPEN_SETS } from '../../../adapters/msn/chunks.ts'
import { peerInvitation, read, type Heard } from '../../../adapters/msn/inbound.ts'
import type { AccountId, ChatId, MessageId, NetworkId } from '../../../bridge/model/ids.ts'
import { describeObject, formatMsnObject, parseMime } from '../../../msnp/index.ts'

const network = 'retro' as NetworkId
const heard: Heard = {
  network,
  chat: { network, chat: 'bob@example.com' as ChatId, account: 'relay' as AccountId },
  from: { email: 'Bob@Example.com', name: 'Bob  the\tbuilder' },
  id: 'n:1' as MessageId,
  at: 42,
}
const reading = (headers: string, body = '', bytes: BufferEncoding = 'utf8') =>
  read(parseMime(Buffer.from(`MIME-Version: 1.0\r\n${headers}\r\n\r\n${body}`, bytes)), heard)
const text = (format: string, body: string) =>
  reading(`Content-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: ${format}`, body)
const bodyOf = (result: ReturnType<typeof reading>) =>
  result.kind === 'message' || result.kind === 'invitation' ? result.event.body : undefined

/** A description as it stands in a datacast. */
const described = (type: number, friendly = '') =>
  formatMsnObject(describeObject(Buffer.from('x'), { creator: 'bob@example.com', type, friendly }))

/** docs/protocol.md, Messages. */
const TEXTS = [
  ['plain', 'FN=Arial; EF=; CO=0; CS=0; PF=0', 'hi', [{ text: 'hi' }]],
  ['with effects', 'FN=MS%20Shell%20Dlg; EF=BI; CO=0; CS=0; PF=22', 'hi', [{ text: 'hi', bold: true, italic: true }]],
  ['struck and underlined', 'FN=A; EF=SU; CO=0', 'hi', [{ text: 'hi', underline: true, strike: true }]],
  ['red: blue, green, red without leading zeros', 'FN=A; EF=; CO=ff', 'hi', [{ text: 'hi', color: '#ff0000' }]],
  ['teal', 'FN=A; EF=; CO=808000', 'hi', [{ text: 'hi', color: '#008080' }]],
  ['of several lines', 'FN=A', 'a\r\nb\rc\nd', [{ text: 'a\nb\nc\nd' }]],
  ['in a font of fixed width', 'FN=Lucida%20Console; EF=; CO=0; CS=0; PF=0', 'hi', [{ text: 'hi', mono: true }]],
  ['of fixed pitch', 'FN=Terminal; EF=; CO=0; CS=ff; PF=31', 'hi', [{ text: 'hi', mono: true }]],
  ['from right to left', 'FN=A; RL=1', 'abc?\r\nשלום\r\n\r\n12', [{ text: '‏abc?\nשלום\n\n‏12' }]],
  ['whatever stands in the format', 'FN=%%%;;EF==;CO=zz;CS=-1;PF=999;RL', 'hi', [{ text: 'hi' }]],
  ['without control characters', 'FN=A', 'a\u0007b\u0000', [{ text: 'ab' }]],
] as const

describe('what arrives', () => {
  it.each(TEXTS)('is text %s', (_name, format, body, spans) => {
    expect(bodyOf(text(format, body))).toEqual({ kind: 'text', text: spans })
  })

  it('says where it was said, by whom and when', () => {
    expect(text('FN=A', 'hi')).toEqual({
      kind: 'message',
      event: {
        kind: 'message',
        chat: heard.chat,
        sender: { network, user: 'bob@example.com' },
        senderName: 'Bob the builder',
        id: 'n:1',
        at: 42,
        body: { kind: 'text', text: [{ text: 'hi' }] },
      },
    })
  })

  it('takes the name that a bot gives itself', () => {
    const result = reading('Content-Type: text/plain; charset=UTF-8\r\nP4-Context: Günther', 'hi')
    expect(result.kind === 'message' && result.event.senderName).toBe('Günther')
  })

  it('reads text without a charset as ISO-8859-1', () => {
    expect(bodyOf(reading('Content-Type: text/plain', 'gr\u00fcn', 'latin1'))).toEqual({
      kind: 'text',
      text: [{ text: 'grün' }],
    })
  })

  it.each([
    ['empty text', 'Content-Type: text/plain; charset=UTF-8', ''],
    ['typing', 'Content-Type: text/x-msmsgscontrol\r\nTypingUser: bob@example.com', '\r\n'],
    ['clientcaps', 'Content-Type: text/x-clientcaps', 'Client-Name: X/1.0\r\nChat-Logging: Y\r\n'],
    ['a ping', 'Content-Type: text/x-ping', 'ping'],
    ['a keep-alive', 'Content-Type: text/x-keepalive', ''],
    ['data from client to client', 'Content-Type: application/x-msnmsgrp2p', '\u0000\u0001'],
    ['a wink that is none', 'Content-Type: text/x-msnmsgr-datacast', 'ID: 2\r\nData: <msnobj/>\r\n\r\n'],
    ['a wink that is a picture', 'Content-Type: text/x-msnmsgr-datacast', `ID: 2\r\nData: ${described(3)}\r\n\r\n`],
    ['a datacast of later times', 'Content-Type: text/x-msnmsgr-datacast', 'ID: 5\r\nData: x\r\n\r\n'],
    ['a drawing that is none', 'Content-Type: image/gif', 'base64:aGVsbG8='],
    ['a drawing in no base64', 'Content-Type: application/x-ms-ink', 'base64:<>'],
    ['an unknown type', 'Content-Type: text/x-future', 'surprise'],
    [
      'the answer to an invitation',
      'Content-Type: text/x-msmsgsinvite',
      'Invitation-Command: ACCEPT\r\nInvitation-Cookie: 1\r\n',
    ],
    [
      'a cancelled invitation',
      'Content-Type: text/x-msmsgsinvite',
      'Invitation-Command: CANCEL\r\nInvitation-Cookie: 1\r\nCancel-Code: TIMEOUT\r\n',
    ],
    ['no headers at all', 'X: y', 'hi'],
  ])('shows nothing of %s', (_name, headers, body) => {
    expect(reading(headers, body)).toEqual({ kind: 'nothing' })
  })

  it('reads a nudge and an action', () => {
    expect(bodyOf(reading('Content-Type: text/x-msnmsgr-datacast', 'ID: 1\r\n\r\n'))).toEqual({ kind: 'nudge' })
    expect(bodyOf(reading('Content-Type: text/x-msnmsgr-datacast', 'ID: 4\r\nData: dances\r\n\r\n'))).toEqual({
      kind: 'action',
      text: [{ text: 'dances' }],
    })
  })

  it.each([
    [
      'a file',
      'Application-Name: File Transfer\r\nApplication-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\nApplication-File: r\u00e9sum\u00e9.txt\r\nApplication-FileSize: 60904\r\n\r\n',
      'offers the file "résumé.txt", which the bridge cannot take yet',
    ],
    [
      'a program',
      'Application-Name: NetMeeting\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\n\r\n',
      'invites you to "NetMeeting"; msn-bridge cannot do that',
    ],
    [
      'a program by its GUID',
      'Application-Name: \u0007Fern\r\nApplication-GUID: {56b994a7-380f-410b-9985-c809d78c1bdc}\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\n\r\n',
      'invites you to Remote Assistance; msn-bridge cannot do that',
    ],
    [
      'nobody knows what',
      'Application-GUID: {0}\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\n\r\n',
      'invites you to something; msn-bridge cannot do that',
    ],
  ])('tells of an invitation to %s in one line', (_name, body, line) => {
    const result = reading('Content-Type: text/x-msmsgsinvite; charset=UTF-8', body)
    expect(result).toMatchObject({ kind: 'invitation', cookie: '33267' })
    expect(bodyOf(result)).toEqual({ kind: 'notice', text: [{ text: line }] })
  })
})

describe('what is more than words', () => {
  it.each([
    ['wink', 2, 8],
    ['voice', 3, 11],
  ])('is a %s with its description', (kind, id, type) => {
    const xml = described(type, 'Kiss')
    const result = reading('Content-Type: text/x-msnmsgr-datacast', `ID: ${id}\r\nData: ${xml}\r\n\r\n`)
    expect(result).toMatchObject({ kind: 'thing', thing: { kind, xml, object: { friendly: 'Kiss', type } } })
    expect(result).toMatchObject({ event: { id: 'n:1', sender: { user: 'bob@example.com' } } })
  })

  it.each([
    ['gif', 'image/gif', 'GIF89a-drawing'],
    ['isf', 'application/x-ms-ink', 'strokes'],
  ])('is a drawing as %s', (format, type, bytes) => {
    const base64 = Buffer.from(bytes).toString('base64')
    const result = reading(`Content-Type: ${type}`, `base64:${base64.slice(0, 4)}\r\n${base64.slice(4)}\r\n`)
    expect(result).toMatchObject({ kind: 'thing', thing: { kind: 'ink', format, data: Buffer.from(bytes) } })
  })

  it('is a session that was declined', () => {
    const { body } = peerInvitation('{4BD96FC0-AB17-4425-A14A-439185962DC8}', heard)
    expect(body).toEqual({
      kind: 'notice',
      text: [{ text: 'invites you to see their webcam; msn-bridge cannot do that' }],
    })
  })
})

const BOB = 'bob@example.com'

describe('messages in chunks', () => {
  const first = (id: string, chunks: number, body: string) =>
    Buffer.from(
      `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nMessage-ID: {${id}}\r\nChunks: ${chunks}\r\n\r\n${body}`,
    )
  const next = (id: string, chunk: number, body: string) =>
    Buffer.from(`Message-ID: {${id}}\r\nChunk: ${chunk}\r\n\r\n${body}`)

  it('are put together whatever their order, with the headers of the first', () => {
    const chunks = new Chunks()
    expect(chunks.take(BOB, first('A', 3, 'one '), 0)).toBeUndefined()
    expect(chunks.take(BOB, next('A', 2, 'three'), 1)).toBeUndefined()
    const whole = chunks.take(BOB, next('A', 1, 'two '), 2)
    expect(whole?.text()).toBe('one two three')
    expect(whole?.charset).toBe('utf-8')
  })

  it('put a character together that was cut in two', () => {
    const chunks = new Chunks()
    const euro = Buffer.from('€')
    chunks.take(BOB, Buffer.concat([first('A', 2, ''), euro.subarray(0, 1)]), 0)
    expect(chunks.take(BOB, Buffer.concat([next('A', 1, ''), euro.subarray(1)]), 0)?.text()).toBe('€')
  })

  it('are forgotten when the rest does not come', () => {
    const chunks = new Chunks()
    chunks.take(BOB, first('A', 2, 'one'), 0)
    chunks.take(BOB, first('B', 2, 'x'), CHUNK_PATIENCE_MS)
    expect(chunks.take(BOB, next('A', 1, 'two'), CHUNK_PATIENCE_MS + 1)).toBeUndefined()
    expect(chunks.take(BOB, next('B', 1, 'y'), CHUNK_PATIENCE_MS + 1)?.text()).toBe('xy')
  })

  it('are bounded in number, the oldest going first', () => {
    const chunks = new Chunks()
    for (let id = 0; id <= MAX_OPEN_SETS; id++) chunks.take(BOB, first(`m${id}`, 2, 'a'), id)
    expect(chunks.take(BOB, next('m0', 1, 'b'), 20)).toBeUndefined()
    expect(chunks.take(BOB, next('m1', 1, 'b'), 20)?.text()).toBe('ab')
  })

  it.each([
    ['a chunk of nothing', next('Z', 1, 'x')],
    ['a chunk beyond the end', next('A', 7, 'x')],
  ])('pass over %s', (_name, payload) => {
    const chunks = new Chunks()
    chunks.take(BOB, first('A', 2, 'one'), 0)
    expect(chunks.take(BOB, payload, 0)).toBeUndefined()
  })

  it('belong to who began them', () => {
    const chunks = new Chunks()
    chunks.take(BOB, first('A', 2, 'my '), 0)
    expect(chunks.take('eve@example.com', next('A', 1, 'money'), 0)).toBeUndefined()
    expect(chunks.take('Bob@Example.com', next('A', 1, 'house'), 0)?.text()).toBe('my house')
  })

  it('are never more than so many', () => {
    const chunks = new Chunks()
    for (const count of [0, 1, MAX_CHUNKS + 1, 999])
      expect(chunks.take(BOB, first('A', count, 'all there is'), 0)?.text()).toBe('all there is')
    expect(chunks.take(BOB, first('B', MAX_CHUNKS, 'a'), 0)).toBeUndefined()
    for (let at = 1; at < MAX_CHUNKS - 1; at++) expect(chunks.take(BOB, next('B', at, 'b'), 0)).toBeUndefined()
    expect(chunks.take(BOB, next('B', MAX_CHUNKS - 1, 'c'), 0)?.text()).toHaveLength(MAX_CHUNKS)
  })

  it('leave other messages alone', () => {
    const whole = Buffer.from('Content-Type: text/plain; charset=UTF-8\r\n\r\nhi')
    expect(new Chunks().take(BOB, whole, 0)?.text()).toBe('hi')
    expect(new Chunks().take(BOB, first('A', 1, 'all'), 0)?.text()).toBe('all')
  })
})

it('reads which pictures stand for which codes', () => {
  expect(reading('Content-Type: text/x-mms-emoticon', ':x:\t<msnobj Creator="a"/>\t')).toEqual({
    kind: 'emoticons',
    emoticons: [{ code: ':x:', object: '<msnobj Creator="a"/>' }],
  })
})

it('reads whatever comes, and never throws', () => {
  const piece = fc.constantFrom(
    'Content-Type: ',
    'text/plain; charset=UTF-8',
    'text/x-msnmsgr-datacast',
    'text/x-msmsgsinvite',
    'image/gif',
    'application/x-ms-ink',
    'X-MMS-IM-Format: FN=',
    'EF=BIUS; CO=ff; PF=31; RL=1',
    'P4-Context: ',
    '\r\n',
    '\r\n\r\n',
    'ID: 2',
    'ID: 3',
    'Data: ',
    described(8, 'Kiss'),
    described(11),
    'base64:R0lGODlh',
    'Invitation-Command: INVITE',
    'Invitation-Cookie: 1',
    'Application-GUID: {56b994a7-380f-410b-9985-c809d78c1bdc}',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 4, unit: 'binary' })), { maxLength: 20 }), (parts) => {
      const result = read(parseMime(Buffer.from(parts.join(''))), heard)
      if (result.kind !== 'message' && result.kind !== 'invitation') return
      expect(result.event.sender.user).toBe('bob@example.com')
      expect(result.event.senderName).not.toMatch(/[\x00-\x1f]/)
    }),
    { numRuns: 500 },
  )
})
