import { expect, test } from 'vitest'
import type { Adapter, AdapterContext } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { Networks } from '../../bridge/networks.ts'
import { VirtualClock } from '../kit/clock.ts'
import { recordingLog } from '../kit/observers.ts'

/** `failures`: how many starts fail, and with what words. */
const fakeAdapter = (network: string, failures: readonly string[] = [], role: Adapter['role'] = 'hosts') => {
  const did: string[] = []
  let starts = 0
  const fake: Pick<Adapter, 'network' | 'role' | 'start' | 'stop'> = {
    network: network as NetworkId,
    role,
    start: async () => {
      did.push('start')
      const why = failures[starts++]
      if (why !== undefined) throw new Error(why)
    },
    stop: async () => {
      did.push('stop')
    },
  }
  return { adapter: fake as Adapter, did }
}

const rig = (...fakes: ReturnType<typeof fakeAdapter>[]) => {
  const clock = new VirtualClock()
  const log = recordingLog()
  const running: string[] = []
  const networks = new Networks({
    clock,
    log,
    adapters: new Map(fakes.map(({ adapter }) => [adapter.network, adapter])),
    contextOf: () => ({}) as AdapterContext,
    random: () => 0.5,
    running: (network) => running.push(network),
  })
  return { clock, log, running, networks }
}

const taken = '127.0.0.1:1863 is taken by another program: stop it, or choose another port'

test('a network that cannot start does not keep the others down, and starts when it can', async () => {
  const home = fakeAdapter('home', [taken, taken, taken])
  const libera = fakeAdapter('libera')
  const { clock, log, running, networks } = rig(home, libera)
  await networks.start()
  expect(running).toEqual(['libera'])
  expect(networks.stateOf('home' as NetworkId)).toEqual({ kind: 'failed', why: taken })
  expect(home.did).toEqual(['start', 'stop'])
  await clock.advance(5_000 + 15_000 + 60_000)
  expect(running).toEqual(['libera', 'home'])
  expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'error network did not start, will try again',
    'info network started',
  ])
  await networks.stop()
  expect(home.did.at(-1)).toBe('stop')
})

test('when nothing can start the caller is left to tell, and nothing is tried behind', async () => {
  const home = fakeAdapter('home', [taken])
  const { clock, log, networks } = rig(home)
  await networks.start()
  expect(networks.stateOf('home' as NetworkId)).toEqual({ kind: 'failed', why: taken })
  expect(clock.sleeping).toBe(0)
  expect(log.lines).toEqual([])
})

test('stopping ends the retries and is harmless twice', async () => {
  const home = fakeAdapter('home', [taken, taken])
  const { clock, networks } = rig(home, fakeAdapter('libera'))
  await networks.start()
  await networks.stop()
  await networks.stop()
  expect(clock.sleeping).toBe(0)
  expect(home.did.filter((what) => what === 'start')).toHaveLength(1)
})

test('what we host starts before what signs in to it', async () => {
  const { running, networks } = rig(fakeAdapter('retro', [], 'joins'), fakeAdapter('home', [], 'hosts'))
  await networks.start()
  expect(running).toEqual(['home', 'retro'])
  await networks.stop()
})
