import { expect, test } from 'vitest'
import { type Account, type Adapter, type Session, SessionFault } from '../../bridge/adapter.ts'
import type { AccountId, NetworkId, PersonId } from '../../bridge/model/ids.ts'
import type { Fault, SessionState } from '../../bridge/model/result.ts'
import { Supervisor } from '../../bridge/supervisor.ts'
import { VirtualClock } from '../kit/clock.ts'
import { recordingLog, recordingMetrics } from '../kit/observers.ts'

const NETWORK = 'retro' as NetworkId

const accountOf = (id: string, network: NetworkId = NETWORK): Account => ({
  id: id as AccountId,
  network,
  person: id as PersonId,
  login: `${id}@home.example`,
  secret: 'swordfish',
})

const unreachable: Fault = { code: 'network', detail: 'connection refused' }

/** Each attempt does what the script says; the last entry repeats. */
type Step = 'online' | 'hangs' | 'deaf' | SessionFault

interface RigOptions {
  readonly connectTimeoutMs?: number
  readonly obstacle?: () => Fault | undefined
  readonly role?: Adapter['role']
  readonly own?: readonly Account[]
}

const rig = (script: readonly Step[], options: RigOptions = {}) => {
  const clock = new VirtualClock()
  const log = recordingLog()
  const metrics = recordingMetrics()
  const attempts: { readonly account: AccountId; readonly at: number }[] = []
  const history: { readonly account: AccountId; readonly state: SessionState }[] = []
  const closed: AccountId[] = []
  const live = new Map<AccountId, SessionState>()
  const start = clock.now()
  const session = (account: Account): Session => {
    const fake: Pick<Session, 'account' | 'state' | 'connect' | 'close'> = {
      account: account.id,
      get state() {
        return live.get(account.id) ?? { kind: 'offline' }
      },
      connect: async (signal) => {
        const step = script[Math.min(attempts.length, script.length - 1)]
        attempts.push({ account: account.id, at: clock.now() - start })
        if (step instanceof SessionFault) throw step
        if (step === 'deaf') await new Promise(() => undefined)
        if (step === 'hangs') {
          await clock.sleep(1e9, signal)
          throw new SessionFault(unreachable)
        }
        live.set(account.id, { kind: 'online', since: clock.now() })
        supervisor.sessionChanged(account.id, { kind: 'online', since: clock.now() })
      },
      close: async () => {
        closed.push(account.id)
        live.set(account.id, { kind: 'offline' })
      },
    }
    return fake as Session
  }
  const { role = 'joins', own = [], obstacle } = options
  const adapter = { network: NETWORK, role, session, ownAccounts: () => own } as Partial<Adapter> as Adapter
  const supervisor = new Supervisor({
    clock,
    log,
    metrics,
    random: () => 0.5,
    adapters: new Map([[NETWORK, adapter]]),
    supervision: () => ({
      connectTimeoutMs: options.connectTimeoutMs ?? 60_000,
      backoff: { waits: [2_000, 5_000, 15_000], jitter: 0.2 },
      stableMs: 60_000,
    }),
    ...(obstacle === undefined ? {} : { obstacle }),
    changed: (account, state) => history.push({ account, state }),
  })
  const lose = (account: AccountId, fault: Fault): void => {
    live.set(account, { kind: 'waiting', until: clock.now(), fault })
    supervisor.sessionChanged(account, { kind: 'waiting', until: clock.now(), fault })
  }
  return { clock, log, metrics, attempts, history, closed, supervisor, lose, live }
}

const relay = accountOf('relay')
const kinds = (history: readonly { readonly state: SessionState }[]): string[] => history.map(({ state }) => state.kind)

test('an account that is kept goes online and is told once', async () => {
  const { supervisor, clock, history, metrics } = rig(['online'])
  supervisor.keep(relay)
  supervisor.keep(relay)
  await clock.advance(1_000)
  expect(kinds(history)).toEqual(['connecting', 'online'])
  expect(metrics.values.get('session_online{account=relay,network=retro}')).toBe(1)
  await supervisor.stop()
})

test('failed attempts are repeated after 2, 5, 15 and then always 15 seconds', async () => {
  const { supervisor, clock, attempts } = rig([new SessionFault(unreachable)])
  supervisor.keep(relay)
  await clock.advance(55_000)
  expect(attempts.map(({ at }) => at)).toEqual([0, 2_000, 7_000, 22_000, 37_000, 52_000])
  await supervisor.stop()
})

