import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  configuredAccounts,
  configuredPeople,
  configuredUsers,
  secretKey,
  secretReader,
  friendPolicy,
  offlineAs,
  tellsPresence,
  timingOf,
} from '../../config/apply.ts'
import { checkConfig, findConfig, loadConfig } from '../../config/load.ts'
import { printable } from '../../config/print.ts'
import type { Config } from '../../config/schema.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const put = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const loaded = (text: string, env: Record<string, string> = {}): Config => {
  const result = checkConfig(text, { name: 'config.yaml', base: folder, env })
  if (result.kind === 'broken') throw new Error(result.problems.join('\n'))
  return result.config
}

test('a config is looked for on the command line, then in the environment, then in the folder', () => {
  expect(findConfig(undefined, {}, folder)).toBeUndefined()
  const usual = put('config.yaml', '')
  expect(findConfig(undefined, {}, folder)).toBe(usual)
  expect(findConfig(undefined, { MSN_BRIDGE_CONFIG: 'other.yaml' }, folder)).toBe(join(folder, 'other.yaml'))
  expect(findConfig('third.yaml', { MSN_BRIDGE_CONFIG: 'other.yaml' }, folder)).toBe(join(folder, 'third.yaml'))
})

test('without a config there are the MSN service, an account network on it and the gateway, with their data in the folder', () => {
  const result = loadConfig(undefined, {}, folder)
  expect(result).toMatchObject({
    kind: 'loaded',
    config: {
      data: join(folder, 'data'),
      admin: { listen: { host: '127.0.0.1', port: 8090 } },
      networks: [
        {
          id: 'home',
          type: 'msn-service',
          domain: 'home.example',
          listen: { host: '127.0.0.1', port: 1863 },
          passport: { listen: { host: '127.0.0.1', port: 1443 }, plain: false },
          challenge: 'off',
          limits: { contacts: 150, groups: 30, group_name_bytes: 61, message_bytes: 1664 },
        },
        {
          id: 'msn',
          type: 'msn',
          server: { host: '127.0.0.1', port: 1863 },
          passport: { nexus: 'https://127.0.0.1:1443/rdr/pprdr.asp' },
        },
        { id: 'irc', type: 'irc-gateway', listen: { host: '127.0.0.1', port: 6667 }, register: 'open' },
      ],
      accounts: [],
      links: [],
    },
  })
  expect(result).not.toHaveProperty('file')
})

test('a named file that is not there is a mistake, not a reason for defaults', () => {
  expect(loadConfig('absent.yaml', {}, folder)).toEqual({
    kind: 'broken',
    problems: ['absent.yaml: cannot be read (ENOENT): check the path and its permissions'],
  })
})

test('paths begin at the folder of the config', () => {
  mkdirSync(join(folder, 'etc'))
  put('etc/cert.pem', 'certificate')
  put('etc/key.pem', 'key')
  const file = put(
    'etc/bridge.yaml',
    'data: ../state\nnetworks:\n  - { id: home, type: msn-service, tls: { cert: cert.pem, key: key.pem } }\n',
  )
  expect(loadConfig('etc/bridge.yaml', {}, folder)).toMatchObject({
    kind: 'loaded',
    file,
    config: {
      data: join(folder, 'state'),
      networks: [{ tls: { cert: join(folder, 'etc/cert.pem'), key: join(folder, 'etc/key.pem') } }],
    },
  })
})

const withAccount = (password: string): string =>
  `networks: [{ id: retro, type: msn, server: "127.0.0.1:1863", passport: { login: "https://127.0.0.1/l" }, timing: { backoff_ms: [5], notice_after_ms: 7 } }]
people: [{ id: alice, name: Alice }]
accounts:
  - { id: relay, network: retro, person: alice, login: relay@home.example, password: ${password} }
  - { id: other, network: retro, login: other@home.example, password: ${password} }
`

test('a secret is read from the environment or a file, each time anew, and never printed', () => {
  const fromEnv = loaded(withAccount('{ env: SECRET }'), { SECRET: 'swordfish' })
  expect(configuredAccounts(fromEnv, { SECRET: 'swordfish' })[0]?.secret).toBe('swordfish')
  expect(JSON.stringify(printable(fromEnv))).not.toContain('swordfish')

  const file = put('secret.txt', 'first\n')
  const fromFile = loaded(withAccount('{ file: secret.txt }'))
  const [account] = configuredAccounts(fromFile, {})
  expect(account?.secret).toBe('first')
  writeFileSync(file, 'second')
  expect(account?.secret).toBe('second')
  expect(secretReader({})({ file })).toBe('second')
})

