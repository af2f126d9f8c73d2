import { expect, test } from 'vitest'
import { createLog, type LogOptions } from '../../../bridge/ops/log.ts'

const logged = (options: Partial<LogOptions>, write: (log: ReturnType<typeof createLog>) => void): string[] => {
  const lines: string[] = []
  write(createLog({ level: 'info', pretty: false, out: { write: (line) => lines.push(line) }, ...options }))
  return lines
}

test('a line is JSON with the time, the level, the fields and a fixed message', () => {
  const [line = ''] = logged({}, (log) => log.child({ network: 'retro' }).warn({ code: 'banned' }, 'not connected'))
  const value = JSON.parse(line) as Record<string, unknown>
  expect(value).toMatchObject({ level: 'warn', network: 'retro', code: 'banned', msg: 'not connected' })
  expect(value['time']).toMatch(/^\d{4}-\d\d-\d\dT/)
  expect(line.endsWith('}\n')).toBe(true)
})

test('lines below the level are not written', () => {
  expect(logged({ level: 'warn' }, (log) => log.info({}, 'chatter'))).toEqual([])
})

test('what looks like a secret does not appear, at any of three depths', () => {
  const [line = ''] = logged({}, (log) =>
    log.info({ password: 's3cret', one: { ticket: 's3cret', two: { token: 's3cret' } } }, 'signed in'),
  )
  expect(line).not.toContain('s3cret')
  expect(line).toContain('[secret]')
})

test('on a terminal a line is for eyes', () => {
  const [line = ''] = logged({ pretty: true }, (log) => log.info({ account: 'relay' }, 'signed in'))
  expect(line).toContain('signed in')
  expect(line).toContain('relay')
  expect(line).not.toContain('{"level"')
})
