import { expect, test } from 'vitest'
import { MOST_HELD, Order, ORDER_MS } from '../../../../adapters/irc-gateway/commands/order.ts'
import type { ClientPort } from '../../../../adapters/irc-gateway/types.ts'
import type { ClientLine } from '../../../../adapters/irc-gateway/wire/line.ts'
import { VirtualClock } from '../../../kit/clock.ts'

const line = (verb: string): ClientLine => ({ verb, params: [], tags: {} }) as unknown as ClientLine
const client = (): ClientPort => ({}) as ClientPort

const rig = () => {
  const clock = new VirtualClock()
  const started: string[] = []
  const order = new Order(clock, (_, { verb }) => void started.push(verb))
  return { clock, started, order }
}

test('lines behind one to root wait for its answer, those of others and of the connection do not', async () => {
  const { started, order } = rig()
  const [alice, carol] = [client(), client()]
  const answer = Promise.withResolvers<undefined>()
  const goesOn = order.asked(alice, answer.promise)
  for (const verb of ['PRIVMSG', 'PING', 'WHOIS']) order.take(alice, line(verb))
  order.take(carol, line('AWAY'))
  expect(started).toEqual(['PING', 'AWAY'])
  answer.resolve(undefined)
  await goesOn
  expect(started).toEqual(['PING', 'AWAY', 'PRIVMSG', 'WHOIS'])
  order.take(alice, line('NICK'))
  expect(started.at(-1)).toBe('NICK')
})

test('nobody waits for ever', async () => {
  const { clock, started, order } = rig()
  const alice = client()
  const goesOn = order.asked(alice, new Promise(() => undefined))
  order.take(alice, line('PRIVMSG'))
  await clock.advance(ORDER_MS - 1)
  expect(started).toEqual([])
  await clock.advance(1)
  await goesOn
  expect(started).toEqual(['PRIVMSG'])
})

test('and only so many wait', () => {
  const { started, order } = rig()
  const alice = client()
  void order.asked(alice, new Promise(() => undefined))
  for (let count = 0; count < MOST_HELD + 3; count++) order.take(alice, line('PRIVMSG'))
  expect(started).toHaveLength(3)
})
