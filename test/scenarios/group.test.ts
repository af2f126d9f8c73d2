import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { address, World } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const GROUP = `[ { account: relay, group: [${['bob', 'carol', 'dave'].map(address).join(', ')}] }, { network: irc, channel: "#friends" } ]`

let world: World | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

test('three people on MSN and two on IRC are one conversation', async () => {
  world = await World.start({ links: [GROUP], people: ['bob', 'carol', 'dave'] })
  const bob = await world.messenger('bob')
  const carol = await world.messenger('carol')
  const dave = await world.messenger('dave')
  const amy = await world.irc('amy', '#friends')
  const ben = await world.irc('ben', '#friends')

  amy.say('#friends', 'hello everybody')
  const rooms = [await bob.answer(), await carol.answer(), await dave.answer()] as const
  for (const room of rooms) expect((await room.heard()).text).toBe('<amy> hello everybody')
  ben.say('#friends', 'and from ben')
  for (const room of rooms) expect((await room.heard()).text).toBe('<ben> and from ben')

  await rooms[0].acked(rooms[0].text('bob here'))
  await rooms[1].acked(rooms[1].text('carol here'))
  for (const client of [amy, ben]) {
    await client.until(() => client.said('msnbridge', '#friends').some((line) => line.endsWith('carol here')))
    const said = client.said('msnbridge', '#friends').map((line) => line.replaceAll('\u200b', ''))
    expect(said.find((line) => line.endsWith('bob here'))).toMatch(/^<bob[^>]*> bob here$/)
    expect(said.find((line) => line.endsWith('carol here'))).toMatch(/^<carol[^>]*> carol here$/)
  }
  for (const [room, word] of [
    [rooms[0], 'carol here'],
    [rooms[1], 'bob here'],
    [rooms[2], 'bob here'],
    [rooms[2], 'carol here'],
  ] as const) {
    expect((await room.heard()).text).toBe(word)
  }
  // Somebody who left is missed, and who spoke learns it; the others have the message.
  rooms[2].leave()
  dave.signOut()
  await rooms[0].wire.next(`BYE ${address('dave')}`)
  amy.say('#friends', 'who is still here?')
  for (const room of rooms.slice(0, 2)) expect((await room.heard()).text).toBe('<amy> who is still here?')
  await amy.until(() => amy.said('msnbridge', '#friends').some((line) => line.includes('dave')))
}, 60_000)

test('people of the group who open the conversation themselves find their channel', async () => {
  world = await World.start({ links: [GROUP], people: ['bob', 'carol', 'dave'] })
  const bob = await world.messenger('bob')
  const carol = await world.messenger('carol')
  const dave = await world.messenger('dave')
  for (const each of [carol, dave]) {
    await bob.add(each.email)
    await each.add(bob.email)
  }
  const amy = await world.irc('amy', '#friends')
  const opening = bob.call(carol.email, dave.email, address('relay'))
  const carolRoom = await carol.answer()
  await dave.answer()
  const room = await opening
  await room.acked(room.text('we are all here'))
  expect((await carolRoom.heard()).text).toBe('we are all here')
  await amy.until(() => amy.said('msnbridge', '#friends').some((line) => line.endsWith('we are all here')))
}, 60_000)
