import { expect, it } from 'vitest'
import { LINES_A_MINUTE, Notices } from '../../../adapters/msn-service/notices.ts'
import type { ServiceNotice } from '../../../msnp/index.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'

const rig = () => {
  const log = recordingLog()
  const clock = { now: 1_000 }
  return { log, clock, notices: new Notices(log, recordingMetrics(), () => clock.now) }
}
const violation: ServiceNotice = {
  kind: 'violation',
  where: 'NS',
  detail: 'a line that is too long',
  address: '192.0.2.7',
}
const turned: ServiceNotice = { kind: 'turned-away', detail: 'too many connections', address: '192.0.2.7' }

it('says one line for each, with what an operator can act on', () => {
  const { log, notices } = rig()
  notices.take(violation)
  notices.take(turned)
  notices.take({ kind: 'refused', email: 'alice@home.example', code: 911, address: '192.0.2.7' })
  notices.take({ kind: 'failure', detail: 'the disk is full' })
  expect(log.lines).toEqual([
    {
      level: 'warn',
      message: 'connection closed for bad input',
      fields: { server: 'NS', reason: 'a line that is too long', address: '192.0.2.7' },
    },
    {
      level: 'warn',
      message: 'connection turned away',
      fields: { reason: 'too many connections', address: '192.0.2.7' },
    },
    {
      level: 'warn',
      message: 'sign-in refused',
      fields: { user: 'alice@home.example', code: 911, address: '192.0.2.7' },
    },
    { level: 'error', message: 'the MSN service could not do something', fields: { reason: 'the disk is full' } },
  ])
})

it('says no more than so many lines of a kind in a minute, then how many it left out', () => {
  const { log, clock, notices } = rig()
  for (let index = 0; index < 1_000; index++) notices.take(turned)
  expect(log.lines).toHaveLength(LINES_A_MINUTE['turned-away'])
  clock.now += 60_000
  notices.take(turned)
  notices.take(turned)
  const [first, second] = log.lines.slice(-2)
  expect(first?.fields).toMatchObject({ unsaid: 1_000 - LINES_A_MINUTE['turned-away'] })
  expect(second?.fields).toEqual({ reason: 'too many connections', address: '192.0.2.7' })
})

it('lets no flood of one kind hide another', () => {
  const { log, notices } = rig()
  for (let index = 0; index < 1_000; index++) notices.take(violation)
  notices.take({ kind: 'failure', detail: 'the disk is full' })
  expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { reason: 'the disk is full' } })
})
