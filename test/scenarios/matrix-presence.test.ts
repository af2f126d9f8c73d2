/** Who is there, both ways, in every status. */
import { afterEach, expect, test } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import { address } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

onEachHomeserver((start) => {
  test('every status of MSN is seen in Matrix, and every presence of Matrix on MSN', async () => {
    world = await MatrixWorld.start({ start })
    const resident = await world.resident()
    const { person: alice } = resident
    await world.ask(resident, `add ${address('bob')}`)
    const bob = await world.messenger('bob', ['alice'], { dialect: 'MSNP12' })
    const ghost = world.ghost('bob')
    const room = await bob.call(address('alice'))
    await room.acked(room.text('hello'))
    await alice.waitForMessage(await world.portal(alice, 'bob'), 'hello')

    for (const [status, presence] of [
      ['BSY', 'unavailable'],
      ['NLN', 'online'],
      ['AWY', 'unavailable'],
      ['NLN', 'online'],
      ['IDL', 'unavailable'],
      ['NLN', 'online'],
      ['BRB', 'unavailable'],
      ['NLN', 'online'],
      ['PHN', 'unavailable'],
      ['NLN', 'online'],
      ['LUN', 'unavailable'],
      ['HDN', 'offline'],
      ['NLN', 'online'],
    ] as const) {
      await bob.status(status)
      await alice.waitForPresence(ghost, (seen) => seen.presence === presence)
    }

    const song = 'WMP\\0Music\\01\\0{0} - {1}\\0Song\\0Artist\\0Album\\0'
    const beside = (text: string, media = ''): Promise<void> =>
      bob.says(`<Data><PSM>${text}</PSM><CurrentMedia>${media}</CurrentMedia></Data>`)
    await beside('', song)
    await alice.waitForPresence(ghost, (seen) => seen.status === 'Artist - Song')
    await beside('at &lt;home&gt; &amp; away', song)
    await alice.waitForPresence(ghost, (seen) => seen.status === 'at <home> & away')
    await beside('')
    await alice.waitForPresence(ghost, (seen) => seen.status === undefined)
    await alice.setPresence('online', 'in the "garden"')
    await bob.ns.next(
      ({ line, payload }) =>
        line.startsWith(`UBX ${address('alice')}`) && payload.includes('<PSM>in the &quot;garden&quot;</PSM>'),
    )

    const seenAs = (status: string): Promise<unknown> =>
      bob.ns.next(({ line }) => line.startsWith(`NLN ${status} ${address('alice')}`))
    await alice.setPresence('unavailable')
    await seenAs('IDL')
    await alice.setPresence('online')
    await seenAs('NLN')
    await alice.setPresence('offline')
    await seenAs('AWY')
    await world.ask(resident, 'set-status busy')
    await seenAs('BSY')
    await alice.setPresence('online')
    bob.signOut()
    await alice.waitForPresence(ghost, (seen) => seen.presence === 'offline')
    expect(bob.ns.received.filter(({ line }) => line.startsWith(`NLN NLN ${address('alice')}`))).toHaveLength(1)
  }, 120_000)
})
