import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { address, World } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
const LOBBY = '[ { account: relay, lobby: true }, { network: irc, channel: "#msn" } ]'
const PUPPETS = `    timing: { backoff_ms: [100, 200, 400] }
    puppets: { enabled: true, connect_ms: 10, debounce_ms: 10, quit_grace_ms: 500, nick: "{local}[m]" }`

let world: World | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

test('a contact comes, speaks, is whispered to and goes, by a connection of their own', async () => {
  world = await World.start({ links: [CONTACT], irc: PUPPETS })
  const amy = await world.irc('amy', '#bob')
  const dave = await world.irc('dave', '#bob')
  const op = await world.irc('op', '#bob')
  op.say('#bob', `!msn add ${address('bob')}`)
  await op.next(/NOTICE #bob :.*bob/)
  const bob = await world.messenger('bob')
  await amy.next(/^:bob\[m\]!bob@\S+ JOIN :?#bob/)

  amy.say('#bob', 'hello bob')
  const room = await bob.answer()
  expect((await room.heard()).text).toBe('<amy> hello bob')
  await room.acked(room.text('hello amy\r\nhow are you?'))
  await amy.until(() => amy.said('bob\\[m\\]', '#bob').length >= 2)
  expect(amy.said('bob\\[m\\]', '#bob')).toEqual(['hello amy', 'how are you?'])

  dave.say('bob[m]', 'psst')
  expect((await room.heard()).text).toBe('<dave (private)> psst')
  await room.acked(room.text('what is it?'))
  await dave.until(() => dave.said('bob\\[m\\]', 'dave').length > 0)
  expect(dave.said('bob\\[m\\]', 'dave')).toEqual(['what is it?'])

  // The MSN service is a part of the daemon: everybody signs in again.
  await world.kill()
  await world.run()
  const back = await world.messenger('bob')
  await amy.until(() => amy.lines.filter((line) => /^:bob\[m\]!\S+ JOIN/.test(line)).length >= 2)
  const again = await back.call(address('relay'))
  await again.acked(again.text('still between us'))
  await dave.until(() => [...dave.said('bob\\[m\\]', 'dave'), ...dave.said('msnbridge', 'dave')].length >= 2)
  expect([...amy.said('bob\\[m\\]', '#bob'), ...amy.said('msnbridge', '#bob')].join()).not.toContain('between us')

  amy.say('#bob', 'bob?')
  let heard = (await again.heard()).text
  // It was killed; what nobody had confirmed by then is said to be uncertain.
  while (/^The bridge was interrupted|^Your message "what is it\?" to dave may not have arrived/.test(heard))
    heard = (await again.heard()).text
  expect(heard).toBe('<amy> bob?')
  await again.acked(again.text('yes, all?'))
  await amy.until(() => amy.said('bob\\[m\\]', '#bob').includes('yes, all?'))

  dave.say('bob[m]', 'bye')
  expect((await again.heard()).text).toBe('<dave (private)> bye')
  dave.send('QUIT :gone')
  expect((await again.heard()).text).toMatch(/dave has left\. What you write now is read in #bob again\./)
  await again.acked(again.text('hello everybody'))
  await amy.until(() => amy.said('bob\\[m\\]', '#bob').includes('hello everybody'))

  await back.status('BRB')
  amy.send('WHOIS bob[m]')
  while (!/ 301 amy bob\[m\] :Be right back/.test(await amy.next(/ (301|318) /))) amy.send('WHOIS bob[m]')
  back.signOut()
  await amy.next(/^:bob\[m\]!\S+ QUIT/)
}, 90_000)

test('contacts of a lobby are there by themselves, and a whisper to one is heard by nobody else', async () => {
  world = await World.start({ links: [LOBBY], people: ['bob', 'carol'], irc: PUPPETS })
  const op = await world.irc('op', '#msn')
  for (const who of ['bob', 'carol']) {
    op.say('#msn', `!msn add ${address(who)}`)
    await op.next(new RegExp(`NOTICE #msn :.*${who}`))
  }
  const bob = await world.messenger('bob')
  await op.next(/^:bob\[m\]!\S+ JOIN/)
  const carol = await world.messenger('carol')
  await op.next(/^:carol\[m\]!\S+ JOIN/)

  op.say('carol[m]', 'only you')
  const room = await carol.answer()
  expect((await room.heard()).text).toBe('<op (private)> only you')
  await room.acked(room.text('good'))
  await op.until(() => op.said('carol\\[m\\]', 'op').length > 0)

  const called = await bob.call(address('relay'))
  await called.acked(called.text('hello all'))
  await op.until(() => op.said('bob\\[m\\]', '#msn').includes('hello all'))
  expect([...op.said('carol\\[m\\]', '#msn'), ...op.said('msnbridge', '#msn')].join()).not.toMatch(/only you|good/)
  expect(called.wire.received.some(({ payload }) => payload.includes('only you'))).toBe(false)
}, 60_000)
