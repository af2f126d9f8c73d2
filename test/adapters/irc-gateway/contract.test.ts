import type { z } from 'zod'
import { create } from '../../../adapters/irc-gateway/index.ts'
import { ircGatewayConfig } from '../../../adapters/irc-gateway/config.ts'
import type { Account, PortalRequest } from '../../../bridge/adapter.ts'
import type { AccountId, NetworkId, PortalId, UserId } from '../../../bridge/model/ids.ts'
import { hashPassword } from '../../../bridge/passwords.ts'
import { adapterContract } from '../../kit/adapter-contract.ts'
import { IrcClient } from '../../kit/irc-client.ts'
import { FakeContext } from '../irc/fake-context.ts'

const OWNER = 'alice' as UserId
const MSN = 'msn' as NetworkId
const CHEAP = { N: 2 ** 10, r: 8, p: 1 }
const BOB = { network: MSN, user: 'bob@home.example' as UserId }

const place: PortalRequest = {
  kind: 'portal',
  portal: 'p1' as PortalId,
  owner: OWNER,
  account: 'msn:alice@home.example' as AccountId,
  login: 'alice@home.example',
  direct: true,
  with: [{ user: BOB, name: 'Bob' }],
}

/** Somebody is attached and reads what arrives. */
adapterContract('irc-gateway', async () => {
  const config = ircGatewayConfig.parse({ id: 'irc', type: 'irc-gateway', listen: '127.0.0.1:0' } satisfies z.input<
    typeof ircGatewayConfig
  >)
  const adapter = create({
    network: 'irc' as NetworkId,
    config,
    dataFolder: '',
    secret: () => {
      throw new Error('no secret')
    },
  })
  const context = new FakeContext()
  context.stored.set('user/alice', JSON.stringify({ hash: await hashPassword('secret', CHEAP), setAt: 0 }))
  await adapter.start(context)
  const port = Number(/:(\d+)/.exec(adapter.describe().join())?.[1])
  const client = await IrcClient.connect(port, OWNER, false, ['PASS alice:secret'])
  await client.next(/ 366 /)
  const texts = (): readonly string[] =>
    client.lines.flatMap((line) => /^:alice!\S+ PRIVMSG &bitlbee :bob: (.*)$/.exec(line)?.slice(1) ?? [])
  const [account] = adapter.ownAccounts()
  return {
    adapter,
    session: adapter.session(account as Account),
    place,
    nowhere: { ...place, owner: 'mallory' as UserId },
    arrived: async (count) => {
      await client.until(() => texts().length >= count)
      return texts()
    },
    end: async () => {
      client.close()
      await adapter.stop()
    },
  }
})
