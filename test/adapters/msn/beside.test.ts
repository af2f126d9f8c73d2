/** An account of ours whose owner has a Messenger open, on a service that lets both be there. */
import { afterEach, describe, expect, it } from 'vitest'
import { chatOf, user } from './fakes.ts'
import { bob, carol, relay, Town } from './town.ts'

let town: Town | undefined
afterEach(async () => {
  await town?.end()
  town = undefined
})

const together = async () => {
  town = await (await Town.build({}, { beside_messenger: true })).online()
  return { town, own: await town.messenger(relay), other: await town.messenger(bob) }
}

describe('beside the Messenger of the same person', () => {
  it('we stay signed in, and hear what others say to them', async () => {
    const { town, own, other } = await together()
    const called = other.call(relay)
    const room = await own.answer()
    const theirs = await called
    theirs.text('hello to both')
    expect(await room.heard()).toMatchObject({ from: bob, text: 'hello to both' })
    expect(await town.heard('hello to both')).toMatchObject({ chat: chatOf(bob), sender: user(bob) })
    expect(town.session.state.kind).toBe('online')
  })

  it('we hear from the first word on what they say themselves, as theirs, and they what is said through us', async () => {
    const { town, own, other } = await together()
    const called = own.call(bob)
    const theirs = await other.answer()
    const room = await called
    const trid = room.text('from the Messenger')
    await room.acked(trid)
    expect(await theirs.heard()).toMatchObject({ from: relay, text: 'from the Messenger' })
    expect(await town.heard('from the Messenger')).toMatchObject({ chat: chatOf(bob), sender: user(relay), own: true })
    expect((await town.say('from elsewhere', chatOf(bob))).kind).toBe('delivered')
    expect(await theirs.heard()).toMatchObject({ from: relay, text: 'from elsewhere' })
    expect(await room.heard()).toMatchObject({ from: relay, text: 'from elsewhere' })
    expect(town.sb.accepted).toBe(3)
  })

  it('they hear what begins through us', async () => {
    const { town, own, other } = await together()
    await town.sees(bob, 'online')
    const said = town.say('first words', chatOf(bob))
    const theirs = await other.answer()
    expect((await said).kind).toBe('delivered')
    expect(await theirs.heard()).toMatchObject({ text: 'first words' })
    const room = await own.answer()
    expect(await room.heard()).toMatchObject({ from: relay, text: 'first words' })
    room.text('and more')
    expect(await town.heard('and more')).toMatchObject({ own: true })
  })

  it('who they add and block is known here at once, and the other way round', async () => {
    const { town, own } = await together()
    await own.ask('REM', 'AL', carol)
    await own.ask('ADD', 'BL', carol, carol)
    await town.core.until('the block', () =>
      town.core.of('contact').find(({ user: { user: who }, change }) => who === carol && change === 'blocked'),
    )
    const answer = await town.session.roster({ kind: 'remove', user: user(bob).user }, AbortSignal.timeout(5_000))
    expect(answer).toEqual({ kind: 'done' })
    expect((await own.ns.next('REM 0 FL')).words[4]).toBe(bob)
  })
})
