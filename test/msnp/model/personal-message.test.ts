import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatPersonalMessage,
  MAX_PERSONAL_MESSAGE_BYTES,
  MAX_PERSONAL_TEXT,
  mediaLine,
  parsePersonalMessage,
  songOf,
  type PersonalMessage,
} from '../../../msnp/model/personal-message.ts'

const read = (xml: string): PersonalMessage => parsePersonalMessage(Buffer.from(xml))
const SONG = 'WMP\\0Music\\01\\0{0} - {1}\\0Song\\0Artist\\0Album\\0\\0'
const song = { application: 'WMP', type: 'Music', format: '{0} - {1}', args: ['Song', 'Artist', 'Album'] }

describe('a personal message', () => {
  it.each<[string, string, string]>([
    ['as clients write it', '<Data><PSM>my text</PSM><CurrentMedia></CurrentMedia></Data>', 'my text'],
    ['escaped', '<Data><PSM>on the &lt;road&gt; &amp; away</PSM></Data>', 'on the <road> & away'],
    ['with numbers for letters', '<PSM>&#233;&#xE9;&quot;&apos;</PSM>', 'éé"\''],
    ['escaped once only', '<PSM>&amp;lt;b&amp;gt;</PSM>', '&lt;b&gt;'],
    ['with an entity that nobody knows', '<PSM>&lol9;&nbsp;</PSM>', '&lol9;&nbsp;'],
    ['with a letter that there is not', '<PSM>&#0;&#xD800;&#x110000;</PSM>', '\ufffd\ufffd\ufffd'],
    ['empty', '<Data><PSM/><CurrentMedia/></Data>', ''],
    ['empty, with an attribute', '<Data><PSM a="b"/></Data>', ''],
    ['with an attribute', '<PSM xml:lang="en">hi</PSM>', 'hi'],
    ['in other case', '<data><psm>hi</psm></data>', 'hi'],
    ['beside other elements', '<Data><PSM>hi</PSM><MachineGuid>{a}</MachineGuid></Data>', 'hi'],
    ['over several lines', '<PSM>a\r\nb\u2028c\x00d</PSM>', 'a b c d'],
    ['cut off', '<Data><PSM>my te', ''],
    ['with a tag inside', '<PSM>a<b>c</PSM>', ''],
    ['that is no XML', 'hello', ''],
  ])('is read %s', (_, xml, text) => {
    expect(read(xml)).toEqual({ text, media: undefined })
  })

  it('is nothing without a payload and over the limit', () => {
    expect(read('')).toEqual({ text: '', media: undefined })
    const filled = (bytes: number) => `<PSM>${'a'.repeat(bytes - 11)}</PSM>`
    expect(read(filled(MAX_PERSONAL_MESSAGE_BYTES)).text).toBe('a'.repeat(MAX_PERSONAL_TEXT))
    expect(read(filled(MAX_PERSONAL_MESSAGE_BYTES + 1)).text).toBe('')
  })

  it('expands nothing', () => {
    const bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Data><PSM>&b;</PSM></Data>'
    expect(read(bomb).text).toBe('&b;')
    expect(read('<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><PSM>&f;</PSM>').text).toBe('&f;')
  })

  it('holds nothing that XML cannot, since a client that reads it as XML would drop it', () => {
    const noncharacters = '\ufffe\uffff'
    expect(read(`<PSM>a&#xFFFF;b${noncharacters}c&#1;d</PSM>`).text).toBe('a b c d')
    const media = { application: '', type: 'Music', format: '{0}', args: [`So${noncharacters}ng`] }
    expect(String(formatPersonalMessage({ text: `x${noncharacters}`, media }))).not.toMatch(/[\ufffe\uffff]/)
    expect(read(String(formatPersonalMessage({ text: `x${noncharacters}`, media }))).text).toBe('x')
  })

  it('is written escaped, and read back as it was', () => {
    const message = { text: `a & b < c > "d" 'e' ☃`, media: song }
    const payload = formatPersonalMessage(message)
    expect(String(Buffer.from(payload))).toBe(
      `<Data><PSM>a &amp; b &lt; c &gt; &quot;d&quot; &apos;e&apos; ☃</PSM><CurrentMedia>` +
        'WMP\\0Music\\01\\0{0} - {1}\\0Song\\0Artist\\0Album\\0</CurrentMedia></Data>',
    )
    expect(parsePersonalMessage(payload)).toEqual(message)
    expect(String(Buffer.from(formatPersonalMessage({ text: '', media: undefined })))).toBe(
      '<Data><PSM></PSM><CurrentMedia></CurrentMedia></Data>',
    )
  })

  it('never is more than one line of what was kept, whatever comes', () => {
    const pieces = fc.constantFrom(
      '<PSM>',
      '</PSM>',
      '<CurrentMedia>',
      '</CurrentMedia>',
      '&amp;',
      '\\0',
      '1',
      '\n',
      '<',
      '☃',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 40 }), (parts) => {
        const { text, media } = read(parts.join(''))
        const words =
          media === undefined ? [] : [media.application, media.type, media.format, ...media.args, mediaLine(media)]
        for (const word of [text, ...words]) {
          expect(word.length).toBeLessThanOrEqual(MAX_PERSONAL_TEXT)
          expect(word).not.toMatch(/[\x00-\x1f\x7f]/)
        }
        const again = parsePersonalMessage(formatPersonalMessage({ text, media: undefined }))
        expect(again.text).toBe(text)
      }),
      { numRuns: 300 },
    )
  })

  it('is read in a time that grows with its length only', () => {
    for (const piece of ['<PSM ', '<PSM>', '<PSM x', '&amp;', '\\0', '<CurrentMedia '])
      expect(read(piece.repeat(Math.floor(MAX_PERSONAL_MESSAGE_BYTES / piece.length)))).toEqual({
        text: '',
        media: undefined,
      })
  })
})

