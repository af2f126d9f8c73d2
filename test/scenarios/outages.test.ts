import { once } from 'node:events'
import net from 'node:net'
import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { startDaemon, type LogEntry } from '../kit/daemon.ts'
import { Proxy } from '../kit/proxy.ts'
import { address, World, type WorldOptions } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
const SHORT = 'backoff_ms: [100, 200, 400], stable_ms: 500, notice_after_ms: 300'

let world: World | undefined
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await world?.stop()
  world = undefined
  for (const stop of stops.splice(0)) await stop()
})

/** The daemon with a proxy in front of both networks that it joins. */
async function behindProxies(more: Partial<WorldOptions> = {}): Promise<{ world: World; msn: Proxy; irc: Proxy }> {
  const proxies: Proxy[] = []
  world = await World.start(
    { links: [CONTACT], msn: `    timing: { ${SHORT} }`, irc: `    timing: { ${SHORT} }`, ...more },
    async ({ ports, ircd }) => {
      proxies.push(await Proxy.start(ports.msn), await Proxy.start(ircd.port))
      return { msnPort: proxies[0]!.port, ircPort: proxies[1]!.port }
    },
  )
  for (const proxy of proxies) stops.push(() => proxy.stop())
  return { world, msn: proxies[0]!, irc: proxies[1]! }
}

const attempts = (log: readonly LogEntry[], account: string): number =>
  log.filter((entry) => entry['account'] === account && entry.msg === 'signing in').length

test('the IRC server goes away and refuses: attempts back off, the queue is intact and flows when it is back', async () => {
  const { world, irc } = await behindProxies()
  const bob = await world.messenger('bob')
  const amy = await world.irc('amy', '#bob')
  const room = await bob.call(address('relay'))
  await room.acked(room.text('before'))
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith('before')))

  const before = attempts(world.daemon.log, 'irc')
  const open = await irc.refuse()
  await world.daemon.waitFor((entry) => entry['account'] === 'irc' && entry.msg === 'not connected, will try again')
  for (const word of ['one', 'two', 'three']) await room.acked(room.text(`while away: ${word}`))
  await world.daemon.waitFor(() => attempts(world.daemon.log, 'irc') >= before + 3)
  await open()
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith('while away: three')))
  const said = amy.said('msnbridge', '#bob').filter((line) => line.includes('while away'))
  expect(said.map((line) => line.slice(line.lastIndexOf(' ') + 1))).toEqual(['one', 'two', 'three'])
  // 100, 200, 400, 400 ms ... : not a storm.
  expect(attempts(world.daemon.log, 'irc') - before).toBeLessThan(30)
}, 60_000)

test('a KILL and a ban stop the bot until a person acts, and the queue is intact', async () => {
  world = await World.start({ links: [CONTACT], irc: `    timing: { ${SHORT} }` })
  const bob = await world.messenger('bob')
  const amy = await world.irc('amy', '#bob')
  const room = await bob.call(address('relay'))
  await room.acked(room.text('before'))
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith('before')))

  amy.send('OPER oper operpass')
  await amy.next(/ 381 /)
  amy.send('KILL msnbridge :begone')
  const stopped = await world.daemon.waitFor(
    (entry) => entry['account'] === 'irc' && entry.msg.startsWith('not connected, needs you'),
  )
  expect(stopped['code']).toBe('banned')
  const at = attempts(world.daemon.log, 'irc')
  await room.acked(room.text('held back'))
  // bob is told that his message waits, or that the bridge to the channel is down.
  await room.wire.next((received) => received.words[0] === 'MSG' && received.payload.includes('text/plain'))
  expect(attempts(world.daemon.log, 'irc')).toBe(at)

  const { code } = await world.command('reconnect', 'irc')
  expect(code).toBe(0)
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith('held back')))
}, 60_000)

test('a server that answers 465 is not asked again', async () => {
  const banning = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.end(':irc.example 465 * :You are banned from this server\r\nERROR :Closing Link (K-Lined)\r\n')
    })
  })
  let seen = 0
  banning.on('connection', () => seen++)
  banning.listen(0, '127.0.0.1')
  await once(banning, 'listening')
  stops.push(async () => {
    const closed = once(banning, 'close')
    banning.close()
    await closed
  })
  const { world, irc } = await behindProxies()
  irc.aim((banning.address() as net.AddressInfo).port)
  irc.cut()
  const stopped = await world.daemon.waitFor(
    (entry) => entry['account'] === 'irc' && entry.msg.startsWith('not connected, needs you'),
  )
  expect(stopped['code']).toBe('banned')
  expect(seen).toBe(1)
}, 60_000)

test('signed in elsewhere: the account steps back and does not fight', async () => {
  const { world } = await behindProxies({
    msn: `    beside_messenger: false\n    timing: { ${SHORT} }`,
  })
  const amy = await world.irc('amy', '#bob')
  const other = await world.messenger('relay')
  const stopped = await world.daemon.waitFor(
    (entry) => entry['account'] === 'relay' && entry.msg.startsWith('not connected, needs you'),
  )
  expect(stopped['code']).toBe('signed-in-elsewhere')
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => /elsewhere/i.test(line)))
  await other.status('BSY')
  expect(other.ns.ended).toBe(false)
}, 60_000)

test('an MSN network that stops answering is left and signed in to again; what was said meanwhile arrives', async () => {
  const { world, msn } = await behindProxies({
    msn: `    timing: { ${SHORT}, ping_ms: 300, ping_timeout_ms: 300, command_timeout_ms: 500, ack_timeout_ms: 500 }`,
  })
  const bob = await world.messenger('bob')
  const amy = await world.irc('amy', '#bob')
  msn.onChunk = (direction) => (direction === 'to-client' ? 'drop' : 'pass')
  await world.daemon.waitFor((entry) => entry['account'] === 'relay' && entry.msg === 'not connected, will try again')
  amy.say('#bob', 'said into the silence')
  msn.onChunk = () => 'pass'
  // The first ring may be one that died with the silent line.
  const room = await bob.answer().catch(() => bob.answer())
  await room.wire.next((received) => received.payload.endsWith('<amy> said into the silence'))
}, 60_000)

test('an MSN network that shuts down (OUT SSD) is waited for with backoff', async () => {
  const host = await World.start({ links: [CONTACT], people: ['bob'] })
  world = host
  const config = `data: ./data
admin: { listen: 127.0.0.1:0 }
networks:
  - { id: retro, type: msn, server: "127.0.0.1:${host.ports.msn}", passport: { nexus: "https://127.0.0.1:${host.ports.passport}/rdr/pprdr.asp" }, insecure: true, timing: { ${SHORT} } }
accounts:
  - { id: bob, network: retro, login: ${address('bob')}, password: { env: RELAY_PASSWORD } }
`
  const guest = await startDaemon({ config, env: { RELAY_PASSWORD: 'secret-password' } })
  stops.push(() => guest.kill())
  await guest.waitFor((entry) => entry['account'] === 'bob' && entry.msg === 'signed in')
  await host.daemon.stop()
  const waiting = await guest.waitFor(
    (entry) => entry['account'] === 'bob' && entry.msg === 'not connected, will try again',
  )
  expect(waiting['detail']).toMatch(/shuts down/)
  const seen = guest.log.length
  await host.runOnly()
  await guest.waitFor(
    (entry) => guest.log.indexOf(entry) >= seen && entry['account'] === 'bob' && entry.msg === 'signed in',
  )
}, 60_000)
