/** Whatever a client writes: nothing is thrown, and every answer is one line. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import '../../../kit/properties.ts'
import { COMMANDS } from '../../../../adapters/irc-gateway/commands/dispatch.ts'
import { CAP_NAMES } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { parseLine } from '../../../../adapters/irc-gateway/wire/line.ts'
import { Rig, type FakeClient } from './rig.ts'

const word = fc.oneof(
  fc.constantFrom(
    'bob',
    'carol,bob',
    'root',
    'alice',
    '&bitlbee',
    '#friends',
    '@#friends',
    '*',
    '0',
    '+',
    '-',
    'L',
    'LATEST',
    'BETWEEN',
    'TARGETS',
    'timestamp=2003-06-01T12:00:00.000Z',
    'msgid=1',
    '%tcuihsnfdlaor,1',
    '\x01ACTION x\x01',
    '10',
    '',
    ':',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 600 }),
)
const line = fc.record({
  verb: fc.oneof(fc.constantFrom(...Object.keys(COMMANDS)), fc.string({ unit: 'binary', maxLength: 12 })),
  params: fc.array(word, { maxLength: 6 }),
  tags: fc.dictionary(fc.constantFrom('label', '+typing', '+draft/reply'), fc.string({ maxLength: 70 })),
})

const answers = async (
  rig: Rig,
  client: FakeClient,
  lines: readonly { verb: string; params: readonly string[]; tags: Record<string, string> }[],
) => {
  for (const { verb, params, tags } of lines)
    rig.dispatch.take(client, { verb, params, tags: new Map(Object.entries(tags)) })
  await rig.dispatch.idle()
  return client.heard()
}

test('every verb with every parameter is answered in whole lines, and none fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 8 }),
      fc.subarray([...CAP_NAMES]),
      fc.boolean(),
      async (lines, caps, known) => {
        const rig = new Rig()
        rig.person.group('#friends', ['bob'], 'group/1')
        rig.history.add('direct/bob@example.com', 'bob@example.com', 'hi', 1)
        const client = known ? rig.client(...caps) : rig.stranger(...caps)
        for (const text of await answers(rig, client, lines)) {
          expect(text).not.toMatch(/[\r\n\0]/)
          const bare = text.startsWith('@') ? text.slice(text.indexOf(' ') + 1) : text
          expect(Buffer.byteLength(bare)).toBeLessThanOrEqual(510)
          const parsed = parseLine(text)
          expect(parsed !== undefined && !('wrong' in parsed) && parsed.verb).toMatch(/^[A-Z\d]+$/)
        }
        expect(rig.logged).toEqual([])
      },
    ),
    { numRuns: 400 },
  )
})

test('a label is answered exactly once, whatever the line', async () => {
  await fc.assert(
    fc.asyncProperty(line, fc.boolean(), async (asked, known) => {
      const rig = new Rig()
      const caps = [
        'labeled-response',
        'batch',
        'message-tags',
        'draft/chathistory',
        'draft/read-marker',
        'server-time',
      ] as const
      const client = known ? rig.client(...caps) : rig.stranger(...caps)
      const lines = await answers(rig, client, [{ ...asked, tags: { ...asked.tags, label: 'a' } }])
      const labelled = lines.filter((text) => /^@[^ ]*\blabel=a/.test(text))
      expect(labelled).toHaveLength(1)
      const open = lines.filter((text) => / BATCH \+/.test(text)).length
      expect(lines.filter((text) => / BATCH -/.test(text))).toHaveLength(open)
    }),
    { numRuns: 400 },
  )
})