test('a wait that the network asks for is honoured', async () => {
  const { supervisor, clock, attempts } = rig([new SessionFault(unreachable, 40_000), 'online'])
  supervisor.keep(relay)
  await clock.advance(100_000)
  expect(attempts.map(({ at }) => at)).toEqual([0, 40_000])
  await supervisor.stop()
})

test('a session that is lost is connected again', async () => {
  const { supervisor, clock, attempts, history, lose } = rig(['online'])
  supervisor.keep(relay)
  await clock.advance(1_000)
  lose(relay.id, { code: 'shutdown', detail: 'the server is going down' })
  await clock.advance(10_000)
  expect(attempts).toHaveLength(2)
  expect(kinds(history)).toEqual(['connecting', 'online', 'waiting', 'connecting', 'online'])
  await supervisor.stop()
})

test('losing the session again and again makes the waits longer, a stable time makes them short again', async () => {
  const { supervisor, clock, attempts, lose } = rig(['online'])
  supervisor.keep(relay)
  await clock.settle()
  lose(relay.id, unreachable)
  await clock.advance(2_000)
  lose(relay.id, unreachable)
  await clock.advance(5_000)
  await clock.advance(60_000)
  lose(relay.id, unreachable)
  await clock.advance(2_000)
  expect(attempts.map(({ at }) => at)).toEqual([0, 2_000, 7_000, 69_000])
  await supervisor.stop()
})

test.each(['bad-credentials', 'banned', 'signed-in-elsewhere'] as const)(
  'after %s nothing is tried until a person acts',
  async (code) => {
    const { supervisor, clock, attempts, history, log } = rig([new SessionFault({ code, detail: 'no' }), 'online'])
    supervisor.keep(relay)
    await clock.advance(24 * 3_600_000)
    expect(attempts).toHaveLength(1)
    expect(history.at(-1)?.state).toEqual({ kind: 'stopped', fault: { code, detail: 'no' } })
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect(supervisor.reconnect(relay.id)).toBe(true)
    await clock.advance(1_000)
    expect(kinds(history).at(-1)).toBe('online')
    expect(supervisor.reconnect(relay.id)).toBe(false)
    await supervisor.stop()
  },
)

test('an account that waits is tried at once when a person asks', async () => {
  const { supervisor, clock, attempts } = rig([new SessionFault(unreachable, 300_000), 'online'])
  supervisor.keep(relay)
  await clock.advance(1_000)
  supervisor.reconnect(relay.id)
  await clock.advance(1)
  expect(attempts).toHaveLength(2)
  await supervisor.stop()
})

test.each(['hangs', 'deaf'] as const)('an attempt that %s is given up at its deadline', async (step) => {
  const { supervisor, clock, history, closed, attempts } = rig([step, 'online'], { connectTimeoutMs: 10_000 })
  supervisor.keep(relay)
  await clock.advance(9_999)
  expect(kinds(history)).toEqual(['connecting'])
  await clock.advance(20_000)
  expect(closed).toEqual([relay.id])
  expect(attempts).toHaveLength(2)
  expect(history.find(({ state }) => state.kind === 'waiting')?.state).toMatchObject({
    fault: { code: 'network', detail: 'no answer within 10 s: check the address and the network' },
  })
  expect(kinds(history).at(-1)).toBe('online')
  await supervisor.stop()
})

test('a session that was lost before its attempt was answered is noticed', async () => {
  const { supervisor, clock, history, live, attempts } = rig(['online', 'online'])
  supervisor.keep(relay)
  await Promise.resolve()
  live.set(relay.id, { kind: 'waiting', until: 0, fault: unreachable })
  await clock.advance(3_000)
  expect(attempts).toHaveLength(2)
  expect(kinds(history)).toEqual(['connecting', 'online', 'waiting', 'connecting', 'online'])
  await supervisor.stop()
})

test('a hundred accounts of one network do not connect in one moment', async () => {
  const { supervisor, clock, attempts } = rig(['online'])
  for (let index = 0; index < 100; index++) supervisor.keep(accountOf(`relay${index}`))
  await clock.advance(1_000)
  expect(attempts.length).toBeLessThanOrEqual(6)
  await clock.advance(20_000)
  expect(attempts).toHaveLength(100)
  await supervisor.stop()
})

