/**
 * The contact list of one account from three places: the bot on Matrix, root on the gateway, and a classic Messenger that
 * is signed in with the same account. What is done in one is seen in the other two, with nothing restarted.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../kit/daemon.ts'
import { CONTROL, registered } from '../kit/gateway-world.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import type { IrcClient } from '../kit/irc-client.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, type Resident } from '../kit/matrix-world.ts'
import type { Messenger, Received } from '../kit/messenger.ts'
import { address } from '../kit/world.ts'

const PLACES = ['matrix', 'gateway', 'messenger'] as const
type Place = (typeof PLACES)[number]

const DEADLINE_MS = 10_000
const ALICE = address('alice')

const PEOPLE = `
people:
  - id: alice
    users: [ { network: matrix, user: "@alice:localhost" }, { network: gate, user: alice } ]
accounts:
  - { id: alices, network: retro, person: alice, login: ${ALICE}, password: { file: ./password } }
`

let world: MatrixWorld
let resident: Resident
let irc: IrcClient
let messenger: Messenger
/** Ids of groups as the Messenger knows them. */
const groups = new Map<string, string>()

/** Says a line to the bot, and gives its whole answer. */
const askBot = async (line: string): Promise<string> => bodyOf(await world.ask(resident, line))

/** Says a line to root; what it says of somebody unknown stands for the end of the answer. */
let asked = 0
const askRoot = async (line: string): Promise<string> => {
  const end = `end${++asked}`
  irc.say(CONTROL, line)
  irc.say(CONTROL, `info ${end}@example.com`)
  const lines: string[] = []
  for (;;) {
    const next = await irc.next(/^:root!\S+ PRIVMSG /)
    const text = next.slice(next.indexOf(' :') + 2)
    if (text.includes(end)) return lines.join('\n')
    lines.push(text)
  }
}

/** Asked again until it is so. */
const shows = async (ask: () => Promise<string>, fits: RegExp | string): Promise<void> => {
  const holds = (answer: string): boolean => (typeof fits === 'string' ? answer.includes(fits) : fits.test(answer))
  const until = Date.now() + DEADLINE_MS
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return
    if (Date.now() > until) throw new Error(`${String(fits)} is not in: ${answer}`)
  }
}

/** The Messenger is told unasked, with transaction id 0. */
const told = (...words: readonly (string | RegExp)[]): Promise<Received> =>
  messenger.ns.next(
    ({ words: heard }) =>
      heard[1] === '0' &&
      words.every((word) => (typeof word === 'string' ? heard.includes(word) : heard.some((each) => word.test(each)))),
  )

const done = async (...line: readonly [string, ...string[]]): Promise<Received> => {
  const [verb, ...params] = line
  const answer = await messenger.ask(verb, ...params)
  expect(answer.words[0]).toBe(verb)
  return answer
}

const confirmed = async (line: string): Promise<void> => {
  await askBot(line)
  await askBot('yes')
}

interface Operation {
  readonly name: string
  /** How it is done in each place. */
  readonly from: Readonly<Record<Place, () => Promise<unknown>>>
  /** What is seen of it there when it was done elsewhere. */
  readonly seen: Readonly<Record<Place, () => Promise<unknown>>>
}

const contact = (place: Place): string => address(`${place}-friend`)
const stranger = (place: Place): string => address(`${place}-stranger`)

const privacy = (place: Place, who: 'contacts' | 'everyone', code: 'BL' | 'AL'): Operation => ({
  name: `privacy: ${who} (${place})`,
  from: {
    matrix: () => askBot(`set-privacy ${who}`),
    gateway: () => askRoot(`account 0 set privacy ${who}`),
    messenger: () => done('BLP', code),
  },
  seen: {
    matrix: () => shows(() => askBot('profile'), who === 'contacts' ? 'only those whom' : 'everyone whom'),
    gateway: () => shows(() => askRoot('account 0 set privacy'), who),
    messenger: () => told('BLP', code),
  },
})

