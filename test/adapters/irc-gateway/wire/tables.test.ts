import { describe, expect, it } from 'vitest'
import { CAP_NAMES, CAPS, requested, wordLines, works, type Cap } from '../../../../adapters/irc-gateway/wire/caps.ts'
import {
  isupport,
  ISUPPORT_LIMITS,
  isupportLines,
  TOKENS_A_LINE,
} from '../../../../adapters/irc-gateway/wire/isupport.ts'

describe('capabilities', () => {
  it('need only what is offered, too', () => {
    for (const row of Object.values(CAPS)) {
      if ('needs' in row) for (const other of row.needs) expect(CAP_NAMES).toContain(other)
    }
  })

  it.each<[readonly Cap[], Cap, boolean]>([
    [['setname'], 'setname', true],
    [[], 'setname', false],
    [['labeled-response'], 'labeled-response', false],
    [['batch', 'labeled-response'], 'labeled-response', true],
    [['draft/event-playback', 'draft/chathistory', 'batch', 'server-time'], 'draft/event-playback', false],
    [
      ['draft/event-playback', 'draft/chathistory', 'batch', 'server-time', 'message-tags'],
      'draft/event-playback',
      true,
    ],
  ])('with %j, %s works: %s', (names, cap, expected) => {
    expect(works(new Set(names), cap)).toBe(expected)
  })

  it('are not changed by a request, only replaced', () => {
    const before: ReadonlySet<Cap> = new Set<Cap>(['batch'])
    expect([...(requested(before, ['-batch', 'setname'], undefined) ?? [])]).toEqual(['setname'])
    expect([...before]).toEqual(['batch'])
  })

  it.each<[readonly string[], number, readonly string[]]>([
    [[], 10, ['']],
    [['a', 'b'], 3, ['a b']],
    [['a', 'b', 'c'], 3, ['a b', 'c']],
    [['long-one', 'b'], 3, ['long-one', 'b']],
    [['é', 'b'], 3, ['é', 'b']],
  ])('%j in %d bytes are %j', (words, room, lines) => {
    expect(wordLines(words, room)).toEqual(lines)
  })
})

describe('005', () => {
  const tokens = isupport(ISUPPORT_LIMITS)

  it('has what BitlBee’s users know (notes, 5), and the rest of what we keep', () => {
    for (const token of [
      'PREFIX=(ohv)@%+',
      'CHANTYPES=&#',
      'CHANMODES=,,,ntC',
      'CASEMAPPING=rfc1459',
      'NETWORK=BitlBee',
      'FLOOD=0/9999',
    ])
      expect(tokens).toContain(token)
    for (const token of ['WHOX', 'UTF8ONLY', 'LINELEN=512', 'MONITOR=500', 'MSGREFTYPES=timestamp,msgid'])
      expect(tokens).toContain(token)
  })

  it('has no blank in a token', () => {
    for (const token of tokens) expect(token).not.toMatch(/\s/)
  })

  it('has at most 13 of them a line', () => {
    const lines = isupportLines(tokens)
    expect(lines.flat()).toEqual(tokens)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(TOKENS_A_LINE)
  })
})
