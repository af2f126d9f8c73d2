import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseServerSaid } from '../../../msnp/model/content-types.ts'
import { newsOfMail } from '../../../msnp/model/mail.ts'
import { parseMime } from '../../../msnp/wire/mime.ts'

const read = (type: string, ...lines: readonly string[]) => {
  const said = parseServerSaid(
    parseMime(
      Buffer.from(`MIME-Version: 1.0\r\nContent-Type: ${type}; charset=UTF-8\r\n\r\n${lines.join('\r\n')}\r\n`),
    ),
  )
  return said.kind === 'mail' ? newsOfMail(said) : said.kind
}
const arrived = (subject: string, from = 'Bob') =>
  read('text/x-msmsgsemailnotification', `From: ${from}`, 'From-Addr: bob@example.com', `Subject: ${subject}`, 'id: 2')

/** docs/protocol.md, Mail. */
describe('news of mail', () => {
  it.each([
    ['Inbox-Unread: 2', 'Folders-Unread: 1', { kind: 'unread', inbox: 2, elsewhere: 1 }],
    ['Inbox-Unread: 0', 'Folders-Unread: 0', undefined],
    ['Inbox-Unread: -1', 'Folders-Unread: 99999999', undefined],
    ['Inbox-URL: /cgi-bin/x', 'Post-URL: http://example.com', undefined],
  ])('tells what is unread after the sign-in: %s, %s', (inbox, folders, news) => {
    expect(read('text/x-msmsgsinitialemailnotification', inbox, folders)).toEqual(news)
  })

  it.each([
    ['<MD><E><I>3</I><IU>2</IU><O>0</O><OU>1</OU></E></MD>', { kind: 'unread', inbox: 2, elsewhere: 1 }],
    ['<MD><E><I>0</I><IU>0</IU><O>0</O><OU>0</OU></E><Q><QTM>409600</QTM></Q></MD>', undefined],
    ['too-large', undefined],
    ['', undefined],
  ])('and as later dialects tell it: %s', (data, news) => {
    expect(read('text/x-msmsgsinitialmdatanotification', `Mail-Data: ${data}`)).toEqual(news)
  })

  it.each([
    ['Hello', 'Hello'],
    ['=?utf-8?B?R3LDvMOfZQ==?=', 'Grüße'],
    ['=?iso-8859-1?Q?Gr=FC=DFe_an_alle?=', 'Grüße an alle'],
    ['=?utf-8?B?R3LDvA==?= =?utf-8?B?w59l?=', 'Grüße'],
    ['Re: =?utf-8?q?caf=C3=A9?=', 'Re: café'],
    ['=?klingon?B?R3LDvA==?=', '=?klingon?B?R3LDvA==?='],
    ['Grüße', 'Grüße'],
    ['x'.repeat(2_000), 'x'.repeat(256)],
  ])('tells who wrote, and what about: %s', (subject, words) => {
    expect(arrived(subject)).toEqual({ kind: 'arrived', from: 'Bob', address: 'bob@example.com', subject: words })
  })

  it('says nothing of mail that was moved, or is from nobody', () => {
    expect(read('text/x-msmsgsactivemailnotification', 'Src-Folder: ACTIVE', 'Message-Delta: 1')).toBeUndefined()
    expect(read('text/x-msmsgsoimnotification', 'Mail-Data: <MD/>')).toBeUndefined()
    expect(read('text/x-msmsgsemailnotification', 'Subject: hi')).toBeUndefined()
  })

  it('may be anything, and stays within bounds', () => {
    const type = fc.constantFrom(
      'text/x-msmsgsinitialemailnotification',
      'text/x-msmsgsinitialmdatanotification',
      'text/x-msmsgsemailnotification',
    )
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('=?utf-8?Q?=ff=?=', '=?utf-16?B?AA?=', '<IU>9</IU>'),
    )
    fc.assert(
      fc.property(type, word, word, (kind, one, other) => {
        const news = read(
          kind,
          `From: ${one}`,
          `Subject: ${other}${one}`,
          `Mail-Data: ${other}`,
          `Inbox-Unread: ${one}`,
        )
        if (typeof news === 'object' && news.kind === 'arrived')
          expect(Math.max(news.from.length, news.subject.length)).toBeLessThanOrEqual(256)
      }),
      { numRuns: 300 },
    )
  })
})
