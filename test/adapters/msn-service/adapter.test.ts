import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { passportTicket } from '../../kit/messenger.ts'
import { SessionFault, type Account } from '../../../bridge/adapter.ts'
import type { UserId } from '../../../bridge/model/ids.ts'
import { makeCertificate, MsnClient, type MsnClientOptions } from '../../../msnp/index.ts'
import { GatewayGuest } from '../../kit/gateway-guest.ts'
import { hostContract } from '../../kit/adapter-contract.ts'
import { Rig } from './rig.ts'

const rigs: Rig[] = []
const newRig = (): Rig => {
  const rig = new Rig()
  rigs.push(rig)
  return rig
}

afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.end()))
})

const online = async (rig: Rig): Promise<readonly string[]> =>
  (await rig.accounts.list()).filter((row) => row.online).map((row) => row.address)

hostContract('msn-service', async () => {
  const rig = new Rig()
  const adapter = await rig.start()
  const account = {
    id: 'a',
    network: 'home',
    person: 'p',
    login: 'alice@home.example',
    secret: '',
  } as unknown as Account
  return { adapter, session: adapter.session(account), end: () => rig.end() }
})

describe('the people of the service', () => {
  it('are seen by the bridge as by each other, each change of them, and no more when they hide or go', async () => {
    const rig = newRig()
    const { appearances } = await rig.start()
    const seen: unknown[] = []
    const stop = appearances.watch((one) => seen.push(one))
    await rig.accounts.add('alice', 'secret')
    const alice = 'alice@home.example' as UserId
    const messenger = await rig.signIn('alice', 'secret', { dialect: 'MSNP12', status: 'HDN' })
    expect([seen, appearances.of(alice)]).toEqual([[], undefined])
    messenger.ns.send('CHG 7 AWY 268435456 %3Cmsnobj%20Creator%3D%22alice%22%2F%3E')
    messenger.ns.send('UUX 8', '<Data><PSM>a &amp; b</PSM><CurrentMedia></CurrentMedia></Data>')
    await messenger.ns.next('UUX 8 0')
    const shown = {
      email: alice,
      name: alice,
      status: 'AWY',
      clientId: '268435456',
      object: '<msnobj Creator="alice"/>',
    }
    expect(seen).toMatchObject([
      { ...shown, personal: { text: '' } },
      { ...shown, personal: { text: 'a & b' } },
    ])
    expect(appearances.of(alice)).toEqual(seen[1])
    stop()
    messenger.ns.send('OUT')
    await messenger.ns.end()
    await vi.waitFor(() => expect(appearances.of(alice)).toBeUndefined())
    expect(seen).toHaveLength(2)
    const logged = JSON.stringify(rig.log)
    expect(logged).toContain('signed in')
    expect(logged).not.toMatch(/a & b|msnobj/)
  })

  it('keep their personal message over a restart of the service', async () => {
    const rig = newRig()
    await rig.start()
    await rig.accounts.add('alice', 'secret')
    const first = await rig.signIn('alice', 'secret', { dialect: 'MSNP11' })
    first.ns.send('UUX 8', '<Data><PSM>still me</PSM></Data>')
    await first.ns.next('UUX 8 0')
    await rig.stop()
    const { appearances } = await rig.start()
    await rig.signIn('alice', 'secret', { dialect: 'MSNP8' })
    expect(appearances.of('alice@home.example' as UserId)?.personal).toEqual({ text: 'still me', media: undefined })
  })
})

