import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { type MatrixConfig, matrixConfig } from '../../../adapters/matrix/config.ts'
import { registrationOf } from '../../../adapters/matrix/registration-shape.ts'
import { loadRegistration, writeRegistration } from '../../../adapters/matrix/registration.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'

const NETWORK = 'hs' as NetworkId
const TOKENS = { as_token: 'a'.repeat(64), hs_token: 'b'.repeat(64) }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-registration-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const configOf = (more: object = {}): MatrixConfig =>
  matrixConfig.parse({
    id: 'hs',
    type: 'matrix',
    homeserver: 'http://127.0.0.1:8008',
    domain: 'my.example.org',
    ...more,
  })

const file = (): string => join(folder, 'hs-registration.yaml')
const written = (): Record<string, unknown> => parse(readFileSync(file(), 'utf8')) as Record<string, unknown>
const write = (more: object = {}, at = folder) => writeRegistration(configOf(more), NETWORK, at)

test('a new file has all that a homeserver needs, and only its owner can read it', async () => {
  const answer = await write()
  expect(answer).toMatchObject({ kind: 'done' })
  expect(answer.kind === 'done' && answer.lines.join('\n')).toContain(`    - ${file()}`)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(written()).toEqual({
    id: 'msn-bridge-hs',
    url: 'http://127.0.0.1:29333',
    as_token: expect.stringMatching(/^[0-9a-f]{64}$/),
    hs_token: expect.stringMatching(/^[0-9a-f]{64}$/),
    sender_localpart: 'msnbot',
    namespaces: { users: [{ exclusive: true, regex: '@msn_.+:my\\.example\\.org' }], aliases: [], rooms: [] },
    rate_limited: false,
    protocols: ['msn'],
    receive_ephemeral: true,
    'de.sorunome.msc2409.push_ephemeral': true,
    'io.element.msc4190': true,
  })
  expect(written()['as_token']).not.toBe(written()['hs_token'])
})

test('written again, it stays as it is', async () => {
  await write()
  const before = readFileSync(file(), 'utf8')
  expect(await write()).toMatchObject({
    kind: 'done',
    lines: expect.arrayContaining([`${file()} is as it should be.`]),
  })
  expect(readFileSync(file(), 'utf8')).toBe(before)
})

test('after a change of the config it is written anew with the same tokens, and that is said', async () => {
  await write()
  const { as_token, hs_token } = written()
  const answer = await write({ url: 'https://bridge.example.org/', ghosts: { prefix: 'retro.' } })
  expect(answer.kind === 'done' && answer.lines[0]).toBe(
    `Wrote ${file()} anew, since the config has changed; its tokens are the same.`,
  )
  expect(written()).toMatchObject({
    as_token,
    hs_token,
    url: 'https://bridge.example.org',
    namespaces: { users: [{ exclusive: true, regex: '@retro\\..+:my\\.example\\.org' }] },
  })
  expect(existsSync(`${file()}.new`)).toBe(false)
})

test('a file without tokens is never overwritten', async () => {
  writeFileSync(file(), 'as_token: only-this-one\n')
  expect(await write()).toEqual({
    kind: 'refused',
    wrong:
      `${file()} is no registration: it lacks as_token or hs_token; restore it, ` +
      'or delete it, run msn-bridge registration and restart the homeserver',
  })
  expect(readFileSync(file(), 'utf8')).toBe('as_token: only-this-one\n')
})

test('where it cannot be written, that is said', async () => {
  writeFileSync(join(folder, 'occupied'), '')
  const answer = await write({}, join(folder, 'occupied'))
  expect(answer).toMatchObject({ kind: 'refused', wrong: expect.stringContaining('hs-registration.yaml cannot be') })
})

test.each([
  ['msn_', 'example.org', '@msn_bob=40x.y:example.org', true],
  ['msn_', 'example.org', '@msn_bob=40x.y:exampleXorg', false],
  ['msn.', 'example.org', '@msn_bob=40x.y:example.org', false],
  ['msn+', '[::1]:8448', '@msn+bob:[::1]:8448', true],
  ['msn_', 'example.org', '@msn_:example.org', false],
  ['msn_', 'example.org', '@alice:example.org', false],
])('of users with %s at %s, %s is ours: %s', (prefix, domain, user, ours) => {
  const { namespaces } = registrationOf(configOf({ domain, ghosts: { prefix } }), NETWORK, TOKENS)
  expect(new RegExp(`^(?:${namespaces.users[0]?.regex ?? ''})$`).test(user)).toBe(ours)
})

test('the address of a listener on IPv6 is a URL', () => {
  expect(registrationOf(configOf({ listen: '[::1]:29333' }), NETWORK, TOKENS).url).toBe('http://[::1]:29333')
})

test('the daemon is told what to do when the file is missing', () => {
  expect(() => loadRegistration(configOf(), NETWORK, folder)).toThrow(
    `${file()} is missing: run msn-bridge registration, add the file to the homeserver and restart the homeserver`,
  )
})

test('the daemon reads its tokens from the file, wherever the config puts it', async () => {
  const elsewhere = join(folder, 'sub', 'r.yaml')
  await write({ registration: elsewhere })
  const loaded = loadRegistration(configOf({ registration: elsewhere }), NETWORK, folder)
  expect(loaded).toMatchObject({ file: elsewhere, outdated: [] })
  expect(loaded.registration).toEqual(parse(readFileSync(elsewhere, 'utf8')))
})

test('what the config has changed since is named', async () => {
  await write()
  expect(loadRegistration(configOf({ url: 'http://bridge:1' }), NETWORK, folder).outdated).toEqual(['url'])
  writeFileSync(file(), stringify({ ...written(), namespaces: {} }))
  expect(loadRegistration(configOf(), NETWORK, folder).outdated).toEqual(['namespaces'])
})

test('a file that is no YAML is told, without what stands in it', () => {
  writeFileSync(file(), 'as_token: "secret-token\n  hs_token: [')
  expect(() => loadRegistration(configOf(), NETWORK, folder)).toThrow(`${file()} is no registration`)
  expect(() => loadRegistration(configOf(), NETWORK, folder)).not.toThrow(/secret-token/)
})
