/** One person at once with irssi, with WeeChat and in Matrix. */
import { afterEach, describe as always, expect, test } from 'vitest'
import { freePort } from '../kit/daemon.ts'
import { Ear } from '../kit/ear.ts'
import { missing } from '../kit/foreign-server.ts'
import { CONTROL } from '../kit/gateway-world.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { IrcClient } from '../kit/irc-client.ts'
import { Irssi } from '../kit/irssi.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, PASSWORD } from '../kit/matrix-world.ts'
import { Weechat } from '../kit/weechat.ts'
import { address } from '../kit/world.ts'

const describe = always.skipIf(missing('irssi', 'tmux', 'weechat-headless'))

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** alice in Matrix and alice on the gateway are one person, with one account on MSN. */
const PEOPLE = `
people:
  - id: alice
    users: [ { network: matrix, user: "@alice:localhost" }, { network: gate, user: alice } ]
accounts:
  - { id: alices, network: retro, person: alice, login: ${address('alice')}, password: { file: ./password } }
`

describe('irssi, WeeChat and Matrix', () => {
  onEachHomeserver((start) => {
    test('each shows what the others send, and what a contact sends, once', async () => {
      const port = await freePort()
      const networks = `  - { id: gate, type: irc-gateway, listen: 127.0.0.1:${port}, friend_requests: accept }\n`
      const world = await MatrixWorld.start({ start, networks, more: PEOPLE })
      opened.push(() => world.stop())
      await world.online('alices')
      const { person: alice } = await world.guest('alice')
      alice.acceptInvites()
      const newcomer = await IrcClient.connect(port, 'alice')
      newcomer.say(CONTROL, `register ${PASSWORD}`)
      await newcomer.next(/Account successfully created/)
      newcomer.send('QUIT')

      const login = { port, nick: 'alice', sasl: { account: 'alice', password: PASSWORD } }
      const irssi = await Irssi.start(login)
      opened.push(() => irssi.stop())
      const weechat = await Weechat.start(login)
      opened.push(() => weechat.stop())

      const bob = new Ear(await world.messenger('bob'))
      await irssi.until(CONTROL, /<root> New request: bob@/)
      await weechat.say(CONTROL, 'yes')
      await irssi.until(CONTROL, /\+v bob/)
      await bob.say(address('alice'), 'bob on MSN')
      const portal = await world.portal(alice, 'bob')
      await alice.waitForMessage(portal, 'bob on MSN')
      const onIrc = [irssi, weechat]
      const until = async (by: string, text: string): Promise<void> => {
        for (const client of onIrc)
          await client.until('bob', () => client.said(by, 'bob').includes(text), `"${text}" from ${by}`)
      }
      await until('bob', 'bob on MSN')

      await irssi.say('bob', 'alice in irssi')
      await bob.heard('alice in irssi')
      await until('alice', 'alice in irssi')
      await alice.waitFor(portal, (event) => bodyOf(event).includes('alice in irssi'))

      await weechat.say('bob', 'alice in WeeChat')
      await bob.heard('alice in WeeChat')
      await until('alice', 'alice in WeeChat')
      await alice.waitFor(portal, (event) => bodyOf(event).includes('alice in WeeChat'))

      await alice.say(portal, 'alice in Matrix')
      await bob.heard('alice in Matrix')
      await until('alice', 'alice in Matrix')

      await bob.say(address('alice'), 'and to all')
      await until('bob', 'and to all')
      await alice.waitForMessage(portal, 'and to all')

      const own = ['alice in irssi', 'alice in WeeChat', 'alice in Matrix']
      expect(bob.texts).toEqual(own)
      for (const client of onIrc) {
        expect(client.said('alice', 'bob')).toEqual(own)
        expect(client.said('bob', 'bob')).toEqual(['bob on MSN', 'and to all'])
      }
      const inMatrix = alice.messages(portal).map((event) => bodyOf(event))
      for (const text of [...own, 'bob on MSN', 'and to all'])
        expect(inMatrix.filter((body) => body.includes(text))).toHaveLength(1)
    }, 60_000)
  })
})
