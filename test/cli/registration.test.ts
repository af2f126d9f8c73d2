import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { main } from '../../cli/main.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-registration-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const matrix = (id: string, more = ''): string =>
  `{ id: ${id}, type: matrix, homeserver: "http://127.0.0.1:8008", domain: example.org${more} }`

const run = async (networks: readonly string[], ...words: readonly string[]) => {
  writeFileSync(join(folder, 'config.yaml'), `networks:\n${networks.map((each) => `  - ${each}\n`).join('')}`)
  let stdout = ''
  let stderr = ''
  const code = await main(['registration', ...words], {
    env: {},
    folder,
    stdin: process.stdin,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  })
  return { code, stdout, stderr }
}

test('the file is written into the data folder, and the next step is said', async () => {
  const file = join(folder, 'data', 'hs-registration.yaml')
  expect(await run([matrix('hs')])).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      `Wrote ${file}. It holds secrets: keep it to yourself and the homeserver.`,
      'Next, let the homeserver read it. For Synapse, in homeserver.yaml:',
      '  app_service_config_files:',
      `    - ${file}`,
      'Then restart the homeserver. If it runs as a user of its own, copy the file to where it may read it.',
      '',
    ].join('\n'),
  })
  const text = readFileSync(file, 'utf8')
  expect((await run([matrix('hs')])).stdout).toContain(`${file} is as it should be.`)
  expect(readFileSync(file, 'utf8')).toBe(text)
})

test('a path of the config begins at the folder of the config', async () => {
  expect(await run([matrix('hs', ', registration: synapse/msn.yaml')])).toMatchObject({ code: 0 })
  expect(readFileSync(join(folder, 'synapse/msn.yaml'), 'utf8')).toContain('sender_localpart: msnbot')
})

test('each homeserver has its own, and one can be named', async () => {
  const two = [matrix('one'), matrix('two', ', listen: 127.0.0.1:29444')]
  const named = await run(two, '--network', 'two')
  expect(named.stdout).toContain('two-registration.yaml. It holds secrets')
  expect(named.stdout).not.toContain('one-registration.yaml')
  const { stdout } = await run(two)
  expect(stdout).toContain('one-registration.yaml. It holds secrets')
  expect(stdout).toContain('two-registration.yaml is as it should be')
})

test.each([
  [['{ id: home, type: msn-service }'], [], 'this config has no network of type matrix: add one first'],
  [[matrix('hs')], ['--network', 'hx'], 'hx is no network of type matrix; there is hs'],
])('%j with %j is refused', async (networks, words, wrong) => {
  expect(await run(networks, ...words)).toEqual({ code: 1, stdout: '', stderr: `msn-bridge: ${wrong}\n` })
})

test('a broken file is left alone', async () => {
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'hs-registration.yaml'), 'id: something\n')
  expect(await run([matrix('hs')])).toMatchObject({ code: 1, stderr: expect.stringContaining('is no registration') })
})