test('stopping signs out, ends every wait and is harmless twice', async () => {
  const { supervisor, clock, history, closed } = rig([new SessionFault(unreachable)])
  supervisor.keep(relay)
  await clock.advance(1_000)
  await supervisor.stop()
  await supervisor.stop()
  expect(clock.sleeping).toBe(0)
  expect(closed).toEqual([relay.id])
  expect(kinds(history).at(-1)).toBe('offline')
})

test('stopping does not wait for an attempt that heeds nothing', async () => {
  const { supervisor, clock } = rig(['deaf'])
  supervisor.keep(relay)
  await clock.advance(1_000)
  const stopped = supervisor.stop()
  await clock.advance(10_000)
  await stopped
  expect(clock.sleeping).toBe(0)
})

test('no log line holds the password', async () => {
  const { supervisor, clock, log } = rig([new SessionFault(unreachable), 'online'])
  supervisor.keep(relay)
  await clock.advance(10_000)
  await supervisor.stop()
  expect(log.lines.length).toBeGreaterThan(2)
  expect(JSON.stringify(log.lines)).not.toContain('swordfish')
})

test('an account that is paused signs out, stays away, and comes back when it is kept again', async () => {
  const { supervisor, clock, attempts, history, closed } = rig(['online'])
  supervisor.keep(relay)
  await clock.advance(1_000)
  await supervisor.pause(relay)
  expect(supervisor.stateOf(relay.id)).toEqual({ kind: 'offline' })
  expect(closed).toEqual([relay.id])
  expect(supervisor.reconnect(relay.id)).toBe(false)
  await clock.advance(3_600_000)
  expect(attempts).toHaveLength(1)
  supervisor.keep(relay)
  await clock.advance(1_000)
  expect(kinds(history)).toEqual(['connecting', 'online', 'offline', 'connecting', 'online'])
  await supervisor.stop()
})

test('pausing and keeping in one breath connects anew, once', async () => {
  const { supervisor, clock, attempts, closed } = rig(['online'])
  supervisor.keep(relay)
  await clock.advance(1_000)
  const paused = supervisor.pause(relay)
  supervisor.keep(relay)
  await clock.advance(1_000)
  await paused
  expect([attempts.length, closed.length]).toEqual([2, 1])
  expect(supervisor.stateOf(relay.id)?.kind).toBe('online')
  await supervisor.stop()
})

test('an account that was never connected can be kept away', async () => {
  const { supervisor, clock, attempts } = rig(['online'])
  await supervisor.pause(relay)
  await clock.advance(1_000)
  expect(attempts).toEqual([])
  expect(supervisor.states()).toEqual([{ account: relay, state: { kind: 'offline' } }])
  await supervisor.stop()
})

test('an account that is dropped signs out and is forgotten', async () => {
  const { supervisor, clock, closed, metrics } = rig([new SessionFault(unreachable)])
  supervisor.keep(relay)
  await clock.advance(1_000)
  await supervisor.drop(relay)
  expect(supervisor.states()).toEqual([])
  expect(closed).toEqual([relay.id])
  expect(metrics.values.get('session_online{account=relay,network=retro}')).toBe(0)
  expect(clock.sleeping).toBe(0)
  await supervisor.stop()
})

test('nothing is kept any more after the stop', async () => {
  const { supervisor, clock, attempts } = rig(['online'])
  await supervisor.stop()
  supervisor.keep(relay)
  await clock.advance(1_000)
  expect(attempts).toEqual([])
})

test('where there is no use in trying, the account stops without an attempt, and is looked at again when a person acts', async () => {
  const fault: Fault = { code: 'bad-credentials', detail: 'its password cannot be read: log in again' }
  let obstacle: Fault | undefined = fault
  const { supervisor, clock, attempts } = rig(['online'], { obstacle: () => obstacle })
  supervisor.keep(relay)
  await clock.advance(3_600_000)
  expect(attempts).toEqual([])
  expect(supervisor.stateOf(relay.id)).toEqual({ kind: 'stopped', fault })
  obstacle = undefined
  supervisor.reconnect(relay.id)
  await clock.advance(1_000)
  expect(supervisor.stateOf(relay.id)?.kind).toBe('online')
  await supervisor.stop()
})

test('on a network that we host, the own accounts of the adapter are connected and no others', async () => {
  const service = accountOf('service')
  const { supervisor, clock, attempts } = rig(['online'], { role: 'hosts', own: [service] })
  supervisor.keep(relay)
  supervisor.keep(service)
  await clock.advance(1_000)
  expect(attempts.map(({ account }) => account)).toEqual([service.id])
  await supervisor.stop()
})
