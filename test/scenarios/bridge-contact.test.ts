/** Commands from a Messenger: the whole daemon, and the contact `bridge@<domain>`. */
import { afterEach, expect, test } from 'vitest'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import type { Room } from '../kit/messenger.ts'
import { DOMAIN } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const BRIDGE = `bridge@${DOMAIN}`

const ask = async (room: Room, line: string): Promise<string> => {
  await room.acked(room.text(line))
  return (await room.heard()).text
}

test('Messengers of MSNP9 and MSNP12 command the bridge, as far as their users may', async () => {
  world = await MatrixWorld.start({
    start: (options) => FakeHomeserver.start(options),
    people: ['carol', 'dave'],
    service: `    bridge_contact: { admins: ["carol@${DOMAIN}"] }`,
  })
  await world.resident()
  const [carol, dave] = [
    await world.messenger('carol', ['bridge'], { dialect: 'MSNP9' }),
    await world.messenger('dave', ['bridge'], { dialect: 'MSNP12' }),
  ]
  await carol.ns.next(({ line }) => /^ILN \d+ NLN /.test(line) && line.includes(BRIDGE))
  const [admin, user] = [await carol.call(BRIDGE), await dave.call(BRIDGE)]
  expect(await ask(user, 'help')).toMatch(/^Commands: .*\bstatus\b.* More about one: help /)
  expect(await ask(user, 'help')).not.toContain('unlink')
  expect(await ask(user, 'unlink x')).toBe('Only admins of this bridge may use unlink.')
  expect(await ask(user, 'stauts')).toBe('There is no command stauts; did you mean status?')
  expect(await ask(user, 'status')).toBe('There is no account here.')
  expect(await ask(user, `login retro dave@${DOMAIN}`)).toMatch(/^Nobody can sign in from home/)
  expect(await ask(admin, 'help')).toContain('unlink')
  expect(await ask(admin, 'status')).toContain(`alice@${DOMAIN} (retro): connected`)
  // The bridge is signed in with her account, too: that one is hers, and no other.
  const alice = await world.messenger('alice', [])
  const own = await alice.call(BRIDGE)
  expect(await ask(own, 'status')).toBe(`retro:alice@${DOMAIN} (retro): connected`)
  expect(await ask(own, `add dave@${DOMAIN}`)).toMatch(/dave/)
  await alice.ns.next(`ADD 0 FL`)
  expect(await ask(own, 'disconnect')).toMatch(/is disconnected, and stays so/)
  expect(await ask(own, 'status')).toBe('There is no account here.')
  // It is no account of the bridge, and nothing of that was a chat or is in the log.
  expect(JSON.stringify(await world.status())).not.toContain(BRIDGE)
  expect(JSON.stringify(world.daemon.log)).not.toMatch(/stauts|did you mean/)
}, 60_000)
