/** Whatever some clients do, the daemon stays small, and somebody on the same address goes on talking all the while. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test as always } from 'vitest'
import { GatewayWorld, CONTROL, PASSWORD, address } from '../kit/gateway-world.ts'
import { HostileClient } from '../kit/hostile-client.ts'
import type { IrcClient } from '../kit/irc-client.ts'
import type { Room } from '../kit/messenger.ts'

/** What the daemon may grow by, however it is treated. MB. */
const MOST_GROWTH = 150
const STRANGERS = 50
const REGISTER_MS = 4_000
/** A short question with a long answer. */
const MOTD = Array<string>(60).fill('all work and no play '.repeat(12))

const test = (name: string, run: () => Promise<void>): void => always(name, run, 90_000)

let world: GatewayWorld
let alice: IrcClient
let room: Room
let atFirst: number
const hostile: HostileClient[] = []

const residentMegabytes = (): number => {
  const status = readFileSync(`/proc/${world.daemon.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

let words = 0
/** A word from alice to bob, and one back. */
const round = async (): Promise<void> => {
  const word = `word ${++words}`
  alice.say('bob', word)
  expect((await room.heard()).text).toBe(word)
  room.text(`yes, ${word}`)
  await alice.next(new RegExp(`^:bob!\\S+ PRIVMSG \\S+ :(?:alice: )?yes, ${word}$`))
}

/** The two go on talking until it is done; each answer has a deadline. */
const meanwhile = async <Result>(attack: () => Promise<Result>): Promise<Result> => {
  const state = { over: false }
  const talk = async (): Promise<void> => {
    do await round()
    while (!state.over)
  }
  const talking = talk()
  try {
    return await attack()
  } finally {
    state.over = true
    await talking
  }
}

const newcomer = async (): Promise<HostileClient> => {
  const client = await HostileClient.connect(world.ports.irc)
  hostile.push(client)
  return client
}

const registered = async (nick: string, password?: string): Promise<HostileClient> => {
  const client = await HostileClient.registered(world.ports.irc, nick, password)
  hostile.push(client)
  return client
}

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${world.daemon.admin}/metrics`)).text()
  const at = text.split('\n').find((line) => line.startsWith(`msn_bridge_${name} `))
  return Number(at?.split(' ').at(-1) ?? 0)
}

/** Each look is a question to the daemon. */
const untilMetric = async (name: string, least: number): Promise<void> => {
  while ((await metric(name)) < least);
}

beforeAll(async () => {
  world = await GatewayWorld.start({
    people: ['bob'],
    gateway: `motd: ${JSON.stringify(MOTD)}, limits: { register_ms: ${REGISTER_MS}, strangers_per_address: ${STRANGERS}, lines_per_second: 500 }`,
  })
  alice = await world.newcomer('alice')
  const bob = await world.messenger('bob')
  await bob.add(address('alice'))
  alice.say(CONTROL, `add ${address('bob')} bob`)
  await alice.next(/^:bob!\S+ JOIN /)
  const mallory = await world.newcomer('mallory')
  mallory.close()
  alice.say('bob', 'hello')
  room = await bob.answer()
  await room.heard()
  for (let first = 0; first < 20; first++) await round()
  atFirst = residentMegabytes()
}, 60_000)

afterEach(() => {
  for (const client of hostile.splice(0)) client.close()
  expect(residentMegabytes() - atFirst).toBeLessThan(MOST_GROWTH)
})

afterAll(() => world.stop())

test('floods of commands end the connection of whoever floods', async () => {
  await meanwhile(async () => {
    const stranger = await registered('flood')
    const known = await registered('mallory', PASSWORD)
    const lines = Buffer.from('PRIVMSG root :help set\r\nWHO *\r\nNAMES\r\n'.repeat(500))
    for (const client of [stranger, known]) {
      while (!client.closed) await client.write(lines)
      expect(client.text).toMatch(/^ERROR :Closing link: .*\[Excess Flood\]/m)
    }
  })
})

test('half lines that never end hold nothing, and time out', async () => {
  await meanwhile(async () => {
    const clients = await Promise.all(Array.from({ length: STRANGERS - 1 }, newcomer))
    await Promise.all(clients.map((client) => client.write('NICK h\r\nUSER '.padEnd(8_000, 'x'))))
    await Promise.all(clients.map((client) => client.ended()))
    for (const { text } of clients) expect(text).toContain('Registration timed out')
  })
})

test('lines of 100 kB are not kept, and not acted on', async () => {
  await meanwhile(async () => {
    const whole = await registered('longwinded')
    await whole.write(`PRIVMSG root :${'x'.repeat(20_000)}\r\nPING still\r\n`)
    await whole.until(() => whole.text.includes('still'))
    expect(whole.text).toContain(' 417 ')
    const clients = [whole, await registered('mallory', PASSWORD), await newcomer()]
    await Promise.all(clients.map((client) => client.write(`PRIVMSG bob :${'x'.repeat(100_000)}\r\n`)))
    await Promise.all(clients.map((client) => client.ended()))
    for (const { text } of clients) expect(text).toContain('Input line was too long')
  })
})