describe('accounts while the service runs', () => {
  it('are added, listed, and used to sign in and talk', async () => {
    const rig = newRig()
    await rig.start()
    expect(await rig.accounts.add('Alice', 'secret')).toEqual({ kind: 'done', address: 'alice@home.example' })
    expect(await rig.accounts.add('bob@home.example', 'geheim')).toMatchObject({ kind: 'done' })
    const alice = await rig.signIn('alice', 'secret')
    const bob = await rig.signIn('bob', 'geheim')
    const [room, other] = await Promise.all([alice.call('bob@home.example'), bob.answer()])
    await room.acked(room.text('hello'))
    expect((await other.heard()).text).toBe('hello')
    expect(await rig.accounts.list()).toEqual([
      { address: 'alice@home.example', name: 'alice@home.example', online: true },
      { address: 'bob@home.example', name: 'bob@home.example', online: true },
    ])
  })

  it('sign in with a new password only, and at once, when it was changed', async () => {
    const rig = newRig()
    await rig.start()
    await rig.accounts.add('alice', 'old')
    const alice = await rig.signIn('alice', 'old')
    expect(await rig.accounts.passwd('alice', 'new')).toMatchObject({ kind: 'done' })
    await alice.ns.next('OUT')
    await alice.ns.end()
    await expect(rig.signIn('alice', 'old')).rejects.toThrow('401')
    await rig.signIn('alice', 'new')
  })

  it('are signed out and forgotten when they are removed, and come back empty', async () => {
    const rig = newRig()
    await rig.start()
    await rig.accounts.add('alice', 'a')
    await rig.accounts.add('bob', 'b')
    const alice = await rig.signIn('alice', 'a')
    const bob = await rig.signIn('bob', 'b')
    await alice.add('bob@home.example')
    await bob.ns.next('ADD 0 RL')
    expect(await rig.accounts.remove('alice')).toMatchObject({ kind: 'done' })
    await alice.ns.end()
    await bob.ns.next('REM 0 RL')
    await expect(rig.signIn('alice', 'a')).rejects.toThrow('401')
    expect(await rig.accounts.list()).toMatchObject([{ address: 'bob@home.example' }])
    await rig.accounts.add('alice', 'again')
    const back = await rig.signIn('alice', 'again')
    expect((await back.ask('SYN', '0')).words.slice(3)).toEqual(['0', '1'])
  })

  it('are made once, though two people want the same at the same time', async () => {
    const rig = newRig()
    await rig.start()
    const [first, second] = await Promise.all([rig.accounts.add('alice', 'a'), rig.accounts.add('Alice', 'b')])
    expect([first.kind, second]).toEqual(['done', expect.objectContaining({ kind: 'refused', taken: true })])
    await rig.signIn('alice', 'a')
  })

  it('are refused with a sentence and the remedy', async () => {
    const rig = newRig()
    await rig.start()
    await rig.accounts.add('alice', 'a')
    expect(await rig.accounts.add('ALICE@home.example', 'b')).toEqual({
      kind: 'refused',
      taken: true,
      wrong:
        'there is an account alice@home.example already; for a new password: msn-bridge account passwd alice@home.example',
    })
    for (const address of ['', 'a@b@c', 'al ice', 'é@home.example', `${'x'.repeat(130)}@home.example`, 'alice@'])
      expect(await rig.accounts.add(address, 'b')).toMatchObject({ kind: 'refused' })
    expect(await rig.accounts.add('bob', '')).toMatchObject({ wrong: 'the password is empty: choose one' })
    expect(await rig.accounts.add('bob', 'x'.repeat(129))).toMatchObject({ kind: 'refused' })
    expect(await rig.accounts.add('bob', 'a\nb')).toMatchObject({ kind: 'refused' })
    for (const wanted of [rig.accounts.passwd('bob', 'x'), rig.accounts.remove('bob')])
      expect(await wanted).toEqual({
        kind: 'refused',
        wrong: 'there is no account bob@home.example; msn-bridge account list shows those there are',
      })
  })

  it('may have another domain', async () => {
    const rig = newRig()
    await rig.start()
    expect(await rig.accounts.add('bob@example.org', 'b')).toMatchObject({ kind: 'done' })
  })
})