/** In the order in which they are done, so that each finds what it needs. */
const operations = (place: Place): readonly Operation[] => {
  const who = contact(place)
  const other = stranger(place)
  const old = `Old-${place}`
  const now = `New-${place}`
  const own = `Alice-from-${place}`
  const inGroup = (name: string): Operation['seen'] => ({
    matrix: () => shows(() => askBot('list-groups'), new RegExp(`^${name} \\(1\\): .*${who}`, 'm')),
    gateway: () => shows(() => askRoot(`group info ${name}`), `${place}-friend`),
    messenger: () => told('ADD', 'FL', who, groups.get(name) ?? 'unknown'),
  })
  return [
    {
      name: 'a group is made',
      from: {
        matrix: () => askBot(`add-group ${old}`),
        gateway: () => askRoot(`group add ${old}`),
        messenger: async () => groups.set(old, (await done('ADG', old, '0')).words[4]!),
      },
      seen: {
        matrix: () => shows(() => askBot('list-groups'), old),
        gateway: () => shows(() => askRoot('group list'), old),
        messenger: async () => groups.set(old, (await told('ADG', old)).words[4]!),
      },
    },
    {
      name: 'a group is renamed',
      from: {
        matrix: () => askBot(`rename-group "${old}" "${now}"`),
        gateway: () => askRoot(`group rename ${old} ${now}`),
        messenger: () => done('REG', groups.get(old)!, now, '0'),
      },
      seen: {
        matrix: () => shows(() => askBot('list-groups'), now),
        gateway: () => shows(() => askRoot('group list'), now),
        messenger: () => told('REG', groups.get(old)!, now),
      },
    },
    {
      name: 'somebody is added',
      from: {
        matrix: () => askBot(`add ${who}`),
        gateway: () => askRoot(`add alices ${who}`),
        messenger: () => messenger.add(who),
      },
      seen: {
        matrix: () => shows(() => askBot('contacts'), who),
        gateway: () => shows(() => askRoot('blist all'), who),
        messenger: async () => {
          await told('ADD', 'FL', who)
          await told('ADD', 'AL', who)
        },
      },
    },
    {
      name: 'somebody is moved into a group',
      from: {
        matrix: () => askBot(`move ${who} ${now}`),
        gateway: () => askRoot(`group move ${who} ${now}`),
        messenger: async () => {
          await done('ADD', 'FL', who, who, groups.get(old)!)
          await done('REM', 'FL', who, '0')
        },
      },
      seen: (() => {
        groups.set(now, groups.get(old) ?? '')
        return {
          ...inGroup(now),
          messenger: async () => {
            await told('ADD', 'FL', who, groups.get(old)!)
            await told('REM', 'FL', who, '0')
          },
        }
      })(),
    },
    {
      name: 'somebody is blocked',
      from: {
        matrix: () => askBot(`block ${who}`),
        gateway: () => askRoot(`block ${who}`),
        messenger: async () => {
          await done('REM', 'AL', who)
          await done('ADD', 'BL', who, who)
        },
      },
      seen: {
        matrix: () => shows(() => askBot('profile'), new RegExp(`Blocked: .*${who}`)),
        gateway: () => shows(() => askRoot('block'), who),
        messenger: () => told('ADD', 'BL', who),
      },
    },
    {
      name: 'somebody is allowed again',
      from: {
        matrix: () => askBot(`allow ${who}`),
        gateway: () => askRoot(`allow ${who}`),
        messenger: async () => {
          await done('REM', 'BL', who)
          await done('ADD', 'AL', who, who)
        },
      },
      seen: {
        matrix: () => shows(() => askBot('profile'), /^(?!.*Blocked:)/s),
        gateway: () => shows(() => askRoot('allow'), who),
        messenger: async () => {
          await told('REM', 'BL', who)
          await told('ADD', 'AL', who)
        },
      },
    },
    {
      name: 'somebody who wants to be a contact is let in',
      from: {
        matrix: async () => {
          await shows(() => askBot('requests'), other)
          await askBot(`accept ${other}`)
        },
        gateway: async () => {
          await shows(() => askRoot('qlist'), other)
          const list = await askRoot('qlist')
          const number = new RegExp(`^(\\d+), .*${other}`, 'm').exec(list)?.[1]
          await askRoot(`yes ${number ?? 'none'}`)
        },
        messenger: async () => {
          await told('ADD', 'RL', other)
          await messenger.add(other)
        },
      },
      seen: {
        matrix: () => shows(() => askBot('contacts'), other),
        gateway: () => shows(() => askRoot('blist all'), other),
        messenger: () => told('ADD', 'FL', other),
      },
    },
    privacy(place, 'contacts', 'BL'),
    privacy(place, 'everyone', 'AL'),
    {
      name: 'the own name is changed',
      from: {
        matrix: () => askBot(`set-name ${own}`),
        gateway: () => askRoot(`account 0 set display_name ${own}`),
        messenger: () => done('REA', ALICE, own),
      },
      seen: {
        matrix: () => shows(() => askBot('profile'), `Name: ${own}`),
        gateway: () => shows(() => askRoot('account 0 set display_name'), own),
        messenger: () => told('REA', ALICE, own),
      },
    },
    {
      name: 'somebody is moved out of all groups',
      from: {
        matrix: () => askBot(`move ${who}`),
        gateway: () => askRoot(`group move ${who}`),
        messenger: async () => {
          await done('ADD', 'FL', who, who, '0')
          await done('REM', 'FL', who, groups.get(old)!)
        },
      },
      seen: {
        matrix: () => shows(() => askBot('list-groups'), new RegExp(`^${now} \\(0\\)$`, 'm')),
        gateway: () => shows(() => askRoot(`group info ${now}`), /^End of member list$/),
        messenger: () => told('REM', 'FL', who, groups.get(old)!),
      },
    },
    {
      name: 'a group is deleted',
      from: {
        matrix: () => confirmed(`delete-group ${now}`),
        gateway: () => askRoot(`group del ${now}`),
        messenger: () => done('RMG', groups.get(old)!),
      },
      seen: {
        matrix: () => shows(() => askBot('list-groups'), new RegExp(`^(?!.*${now})`, 's')),
        gateway: () => shows(() => askRoot('group list'), new RegExp(`^(?!.*${now})`, 's')),
        messenger: () => told('RMG', groups.get(old)!),
      },
    },
    {
      name: 'somebody is removed',
      from: {
        matrix: () => confirmed(`remove ${who}`),
        gateway: () => askRoot(`remove ${who}`),
        messenger: () => done('REM', 'FL', who),
      },
      seen: {
        matrix: () => shows(() => askBot('contacts'), new RegExp(`^(?!.*${who})`, 's')),
        gateway: () => shows(() => askRoot('blist all'), new RegExp(`^(?!.*${who})`, 's')),
        messenger: () => told('REM', 'FL', who),
      },
    },
  ]
}

