/**
 * The own display picture of one account: from the config, from the bot on Matrix, from root on the gateway and from a
 * Messenger. What contacts see is fetched by a Messenger, and what each place says of it is read there.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../kit/daemon.ts'
import { offerFile, offerPassively } from '../kit/dcc-sender.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { CONTROL, registered } from '../kit/gateway-world.ts'
import { IrcClient } from '../kit/irc-client.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, PASSWORD, type Resident } from '../kit/matrix-world.ts'
import type { Messenger } from '../kit/messenger.ts'
import { msnobj, PeerRoom, sha1 } from '../kit/p2p-messenger.ts'
import { noisyPng } from '../kit/png.ts'
import { address } from '../kit/world.ts'

const ALICE = address('alice')
const [CONFIGURED, FROM_MATRIX, FROM_ROOT, PASSIVE, AVATAR, OWN] = [1, 2, 3, 4, 5, 6].map((seed) =>
  noisyPng(80, seed),
) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer]
const folder = mkdtempSync(join(tmpdir(), 'msn-bridge-picture-'))
writeFileSync(join(folder, 'me.png'), CONFIGURED)

const PEOPLE = `
people:
  - id: alice
    users: [ { network: matrix, user: "@alice:localhost" }, { network: gate, user: alice } ]
accounts:
  - { id: alices, network: retro, person: alice, login: ${ALICE}, password: { file: ./password }, picture: ${folder}/me.png }
`

let world: MatrixWorld
let resident: Resident
let irc: IrcClient
let bob: Messenger
let port: number

const askBot = async (line: string): Promise<string> => bodyOf(await world.ask(resident, line))
const fromBot = async (line: string): Promise<string> =>
  (await askBot('profile')).split('\n').find((each) => each.startsWith(`${line}: `)) ?? ''
const fromRoot = async (setting: string): Promise<string> => {
  irc.say(CONTROL, `account 0 set ${setting}`)
  return (await irc.next(new RegExp(`^:root!\\S+ PRIVMSG ${CONTROL} :${setting} `))).replace(/^.* :/, '')
}

/** What is described of alice next. */
const described = async (): Promise<string> => {
  const { words } = await bob.ns.next(
    ({ words: [verb, ...rest] }) =>
      (verb === 'NLN' || verb === 'ILN') && rest.includes(ALICE) && / %3C/.test(rest.join(' ')),
  )
  return decodeURIComponent(words.at(-1) ?? '')
}
/** The picture that alice's account has, as a contact gets it, by its SHA-1. */
const shown = async (): Promise<string> => {
  const xml = await described()
  const room = await bob.call(ALICE)
  const got = await new PeerRoom(room, address('bob'), ALICE).fetch(xml)
  room.leave()
  if (!Buffer.isBuffer(got)) throw new Error(`it was declined: ${got}`)
  expect(sha1(got)).toBe(/SHA1D="([^"]+)"/.exec(xml)?.[1])
  return sha1(got)
}
const bothSay = async (words: string): Promise<void> => {
  await expect.poll(() => fromBot('Picture')).toBe(`Picture: ${words}`)
  expect(await fromRoot('picture')).toBe(`picture = \`${words}'`)
}

beforeAll(async () => {
  port = await freePort()
  const networks = `  - { id: gate, type: irc-gateway, listen: 127.0.0.1:${port} }\n`
  world = await MatrixWorld.start({ start: (options) => FakeHomeserver.start(options), networks, more: PEOPLE })
  await world.online('alices')
  resident = await world.guest('alice')
  irc = await registered(port, 'alice')
  bob = await world.messenger('bob')
  await world.ask(resident, `add ${address('bob')}`)
}, 60_000)

afterAll(async () => {
  irc.close()
  await world.stop()
  rmSync(folder, { recursive: true })
})

test('the picture of the config is shown, whatever the avatar is', async () => {
  expect(await shown()).toBe(sha1(CONFIGURED))
  await resident.person.setAvatar(await resident.person.upload(AVATAR, 'image/png', 'avatar.png'))
  await bothSay('that of the config')
})

test('one that is sent to the bot is shown instead', async () => {
  await askBot('set-picture')
  await resident.person.sendImage(resident.home, FROM_MATRIX, 'me.png')
  await resident.person.waitForMessage(resident.home, /^alices shows that picture now/)
  expect(await shown()).toBe(sha1(FROM_MATRIX))
  await bothSay('set by @alice:localhost on matrix')
})

