import { expect, test } from 'vitest'
import { chooseService, serve, type Served } from '../../cli/served.ts'
import { checkConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import type { PersonId, UserId, UserRef } from '../../bridge/model/ids.ts'

const configOf = (text: string): Config => {
  const loaded = checkConfig(text, { name: 'config.yaml', base: '/nowhere', env: {} })
  if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
  return loaded.config
}

const two = configOf(
  `networks:
  - { id: home, type: msn-service }
  - { id: work, type: msn-service, domain: work.example, listen: "127.0.0.1:0", passport: { listen: "127.0.0.1:0" } }`,
)

test.each([
  [undefined, 'bob@work.example', { id: 'work' }],
  [undefined, 'bob@HOME.example', { id: 'home' }],
  ['home', 'bob@elsewhere.example', { id: 'home' }],
  [undefined, 'bob@elsewhere.example', { wrong: 'which service? Say --network and one of home, work' }],
  ['hoem', 'bob@work.example', { wrong: 'hoem is no service of this config; there is home, work' }],
])('with --network %s the service of %s is chosen', (named, address, expected) => {
  expect(chooseService(two, named, address)).toEqual(expected)
})

test('without a service there are no accounts to keep', () => {
  const none = configOf('networks: [{ id: libera, type: irc, server: "127.0.0.1:6667", tls: false }]')
  expect(chooseService(none, undefined, 'bob@home.example')).toEqual({
    wrong: 'this config has no network of type msn-service, which keeps accounts',
  })
})

const rig = () => {
  const linked: string[] = []
  const served: Served = {
    config: configOf('networks: [{ id: libera, type: irc, server: "127.0.0.1:6667", tls: false }]'),
    accounts: () => undefined,
    adapters: new Map([
      [
        'libera' as never,
        { parseUser: (name: string) => (name.includes(' ') ? { wrong: `${name} is no nick` } : (name as UserId)) },
      ],
    ]),
    identity: {
      people: () => [{ id: 'alice' as PersonId, name: 'Alice' }],
      personOf: ({ user }: UserRef) => (linked.includes(`alice ${user}`) ? ('alice' as PersonId) : undefined),
      link: async ({ user }: UserRef, person: PersonId) => void linked.push(`${person} ${user}`),
      unlink: async ({ user }: UserRef) => void linked.splice(linked.indexOf(`alice ${user}`), 1),
    },
    backup: async () => undefined,
  }
  const ask = (command: string, ...words: readonly string[]) => {
    const [PERSON = '', NETWORK = '', USER = ''] = words
    return serve({ command, args: { PERSON, NETWORK, USER } }, served)
  }
  return { ask, linked }
}

test('a person is linked with a user and unlinked again', async () => {
  const { ask, linked } = rig()
  expect(await ask('link', 'alice', 'libera', 'al')).toEqual({ kind: 'done', lines: ['al on libera is alice.'] })
  expect(linked).toEqual(['alice al'])
  expect(await ask('unlink', 'alice', 'libera', 'al')).toEqual({
    kind: 'done',
    lines: ['al on libera is not alice any more.'],
  })
  expect(linked).toEqual([])
})

test.each([
  [['link', 'alcie', 'libera', 'al'], 'alcie is no person of this config; there is alice'],
  [['link', 'alice', 'freenode', 'al'], 'freenode is no network of this config; there is libera'],
  [['link', 'alice', 'libera', 'a l'], 'a l is no nick'],
  [['unlink', 'alice', 'libera', 'al'], 'al on libera is not linked with alice'],
  [['dance'], 'the daemon knows no command dance: is it older than this command line?'],
  [['status'], 'no daemon runs on the data folder /nowhere/data'],
])('%j fails with its reason', async ([command = '', ...words], wrong) => {
  expect(await rig().ask(command, ...words)).toEqual({ kind: 'failed', wrong })
})
