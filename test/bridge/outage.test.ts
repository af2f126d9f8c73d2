import { expect, test } from 'vitest'
import type { Account } from '../../bridge/adapter.ts'
import type { AccountId, NetworkId, PersonId } from '../../bridge/model/ids.ts'
import type { Fault, SessionState } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { OutageNotices } from '../../bridge/outage.ts'
import { VirtualClock } from '../kit/clock.ts'

const relay: Account = {
  id: 'relay' as AccountId,
  network: 'retro' as NetworkId,
  person: 'alice' as PersonId,
  login: 'relay@home.example',
  secret: '',
}
const fault: Fault = { code: 'network', detail: 'connect ECONNREFUSED 10.1.2.3:1863' }

const rig = () => {
  const clock = new VirtualClock()
  const said: string[] = []
  const notices = new OutageNotices({
    clock,
    account: (id) => (id === relay.id ? relay : undefined),
    noticeAfterMs: () => 60_000,
    announce: (account, text) => said.push(`${account}: ${textOf(text)}`),
  })
  const tell = (state: SessionState): void => notices.changed(relay.id, state)
  return { clock, said, notices, tell }
}

const online: SessionState = { kind: 'online', since: 0 }
const waiting: SessionState = { kind: 'waiting', until: 0, fault }

test('a short outage is not told', async () => {
  const { clock, said, tell, notices } = rig()
  tell(online)
  tell(waiting)
  await clock.advance(59_000)
  tell(online)
  await clock.advance(600_000)
  expect(said).toEqual([])
  await notices.stop()
})

test('a long outage is told once, without the names of hosts, and its end too', async () => {
  const { clock, said, tell, notices } = rig()
  tell(online)
  for (let attempt = 1; attempt < 20; attempt++) {
    tell(waiting)
    tell({ kind: 'connecting', attempt })
    await clock.advance(30_000)
  }
  expect(said).toEqual([
    'relay: relay (retro) is not connected: the network cannot be reached. Messages wait until it is back.',
  ])
  tell(online)
  expect(said.slice(1)).toEqual(['relay: relay (retro) is connected again.'])
  await notices.stop()
})

test('an account that needs a person is told at once, also after the notice of an outage', async () => {
  const { clock, said, tell, notices } = rig()
  tell(waiting)
  await clock.advance(60_000)
  tell({ kind: 'stopped', fault: { code: 'banned', detail: 'K-lined' } })
  tell({ kind: 'stopped', fault: { code: 'banned', detail: 'K-lined' } })
  expect(said).toEqual([
    expect.stringContaining('the network cannot be reached'),
    'relay: relay (retro) is not connected: the network has banned it. It stays so until somebody mends it and reconnects; messages wait.',
  ])
  await notices.stop()
})

test('our own stop is no outage, and ends every wait', async () => {
  const { clock, said, tell, notices } = rig()
  tell(waiting)
  tell({ kind: 'offline' })
  await notices.stop()
  expect(clock.sleeping).toBe(0)
  await clock.advance(120_000)
  expect(said).toEqual([])
})
