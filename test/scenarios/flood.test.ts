/** Somebody on MSN pastes 200 lines into a channel of a server that throttles. */
import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { Proxy } from '../kit/proxy.ts'
import { address, World, type WorldOptions } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
const LINES = 200
/** The class of a public server lets one line a second in; the relay's default is one each 1,100 ms. */
const HURRY = 20
/** Lines that the relay sends at once, when it has been quiet. */
const BURST = 4
/** The server asks after so many of them. */
const EACH = 10

let world: World | undefined
let proxy: Proxy | undefined
afterEach(async () => {
  await world?.stop()
  await proxy?.stop()
  world = undefined
  proxy = undefined
})

test('all of them arrive in order, nobody is put out, and no PING of the server waits behind them', async () => {
  const wire: string[] = []
  let lines = 0
  world = await World.start({ links: [CONTACT], hurry: HURRY }, async ({ ircd }): Promise<Partial<WorldOptions>> => {
    const between = await Proxy.start(ircd.port)
    proxy = between
    between.onChunk = (direction, chunk) => {
      if (direction === 'to-client') return 'pass'
      for (const line of chunk.toString('latin1').split('\r\n')) {
        wire.push(line)
        // The server itself asks only who is silent.
        if (/PRIVMSG #bob /.test(line) && ++lines % EACH === 0) {
          wire.push('asked')
          between.inject(`PING :probe${lines}\r\n`)
        }
      }
      return 'pass'
    }
    return { ircPort: between.port }
  })
  const amy = await world.irc('amy', '#bob')
  const bob = await world.messenger('bob')
  const room = await bob.call(address('relay'))
  for (let line = 0; line < LINES; line++) room.text(`line ${line}`)
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith(`line ${LINES - 1}`)))
  const numbers = amy.said('msnbridge', '#bob').flatMap((line) => / line (\d+)$/.exec(line)?.slice(1).map(Number) ?? [])
  expect(numbers).toEqual(Array.from({ length: LINES }, (_, line) => line))
  expect(amy.lines.some((line) => /:msnbridge!\S+ (?:QUIT|PART)/.test(line))).toBe(false)
  expect(proxy?.accepted).toBe(1)

  const asked = wire.flatMap((line, at) => (line === 'asked' ? [at] : []))
  expect(asked).toHaveLength(LINES / EACH)
  for (const at of asked) {
    const next = wire.slice(at).filter((line) => /^PONG|PRIVMSG #bob /.test(line))
    // What may go out at once may have been on its way; behind the last line nothing was waited for.
    if (next.length > BURST) expect(next.slice(0, BURST + 1).some((line) => line.startsWith('PONG'))).toBe(true)
  }
}, 90_000)