describe('what is on disk', () => {
  it('is there after a restart: accounts, passwords, lists, groups, names', async () => {
    const rig = newRig()
    await rig.start()
    await rig.accounts.add('alice', 'a')
    await rig.accounts.add('bob', 'b')
    const alice = await rig.signIn('alice', 'a')
    await alice.add('bob@home.example')
    await alice.ask('ADG', 'Work%20Friends', '0')
    await alice.ask('REA', 'alice@home.example', 'Alice%20%E2%98%83')
    await alice.ask('PRP', 'PHH', '555%201234')
    await alice.ask('BLP', 'BL')
    const before = (await alice.ask('SYN', '0')).words[2]
    await rig.stop()
    await rig.start()
    const again = await rig.signIn('alice', 'a')
    const sync = await again.ask('SYN', '0')
    expect(sync.words.slice(2)).toEqual([before, '1', '2'])
    expect((await again.ns.next('LSG 1')).line).toMatch(/Work%20Friends/)
    expect((await again.ns.next('BLP')).line).toBe('BLP BL')
    expect((await rig.accounts.list())[0]?.name).toBe('Alice ☃')
  })

  it('asks later clients about those who were waiting before an upgrade', async () => {
    const rig = newRig()
    const state = await rig.state()
    const waiting = { email: 'bob@home.example', name: 'Bob', lists: 8, groups: [] }
    const offline = await rig.offline()
    await offline.add('alice', 'a')
    const key = 'account/alice@home.example'
    const old = JSON.parse((await state.get(key)) ?? '') as object
    await state.update([[key, JSON.stringify({ ...old, contacts: [waiting] })]])
    await rig.start()
    const alice = await rig.signIn('alice', 'a', { dialect: 'MSNP11' })
    expect(alice.ns.received.map(({ line }) => line)).toContain('LST N=bob@home.example F=Bob 16')
    const again = await rig.signIn('alice', 'a', { dialect: 'MSNP9' })
    expect(again.ns.received.map(({ line }) => line)).toContain('LST bob@home.example Bob 8')
  })

  it('is managed by the command line while no daemon runs', async () => {
    const rig = newRig()
    const offline = await rig.offline()
    expect(await offline.add('alice', 'a')).toMatchObject({ kind: 'done' })
    expect(await offline.add('bob', 'b')).toMatchObject({ kind: 'done' })
    expect(await offline.list()).toMatchObject([{ online: false }, { online: false }])
    await rig.stop()
    await rig.start()
    const alice = await rig.signIn('alice', 'a')
    await alice.add('bob@home.example')
    await rig.stop()
    const later = await rig.offline()
    expect(await later.remove('alice@home.example')).toMatchObject({ kind: 'done' })
    expect(await later.passwd('bob', 'c')).toMatchObject({ kind: 'done' })
    await rig.stop()
    await rig.start()
    const bob = await rig.signIn('bob', 'c')
    expect((await bob.ask('SYN', '0')).words.slice(3)).toEqual(['0', '1'])
  })

  it('holds no password in the clear', async () => {
    const rig = newRig()
    await rig.start()
    await rig.accounts.add('alice', 'hunter2hunter2')
    await rig.signIn('alice', 'hunter2hunter2')
    const state = await rig.state()
    const all = JSON.stringify(await state.list(''))
    expect(all).not.toContain('hunter2')
    expect(all).toContain('scrypt$32768$8$3$')
    expect(JSON.stringify(rig.log.lines)).not.toContain('hunter2')
  })
})

