/** What the fake homeserver can do besides behaving like Synapse (homeservers.test.ts): fail on command, and be looked into. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppService, type Asked } from '../../kit/app-service.ts'
import { FakeHomeserver, type FakeHomeserverOptions } from '../../kit/fake-homeserver.ts'

const V3 = '/_matrix/client/v3'
const enc = encodeURIComponent

let service: AppService
let homeserver: FakeHomeserver
let room: string
beforeEach(async () => {
  service = await AppService.start()
})
afterEach(async () => {
  await homeserver.stop()
  await service.stop()
})

/** With alice and the bot in a room. */
const start = async (options: FakeHomeserverOptions = {}): Promise<Awaited<ReturnType<FakeHomeserver['person']>>> => {
  homeserver = await FakeHomeserver.start({ registrations: [service.registration], retryMs: 1, ...options })
  service.homeserver = homeserver.url
  const alice = await homeserver.person('alice')
  room = await alice.createRoom({ invite: [homeserver.service.bot] })
  await service.ask('POST', `${V3}/join/${enc(room)}`, {})
  await homeserver.quiet()
  return alice
}
const say = (txn: string, query: Record<string, string> = {}): Promise<Asked> =>
  service.ask('PUT', `${V3}/rooms/${enc(room)}/send/m.room.message/${txn}`, { msgtype: 'm.text', body: txn }, query)