test('what is no UTF-8 is refused line by line', async () => {
  await meanwhile(async () => {
    const client = await registered('latin')
    const bad = Buffer.concat([Buffer.from('PRIVMSG root :caf'), Buffer.from([0xe9, 0xff, 0xc0]), Buffer.from('\r\n')])
    await client.write(Buffer.concat([...Array<Buffer>(300).fill(bad), Buffer.from('PING still\r\n')]))
    await client.until(() => client.text.includes('still'))
    expect(client.text).toContain('MUST use UTF-8')
    expect(client.closed).toBe(false)
  })
})

test('whoever registers byte by byte comes in, and whoever stops in between is closed', async () => {
  await meanwhile(async () => {
    const patient = await newcomer()
    const tired = await newcomer()
    for (const byte of 'NICK slow\r\nUSER slow 0 * :slow\r\n') await patient.write(byte)
    await patient.until(() => / 001 slow /.test(patient.text))
    for (const byte of 'CAP LS 302\r\nNICK slow2\r\nUSER slow2 0 * :') await tired.write(byte)
    await tired.ended()
    expect(tired.text).toContain('Registration timed out')
  })
})

test('500 connections at once from the address of somebody who is identified leave room for them', async () => {
  await meanwhile(async () => {
    const clients = await Promise.all(Array.from({ length: 500 }, newcomer))
    await Promise.all(clients.map((client, index) => client.write(`NICK n${index}\r\nUSER n 0 * :n\r\n`)))
    const gone = clients.slice(0, 500 - STRANGERS)
    await Promise.all(gone.map((client) => client.ended()))
    expect(gone.some(({ text }) => text.includes('Too many connections from your address'))).toBe(true)
    // Whoever has a password comes in none the less.
    const known = await registered('mallory', PASSWORD)
    expect(known.text).toContain(' 001 mallory ')
  })
})

test('clients that do not read are cut before much piles up for them', async () => {
  const reason = 'gateway_closed_total{reason="timeout"}'
  const before = await metric(reason)
  await meanwhile(async () => {
    const clients = await Promise.all([
      registered('mallory', PASSWORD),
      ...Array.from({ length: 5 }, (_, index) => registered(`deaf${index}`)),
    ])
    for (const client of clients) client.deaf()
    // As many lines as may wait, each with a long answer.
    await Promise.all(clients.map((client) => client.write('MOTD\r\n'.repeat(2_000))))
    await untilMetric(reason, before + clients.length)
  })
})

test('a thousand wrong passwords are answered, cost little, and lock nobody out who is known here', async () => {
  await meanwhile(async () => {
    let tried = 0
    const guess = async (): Promise<void> => {
      while (tried < 1_000) {
        const number = ++tried
        const client = await newcomer()
        const account = number % 2 === 0 ? 'alice' : `nobody${number}`
        await client.write(`PASS ${account}:guess${number}\r\nNICK g\r\nUSER g 0 * :g\r\n`)
        await client.ended()
        expect(client.text).toMatch(/ 464 |Too many connections|Registration timed out/)
        client.close()
      }
    }
    await Promise.all(Array.from({ length: 20 }, guess))
    expect((await registered('mallory', PASSWORD)).text).toContain(' 001 mallory ')
  })
})

test('a thousand JOINs, MONITORs and CHATHISTORYs at once are answered, within limits', async () => {
  await meanwhile(async () => {
    const client = await HostileClient.connect(world.ports.irc)
    hostile.push(client)
    const caps = 'CAP REQ :draft/chathistory batch message-tags server-time\r\nCAP END\r\n'
    await client.write(`${caps}PASS mallory:${PASSWORD}\r\nNICK mallory\r\nUSER m 0 * :m\r\n`)
    await client.until(() => / 366 /.test(client.text))
    const lines = (line: (number: number) => string): string =>
      Array.from({ length: 1_000 }, (_, number) => `${line(number)}\r\n`).join('')
    for (const [index, line] of [
      (number: number) => `JOIN &c${number}`,
      (number: number) => `MONITOR + someone${number}`,
      () => 'CHATHISTORY LATEST bob * 100',
      () => 'WHO *',
    ].entries()) {
      await client.write(`${lines(line)}PRIVMSG mallory :done${index}\r\n`)
      await client.until(() => client.text.includes(`:done${index}`))
    }
    expect(client.closed).toBe(false)
    const names = await registered('mallory', PASSWORD)
    await names.write('PRIVMSG root :channel list\r\n')
    await names.until(() => names.text.includes('End of channel list'))
    expect(names.text.match(/ control channel \(joined\)/g)?.length).toBeLessThanOrEqual(51)
  })
})
