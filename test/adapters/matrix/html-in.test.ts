/** What people write with a rich editor, and what they could write to break us. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_TEXT } from '../../../adapters/matrix/clean.ts'
import { readHtml } from '../../../adapters/matrix/html-in.ts'
import { textOf, type RichText } from '../../../bridge/model/text.ts'
import '../../kit/properties.ts'

const read = (html: string): RichText | undefined =>
  readHtml(html, (user) => (user === '@bob:example.org' ? 'Bob' : undefined))
const words = (html: string): string | undefined => {
  const rich = read(html)
  return rich === undefined ? undefined : textOf(rich)
}

test.each<[string, RichText]>([
  ['<b>a</b><strong>b</strong>', [{ text: 'ab', bold: true }]],
  ['<i>a</i><em>b</em>', [{ text: 'ab', italic: true }]],
  ['<u>a</u><ins>b</ins>', [{ text: 'ab', underline: true }]],
  ['<s>a</s><del>b</del><strike>c</strike>', [{ text: 'abc', strike: true }]],
  ['<code>a</code>', [{ text: 'a', mono: true }]],
  ['<pre><code>a\n  b\n</code></pre>c', [{ text: 'a\n  b', mono: true }, { text: '\nc' }]],
  ['<b>a <i>b</i></b> c', [{ text: 'a ', bold: true }, { text: 'b', bold: true, italic: true }, { text: ' c' }]],
  ['<font color="#FF0000">a</font>', [{ text: 'a', color: '#ff0000' }]],
  ['<span data-mx-color="#00ff00">a</span>', [{ text: 'a', color: '#00ff00' }]],
  ['<font color="red">a</font>', [{ text: 'a' }]],
  ['<font color="#ff0000;x">a</font>', [{ text: 'a' }]],
  ['<h1>Title</h1>text', [{ text: 'Title', bold: true }, { text: '\ntext' }]],
])('the styles of %s', (html, expected) => {
  expect(read(html)).toEqual(expected)
})

test.each([
  ['a<br>b<br/>c', 'a\nb\nc'],
  ['a<br><br>b', 'a\n\nb'],
  ['<p>one</p>\n<p>two</p>', 'one\n\ntwo'],
  ['<p>a<br></p><p>b</p>', 'a\n\nb'],
  ['<div>a</div><div>b</div>c', 'a\nb\nc'],
  ['  a \n  b\t c  ', 'a b c'],
  ['a&nbsp;&nbsp;b', 'a  b'],
  ['<ul><li>a</li><li>b</li></ul>c', '• a\n• b\nc'],
  ['<ol start="3"><li>a</li><li>b</li></ol>', '3. a\n4. b'],
  ['<ol start="x"><li>a</li></ol>', '1. a'],
  ['<ul><li>a<ol><li>b</li><li>c<br>d</li></ol></li></ul>', '• a\n  1. b\n  2. c\n    d'],
  ['<ul><li><p>a</p></li></ul>', '• a'],
  ['x<blockquote>a<br>b</blockquote>y', 'x\n> a\n> b\ny'],
  ['<blockquote>a<blockquote>b</blockquote></blockquote>c', '> a\n> > b\nc'],
  ['<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a | b\nc'],
  ['a<hr>b', 'a\n---\nb'],
  ['<a href="https://a.example/">a.example</a>', 'a.example'],
  ['<a href="https://a.example/b">here</a>', 'here (https://a.example/b)'],
  ['<a href="mailto:a@b.example">a@b.example</a>', 'a@b.example'],
  ['<a href="https://a.example"></a>', 'https://a.example'],
  ['<a href="javascript:alert(1)">a</a>', 'a'],
  ['<a href="https://a.example/ b">a</a>', 'a'],
  ['hi <a href="https://matrix.to/#/@bob:example.org">@bob:example.org</a>!', 'hi Bob!'],
  ['<a href="https://matrix.to/#/%40bob%3Aexample.org?via=x">b</a>', 'Bob'],
  ['<a href="matrix:u/bob:example.org">b</a>', 'Bob'],
  ['<a href="https://matrix.to/#/@eve:example.org">Eve</a>', 'Eve'],
  ['<a href="https://matrix.to/#/!room:x/$event">there</a>', 'there'],
  ['<a href="https://matrix.to/#/%E0%A4%A">x</a>', 'x'],
  ['<img src="mxc://a/b" alt=":blob:" data-mx-emoticon>', ':blob:'],
  ['<img src="mxc://a/b" title="blob">', 'blob'],
  ['see <span data-mx-spoiler>x</span>', 'see [spoiler] x'],
  ['see <span data-mx-spoiler="why">x</span>', 'see [spoiler: why] x'],
  ['<mx-reply><blockquote>old <b>x</b></blockquote></mx-reply>new', 'new'],
  ['a<script>alert("x")</script><style>b{}</style><!-- c -->d', 'ad'],
  ['a<iframe src=x>b</iframe><textarea>c</textarea><title>d</title>e', 'ae'],
  ['&lt;b&gt; &amp; &eacute; &#x41; &#0;', '<b> & é A \ufffd'],
  ['<custom-tag>a</custom-tag><x onclick="y">b</x>', 'ab'],
  ['a</b></p>b', 'a\n\nb'],
  ['<b>never closed', 'never closed'],
  ['a\u0000\u0007b\u2028', 'ab'],
])('the words of %j', (html, expected) => {
  expect(words(html)).toBe(expected)
})

test.each(['', ' ', '<b></b>', '<script>a</script>', '<br><br>', '<b>'.repeat(101) + 'a'])(
  'nothing is read from %j, so that the plain body counts',
  (html) => {
    expect(read(html)).toBeUndefined()
  },
)

const OFTEN = 20_000
test.each([
  ['quotes and breaks', '<blockquote><ul>'.repeat(40) + 'a<br>'.repeat(OFTEN)],
  ['links in links', '<a href=https://x.example>'.repeat(90) + 'y<br>'.repeat(OFTEN)],
  ['breaks', '<br>'.repeat(OFTEN) + 'x'],
  ['spoilers', '<span data-mx-spoiler=a>'.repeat(99) + 'b'.repeat(OFTEN)],
  ['cells', '<table><tr>' + '<td>a'.repeat(OFTEN)],
])('%s beyond all measure give no more than a message can hold', (_, html) => {
  expect((words(html) ?? '').length).toBeLessThanOrEqual(MAX_TEXT)
})

test.each([
  ['elements', (count: number) => '<b>'.repeat(count)],
  ['ends without beginnings', (count: number) => '<b>'.repeat(99) + '</i>'.repeat(count)],
  ['unfinished ones', (count: number) => '<'.repeat(count)],
  ['attributes', (count: number) => `<a ${'b '.repeat(count)}`],
  ['comments', (count: number) => '<!--'.repeat(count)],
  ['entities', (count: number) => '&'.repeat(count)],
])('as many %s as an event can hold are no reason to throw', (_, of) => {
  expect(() => read(of(65_536))).not.toThrow()
})

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '<b>',
      '</b>',
      '<p>',
      '</p>',
      '<li>',
      '<ol start=-5>',
      '</ul>',
      '<blockquote>',
      '</blockquote>',
      '<br>',
      '<a href="',
    ],
    ...[
      'https://x.example',
      '">',
      '</a>',
      '<pre>',
      '<!--',
      '-->',
      '<![CDATA[',
      '&',
      '&amp',
      ';',
      '<svg>',
      '<math>',
      '<table>',
    ],
    ...[
      '<td>',
      '<mx-reply>',
      '</mx-reply>',
      '<script>',
      '</script>',
      '<span data-mx-spoiler=',
      '>',
      '<',
      '\ud800',
      '\u202e',
    ],
  ),
  fc.string({ unit: 'binary' }),
)

test('whatever comes in, what comes out is bounded, well-formed text without control characters', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const html = pieces.join('')
      const rich = read(html)
      if (rich === undefined) return
      const text = textOf(rich)
      expect(text).not.toBe('')
      expect(text.length).toBeLessThanOrEqual(html.length * 30)
      expect(text.isWellFormed()).toBe(true)
      expect(text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/)
      for (const span of rich) expect(span.text).not.toBe('')
    }),
    { numRuns: 500 },
  )
})