describe('guessing passwords', () => {
  it('is throttled, and told', async () => {
    const rig = newRig()
    await rig.start({ sign_in: { failures: 3, window_ms: 60_000 } })
    await rig.accounts.add('alice', 'a')
    const where = { notification: 0, passport: rig.port(/MSN login/) }
    const attempt = (password: string) => passportTicket(where, 'alice@home.example', password, 'lc=1033')
    await attempt('a')
    for (let index = 0; index < 3; index++) await expect(attempt('x')).rejects.toThrow('401')
    await expect(attempt('x')).rejects.toThrow('503')
    const refused = rig.log.lines.filter(({ message }) => message === 'sign-in refused')
    expect(refused.map(({ fields }) => fields['code'])).toEqual([911, 911, 911, 503])
  })

  it('is throttled over both logins together', async () => {
    const rig = newRig()
    await rig.start({ sign_in: { failures: 3, window_ms: 60_000 }, passport: { listen: '127.0.0.1:0', plain: true } })
    await rig.accounts.add('alice', 'a')
    const passport = rig.port(/MSN login/)
    const page = `http://127.0.0.1:${passport}`
    const attempt = async (password: string, passportPages: MsnClientOptions['passport']) => {
      const client = new MsnClient({
        server: { host: '127.0.0.1', port: rig.port(/MSN service/) },
        passport: passportPages,
        login: 'alice@home.example',
        password,
        onEvent: () => undefined,
      })
      const result = await client.signIn()
      await client.signOut()
      return result.ok ? 'ok' : result.failure.kind
    }
    const rst = { rst: `${page}/RST.srf` }
    expect(await attempt('a', rst)).toBe('ok')
    for (let index = 0; index < 2; index++) expect(await attempt('x', rst)).toBe('bad-credentials')
    // With both ways configured a wrong password is tried once, not twice.
    expect(await attempt('x', { ...rst, login: `${page}/login2.srf` })).toBe('bad-credentials')
    expect(await attempt('x', rst)).toBe('busy')
    expect(await attempt('x', { login: `${page}/login2.srf` })).toBe('busy')
    const refused = rig.log.lines.filter(({ message }) => message === 'sign-in refused')
    expect(refused.map(({ fields }) => fields['code'])).toEqual([911, 911, 911, 503, 503])
  })
})

describe('the certificate', () => {
  const fingerprint = (rig: Rig): string =>
    new X509Certificate(readFileSync(join(rig.folder, 'msn-service-home.crt'))).fingerprint256

  it('is made on the first start, kept, trusted by those who are given the file, and holds for all names', async () => {
    const rig = newRig()
    await rig.start({ public: 'msn.example:1863' })
    const first = fingerprint(rig)
    const file = readFileSync(join(rig.folder, 'msn-service-home.crt'), 'utf8')
    expect(file).not.toContain('PRIVATE')
    for (const servername of ['localhost', 'home.example', 'msn.example', 'nexus.passport.com']) {
      const status = await new Promise((resolve, reject) => {
        https
          .get(
            { host: '127.0.0.1', servername, port: rig.port(/MSN login/), path: '/', ca: file, agent: false },
            (answer) => {
              answer.resume()
              resolve(answer.statusCode)
            },
          )
          .on('error', reject)
      })
      expect(status).toBe(404)
    }
    await rig.stop()
    await rig.start({ public: 'msn.example:1863' })
    expect(fingerprint(rig)).toBe(first)
    expect(rig.adapter.describe().at(-1)).toContain(join(rig.folder, 'msn-service-home.crt'))
    await rig.stop()
    await rig.start({ public: 'other.example:1863' })
    expect(fingerprint(rig)).not.toBe(first)
  })

  it('may be given', async () => {
    const rig = newRig()
    const pair = await makeCertificate(['given.example'], Date.now())
    const cert = join(rig.folder, 'cert.pem')
    const key = join(rig.folder, 'key.pem')
    writeFileSync(cert, pair.cert)
    writeFileSync(key, pair.key)
    await rig.start({ tls: { cert, key } })
    await rig.accounts.add('alice', 'a')
    await rig.signIn('alice', 'a')
    expect(rig.adapter.describe().join()).not.toContain('.crt')
    await rig.stop()
    await expect(rig.start({ tls: { cert: join(rig.folder, 'none.pem'), key } })).rejects.toThrow(
      /^cannot read .*none\.pem of tls: ENOENT\. Correct the path or the permissions\.$/,
    )
    writeFileSync(cert, 'no certificate')
    await expect(rig.start({ tls: { cert, key } })).rejects.toThrow(
      /tls: .* are no certificate and key that belong together/,
    )
  })
})

