import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_MESSAGE_BYTES, parseSaid } from '../../../msnp/model/content-types.ts'
import {
  FILE_TRANSFER,
  fileAcceptance,
  fileInvitation,
  type Invite,
  parseFileAcceptance,
  parseFileInvitation,
} from '../../../msnp/model/file-invitation.ts'
import { parseMime } from '../../../msnp/wire/mime.ts'
import '../../kit/properties.ts'

const saidOf = (payload: Uint8Array): Invite => {
  const said = parseSaid(parseMime(payload))
  if (said.kind !== 'invite') throw new Error(said.kind)
  return said
}
const said = (...lines: readonly string[]): Invite =>
  saidOf(Buffer.from(`Content-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n${lines.join('\r\n')}\r\n\r\n`))
const file = (...lines: readonly string[]): Invite =>
  said(
    `Application-GUID: ${FILE_TRANSFER.toLowerCase()}`,
    'Invitation-Command: INVITE',
    'Invitation-Cookie: 33267',
    ...lines,
  )

describe('an invitation to take a file', () => {
  it('is read and written', () => {
    const invitation = { cookie: '33267', name: 'Ünïcödé 日本.txt', size: 60_904, listens: true }
    const payload = fileInvitation(invitation)
    expect(Buffer.from(payload).toString()).toBe(
      'MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\nApplication-Name: File Transfer\r\n' +
        'Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 33267\r\n' +
        'Application-File: Ünïcödé 日本.txt\r\nApplication-FileSize: 60904\r\n\r\n',
    )
    expect(parseFileInvitation(saidOf(payload))).toEqual(invitation)
    expect(parseFileInvitation(saidOf(fileInvitation({ ...invitation, listens: false })))?.listens).toBe(false)
  })

  it.each([
    ['no size', ['Application-File: a.txt']],
    ['no name', ['Application-FileSize: 1']],
    ['a size that is none', ['Application-File: a.txt', 'Application-FileSize: -1']],
    ['a size that nobody can count', ['Application-File: a.txt', `Application-FileSize: ${'9'.repeat(16)}`]],
  ])('with %s is none', (_, lines) => {
    expect(parseFileInvitation(file(...lines))).toBeUndefined()
  })

  it('to something else is none', () => {
    const lines = [
      'Application-GUID: {44BBA842-CC51-11CF-AAFA-00AA00B6015C}',
      'Application-File: a',
      'Application-FileSize: 1',
    ]
    expect(parseFileInvitation(said(...lines, 'Invitation-Command: INVITE', 'Invitation-Cookie: 1'))).toBeUndefined()
  })

  it.each([
    ['..\\..\\evil.exe', 'evil.exe'],
    ['/etc/passwd', 'passwd'],
    ['', 'file'],
    ['\u202egnp.exe', 'gnp.exe'],
  ])('has of %j only the name', (name, plain) => {
    expect(parseFileInvitation(file(`Application-File: ${name}`, 'Application-FileSize: 1'))?.name).toBe(plain)
  })

  it('fits into one message and says one file, whatever it is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (name) => {
        const payload = fileInvitation({ cookie: '1', name, size: 5, listens: true })
        expect(payload.length).toBeLessThan(MAX_MESSAGE_BYTES)
        const read = parseFileInvitation(saidOf(payload))
        expect(read).toMatchObject({ cookie: '1', size: 5, listens: true })
        expect(parseFileInvitation(saidOf(fileInvitation(read!)))).toEqual(read)
      }),
    )
  })
})

describe('an acceptance', () => {
  const place = {
    addresses: [
      { host: '192.0.2.10', port: 6891 },
      { host: '10.0.0.2', port: 11178 },
    ],
    authCookie: '93301',
  }

  it.each([
    { cookie: '1', senderConnects: false },
    { cookie: '1', senderConnects: false, place },
    { cookie: '1', senderConnects: true, place },
  ])('is read and written: %j', (acceptance) => {
    expect(parseFileAcceptance(saidOf(fileAcceptance(acceptance)))).toEqual(acceptance)
  })

  it.each([
    ['a name for an address', 'IP-Address: localhost', 'Port: 1'],
    ['no port', 'IP-Address: 192.0.2.1', 'Port: 0'],
    ['a port that is none', 'IP-Address: 192.0.2.1', 'Port: 65536'],
    ['no address', 'IP-Address:', 'Port: 80'],
  ])('with %s has no place', (_, ...lines) => {
    const read = parseFileAcceptance(
      said('Invitation-Command: ACCEPT', 'Invitation-Cookie: 1', 'AuthCookie: 5', 'Sender-Connect: TRUE', ...lines),
    )
    expect(read).toEqual({ cookie: '1', senderConnects: false })
  })

  it('of whatever is in it does no harm', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc
        .tuple(
          fc.constantFrom(
            'IP-Address',
            'Port',
            'PortX',
            'AuthCookie',
            'Application-File',
            'Application-FileSize',
            'Sender-Connect',
          ),
          fc.string({ maxLength: 30 }),
        )
        .map(([name, value]) => `${name}: ${value}`),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const invite = said('Invitation-Command: ACCEPT', 'Invitation-Cookie: 1', ...lines)
        for (const { host, port } of parseFileAcceptance(invite)?.place?.addresses ?? []) {
          expect(host).toMatch(/^[0-9A-Fa-f.:]+$/)
          expect(port).toBeGreaterThan(0)
        }
        parseFileInvitation(file(...lines))
      }),
    )
  })
})
