import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Appservice } from '../../../adapters/matrix/appservice.ts'
import { matrixConfig } from '../../../adapters/matrix/config.ts'
import { Homeserver, type HomeserverOptions } from '../../../adapters/matrix/homeserver.ts'
import { path } from '../../../adapters/matrix/paths.ts'
import type { Registration } from '../../../adapters/matrix/registration-shape.ts'
import { loadRegistration, writeRegistration } from '../../../adapters/matrix/registration.ts'
import type { Mxid } from '../../../adapters/matrix/types.ts'
import { type Clock, SessionFault } from '../../../bridge/adapter.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { Fault } from '../../../bridge/model/result.ts'
import { systemClock } from '../../../bridge/clock.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { FakeHomeserver } from '../../kit/fake-homeserver.ts'
import { freePorts, temporaryFolder } from '../../kit/foreign-server.ts'
import { onEachHomeserver, type Homeserver as RealHomeserver } from '../../kit/homeservers.ts'
import { Watch } from '../../kit/watch.ts'
import { FakeContext } from '../irc/fake-context.ts'

const NETWORK = 'hs' as NetworkId
const REQUEST_MS = 60_000
const context = new FakeContext()
const never = new AbortController().signal

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let registration: Registration
let file: string
let port: number
let listener: Appservice | undefined
const open: Homeserver[] = []

beforeAll(async () => {
  folder = await temporaryFolder('matrix')
  const [free = 0] = await freePorts(1)
  port = free
  const config = matrixConfig.parse({
    id: 'hs',
    type: 'matrix',
    homeserver: 'http://127.0.0.1:1',
    domain: 'localhost',
    listen: `127.0.0.1:${port}`,
  })
  expect(await writeRegistration(config, NETWORK, folder.path)).toMatchObject({ kind: 'done' })
  ;({ registration, file } = loadRegistration(config, NETWORK, folder.path))
})
afterAll(() => folder.remove())
afterEach(async () => {
  await Promise.all(open.splice(0).map((homeserver) => homeserver.close()))
  await listener?.stop()
})

const listen = async (hsToken = registration.hs_token): Promise<void> => {
  listener = new Appservice({
    host: '127.0.0.1',
    port,
    hsToken,
    log: context.log,
    transaction: () => Promise.resolve(),
    isGhost: () => true,
  })
  await listener.start()
}

const homeserverAt = (url: string, more: Partial<HomeserverOptions> = {}): Homeserver => {
  const homeserver = new Homeserver({
    network: NETWORK,
    url,
    domain: 'localhost',
    ghostPrefix: 'msn_',
    registration,
    file,
    requestTimeoutMs: REQUEST_MS,
    pingMs: 180_000,
    clock: systemClock,
    log: context.log,
    metrics: context.metrics,
    ...more,
  })
  open.push(homeserver)
  return homeserver
}

const faultOf = async (homeserver: Homeserver): Promise<Fault> => {
  const error: unknown = await homeserver.connect(never).catch((thrown: unknown) => thrown)
  if (error instanceof SessionFault) return error.fault
  throw new Error(`no fault, but ${String(error)}`)
}

const ANEW = (): string => `run msn-bridge registration, see that the homeserver reads ${file}, and restart it`

