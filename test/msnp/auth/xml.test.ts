import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeXml,
  encodeXml,
  findAll,
  MAX_XML_ATTRIBUTES,
  MAX_XML_CHARS,
  MAX_XML_DEPTH,
  MAX_XML_ELEMENTS,
  parseXml,
} from '../../../msnp/auth/xml.ts'

describe('what is read', () => {
  it('is elements with local names, attributes and text', () => {
    const root = parseXml(
      '\ufeff<?xml version="1.0"?><!-- a -- b --><s:a xmlns:s="urn:x" s:Id = \'1 &amp; 2\'>one<b/>two<![CDATA[<&]]><c\n x="&#65;&#x42;">&lt;3</c ></s:a>\n',
    )
    expect(root).toMatchObject({ name: 'a', text: 'onetwo<&' })
    expect(root?.attributes.get('Id')).toBe('1 & 2')
    expect(root?.children.map(({ name, text }) => [name, text])).toEqual([
      ['b', ''],
      ['c', '<3'],
    ])
    expect(root?.children[1]?.attributes.get('x')).toBe('AB')
  })

  it.each([
    '',
    'words',
    '<a>',
    '<a></b>',
    '</a>',
    '<a/><b/>',
    '<a/>words',
    '<a><b></a></b>',
    '<a x=1/>',
    '<a x="1/>',
    '<a x="<"/>',
    '<a x="1"y="2"/>',
    '<a',
    '<a/',
    '< a/>',
    '<!-- ',
    '<a><![CDATA[</a>',
    '<![CDATA[x]]><a/>',
    '<?xml <a/>',
    '<a>&nbsp;</a>',
    '<a>&amp</a>',
    '<a>&#0;</a>',
    '<a>&#xd800;</a>',
    '<a>&#x110000;</a>',
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    '<a><!ENTITY b "c"></a>',
  ])('is nothing of %j', (document) => {
    expect(parseXml(document)).toBeUndefined()
  })
})

describe('the limits', () => {
  const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)

  it('hold for depth, elements, attributes and size', () => {
    expect(parseXml(nested(MAX_XML_DEPTH))).toBeDefined()
    expect(parseXml(nested(MAX_XML_DEPTH + 1))).toBeUndefined()
    expect(parseXml(`<a>${'<b/>'.repeat(MAX_XML_ELEMENTS - 1)}</a>`)?.children).toHaveLength(MAX_XML_ELEMENTS - 1)
    expect(parseXml(`<a>${'<b/>'.repeat(MAX_XML_ELEMENTS)}</a>`)).toBeUndefined()
    const attributes = (count: number): string =>
      `<a${Array.from({ length: count }, (_, at) => ` x${at}="y"`).join('')}/>`
    expect(parseXml(attributes(MAX_XML_ATTRIBUTES))?.attributes.size).toBe(MAX_XML_ATTRIBUTES)
    expect(parseXml(attributes(MAX_XML_ATTRIBUTES + 1))).toBeUndefined()
    expect(parseXml(`<a>${' '.repeat(MAX_XML_CHARS - 7)}</a>`)).toBeDefined()
    expect(parseXml(`<a>${' '.repeat(MAX_XML_CHARS - 6)}</a>`)).toBeUndefined()
  })

  it('keep the work small, whatever is repeated', () => {
    const pieces = ['<', '<!--', '<![CDATA[', '&', '&#', ' ', '<a', '<a ', '<a x="', '</', '<?', '<a>&amp;', '\n']
    for (const piece of pieces) {
      const document = piece.repeat(MAX_XML_CHARS / piece.length)
      expect(parseXml(document), piece).toBeUndefined()
      expect(parseXml(`<a>${document}`.slice(0, MAX_XML_CHARS)), piece).toBeUndefined()
    }
  })
})

describe('escapes', () => {
  it('come back as they were, but for what XML cannot carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const carried = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
        expect(decodeXml(encodeXml(text))).toBe(carried)
        const root = parseXml(`<a b="${encodeXml(text)}">${encodeXml(text)}</a>`)
        expect([root?.text, root?.attributes.get('b')]).toEqual([carried, carried])
      }),
    )
  })
})

it('never throws, and never gives more than went in', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '</',
    '/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '&',
    ';',
    '#x',
    '"',
    "'",
    '=',
    'a',
    ':',
    ' ',
    '<!DOCTYPE',
    '\u0000',
    '<a>',
    '</a>',
    '<a x="1">',
    '&amp;',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
      const document = pieces.join('')
      const root = parseXml(document)
      if (root === undefined) return
      const all = root.children.flatMap((child) => findAll(child, child.name))
      expect(all.length).toBeLessThan(document.length)
      expect(root.text.length).toBeLessThan(document.length)
    }),
    { numRuns: 2_000 },
  )
})
