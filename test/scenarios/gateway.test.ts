/** Every file of test/scenarios/gateway is one conversation with the gateway. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseScript, Player } from '../kit/gateway-script.ts'

const folder = new URL('gateway/', import.meta.url)
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.irc'))
  .sort()

for (const file of files) {
  const name = `test/scenarios/gateway/${file}`
  const script = parseScript(name, readFileSync(new URL(file, folder), 'utf8'))
  test(`${file}: ${script.title}`, () => new Player(name, script).play())
}

test('a script that is not met says where, and what came instead', async () => {
  const script = parseScript(
    'x.irc',
    '# x\nalice connects\nalice> PRIVMSG &bitlbee :qlist\nalice< :root!* :No such thing',
  )
  await expect(new Player('x.irc', script).play()).rejects.toThrow(
    'x.irc:4: alice should get:\n  :root!* :No such thing\nand got:\n  :root!root@localhost PRIVMSG &bitlbee :There are no pending questions.',
  )
})