onEachHomeserver((start, kind) => {
  let server: RealHomeserver
  beforeAll(async () => {
    server = await start({ registrations: [file] })
  })
  afterAll(() => server.stop())

  test('when all is set up, it says what it can do', async () => {
    await listen()
    const homeserver = homeserverAt(server.url)
    await homeserver.connect(never)
    expect(homeserver.features).toEqual({ devices: true, busy: false, roomVersion: '12' })
    expect(homeserver.bot).toBe('@msnbot:localhost')
    await homeserver.connect(never)
  })

  test('a request is made for whoever it is for, from their device', async () => {
    await listen()
    const homeserver = homeserverAt(server.url)
    await homeserver.connect(never)
    const whoami = { method: 'GET', path: '/_matrix/client/v3/account/whoami' } as const
    const ghost: Mxid = `@msn_bob=40${kind}:localhost`
    expect(await homeserver.request(whoami)).toMatchObject({ ok: true, value: { user_id: homeserver.bot } })
    expect(await homeserver.request({ ...whoami, device: true })).toMatchObject({ value: { device_id: 'MSNBRIDGE' } })
    const register = { type: 'm.login.application_service', username: `msn_bob=40${kind}`, inhibit_login: true }
    await homeserver.insist({ method: 'POST', path: '/_matrix/client/v3/register', body: register })
    await homeserver.insist({ method: 'PUT', path: path`/_matrix/client/v3/devices/${'MSNBRIDGE'}`, as: ghost })
    expect(await homeserver.request({ ...whoami, as: ghost, device: true })).toMatchObject({
      value: { user_id: ghost, device_id: 'MSNBRIDGE' },
    })
    expect(await homeserver.request({ ...whoami, token: 'nobodys' })).toMatchObject({ failure: { kind: 'token' } })
  })

  test('a wrong as_token', async () => {
    await listen()
    const wrong = { ...registration, as_token: 'not-the-as-token' }
    expect(await faultOf(homeserverAt(server.url, { registration: wrong }))).toEqual({
      code: 'protocol',
      detail: `the homeserver does not know our as_token: did you add ${file} to app_service_config_files and restart it?`,
    })
  })

  test('a wrong hs_token', async () => {
    await listen('not-the-hs-token')
    expect(await faultOf(homeserverAt(server.url))).toEqual({
      code: 'network',
      detail: `the homeserver comes to the bridge with a wrong hs_token: ${ANEW()}`,
    })
  })

  test('a listener that the homeserver cannot reach', async () => {
    const { code, detail } = await faultOf(homeserverAt(server.url))
    expect(code).toBe('network')
    expect(detail).toMatch(
      new RegExp(
        `^the homeserver cannot reach the bridge at http://127.0.0.1:${port} \\(.+\\): ` +
          'set url to where it can, run msn-bridge registration and restart the homeserver$',
      ),
    )
  })

  test('something else where our listener should be', async () => {
    const other = createServer((_, response) => response.writeHead(404).end('{}')).listen(port, '127.0.0.1')
    try {
      expect((await faultOf(homeserverAt(server.url))).detail).toMatch(
        /^the homeserver reaches something else than the bridge at http:\/\/127.0.0.1:\d+ \(.+\): check url in the config$/,
      )
    } finally {
      other.close()
      other.closeAllConnections()
    }
  })

  test('a domain that is not the homeserver’s', async () => {
    await listen()
    expect(await faultOf(homeserverAt(server.url, { domain: 'example.org' }))).toEqual({
      code: 'protocol',
      detail:
        `the homeserver at ${server.url} is localhost and not example.org: write domain: localhost in the config, ` +
        'run msn-bridge registration and restart the homeserver',
    })
  })

  test('a bot that the homeserver does not let us have', async () => {
    await listen()
    const other = { ...registration, sender_localpart: 'otherbot' }
    const { detail } = await faultOf(homeserverAt(server.url, { registration: other }))
    expect(detail).toMatch(/^the homeserver refuses our bot @otherbot:localhost \(M_EXCLUSIVE: .+\): choose another /)
  })

  test('ghosts that the homeserver does not let us have', async () => {
    await listen()
    expect(await faultOf(homeserverAt(server.url, { ghostPrefix: 'friend_' }))).toEqual({
      code: 'protocol',
      detail: `the homeserver does not let us have users that begin with @friend_: ${ANEW()}`,
    })
  })
})

test('a homeserver that is not there', async () => {
  await listen()
  expect(await faultOf(homeserverAt('http://127.0.0.1:1'))).toEqual({
    code: 'network',
    detail:
      'the homeserver does not answer at http://127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1): ' +
      'is it running, and is the address right?',
  })
})

test('a web page that is no homeserver', async () => {
  const page = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1')
  await new Promise((resolve) => page.once('listening', resolve))
  const address = page.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
  expect(await faultOf(homeserverAt(url))).toEqual({
    code: 'protocol',
    detail: `what answers at ${url} is no homeserver: write the URL that Matrix clients use into homeserver`,
  })
  page.close()
  page.closeAllConnections()
})

