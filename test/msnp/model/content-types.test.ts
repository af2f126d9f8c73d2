import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  goingDownMessage,
  inviteDecline,
  MAX_MESSAGE_BYTES,
  nudgeMessage,
  parseSaid,
  parseServerSaid,
  participantsIn,
  profileMessage,
  textMessage,
  textRoom,
  typingMessage,
  type Said,
} from '../../../msnp/model/content-types.ts'
import { PLAIN_FORMAT } from '../../../msnp/model/text-format.ts'
import { parseMime } from '../../../msnp/wire/mime.ts'

const said = (payload: Uint8Array | string): Said =>
  parseSaid(parseMime(typeof payload === 'string' ? Buffer.from(payload) : payload))
const serverSaid = (payload: Uint8Array | string): Said =>
  parseServerSaid(parseMime(typeof payload === 'string' ? Buffer.from(payload) : payload))
const typed = (type: string, body: string, more = ''): string =>
  `MIME-Version: 1.0\r\nContent-Type: ${type}\r\n${more}\r\n${body}`

describe('what a message says', () => {
  it('is text with its look', () => {
    const payload = typed(
      'text/plain; charset=UTF-8',
      'Hello Bob — ünï\r\nline2',
      'X-MMS-IM-Format: FN=Arial; EF=I; CO=ff\r\n',
    )
    expect(said(payload)).toEqual({
      kind: 'text',
      text: 'Hello Bob — ünï\nline2',
      format: { ...PLAIN_FORMAT, italic: true, color: '#ff0000' },
      as: undefined,
    })
  })

  it.each([
    ['a\r\nb', 'a\nb'],
    ['a\rb', 'a\nb'],
    ['a\nb', 'a\nb'],
    ['a\r\n\r\nb', 'a\n\nb'],
  ])('is text whose lines are divided by one character: %j', (body, text) => {
    expect(said(typed('text/plain; charset=UTF-8', body))).toMatchObject({ kind: 'text', text, format: undefined })
  })

  it('is text under the name that a bot gives itself', () => {
    const payload = typed('text/plain', 'x', 'P4-Context: Zoë 100%25\r\n')
    expect(said(payload)).toMatchObject({ as: 'Zoë 100%25' })
  })

  it.each<[string, string, Said]>([
    [
      'typing',
      typed('text/x-msmsgscontrol', '\r\n', 'TypingUser: alice@example.com\r\n'),
      { kind: 'typing', email: 'alice@example.com' },
    ],
    ['a nudge', typed('text/x-msnmsgr-datacast', 'ID: 1\r\n\r\n'), { kind: 'nudge' }],
    [
      'a wink',
      typed('text/x-msnmsgr-datacast', 'ID: 2\r\nData: <msnobj Creator="é%20"/>\r\n\r\n'),
      { kind: 'wink', object: '<msnobj Creator="é%20"/>' },
    ],
    [
      'a voice clip',
      typed('text/x-msnmsgr-datacast', 'ID: 3\r\nData: <msnobj/>\r\n'),
      { kind: 'voice', object: '<msnobj/>' },
    ],
    ['an action', typed('text/x-msnmsgr-datacast', 'ID: 4\r\nData: waves ☃\r\n'), { kind: 'action', text: 'waves ☃' }],
    [
      'what client somebody uses',
      typed('text/x-clientcaps', 'Client-Name: Purple/0.0.1\r\nChat-Logging: Y\r\n'),
      { kind: 'client-info', client: 'Purple/0.0.1' },
    ],
    ['a sign of life', typed('text/x-keepalive', ''), { kind: 'keep-alive' }],
    ['another sign of life', typed('text/x-ping', '\r\n'), { kind: 'keep-alive' }],
    ['client to client data', typed('application/x-msnmsgrp2p', '\0\0'), { kind: 'direct' }],
    [
      'an emoticon',
      typed('text/x-mms-emoticon', ':-x\t<msnobj a="b"/>\t(y)\t%3Cmsnobj%2F%3E\t'),
      {
        kind: 'emoticons',
        emoticons: [
          { code: ':-x', object: '<msnobj a="b"/>' },
          { code: '(y)', object: '<msnobj/>' },
        ],
      },
    ],
  ])('is %s', (_, payload, expected) => {
    expect(said(payload)).toEqual(expected)
  })

  it('is an invitation with all its fields', () => {
    const payload = typed(
      'text/x-msmsgsinvite; charset=UTF-8',
      'Application-Name: File Transfer\r\nApplication-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\n' +
        'Invitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\nApplication-File: a.txt\r\nApplication-FileSize: 5\r\n\r\n',
    )
    expect(said(payload)).toMatchObject({
      kind: 'invite',
      command: 'INVITE',
      cookie: '33267',
      application: 'File Transfer',
      guid: '{5D3E02AB-6190-11D3-BBBB-00C04F795683}',
      cancelCode: undefined,
    })
    const parsed = said(payload)
    expect(parsed.kind === 'invite' && parsed.fields.get('application-file')).toBe('a.txt')
  })

  it.each([
    ['an unknown type', typed('application/x-something', 'secret body'), 'application/x-something'],
    ['no type', 'hello', ''],
    ['nothing at all', '', ''],
    ['typing without a name', typed('text/x-msmsgscontrol', ''), 'text/x-msmsgscontrol'],
    ['a datacast that nobody knows', typed('text/x-msnmsgr-datacast', 'ID: 99\r\n'), 'text/x-msnmsgr-datacast'],
    [
      'an invitation without a cookie',
      typed('text/x-msmsgsinvite', 'Invitation-Command: INVITE\r\n'),
      'text/x-msmsgsinvite',
    ],
    [
      'an invitation with an odd cookie',
      typed('text/x-msmsgsinvite', 'Invitation-Command: INVITE\r\nInvitation-Cookie: a\r\n'),
      'text/x-msmsgsinvite',
    ],
    ['an emoticon without an object', typed('text/x-mms-emoticon', ':-x'), 'text/x-mms-emoticon'],
    ['HTML', typed('text/html', '<b>x</b>'), 'text/html'],
    ['a profile, which only a server sends', typed('text/x-msmsgsprofile', ''), 'text/x-msmsgsprofile'],
    [
      'a message that the server is going down, from a person',
      typed('application/x-msmsgssystemmessage', 'Type: 1\r\nArg1: 5\r\n'),
      'application/x-msmsgssystemmessage',
    ],
    ['a continued part of a chunked message', 'Message-ID: {1}\r\nChunk: 1\r\n\r\nmore', ''],
  ])('is never text for %s', (_, payload, contentType) => {
    expect(said(payload)).toEqual({ kind: 'unknown', contentType })
  })

  it('never throws and gives text for text/plain only, whatever the bytes', () => {
    const piece = fc.constantFrom(
      '\r\n',
      '\r\n\r\n',
      'Content-Type: ',
      'text/x-msnmsgr-datacast',
      'text/x-msmsgsinvite',
      'ID: 1',
      'text/x-mms-emoticon',
      'image/gif',
      'application/x-ms-ink',
      'base64:',
      'R0lGODlh',
      '\t',
      ':',
      ';',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 4, unit: 'binary' })), { maxLength: 30 }),
        (parts) => {
          const payload = Buffer.from(parts.join(''))
          expect(said(payload).kind).not.toBe('text')
          expect(serverSaid(payload).kind).not.toBe('text')
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('what the server itself says', () => {
  it('is the profile, with a ticket in it', () => {
    const profile = profileMessage({
      loginTime: 1062764240.9,
      ticket: 'abc',
      clientAddress: '192.0.2.77',
      clientPort: 1863,
      keyedLists: true,
    })
    const parsed = serverSaid(profile)
    expect(parsed.kind).toBe('profile')
    if (parsed.kind !== 'profile') return
    expect(Object.fromEntries(parsed.fields)).toMatchObject({
      'content-type': 'text/x-msmsgsprofile; charset=UTF-8',
      logintime: '1062764240',
      mspauth: 'abc',
      clientip: '192.0.2.77',
      clientport: '18183',
      kid: '0',
      abchmigrated: '1',
    })
    expect(Buffer.from(profile).toString()).toMatch(/\r\nMPOPEnabled: 0\r\nX-Confirm-Receipt: 1\r\n\r\n$/)
  })

  it.each([
    [undefined, undefined],
    [20, 20],
    [0, 0],
  ])('is how many may take part through this client: %s', (participants, read) => {
    const about = { loginTime: 0, ticket: '', clientAddress: '', clientPort: 0, keyedLists: false }
    const profile = profileMessage(participants === undefined ? about : { ...about, participants })
    expect(participantsIn(parseMime(profile))).toBe(read)
  })

  it.each(['', '-1', '1e2', '9999', 'many'])('is not "%s" participants', (word) => {
    expect(
      participantsIn(parseMime(Buffer.from(typed('text/x-msmsgsprofile', '', `X-Participants: ${word}\r\n`)))),
    ).toBeUndefined()
  })

  it('is that it goes down in so many minutes', () => {
    expect(serverSaid(goingDownMessage(5.7))).toEqual({ kind: 'going-down', minutes: 5 })
    expect(serverSaid(typed('application/x-msmsgssystemmessage', 'Type: 2\r\nArg1: 5\r\n')).kind).toBe('unknown')
    expect(serverSaid(typed('application/x-msmsgssystemmessage', 'Type: 1\r\n')).kind).toBe('unknown')
  })

  it('is news of mail', () => {
    const parsed = serverSaid(
      typed('text/x-msmsgsinitialemailnotification; charset=UTF-8', 'Inbox-Unread: 2\r\nFolders-Unread: 0\r\n'),
    )
    expect(parsed.kind === 'mail' && parsed.fields.get('inbox-unread')).toBe('2')
  })
})

describe('messages that we write', () => {
  it('are text with CRLF between lines', () => {
    expect(Buffer.from(textMessage('a\nb\r\nc', PLAIN_FORMAT)).toString()).toBe(
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n' +
        'X-MMS-IM-Format: FN=Arial; EF=; CO=0; CS=0; PF=0\r\n\r\na\r\nb\r\nc',
    )
  })

  it('are read back as what they say', () => {
    expect(said(typingMessage('alice@example.com'))).toEqual({ kind: 'typing', email: 'alice@example.com' })
    expect(said(nudgeMessage())).toEqual({ kind: 'nudge' })
    expect(said(inviteDecline('33267'))).toMatchObject({
      kind: 'invite',
      command: 'CANCEL',
      cookie: '33267',
      cancelCode: 'REJECT_NOT_INSTALLED',
    })
    expect(said(inviteDecline('7', 'TIMEOUT'))).toMatchObject({ cookie: '7', cancelCode: 'TIMEOUT' })
  })

  it('carry any text, look and name', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .map((text) => text.trim())
      .filter((text) => text !== '')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), name, fc.boolean(), (text, as, bold) => {
        expect(said(textMessage(text, { ...PLAIN_FORMAT, bold }, as))).toEqual({
          kind: 'text',
          text: text.replace(/\r\n?/g, '\n'),
          format: { ...PLAIN_FORMAT, bold },
          as,
        })
      }),
    )
  })

  it('cannot be given another header by a name or an address', () => {
    expect(said(textMessage('x', undefined, 'Eve\r\nContent-Type: text/html'))).toMatchObject({
      kind: 'text',
      as: 'Eve Content-Type: text/html',
    })
    expect(said(typingMessage('a@example.com\r\nX: y'))).toEqual({ kind: 'typing', email: 'a@example.com X: y' })
    expect(said(inviteDecline('5\r\nCancel-Code: X'))).toMatchObject({
      cookie: '5',
      cancelCode: 'REJECT_NOT_INSTALLED',
    })
  })

  it('fit when the text has the room that was told', () => {
    for (const format of [
      undefined,
      PLAIN_FORMAT,
      { ...PLAIN_FORMAT, font: 'x'.repeat(40), bold: true, rightToLeft: true },
    ]) {
      const room = textRoom(format, 'Zoë')
      expect(textMessage('x'.repeat(room), format, 'Zoë')).toHaveLength(MAX_MESSAGE_BYTES)
      expect(room).toBeGreaterThan(1300)
    }
  })
})
