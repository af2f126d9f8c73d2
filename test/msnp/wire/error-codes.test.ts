import { describe, expect, it } from 'vitest'
import { ERROR_CODES, errorCode, errorNumber, reactionTo, type Reaction } from '../../../msnp/wire/error-codes.ts'

describe('the error table', () => {
  /** docs/protocol.md, Errors: the codes of the source document. The first parameter is what the code answers. */
  const source: readonly [code: number, verb: string, reaction: Reaction][] = [
    [200, 'ABC', 'bug'],
    [201, 'CHG', 'bug'],
    [201, 'ADD', 'permanent'],
    [205, 'ADD', 'permanent'],
    [206, 'USR', 'permanent'],
    [207, 'USR', 'bug'],
    [208, 'CAL', 'permanent'],
    [209, 'REA', 'ask'],
    [210, 'ADD', 'ask'],
    [215, 'ADD', 'in-sync'],
    [215, 'CAL', 'in-sync'],
    [216, 'REM', 'in-sync'],
    [216, 'REA', 'permanent'],
    [216, 'CAL', 'permanent'],
    [217, 'CAL', 'retry'],
    [218, 'BLP', 'in-sync'],
    [219, 'ADD', 'ask'],
    [223, 'ADG', 'ask'],
    [224, 'RMG', 'permanent'],
    [225, 'REM', 'in-sync'],
    [229, 'ADG', 'ask'],
    [230, 'RMG', 'bug'],
    [300, 'CVR', 'bug'],
    [302, 'SYN', 'bug'],
    [500, 'USR', 'retry'],
    [540, 'QRY', 'end'],
    [600, 'USR', 'retry'],
    [707, 'XFR', 'retry'],
    [910, 'USR', 'retry'],
    [911, 'USR', 'ask'],
  ]
  it.each(source)('knows %i in answer to %s: %s', (code, verb, reaction) => {
    expect(errorCode(code).name).not.toContain('unknown')
    expect(errorCode(code).meaning).not.toBe('')
    expect(reactionTo(code, verb)).toBe(reaction)
  })

  it('has the 26 codes of the source document', () => {
    expect(new Set(source.map(([code]) => code)).size).toBe(26)
  })

  it('has each code once, in order, with three digits', () => {
    const codes = ERROR_CODES.map((error) => error.code)
    expect(codes).toEqual([...new Set(codes)].sort((a, b) => a - b))
    for (const { code, name } of ERROR_CODES) {
      expect(code).toBeGreaterThanOrEqual(100)
      expect(code).toBeLessThanOrEqual(999)
      expect(name).toMatch(/^[a-z0-9-]+$/)
    }
  })

  it.each([
    [299, 'permanent'],
    [399, 'permanent'],
    [799, 'permanent'],
    [599, 'retry'],
    [699, 'retry'],
    [999, 'retry'],
  ] as const)('takes an unknown code %i by its first digit: %s', (code, reaction) => {
    expect(errorCode(code)).toMatchObject({ code, reaction, name: `unknown-${code}` })
  })

  it('waits a minute where the server says that we were too fast', () => {
    expect([713, 714, 800].map((code) => errorCode(code).pauseMs)).toEqual([60_000, 60_000, 60_000])
  })

  it('tells errors from commands', () => {
    expect(errorNumber('217')).toBe(217)
    expect([errorNumber('MSG'), errorNumber('21'), errorNumber('2170'), errorNumber('')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})