beforeAll(async () => {
  const port = await freePort()
  const people = PLACES.flatMap((place) => [`${place}-friend`, `${place}-stranger`])
  const networks = `  - { id: gate, type: irc-gateway, listen: 127.0.0.1:${port} }\n`
  world = await MatrixWorld.start({ start: (options) => FakeHomeserver.start(options), people, networks, more: PEOPLE })
  await world.online('alices')
  resident = await world.guest('alice')
  irc = await registered(port, 'alice')
  messenger = await world.messenger('alice', [])
  for (const place of PLACES) await world.messenger(`${place}-stranger`, ['alice'])
}, 60_000)

afterAll(async () => {
  irc.close()
  await world.stop()
})

describe.each(PLACES)('from %s', (place) => {
  const others = PLACES.filter((other) => other !== place)
  test.each(operations(place).map((operation) => [operation.name, operation] as const))(
    '%s, and it is seen in the other two',
    async (_, { from, seen }) => {
      await from[place]()
      for (const other of others) await seen[other]()
    },
    30_000,
  )
})

test('a personal message is set from where there is one, and seen in the other', async () => {
  await askBot('set-message on holiday')
  await shows(() => askRoot('account 0 set status'), 'on holiday')
  await askRoot('account 0 set status back again')
  await shows(() => askBot('profile'), 'Personal message: back again')
})

test('nobody was signed out for it', async () => {
  expect(messenger.ns.ended).toBe(false)
  expect(await askBot('ping')).toMatch(/alices: connected/)
})
