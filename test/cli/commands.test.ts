import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, makeFolder, removeFolder, type RunningDaemon, runCommand, startDaemon } from '../kit/daemon.ts'

const config = `data: ./state
admin: { listen: "127.0.0.1:0" }
networks:
  - { id: home, type: msn-service, domain: home.example, listen: "127.0.0.1:0", passport: { listen: "127.0.0.1:0", plain: true } }
people: [{ id: alice }]
`

let folder = ''
beforeAll(() => {
  folder = makeFolder()
  writeFileSync(join(folder, 'config.yaml'), config)
})
afterAll(() => removeFolder(folder))

const bridge = (args: string, stdin?: string, env: Record<string, string> = {}): Promise<Ended> =>
  runCommand(args.split(' '), { folder, env, ...(stdin === undefined ? {} : { stdin }) })

describe('without a daemon', () => {
  test('--help, --version and a command of its own answer with 0', async () => {
    expect(await bridge('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('account add ADDRESS') })
    expect(await bridge('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    expect(await bridge('account add --help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('< password.txt'),
    })
  })

  test('a mistake in the command line answers with 2 and one line', async () => {
    expect(await bridge('acount list')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'msn-bridge: there is no command acount; did you mean account?\n',
    })
  })

  test('a mistake in the config answers with 2 and its place', async () => {
    writeFileSync(join(folder, 'broken.yaml'), 'log: { level: loud }\n')
    expect(await bridge('run --config broken.yaml')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'broken.yaml:1:15 log.level: must be one of debug, info, warn, error, but is "loud"\n',
    })
    expect(await bridge('check-config', undefined, { MSN_BRIDGE_CONFIG: 'broken.yaml' })).toMatchObject({ code: 2 })
    expect(await bridge('account list --config absent.yaml')).toMatchObject({
      code: 2,
      stderr: 'absent.yaml: cannot be read (ENOENT): check the path and its permissions\n',
    })
  })

  test('a good config is called good, and printed with its defaults', async () => {
    expect(await bridge('check-config')).toMatchObject({
      code: 0,
      stdout: `${join(folder, 'config.yaml')}: all is well\n`,
    })
    const printed = await bridge('print-config')
    expect(printed.code).toBe(0)
    expect(parse(printed.stdout)).toMatchObject({
      data: join(folder, 'state'),
      networks: [{ id: 'home', listen: '127.0.0.1:0', limits: { contacts: 150 } }],
    })
  })

  test('accounts are kept in the data folder', async () => {
    expect(await bridge('account add alice@home.example', 'swordfish\n')).toEqual({
      code: 0,
      stdout: 'alice@home.example can sign in now.\n',
      stderr: '',
    })
    expect(await bridge('account add alice@home.example', 'again\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is an account alice@home.example already'),
    })
    expect(await bridge('account add bob@home.example', '')).toMatchObject({
      code: 1,
      stderr: 'msn-bridge: there is no password on standard input\n',
    })
    expect(await bridge('account list')).toMatchObject({ code: 0, stdout: 'alice@home.example\n' })
    expect(await bridge('account passwd Alice', 'other\n')).toMatchObject({
      code: 0,
      stdout: 'alice@home.example has a new password.\n',
    })
  })

  test('what is in the data folder is for its owner only', () => {
    expect(statSync(join(folder, 'state')).mode & 0o077).toBe(0)
    expect(statSync(join(folder, 'state/bridge.db')).mode & 0o077).toBe(0)
  })

  test('a person is linked with a user', async () => {
    expect(await bridge('link alice home alice@home.example')).toMatchObject({
      code: 0,
      stdout: 'alice@home.example on home is alice.\n',
    })
    expect(await bridge('unlink alice home alice@home.example')).toMatchObject({ code: 0 })
  })

  test('status and reconnect need a daemon, and say so', async () => {
    const none = { code: 1, stderr: `msn-bridge: no daemon runs on the data folder ${join(folder, 'state')}\n` }
    expect(await bridge('status')).toMatchObject(none)
    expect(await bridge('reconnect relay')).toMatchObject(none)
  })

  test('a data folder that cannot be one is told with its remedy', async () => {
    writeFileSync(join(folder, 'file'), '')
    writeFileSync(join(folder, 'bad-data.yaml'), config.replace('./state', './file'))
    const { code, stderr } = await bridge('run --config bad-data.yaml')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^msn-bridge: The data folder .*file is a file: move it away, or choose another folder\.\n$/)
  })
})

describe('with a daemon', () => {
  let daemon: RunningDaemon
  beforeAll(async () => {
    daemon = await startDaemon({ folder })
  })
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0)
  })

  test('it knows the accounts that were made before', async () => {
    expect(await bridge('account list')).toMatchObject({ code: 0, stdout: 'alice@home.example\n' })
  })

  test('accounts are added, changed and removed while it runs', async () => {
    expect(await bridge('account add bob', 'swordfish')).toMatchObject({ code: 0 })
    expect(await bridge('account passwd bob@home.example', 'other\n')).toMatchObject({
      code: 0,
      stdout: 'bob@home.example has a new password.\n',
    })
    expect(await bridge('account list --network home')).toMatchObject({
      stdout: 'alice@home.example\nbob@home.example\n',
    })
    expect(await bridge('account remove bob@home.example')).toMatchObject({ code: 0 })
    expect(await bridge('account remove bob@home.example')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no account bob@home.example'),
    })
  })

  test('status is that of the daemon', async () => {
    const { code, stdout } = await bridge('status')
    expect(code).toBe(0)
    expect(stdout).toContain('home (msn-service): running')
    const page = await fetch(`${daemon.admin}/status`)
    expect(await page.json()).toMatchObject({ ready: true, networks: [{ id: 'home', state: 'running' }] })
    expect((await fetch(`${daemon.admin}/readyz`)).status).toBe(200)
    expect((await fetch(`${daemon.admin}/metrics`)).status).toBe(200)
  })

  test('a backup is a database that opens, and no file is overwritten', async () => {
    expect(await bridge('backup copy.db')).toMatchObject({ code: 0 })
    expect(readFileSync(join(folder, 'copy.db')).subarray(0, 15).toString('latin1')).toBe('SQLite format 3')
    expect(await bridge('backup copy.db')).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') })
  })

  test('a second daemon on the same data folder is refused', async () => {
    const { code, stderr } = await bridge('run')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^msn-bridge: The data folder .* is in use by another msn-bridge \\(process ${daemon.pid} `),
    )
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('no password is in the log', () => {
    expect(daemon.log.length).toBeGreaterThan(0)
    expect(JSON.stringify(daemon.log)).not.toMatch(/swordfish|"other"/)
  })
})