describe('the HTTP gateway', () => {
  it('is there when the config says so, on its own port and on that of the login', async () => {
    const rig = newRig()
    await rig.start({ http_gateway: { listen: '127.0.0.1:0' }, passport: { listen: '127.0.0.1:0', plain: true } })
    const words = rig.adapter.describe().find((line) => line.startsWith('MSN HTTP gateway'))
    const ports = [...(words ?? '').matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
    expect(ports).toHaveLength(2)
    for (const port of ports) {
      const guest = new GatewayGuest(port, 'NS', 'messenger.hotmail.com')
      expect(await guest.until(/VER 1/, 'VER 1 MSNP9 CVR0\r\n')).toMatch(/^VER 1 MSNP9/)
    }
    await rig.stop()
    await rig.start()
    expect(rig.adapter.describe().join()).not.toContain('gateway')
  })
})

describe('the adapter', () => {
  it('rejects its start with a sentence when a port is taken, and can be started later', async () => {
    const rig = newRig()
    const taken = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as net.AddressInfo
    await expect(rig.start({ listen: `127.0.0.1:${port}` })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port} for the notification server: the port is taken.`,
    )
    expect(rig.adapter.accounts).toBeUndefined()
    expect(rig.adapter.describe()).toEqual(['MSN service for home.example: not running'])
    await new Promise((resolve) => taken.close(resolve))
    await rig.start({ listen: `127.0.0.1:${port}` })
    await rig.adapter.stop()
    await rig.adapter.stop()
  })

  it('describes what it offers and counts what happens', async () => {
    const rig = newRig()
    await rig.start({ dispatch: { listen: '127.0.0.1:0' }, switchboard: { listen: '127.0.0.1:0' } })
    await rig.accounts.add('alice', 'a')
    const alice = await rig.signIn('alice', 'a')
    const room = await alice.call()
    expect(rig.adapter.describe().slice(0, 4)).toEqual([
      expect.stringMatching(/^MSN service for home\.example on 127\.0\.0\.1:\d+, 1 signed in, 1 conversation$/),
      expect.stringMatching(/^MSN dispatch on 127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^MSN switchboards on 127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^MSN login on https:\/\/127\.0\.0\.1:\d+\/rdr\/pprdr\.asp$/),
    ])
    expect(await online(rig)).toEqual(['alice@home.example'])
    room.wire.raw('MSG 1 x 0\r\n')
    await room.wire.end()
    await rig.stop()
    expect(rig.metrics.values.get('msn_service_sign_ins{network=home}')).toBe(1)
    expect(rig.metrics.values.get('msn_service_sessions{network=home}')).toBe(0)
    expect(
      rig.metrics.values.get('msn_service_refused{network=home,reason=an acknowledgement type that does not exist}'),
    ).toBe(1)
    expect(rig.log.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        message: 'connection closed for bad input',
        fields: {
          server: 'SB',
          reason: 'an acknowledgement type that does not exist (MSG 0)',
          address: '127.0.0.1',
        },
      },
    ])
  })

  it('knows names, has no chats, and says honestly that nothing is bridged', async () => {
    const rig = newRig()
    const adapter = await rig.start()
    expect(adapter.parseUser('Bob')).toBe('bob@home.example')
    expect(adapter.parseUser('b@b@b')).toHaveProperty('wrong')
    expect(adapter.parseChat('#friends')).toHaveProperty('wrong')
    expect(adapter.ownAccounts()).toEqual([])
    const account = {
      id: 'a',
      network: 'home',
      person: 'p',
      login: 'alice@home.example',
      secret: '',
    } as unknown as Account
    const session = adapter.session(account)
    await expect(session.connect(AbortSignal.abort())).rejects.toBeInstanceOf(SessionFault)
    const refused = { kind: 'refused', reason: 'unsupported' }
    const signal = AbortSignal.timeout(1_000)
    expect(await session.open({ kind: 'group', members: [] }, signal)).toMatchObject(refused)
    expect(await session.roster({ kind: 'rename', name: 'x' }, signal)).toMatchObject(refused)
    await session.close()
    await session.close()
  })
})