test('an account without a person stands alone', () => {
  const config = loaded(withAccount('{ env: SECRET }'), { SECRET: 'x' })
  const accounts = configuredAccounts(config, {})
  expect(accounts.map(({ id, person }) => [id, person])).toEqual([
    ['relay', 'alice'],
    ['other', 'other'],
  ])
  expect(configuredPeople(config, accounts)).toEqual([
    { id: 'alice', name: 'Alice' },
    { id: 'other', name: 'other' },
  ])
})

test('people are given users, as their networks write them, and what is no user is told', () => {
  const network = '{ id: retro, type: msn, server: "127.0.0.1:1863", passport: { login: "https://127.0.0.1/l" } }'
  const config = loaded(
    `networks: [${network}]\npeople: [{ id: al, users: [{ network: retro, user: Al@X }, { network: retro, user: al }] }]`,
  )
  const parseUser = (name: string) =>
    name.includes('@') ? (name.toLowerCase() as UserId) : { wrong: `${name} is none` }
  const retro = 'retro' as NetworkId
  expect(configuredUsers(config, new Map([[retro, { parseUser }]]))).toEqual({
    users: [{ user: { network: retro, user: 'al@x' }, person: 'al' }],
    problems: ['al: al is none'],
  })
  expect(configuredUsers(config, new Map())).toEqual({ users: [], problems: [] })
})

test('the key of stored passwords is read from where the config says, or is the own one of the bridge', () => {
  expect(secretKey(loaded('secrets: { key: { env: KEY } }', { KEY: 'sesame' }), { KEY: 'sesame' })?.()).toBe('sesame')
  expect(secretKey(loaded(''), {})).toBeUndefined()
})

test('times are given per network', () => {
  const config = loaded(withAccount('{ env: SECRET }'), { SECRET: 'x' })
  expect(timingOf(config, 'retro' as NetworkId)).toEqual({
    connectTimeoutMs: 60_000,
    backoff: { waits: [5], jitter: 0.2 },
    stableMs: 60_000,
    noticeAfterMs: 7,
  })
})

test('what people who live on a network want is asked of any type that has the keys for it', () => {
  const config = loaded(`networks:
  - { id: home, type: msn-service }
  - { id: hs, type: matrix, homeserver: "http://127.0.0.1:8008", domain: hs, friend_requests: ignore, offline_as: hidden }
  - { id: dark, type: matrix, homeserver: "http://127.0.0.1:8009", domain: dark, listen: "127.0.0.1:29399", presence: "off" }`)
  const gateway = { id: 'gw', type: 'gateway', friend_requests: 'accept', offline_as: 'hidden' }
  // A type that has no row in the table of types yet.
  const all = { ...config, networks: [...config.networks, gateway] } as unknown as Config
  const of = <Answer>(ask: (config: Config, network: NetworkId) => Answer): readonly Answer[] =>
    ['home', 'hs', 'dark', 'gw', 'none'].map((id) => ask(all, id as NetworkId))
  expect(of(friendPolicy)).toEqual(['ask', 'ignore', 'ask', 'accept', 'ask'])
  expect(of(offlineAs)).toEqual(['away', 'hidden', 'away', 'hidden', 'away'])
  expect(of(tellsPresence)).toEqual([false, true, false, true, false])
  expect(new Set([of(timingOf)[0], of(timingOf)[3]].map((timing) => timing?.connectTimeoutMs))).toEqual(
    new Set([60_000]),
  )
})

test('IPv6 addresses are understood and printed again', () => {
  const config = loaded('admin: { listen: "[::1]:8090" }')
  expect(config.admin.listen).toEqual({ host: '::1', port: 8090 })
  expect(printable(config)).toMatchObject({ admin: { listen: '[::1]:8090' } })
})

test('several listeners of a service may share a port, and port 0 is never taken', () => {
  const config = loaded(
    'admin: { listen: "127.0.0.1:0" }\nnetworks:\n  - { id: a, type: msn-service, listen: "127.0.0.1:1863", switchboard: { listen: "127.0.0.1:1863" }, passport: { listen: "127.0.0.1:0" } }',
  )
  expect(config.networks).toHaveLength(1)
})
