import { describe, expect, test } from 'vitest'
import type { Cap } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { Rig, face } from './rig.ts'

// ircv3.net, monitor.
describe('MONITOR', () => {
  test('tells at once who of the new ones is there', async () => {
    const rig = new Rig([face('bob'), face('carol', { online: false })])
    expect(await rig.ask(rig.client(), 'MONITOR + bob,carol,dave,alice')).toEqual([
      ':localhost 730 alice :bob!bob@example.com,alice!al@127.0.0.1',
      ':localhost 731 alice :carol,dave',
    ])
  })

  test('lists, tells again, takes off and forgets', async () => {
    const rig = new Rig()
    const alice = rig.client()
    await rig.ask(alice, 'MONITOR + bob,dave')
    // "Targets already in the list MUST NOT be added again."
    await rig.ask(alice, 'MONITOR + BOB')
    expect(await rig.ask(alice, 'MONITOR L')).toEqual([
      ':localhost 732 alice :bob,dave',
      ':localhost 733 alice :End of MONITOR list',
    ])
    expect(await rig.ask(alice, 'MONITOR S')).toEqual([
      ':localhost 730 alice :bob!bob@example.com',
      ':localhost 731 alice :dave',
    ])
    expect(await rig.ask(alice, 'MONITOR - dave')).toEqual([])
    expect(await rig.ask(alice, 'monitor l')).toEqual([
      ':localhost 732 alice :bob',
      ':localhost 733 alice :End of MONITOR list',
    ])
    expect(await rig.ask(alice, 'MONITOR C')).toEqual([])
    expect(await rig.ask(alice, 'MONITOR L')).toEqual([':localhost 733 alice :End of MONITOR list'])
    expect(await rig.ask(alice, 'MONITOR')).toEqual([':localhost 461 alice MONITOR :Not enough parameters'])
  })

  test('takes 500 and names those that do not fit', async () => {
    const rig = new Rig([])
    const alice = rig.client()
    const nicks = Array.from({ length: 499 }, (_, index) => `nick${index}`)
    for (let from = 0; from < nicks.length; from += 50)
      await rig.ask(alice, `MONITOR + ${nicks.slice(from, from + 50).join(',')}`)
    expect(await rig.ask(alice, 'MONITOR + last,more,most')).toEqual([
      ':localhost 731 alice :last',
      ':localhost 734 alice 500 more,most :Monitor list is full',
    ])
    const lines = await rig.ask(alice, 'MONITOR L')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(510)
    expect(lines.slice(0, -1).flatMap((line) => line.split(' :')[1]?.split(',') ?? [])).toHaveLength(500)
  })

  test('passes over what can be no nick', async () => {
    const rig = new Rig([])
    expect(await rig.ask(rig.client(), 'MONITOR + *!*@*,#a,,:b', 'MONITOR L')).toEqual([
      ':localhost 733 alice :End of MONITOR list',
    ])
  })
})

describe('whoever is watched', () => {
  const off = face('bob', { online: false })
  const on = face('bob')

  const watching = async (...caps: readonly Cap[]) => {
    const rig = new Rig([])
    rig.person.rooms.clear()
    const alice = rig.client(...caps)
    await rig.ask(alice, 'MONITOR + bob,bobby')
    return { rig, alice }
  }

  test('comes and goes', async () => {
    const { rig, alice } = await watching()
    const other = rig.client()
    rig.dispatch.monitors.changed(rig.person, off, on)
    rig.dispatch.monitors.changed(rig.person, on, off)
    rig.dispatch.monitors.changed(rig.person, undefined, on)
    rig.dispatch.monitors.changed(rig.person, on, undefined)
    expect(alice.heard()).toEqual([
      ':localhost 730 alice :bob!bob@example.com',
      ':localhost 731 alice :bob',
      ':localhost 730 alice :bob!bob@example.com',
      ':localhost 731 alice :bob',
    ])
    expect(other.heard()).toEqual([])
  })

  test('is called otherwise', async () => {
    const { rig, alice } = await watching()
    rig.dispatch.monitors.changed(rig.person, on, { ...on, nick: 'bobby' })
    rig.dispatch.monitors.changed(rig.person, { ...on, nick: 'bobby' }, { ...on, nick: 'robert' })
    rig.dispatch.monitors.changed(rig.person, { ...on, nick: 'bobby' }, { ...on, nick: 'BOBBY' })
    rig.dispatch.monitors.changed(rig.person, off, { ...off, nick: 'bobby' })
    expect(alice.heard()).toEqual([
      ':localhost 731 alice :bob',
      ':localhost 730 alice :bobby!bob@example.com',
      ':localhost 731 alice :bobby',
    ])
  })

  // ircv3.net, extended-monitor: each needs its own capability as well.
  const changes = [
    ['away', 'away-notify', { away: 'Busy' }, ':bob!bob@example.com AWAY :Busy'],
    ['name', 'setname', { realname: 'Robert' }, ':bob!bob@example.com SETNAME :Robert'],
    ['host', 'chghost', { host: 'example.org' }, ':bob!bob@example.com CHGHOST bob example.org'],
  ] as const
  test.each(changes)('has another %s', async (_, cap, change, line) => {
    const news = { ...on, ...change }
    const { rig, alice } = await watching('extended-monitor', cap)
    rig.dispatch.monitors.changed(rig.person, on, news)
    expect(alice.heard()).toEqual([line])
    for (const caps of [['extended-monitor'], [cap]] as const) {
      const other = await watching(...caps)
      other.rig.dispatch.monitors.changed(other.rig.person, on, news)
      expect(other.alice.heard()).toEqual([])
    }
  })

  test('is back', async () => {
    const { rig, alice } = await watching('extended-monitor', 'away-notify')
    rig.dispatch.monitors.changed(rig.person, face('bob', { away: 'Busy' }), on)
    expect(alice.heard()).toEqual([':bob!bob@example.com AWAY'])
  })

  test('is told of in a channel that they share, and there alone', async () => {
    const rig = new Rig([on])
    const alice = rig.client('extended-monitor', 'away-notify')
    await rig.ask(alice, 'MONITOR + bob')
    rig.dispatch.monitors.changed(rig.person, on, face('bob', { away: 'Busy' }))
    expect(alice.heard()).toEqual([])
  })
})
