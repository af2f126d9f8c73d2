/** Packets, negotiations, descriptions: as they are on the wire, and whatever else may stand there. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  describeObject,
  formatMsnObject,
  isObjectData,
  parseMsnObject,
  sha1cOf,
} from '../../../msnp/model/msn-object.ts'
import { Assembler } from '../../../msnp/p2p/assembler.ts'
import { FILE_CONTEXT_BYTES, formatFileContext, parseFileContext } from '../../../msnp/p2p/file-context.ts'
import { destinationOf, formatPacket, MAX_BODY_BYTES, p2pMessage, parsePacket } from '../../../msnp/p2p/packet.ts'
import { answerTo, fieldOf, formatSlp, parseSlp, SLP_TYPES, type Slp } from '../../../msnp/p2p/slp.ts'
import { encodeName } from '../../../msnp/wire/escape.ts'
import { parseMime } from '../../../msnp/wire/mime.ts'
import { someBytes } from '../../kit/p2p-room.ts'

interface Vectors {
  readonly msnobject: readonly {
    readonly creator: string
    readonly type: string
    readonly location: string
    readonly data_ascii: string
    readonly sha1d: string
    readonly sha1c: string
    readonly xml: string
    readonly url_encoded_for_chg: string
    readonly context_base64_with_nul: string
  }[]
  readonly p2p: {
    readonly header: Readonly<Record<'sessionId' | 'id' | 'offset' | 'total' | 'length' | 'flags' | 'ackId', number>>
    readonly body: string
    readonly footer_app_id: number
    readonly hex: string
  }
  readonly ft_context: {
    readonly name: string
    readonly size: number
    readonly length: number
    readonly base64: string
  }
}

const vectors = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8')) as Vectors

describe('MSN objects', () => {
  it.each(vectors.msnobject)('$location is described as the vectors have it', (vector) => {
    const data = Buffer.from(vector.data_ascii, 'ascii')
    const object = describeObject(data, {
      creator: vector.creator,
      type: Number(vector.type),
      location: vector.location,
    })
    expect(object.sha1d).toBe(vector.sha1d)
    expect(sha1cOf(object)).toBe(vector.sha1c)
    expect(formatMsnObject(object)).toBe(vector.xml)
    expect(encodeName(vector.xml)).toBe(vector.url_encoded_for_chg)
    expect(Buffer.from(`${vector.xml}\0`).toString('base64')).toBe(vector.context_base64_with_nul)
    expect(parseMsnObject(vector.xml)).toEqual({ ...object, sha1c: vector.sha1c })
    expect(isObjectData(object, data)).toBe(true)
    expect(isObjectData(object, data.subarray(1))).toBe(false)
    expect(isObjectData(object, Buffer.from(data).fill(1, 3, 4))).toBe(false)
  })

  it('says what it said before, whatever stands in it', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .filter((word) => !word.includes('\0') && word.isWellFormed())
    fc.assert(
      fc.property(
        text.filter((word) => word !== ''),
        text,
        text,
        fc.uint8Array({ maxLength: 50 }),
        (creator, location, friendly, data) => {
          const object = describeObject(data, { creator, type: 2, location, friendly })
          expect(parseMsnObject(formatMsnObject(object))).toEqual({ ...object, sha1c: sha1cOf(object) })
        },
      ),
    )
  })

  it('has its attributes in any order and case, and more than we know', () => {
    const xml = `<msnobj sha1d="${'A'.repeat(27)}=" TYPE="8" contenttype="M" Size="9" Creator="a@b.c" stamp="x" />`
    expect(parseMsnObject(xml)).toMatchObject({
      creator: 'a@b.c',
      type: 8,
      size: 9,
      location: '',
      friendly: '',
      sha1c: undefined,
    })
  })

  it.each([
    '',
    '<msnobj/>',
    '<msnobj />',
    '0',
    `<msnobj Creator="a@b.c" Size="-1" Type="3" SHA1D="${'A'.repeat(27)}="/>`,
    `<msnobj Creator="a@b.c" Size="99999999999" Type="3" SHA1D="${'A'.repeat(27)}="/>`,
    '<msnobj Creator="a@b.c" Size="1" Type="3" SHA1D="short"/>',
    `<msnobj Creator="" Size="1" Type="3" SHA1D="${'A'.repeat(27)}="/>`,
    `<msnobj ${'x'.repeat(5_000)}`,
  ])('is none (%#)', (xml) => {
    expect(parseMsnObject(xml)).toBeUndefined()
  })
})

describe('packets', () => {
  const { header, body, footer_app_id, hex } = vectors.p2p

  it('has the header, the body and the footer of the vector', () => {
    const packet = {
      session: header.sessionId,
      id: header.id,
      offset: header.offset,
      total: header.total,
      flags: header.flags,
      ackId: header.ackId,
      ackUid: 0,
      ackSize: 0,
      body: Buffer.from(body),
      footer: footer_app_id,
    }
    expect(formatPacket(packet).toString('hex')).toBe(hex)
    expect(parsePacket(Buffer.from(hex, 'hex'))).toEqual(packet)
    const message = parseMime(p2pMessage('Bob@example.com', packet))
    expect(destinationOf(message)).toBe('bob@example.com')
    expect(parsePacket(message.body)).toEqual(packet)
  })

  it('is none when it is cut, wherever that is', () => {
    const bytes = Buffer.from(hex, 'hex')
    for (let length = 0; length < bytes.length; length++) expect(parsePacket(bytes.subarray(0, length))).toBeUndefined()
  })

  it.each([
    ['a body that is not there', 24, 4, 1_000],
    ['a body that is too long', 24, 4, 0xffffffff],
    ['a place behind the end', 8, 8, 2_999],
    ['numbers beyond all measure', 12, 4, 0xffffffff],
  ])('is none with %s', (_, at, size, value) => {
    const bytes = Buffer.from(hex, 'hex')
    if (size === 4) bytes.writeUInt32LE(value, at)
    else bytes.writeBigUInt64LE(BigInt(value), at)
    expect(parsePacket(bytes)).toBeUndefined()
  })

  it('is for whom it names, on whatever machine', () => {
    const of = (head: string) => destinationOf(parseMime(Buffer.from(`${head}\r\n\r\n`)))
    expect(of('P2P-Dest: BOB@example.com;{0AB73364}')).toBe('bob@example.com')
    expect(of('Content-Type: x')).toBeUndefined()
  })
})

describe('negotiations', () => {
  const invite: Slp = {
    start: { kind: 'request', method: 'INVITE' },
    to: 'bob@example.com',
    from: 'alice@example.com',
    branch: '{33517CE4-02FC-4428-B6F4-39927229B722}',
    callId: '{9D79AE57-1BD5-444B-B14E-3FC9BB2B5D58}',
    cseq: 0,
    contentType: SLP_TYPES.session,
    fields: [
      ['EUF-GUID', '{A4268EEC-FEC5-49E5-95C3-F126696BDBF6}'],
      ['SessionID', '2146872433'],
      ['AppID', '1'],
      ['Context', 'AAA='],
    ],
  }

  it('is written line by line, and its length counts the NUL', () => {
    expect(Buffer.from(formatSlp(invite)).toString('latin1')).toBe(
      [
        'INVITE MSNMSGR:bob@example.com MSNSLP/1.0',
        'To: <msnmsgr:bob@example.com>',
        'From: <msnmsgr:alice@example.com>',
        'Via: MSNSLP/1.0/TLP ;branch={33517CE4-02FC-4428-B6F4-39927229B722}',
        'CSeq: 0 ',
        'Call-ID: {9D79AE57-1BD5-444B-B14E-3FC9BB2B5D58}',
        'Max-Forwards: 0',
        'Content-Type: application/x-msnmsgr-sessionreqbody',
        'Content-Length: 101',
        '',
        'EUF-GUID: {A4268EEC-FEC5-49E5-95C3-F126696BDBF6}',
        'SessionID: 2146872433',
        'AppID: 1',
        'Context: AAA=',
        '',
        '\0',
      ].join('\r\n'),
    )
    const fields = invite.fields.map(([name, value]) => [name.toLowerCase(), value])
    expect(parseSlp(formatSlp(invite))).toEqual({ ...invite, fields })
  })

  it('is answered with the addresses exchanged and the rest as it was', () => {
    const answer = answerTo(invite, 603, SLP_TYPES.session, [['SessionID', '2146872433']])
    const text = Buffer.from(formatSlp(answer)).toString('latin1')
    expect(text).toContain(
      'MSNSLP/1.0 603 Decline\r\nTo: <msnmsgr:alice@example.com>\r\nFrom: <msnmsgr:bob@example.com>',
    )
    expect(parseSlp(Buffer.from(text, 'latin1'))).toMatchObject({
      start: { kind: 'response', code: 603 },
      branch: invite.branch,
      callId: invite.callId,
      cseq: 1,
    })
  })

  it('has an empty body when nothing was understood', () => {
    const text = Buffer.from(formatSlp(answerTo(invite, 500, 'null', []))).toString('latin1')
    expect(text).toMatch(/^MSNSLP\/1\.0 500 Internal Error\r\n[^]*Content-Type: null\r\nContent-Length: 0\r\n\r\n$/)
  })

  it('is not written when a line would not stay one', () => {
    expect(() => formatSlp({ ...invite, to: 'bob@example.com>\r\nX: y' })).toThrow('cannot be written')
  })

  it('is read from any cut without harm', () => {
    const bytes = formatSlp(invite)
    for (let length = 0; length < bytes.length; length++) {
      const slp = parseSlp(bytes.subarray(0, length))
      if (slp !== undefined) expect(slp.callId).toBe(invite.callId)
    }
  })

  it('finds fields whatever their case', () => {
    expect(fieldOf(invite, 'sessionid')).toBe('2146872433')
  })
})

describe('what an invitation to a file says', () => {
  const { name, size, length, base64 } = vectors.ft_context

  it('is as the vector has it', () => {
    expect(formatFileContext({ name, size })).toHaveLength(length)
    expect(formatFileContext({ name, size }).toString('base64')).toBe(base64)
    expect(parseFileContext(Buffer.from(base64, 'base64'))).toEqual({ name, size })
  })

  it('keeps a preview, and the end of a long name', () => {
    const preview = someBytes(900)
    const offer = { name: `${'é'.repeat(400)}.jpeg`, size: 2 ** 40, preview }
    const back = parseFileContext(formatFileContext(offer))
    expect(back?.size).toBe(2 ** 40)
    expect(back?.name).toBe(`${'é'.repeat(254)}.jpeg`)
    expect(back?.preview).toEqual(Uint8Array.from(preview))
  })

  it('is read from any cut without harm', () => {
    const bytes = formatFileContext({ name, size, preview: someBytes(20) })
    expect(bytes).toHaveLength(FILE_CONTEXT_BYTES + 20)
    for (let cut = 0; cut < bytes.length; cut++) {
      const offer = parseFileContext(bytes.subarray(0, cut))
      if (offer !== undefined) expect(name.startsWith(offer.name)).toBe(true)
    }
  })
})

describe('the packets of one message', () => {
  it('are put in order, whatever order they come in and however often', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        (data, size, seed) => {
          const starts = Array.from({ length: Math.ceil(data.length / size) }, (_, at) => at * size)
          const order = [...starts, ...starts].sort((a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101))
          const assembler = new Assembler({ total: data.length, maxAhead: data.length })
          const pieces = order.flatMap((at) => {
            const given = assembler.push(at, data.subarray(at, at + size))
            expect(given).not.toBe('wrong')
            return given === 'wrong' ? [] : given
          })
          expect(assembler.complete).toBe(true)
          expect(Buffer.concat(pieces)).toEqual(Buffer.from(data))
        },
      ),
    )
  })

  it('may not go beyond the end, lie half over others, or come too early', () => {
    const at = (maxAhead = 100) => new Assembler({ total: 100, maxAhead })
    expect(at().push(95, new Uint8Array(6))).toBe('wrong')
    const half = at()
    half.push(0, new Uint8Array(10))
    expect(half.push(5, new Uint8Array(10))).toBe('wrong')
    const across = at()
    across.push(20, new Uint8Array(10))
    expect(across.push(0, new Uint8Array(25))).toBe('wrong')
    const other = at()
    other.push(20, new Uint8Array(10))
    expect(other.push(20, new Uint8Array(11))).toBe('wrong')
    const early = at(15)
    expect(early.push(20, new Uint8Array(10))).toEqual([])
    expect(early.push(40, new Uint8Array(10))).toBe('wrong')
  })

  it('cost what has come, and not what was promised', () => {
    const assembler = new Assembler({ total: 2 ** 40, maxAhead: 4 * MAX_BODY_BYTES })
    expect(assembler.push(0, new Uint8Array(10))).toHaveLength(1)
    expect(assembler.received).toBe(10)
  })
})

describe('whatever comes', () => {
  it('no reader throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_400 }), (bytes) => {
        parsePacket(bytes)
        parseSlp(bytes)
        parseFileContext(bytes)
        parseMsnObject(Buffer.from(bytes).toString('latin1'))
      }),
      { numRuns: 400 },
    )
    const line = fc.constantFrom(
      'INVITE MSNMSGR:a@b.c MSNSLP/1.0',
      'MSNSLP/1.0 200 OK',
      'To: <msnmsgr:a@b.c>',
      'From: <msnmsgr:b@b.c>',
      'Via: MSNSLP/1.0/TLP ;branch={1}',
      'Call-ID: {2}',
      'CSeq: x',
      'Content-Length: 999999',
      '',
      '\0',
      ':',
      'a:b',
      '<msnobj Creator="',
      'Size="1"',
      `SHA1D="${'A'.repeat(27)}="`,
      '/>',
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom('\r\n', '\n', ' ', ''), (lines, end) => {
        const text = lines.join(end)
        parseSlp(Buffer.from(text, 'latin1'))
        parseMsnObject(text)
      }),
      { numRuns: 400 },
    )
  })
})
