/** What goes wrong around a daemon: one clear line, nothing lost, and it recovers by itself. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { makeFolder, removeFolder, runCommand, startDaemon, type RunningDaemon } from '../kit/daemon.ts'
import { address, World } from '../kit/world.ts'

const conversations = describe.skipIf(missing('inspircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
/** Sets what a running process may write, without being root: nothing, as on a full disk, or everything again. */
const limitWrites = (pid: number, bytes: '0' | 'unlimited'): void => {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
}

conversations('with people in conversation', () => {
  let world: World | undefined
  afterEach(async () => {
    await world?.stop()
    world = undefined
  })

  const conversation = async () => {
    world = await World.start({ links: [CONTACT] })
    const bob = await world.messenger('bob')
    const amy = await world.irc('amy', '#bob')
    const room = await bob.call(address('relay'))
    await room.acked(room.text('before'))
    const heard = (text: string): boolean => amy.said('msnbridge', '#bob').some((line) => line.endsWith(` ${text}`))
    await amy.until(() => heard('before'))
    return { world, amy, room, heard, pid: world.daemon.pid }
  }

  test('while the disk is full nothing is acknowledged or lost, it is said once, and ends by itself', async () => {
    const { world, amy, room, heard, pid } = await conversation()
    limitWrites(pid, '0')
    const waiting = [room.text('one'), room.text('two'), room.text('three')]
    for (const text of ['four', 'five']) amy.say('#bob', text)
    await world.daemon.waitFor(({ msg }) => msg === 'the store is unavailable')
    await world.daemon.waitFor(({ msg }) => msg === 'an IRC message cannot be stored, will try again')
    const ready = await fetch(`${world.daemon.admin}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('nothing is acknowledged')])
    expect(await world.command('backup', 'full.db')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^msn-bridge: The backup .*full\.db cannot be written .*\n$/),
    })
    const answered = new Set(
      room.wire.received.filter(({ line }) => /^(ACK|NAK) /.test(line)).map(({ words }) => words[1]),
    )
    expect(waiting.filter((trid) => answered.has(String(trid)))).toEqual([])
    expect(world.daemon.log.filter(({ msg }) => msg === 'the store is unavailable')).toHaveLength(1)

    limitWrites(pid, 'unlimited')
    await world.daemon.waitFor(({ msg }) => msg === 'the store is available again')
    for (const trid of waiting) await room.acked(trid)
    await amy.until(() => heard('three'))
    expect(amy.said('msnbridge', '#bob').map((line) => line.split(' ').at(-1))).toEqual([
      'before',
      'one',
      'two',
      'three',
    ])
    expect([(await room.heard()).text, (await room.heard()).text]).toEqual([
      expect.stringContaining('four'),
      expect.stringContaining('five'),
    ])
    expect((await fetch(`${world.daemon.admin}/readyz`)).status).toBe(200)
  }, 60_000)

  test('a backup while messages flow opens, is whole, and holds what was there', async () => {
    const { world, amy, room, heard } = await conversation()
    mkdirSync(join(world.folder, 'backups'))
    const sent: number[] = []
    const backups = Promise.all([world.command('backup', 'backups/one.db'), world.command('backup', 'two.db')])
    for (let count = 1; count <= 200; count++) sent.push(room.text(`number ${count}`))
    for (const answer of await backups) expect(answer).toMatchObject({ code: 0, stderr: '' })
    for (const trid of sent) await room.acked(trid)
    await amy.until(() => heard('number 200'))
    for (const name of ['backups/one.db', 'two.db']) {
      const copy = new Database(join(world.folder, name), { readonly: true, fileMustExist: true })
      expect(copy.pragma('integrity_check', { simple: true })).toBe('ok')
      const kept = copy.prepare("SELECT count(*) AS kept FROM adapter_state WHERE key LIKE 'account/%'").get()
      expect(kept).toEqual({ kept: 2 })
      copy.close()
    }
    expect(await world.command('backup', 'two.db')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/two\.db exists already: name a file that does not\.\n$/),
    })
    expect(await world.command('backup', 'nowhere/three.db')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nowhere\/three\.db cannot be written .*check that its folder exists/),
    })
  }, 60_000)
})

describe('at the start', () => {
  let folder = ''
  const running: RunningDaemon[] = []
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(async () => {
    for (const daemon of running.splice(0)) await daemon.kill()
    removeFolder(folder)
  })

  const service = (more = ''): string =>
    `admin: { listen: "127.0.0.1:0" }\nnetworks:\n  - { id: home, type: msn-service, listen: "127.0.0.1:0", passport: { listen: "127.0.0.1:0" }${more} }\n`

  const start = async (config: string): Promise<RunningDaemon> => {
    const daemon = await startDaemon({ config, folder })
    running.push(daemon)
    return daemon
  }

  test('a second daemon on the same data folder ends with one line, and the first goes on', async () => {
    const first = await start(service())
    const second = await runCommand(['run'], { folder })
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toMatch(
      new RegExp(`^msn-bridge: The data folder .* is in use by another msn-bridge \\(process ${first.pid} [^\\n]*\\n$`),
    )
    expect((await fetch(`${first.admin}/readyz`)).status).toBe(200)
    expect(await first.stop()).toBe(0)
  })

  test('what is no database is left alone, with one line that names the remedy', async () => {
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data', 'bridge.db'), 'these are my recipes')
    writeFileSync(join(folder, 'config.yaml'), service())
    expect(await runCommand(['run'], { folder })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^msn-bridge: The database .* cannot be opened .*put a backup in its place\.\n$/),
    })
  })

  test('a database that takes no writes ends it with one line and no stack', async () => {
    const first = await start(service())
    await first.stop()
    const stranger = new Database(join(folder, 'data', 'bridge.db'))
    stranger.exec('BEGIN IMMEDIATE')
    const { code, stdout, stderr } = await runCommand(['run'], { folder })
    stranger.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^msn-bridge: the data folder [^\n]* takes no writes: check that it is writable and has space\n$/,
    )
    expect(stdout).not.toContain('a bug')
  })

  test('a certificate without its key is told with the place in the config', async () => {
    writeFileSync(join(folder, 'cert.pem'), 'cert')
    writeFileSync(join(folder, 'config.yaml'), service(', tls: { cert: cert.pem, key: lost.pem }'))
    const { code, stderr } = await runCommand(['run'], { folder })
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^config\.yaml:3:\d+ networks\.0\.tls\.key: .*lost\.pem cannot be read \(ENOENT\): check the path and its permissions\n$/,
    )
  })

  test('a certificate that was made and lost is made again', async () => {
    const first = await start(service())
    await first.stop()
    for (const name of readdirSync(join(folder, 'data')).filter((each) => each.endsWith('.crt')))
      rmSync(join(folder, 'data', name))
    const second = await start(service())
    expect(readdirSync(join(folder, 'data')).filter((each) => each.endsWith('.crt'))).toHaveLength(1)
    expect(await second.stop()).toBe(0)
  })
})