test('fails as often as it was told, with what it was told', async () => {
  const alice = await start()
  const busy = homeserver.fail('/send/', { status: 503, times: 2 })
  expect((await say('one')).status).toBe(503)
  expect((await say('one')).status).toBe(503)
  expect((await say('one')).status).toBe(200)
  expect(busy.used).toBe(2)
  const limited = homeserver.fail(/^PUT .*\/send\//, { status: 429, retryAfterMs: 1234 })
  expect(await say('two')).toEqual({
    status: 429,
    body: { errcode: 'M_LIMIT_EXCEEDED', error: 'on command', retry_after_ms: 1234 },
  })
  limited.clear()
  homeserver.fail(({ user }) => user === homeserver.service.bot, { status: 401, errcode: 'M_UNKNOWN_TOKEN', times: 1 })
  expect((await say('two')).body['errcode']).toBe('M_UNKNOWN_TOKEN')
  expect((await say('two')).status).toBe(200)
  homeserver.fail('/send/', { status: 502, when: 'after', times: 1 })
  expect((await say('three')).status).toBe(502)
  expect((await say('three')).status).toBe(200)
  expect(alice.messages(room).map(({ content }) => content['body'])).toEqual(['one', 'two', 'three'])
  expect(homeserver.counts.get(`PUT ${V3}/rooms/:room/send/:type/:txn`)).toBe(8)
  expect(homeserver.requests.at(-1)).toMatchObject({ method: 'PUT', status: 200, user: homeserver.service.bot })
})

test('cuts the line before or after it has done what it was asked', async () => {
  const alice = await start()
  homeserver.cut('/send/', 'before')
  await expect(say('before')).rejects.toThrow()
  expect(alice.messages(room)).toHaveLength(0)
  homeserver.cut('/send/', 'after')
  await expect(say('after')).rejects.toThrow()
  expect(alice.messages(room)).toHaveLength(1)
  expect((await say('after')).body['event_id']).toBe(alice.messages(room)[0]?.id)
})

test('holds requests until it lets them go', async () => {
  const alice = await start()
  const release = homeserver.hold('/send/')
  let done = false
  const saying = say('held').then((answer) => {
    done = true
    return answer
  })
  await service.ask('GET', `${V3}/account/whoami`)
  expect([done, alice.messages(room).length]).toEqual([false, 0])
  release()
  expect((await saying).status).toBe(200)
})

test('is down, and comes back on its port with its rooms and its queue', async () => {
  const alice = await start()
  await homeserver.down()
  await expect(say('nobody there')).rejects.toThrow()
  await alice.say(room, 'said meanwhile')
  expect(homeserver.service.waiting).toBe(1)
  await homeserver.up()
  await service.waitFor(({ content }) => content['body'] === 'said meanwhile')
  expect((await say('there again')).status).toBe(200)
})

test('tries a transaction under its id until it is taken, and begins with 1 again on command', async () => {
  const alice = await start()
  const last = Number(service.transactions.at(-1)?.id)
  let refusals = 3
  service.answer = () => (refusals-- > 0 ? 500 : 200)
  const seen = service.transactions.length
  await alice.say(room, 'hello')
  await service.until(() => service.transactions.length === seen + 4)
  const tries = service.transactions.slice(seen)
  expect(tries.map(({ id }) => Number(id))).toEqual([last + 1, last + 1, last + 1, last + 1])
  expect(new Set(tries.map(({ events }) => events[0]?.event_id)).size).toBe(1)
  homeserver.service.restartIds()
  await alice.say(room, 'again')
  await service.until(() => service.transactions.length === seen + 5)
  expect(service.transactions.at(-1)?.id).toBe('1')
})

test('collects while it is held: a hundred events a transaction, and 6 MB if they are large', async () => {
  const alice = await start()
  const release = homeserver.service.hold()
  const seen = service.transactions.length
  const text = 'x'.repeat(60_000)
  for (let count = 0; count < 101; count++) await alice.say(room, text)
  release()
  await service.until(() => service.transactions.length === seen + 2)
  expect(service.transactions.slice(seen).map(({ events }) => events.length)).toEqual([100, 1])
  expect(service.transactions[seen]?.bytes).toBeGreaterThan(6_000_000)
})

test('pushes ephemeral events under both keys, and none of them to somebody who was away', async () => {
  const alice = await start()
  service.answer = () => 500
  await alice.say(room, 'wait')
  await service.until(() => service.transactions.length > 2)
  await alice.typing(room, true)
  service.answer = () => 200
  await homeserver.quiet()
  await alice.typing(room, false)
  await service.waitForEphemeral(({ type }) => type === 'm.typing')
  expect(service.ephemeral.filter(({ type }) => type === 'm.typing').map(({ content }) => content)).toEqual([
    { user_ids: [] },
  ])
  expect(service.transactions.at(-1)?.keys).toEqual(['events', 'ephemeral', 'de.sorunome.msc2409.ephemeral'])
})

test('lets people go offline when nobody refreshes them, and knows busy on command', async () => {
  const alice = await start({ busy: true, presenceTimeoutMs: 30 })
  const bot = homeserver.service.bot
  const status = `${V3}/presence/${enc(bot)}/status`
  expect((await service.ask('PUT', status, { presence: 'busy', status_msg: 'phone' })).status).toBe(200)
  expect(alice.presenceOf(bot)).toEqual({ presence: 'busy', status: 'phone' })
  await alice.waitForPresence(bot, ({ presence }) => presence === 'offline')
})

test('a wrong token of its own is shown to the service', async () => {
  const alice = await start()
  homeserver.service.token = 'wrong'
  service.answer = ({ authorization }) => (authorization === `Bearer ${service.registration.hs_token}` ? 200 : 403)
  const seen = service.transactions.length
  await alice.say(room, 'with the wrong token')
  await service.until(() => service.transactions.length > seen)
  expect(service.transactions.at(-1)?.authorization).toBe('Bearer wrong')
  homeserver.service.token = service.registration.hs_token
  await service.waitFor(({ content }) => content['body'] === 'with the wrong token')
})

test('asks the service about ghosts that are invited before they have an account', async () => {
  const alice = await start()
  await alice.invite(room, '@test_new:localhost')
  expect(service.askedAbout).toEqual(['@test_new:localhost'])
})

test('pushes thousands of events in order', async () => {
  const alice = await start()
  const release = homeserver.service.hold()
  for (let count = 0; count < 3_000; count++) await alice.say(room, `number ${count}`)
  release()
  await homeserver.quiet()
  const bodies = service.events.flatMap(({ content }) => (content['msgtype'] === 'm.text' ? [content['body']] : []))
  expect(bodies).toEqual(Array.from({ length: 3_000 }, (_, count) => `number ${count}`))
})
