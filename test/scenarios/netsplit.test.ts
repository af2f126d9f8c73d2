import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { HUB, InspircdNetwork, LEAF } from '../kit/inspircd-network.ts'
import { IrcClient } from '../kit/irc-client.ts'

const test = always.skipIf(missing('inspircd'))

let network: InspircdNetwork | undefined
const clients: IrcClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await network?.stop()
  network = undefined
})

const person = async (port: number, nick: string): Promise<IrcClient> => {
  const client = await IrcClient.connect(port, nick)
  clients.push(client)
  await client.join('#split')
  return client
}

test('two linked servers split, each half sees the other quit, and they come together again', async () => {
  network = await InspircdNetwork.start()
  const ann = await person(network.hub.port, 'ann')
  const bob = await person(network.leaf.port, 'bob')
  await ann.next(/^(@\S+ )?:bob!\S+ JOIN :?#split/)
  bob.say('#split', 'across the link')
  await ann.until(() => ann.said('bob', '#split').includes('across the link'))

  await network.split()
  expect(await ann.next(/:bob!\S+ QUIT /)).toMatch(new RegExp(`QUIT :${HUB} ${LEAF}$`))
  expect(await bob.next(/:ann!\S+ QUIT /)).toMatch(new RegExp(`QUIT :(${HUB} ${LEAF}|${LEAF} ${HUB})$`))
  ann.say('#split', 'nobody there hears this')

  await network.join()
  await ann.next(/:bob!\S+ JOIN :?#split/)
  await bob.next(/:ann!\S+ JOIN :?#split/)
  ann.say('#split', 'together again')
  await bob.until(() => bob.said('ann', '#split').includes('together again'))
  expect(bob.said('ann', '#split')).toEqual(['together again'])
})

test('a server that dies splits the network, and one that is back is linked again', async () => {
  network = await InspircdNetwork.start()
  const ann = await person(network.hub.port, 'ann')
  const bob = await person(network.leaf.port, 'bob')
  await ann.next(/:bob!\S+ JOIN/)
  await network.leaf.halt()
  await ann.next(/:bob!\S+ QUIT /)
  await bob.until(() => bob.closed)
  await network.leaf.restart()
  await network.join()
  await person(network.leaf.port, 'bob')
  await ann.next(/:bob!\S+ JOIN/)
})

test('an operator kills, bans and sets modes', async () => {
  network = await InspircdNetwork.start()
  const oper = await network.hub.oper()
  clients.push(oper.client)
  await oper.client.join('#split')
  const ann = await person(network.leaf.port, 'ann')
  // The hub knows of it a moment later.
  await oper.client.next(/:ann!\S+ JOIN :?#split/)
  await oper.samode('#split', '+m')
  await ann.next(/ MODE #split :?\+m/)
  await oper.kill('ann')
  await ann.until(() => ann.closed)
  expect(ann.lines.at(-1)).toMatch(/killed by the test/)

  const spammer = await IrcClient.connect(network.hub.port, 'spammer')
  await oper.ban('GLINE', '*spammer@*')
  await spammer.until(() => spammer.closed)
  await oper.unban('GLINE', '*spammer@*')
  const again = await IrcClient.connect(network.hub.port, 'spammer')
  again.close()
  await oper.ban('ZLINE', '127.0.0.99')
  await oper.unban('ZLINE', '127.0.0.99')
})