describe('what somebody plays', () => {
  const media = (words: string) => read(`<CurrentMedia>${words}</CurrentMedia>`).media

  it.each<[string, string, PersonalMessage['media']]>([
    ['a song', SONG, song],
    [
      'a game without a player',
      '\\0Games\\01\\0Playing {0}\\0Minesweeper\\0',
      {
        application: '',
        type: 'Games',
        format: 'Playing {0}',
        args: ['Minesweeper'],
      },
    ],
    ['what is switched off', 'WMP\\0Music\\00\\0{0}\\0Song\\0', undefined],
    ['nothing', '', undefined],
    ['words without sense', 'hello', undefined],
    ['neither format nor arguments', '\\0Music\\01\\0\\0\\0', undefined],
  ])('is read as %s', (_, words, expected) => {
    expect(media(words)).toEqual(expected)
  })

  it('has no more arguments than we keep, and gives none of them twice', () => {
    expect(media(`\\0Music\\01\\0${'{0}'.repeat(600)}\\0${'a'.repeat(500)}${'\\0x'.repeat(100)}`)?.args.length).toBe(16)
    expect(mediaLine({ ...song, format: '{0}'.repeat(200), args: ['a'.repeat(500)] })).toHaveLength(MAX_PERSONAL_TEXT)
    expect(mediaLine({ ...song, args: ['{1}', '{0}'] })).toBe('{1} - {0}')
  })

  it('reads as its format says', () => {
    expect(mediaLine(song)).toBe('Song - Artist')
    expect(mediaLine({ ...song, format: '' })).toBe('Song')
    expect(mediaLine({ ...song, format: '{7} {0} {x}' })).toBe('Song {x}')
  })

  it('is a song with a title', () => {
    expect(songOf(song)).toEqual({ title: 'Song', artist: 'Artist', album: 'Album' })
    expect(songOf({ ...song, args: ['Song', '', ''] })).toEqual({ title: 'Song' })
    expect(songOf({ ...song, args: [] })).toBeUndefined()
    expect(songOf({ ...song, type: 'Games' })).toBeUndefined()
    expect(songOf(undefined)).toBeUndefined()
  })
})