describe('once connected', () => {
  let server: FakeHomeserver
  beforeEach(async () => {
    await listen()
    server = await FakeHomeserver.start({ registrations: [file] })
  })
  afterEach(() => server.stop())

  const profile = { method: 'PUT', path: '/_matrix/client/v3/profile/@msnbot:localhost/displayname' } as const
  const named = { ...profile, body: { displayname: 'Bot' } }

  /** Waits that are shorter than a request's time limit pass at once, and are remembered. */
  class HastyClock implements Clock {
    readonly waits: number[] = []
    now(): number {
      return 0
    }
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      if (ms >= REQUEST_MS) return systemClock.sleep(2 ** 31 - 1, signal)
      this.waits.push(ms)
      return Promise.resolve()
    }
  }

  test('insisting goes on after 429, 5xx and no answer, as long as it is asked to wait', async () => {
    const clock = new HastyClock()
    const homeserver = homeserverAt(server.url, { clock })
    server.fail('/displayname', { status: 429, errcode: 'M_LIMIT_EXCEEDED', retryAfterMs: 4_321, times: 1 })
    server.fail('/displayname', { status: 503, times: 2 })
    server.cut('/displayname', 'before', 1)
    expect(await homeserver.insist(named)).toMatchObject({ ok: true })
    expect(clock.waits).toEqual([4_321, 1_000, 2_000, 5_000])
  })

  test('insisting does not argue with a refusal, and ends with its signal', async () => {
    const homeserver = homeserverAt(server.url, { clock: new HastyClock() })
    server.fail('/displayname', { status: 403, errcode: 'M_FORBIDDEN', times: 1 })
    expect(await homeserver.insist(named)).toMatchObject({ failure: { kind: 'refused', errcode: 'M_FORBIDDEN' } })
    const back = new AbortController()
    back.abort()
    expect(await homeserver.insist({ ...named, signal: back.signal })).toMatchObject({ failure: { kind: 'aborted' } })
  })

  test('one attempt says whether it may have been carried out', async () => {
    const homeserver = homeserverAt(server.url)
    server.cut('/displayname', 'after', 1)
    expect(await homeserver.request(named)).toMatchObject({ failure: { kind: 'unreachable', sent: true } })
    await server.down()
    expect(await homeserver.request(named)).toMatchObject({ failure: { kind: 'unreachable', sent: false } })
  })

  test('closing ends what is under way, and nothing goes out any more', async () => {
    const homeserver = homeserverAt(server.url)
    const arrived = new Watch()
    let held = false
    server.hold(({ path: asked }) => {
      held ||= asked.includes('/displayname')
      arrived.changed()
      return asked.includes('/displayname')
    })
    const insisting = homeserver.insist(named)
    await arrived.until(() => held)
    await homeserver.close()
    expect(await insisting).toMatchObject({ failure: { kind: 'aborted' } })
    expect(await homeserver.request(named)).toMatchObject({ failure: { kind: 'aborted' } })
    await homeserver.close()
  })

  /** A homeserver that is watched, with a time that the test turns. */
  const watched = async () => {
    const clock = new VirtualClock()
    const pings = new Watch()
    const seen: (string | number)[] = []
    const homeserver = homeserverAt(server.url, {
      clock,
      metrics: {
        ...context.metrics,
        gauge: (name, value) => {
          if (name === 'matrix_homeserver_reachable') seen.push(value)
          pings.changed()
        },
      },
    })
    await homeserver.connect(never)
    const ending = new AbortController()
    const lost = (fault: Fault): void => {
      seen.push(fault.detail)
      pings.changed()
    }
    homeserver.watch(ending.signal, lost, () => undefined)
    const until = (count: number) => pings.until(() => (seen.length >= count ? seen : undefined))
    return { homeserver, clock, seen, until, ending }
  }

  test('it is asked now and then whether it reaches us', async () => {
    const { clock, until, ending } = await watched()
    for (let count = 1; count <= 3; count++) {
      await clock.advance(180_000)
      expect(await until(count)).toHaveLength(count)
    }
    expect(await until(3)).toEqual([1, 1, 1])
    ending.abort()
    await clock.settle()
    expect(clock.sleeping).toBe(0)
  })

  test('when it does not answer twice, it is lost, once', async () => {
    const { clock, until, seen } = await watched()
    await server.down()
    await clock.advance(180_000)
    expect(await until(1)).toEqual([0])
    await clock.advance(2_000)
    expect(await until(3)).toEqual([0, 0, expect.stringMatching(/^the homeserver does not answer at http/)])
    await clock.advance(600_000)
    expect(seen).toHaveLength(3)
  })

  test('a request without an answer has it asked at once', async () => {
    const { homeserver, until } = await watched()
    await server.down()
    await homeserver.request(named)
    expect(await until(2)).toEqual([0, expect.stringMatching(/^the homeserver does not answer at http/)])
  })

  test('one cut connection is no loss', async () => {
    const { homeserver, clock, until } = await watched()
    server.cut('/displayname', 'before', 1)
    await homeserver.request(named)
    expect(await until(1)).toEqual([1])
    await clock.advance(180_000)
    expect(await until(2)).toEqual([1, 1])
  })

  test('it is lost, too, when it does not reach us any more', async () => {
    const { clock, until } = await watched()
    await listener?.stop()
    await clock.advance(180_000)
    await until(1)
    await clock.advance(2_000)
    expect(await until(3)).toEqual([0, 0, expect.stringMatching(/^the homeserver cannot reach the bridge at http/)])
  })

  test('a token that it knows no more is a loss at once', async () => {
    const { homeserver, until } = await watched()
    server.fail(() => true, { status: 401, errcode: 'M_UNKNOWN_TOKEN' })
    await homeserver.request(named)
    expect(await until(2)).toEqual([0, expect.stringMatching(/^the homeserver does not know our as_token/)])
  })

  test('no log line has a token or a body', async () => {
    const homeserver = homeserverAt(server.url)
    server.fail('/displayname', { status: 400, errcode: 'M_BAD_JSON', times: 1 })
    await homeserver.request({ ...profile, body: { displayname: 'a-very-secret-name' } })
    const logged = JSON.stringify(context.lines)
    expect(logged).toContain('displayname')
    expect(logged).not.toContain('a-very-secret-name')
    expect(logged).not.toContain(registration.as_token)
    expect(logged).not.toContain(registration.hs_token)
  })
})