test('one that is given to root by DCC is, too', async () => {
  await offerFile(irc, 'root', 'me.png', FROM_ROOT)
  expect(await irc.next(/alices shows that picture now/)).toContain('root!')
  expect(await shown()).toBe(sha1(FROM_ROOT))
  await bothSay('set by alice on gate')
})

test('also where the client cannot be connected to', async () => {
  await offerPassively(irc, 'root', 'me.png', PASSIVE)
  expect(await shown()).toBe(sha1(PASSIVE))
})

test('what is no picture changes nothing', async () => {
  await offerFile(irc, 'root', 'me.png', Buffer.from('no picture'))
  await irc.next(/set-picture failed: that is no image/)
  await bothSay('set by alice on gate')
})

test('what was chosen is shown after a restart', async () => {
  await world.daemon.stop()
  await world.run()
  await world.online('alices')
  irc = await IrcClient.connect(port, 'alice', false, [`PASS alice:${PASSWORD}`])
  await irc.next(/ 366 /)
  bob = await world.messenger('bob')
  expect(await shown()).toBe(sha1(PASSIVE))
  await bothSay('set by alice on gate')
})

test('while a Messenger is signed in, contacts see its picture, and everybody is told so', async () => {
  const messenger = await world.messenger('alice', [], { dialect: 'MSNP11' })
  const object = msnobj(ALICE, OWN)
  await messenger.status('NLN', object)
  expect(await described()).toBe(object)
  await messenger.says(
    '<Data><PSM>at the lake</PSM><CurrentMedia>\\0Music\\01\\0{0} - {1}\\0Song\\0Band\\0\\0</CurrentMedia></Data>',
  )
  await bothSay(
    `that of your other client (${Math.ceil(OWN.length / 1_000)} kB), while that is signed in; then: set by alice on gate`,
  )
  expect(await fromBot('Personal message')).toBe('Personal message: at the lake')
  expect(await fromBot('Listening to')).toBe('Listening to: Band - Song')
  expect(await fromRoot('status')).toBe("status = `at the lake'")
  expect(await fromRoot('now_playing')).toBe("now_playing = `Band - Song'")
  // It is served by the Messenger, which has it.
  const room = await bob.call(ALICE)
  const own = new PeerRoom(await messenger.answer(), ALICE, address('bob'))
  const [given, got] = await Promise.all([own.serve(OWN), new PeerRoom(room, address('bob'), ALICE).fetch(object)])
  expect([given, Buffer.isBuffer(got) && sha1(got)]).toEqual([`${object}\0`, sha1(OWN)])
  room.leave()
  // Without one: none is shown, whatever was chosen elsewhere.
  await messenger.status('NLN')
  await bothSay('none, as your other client has it, while that is signed in; then: set by alice on gate')
  messenger.signOut()
  expect(await shown()).toBe(sha1(PASSIVE))
  await bothSay('set by alice on gate')
  expect(await fromBot('Personal message')).toBe('Personal message: at the lake')
  expect(await fromBot('Listening to')).toBe('')
})

test('taken back at root it is that of the config again, and set by an answer on Matrix another one', async () => {
  irc.say(CONTROL, 'account 0 set -del picture')
  expect(await irc.next(/Taken back/)).toContain('The picture of alices now: that of the config.')
  expect(await shown()).toBe(sha1(CONFIGURED))
  const image = await resident.person.sendImage(resident.home, FROM_MATRIX, 'me.png')
  await resident.person.waitForMessage(resident.home, /^To show this image/)
  await resident.person.send(resident.home, 'm.room.message', {
    msgtype: 'm.text',
    body: 'set-picture',
    'm.relates_to': { 'm.in_reply_to': { event_id: image } },
  })
  expect(await shown()).toBe(sha1(FROM_MATRIX))
  await bothSay('set by @alice:localhost on matrix')
})

test('without one in the config, taken back on Matrix, it is the avatar', async () => {
  await world.daemon.stop()
  const file = `${world.folder}/config.yaml`
  writeFileSync(file, readFileSync(file, 'utf8').replace(/, picture: \S+/, ''))
  await world.run()
  await world.online('alices')
  bob = await world.messenger('bob')
  expect(await shown()).toBe(sha1(FROM_MATRIX))
  expect(await askBot('remove-picture')).toBe('Taken back. The picture of alices now: your avatar on matrix.')
  expect(await shown()).toBe(sha1(AVATAR))
})
