/** An account of ours whose owner has a Messenger open, on a service that lets both be there. */
import { afterEach, describe, expect, it } from 'vitest'
import type { RosterRequest } from '../../../bridge/adapter.ts'
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

  it('blocking somebody ends the open conversation with them', async () => {
    const { town, other } = await together()
    const theirs = await other.call(relay)
    theirs.text('still talking')
    await town.heard('still talking')
    expect(await town.session.roster({ kind: 'block', user: user(bob).user }, AbortSignal.timeout(5_000))).toEqual({
      kind: 'done',
    })
    await theirs.wire.next(`BYE ${relay}`)
    theirs.wire.send(`CAL 99 ${relay}`)
    expect((await theirs.wire.next((line) => line.words[1] === '99')).words[0]).toBe('216')
  })

  it('groups and privacy go both ways, and what cannot be is said', async () => {
    const { town, own } = await together()
    const ask = (request: RosterRequest) => town.session.roster(request, AbortSignal.timeout(5_000))
    expect(await ask({ kind: 'group-add', group: 'Work' })).toEqual({ kind: 'done' })
    const id = (await own.ns.next('ADG 0')).words[4]!
    expect(await ask({ kind: 'group-add', group: 'work' })).toMatchObject({ kind: 'refused', reason: 'forbidden' })
    expect(await ask({ kind: 'move', user: user(bob).user, group: 'WORK' })).toEqual({ kind: 'done' })
    expect((await own.ns.next('ADD 0 FL')).words.at(-1)).toBe(id)
    expect(await ask({ kind: 'move', user: user(bob).user, group: 'None' })).toMatchObject({ reason: 'not-found' })
    expect(await ask({ kind: 'group-rename', group: 'None', name: 'x' })).toMatchObject({ reason: 'not-found' })
    expect(await ask({ kind: 'group-remove', group: 'None' })).toMatchObject({ reason: 'not-found' })
    expect(await ask({ kind: 'personal-message', text: 'at the lake' })).toEqual({ kind: 'done' })
    expect(town.core.of('own').at(-1)).toMatchObject({ text: 'at the lake' })
    expect(await ask({ kind: 'privacy', strangers: 'blocked' })).toEqual({ kind: 'done' })
    expect(await ask({ kind: 'privacy', strangers: 'blocked' })).toEqual({ kind: 'done' })
    await own.ask('REG', id, 'Play', '0')
    await town.core.until('the name of the group', () =>
      town.core.of('own').find(({ groups, strangers }) => groups.includes('Play') && strangers === 'blocked'),
    )
    expect(
      town.core
        .of('roster')
        .at(-1)
        ?.contacts.find(({ user: who }) => who.user === bob)?.groups,
    ).toEqual(['Play'])
  })

  it('what others see of the Messenger is told of the account, until it has gone', async () => {
    const { town, own } = await together()
    const object =
      '<msnobj Creator="relay" Size="1234" Type="3" Location="a" Friendly="AAA=" SHA1D="2jmj7l5rSw0yVb/vlWAYkK/YBwk="/>'
    const told = (what: string, fits: (beside: { readonly picture?: number } | undefined) => boolean) =>
      town.core.until(what, () =>
        town.core
          .of('own')
          .slice(-1)
          .find(({ beside }) => fits(beside)),
      )
    expect((await told('the Messenger', (beside) => beside !== undefined)).beside).toEqual({})
    await own.status('NLN', object)
    expect((await told('its picture', (beside) => beside?.picture !== undefined)).beside).toEqual({ picture: 1234 })
    own.signOut()
    expect((await told('its end', (beside) => beside === undefined)).picture).toBeUndefined()
  })

  it('a dialect without personal messages is no place for one, and that is said', async () => {
    town = await (await Town.build({}, { dialects: ['MSNP9'] })).online()
    const answer = await town.session.roster({ kind: 'personal-message', text: 'x' }, AbortSignal.timeout(5_000))
    expect(answer).toMatchObject({ kind: 'refused', reason: 'unsupported' })
  })
})
