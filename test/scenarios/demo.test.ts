/** `npm run demo`, as somebody sees it who has never heard of it, with real irssi. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, expect, test as always } from 'vitest'
import { loadConfig } from '../../config/load.ts'
import { freePort, makeFolder, removeFolder, startDaemon } from '../kit/daemon.ts'
import { missing } from '../kit/foreign-server.ts'
import { EVERYTHING, Irssi } from '../kit/irssi.ts'

const test = always.skipIf(missing('irssi', 'tmux'))

const CONTROL = '&bitlbee'
/** The contacts live so much faster; one of them is away or gone for most of the time. */
const STEP_MS = 150

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** The demo's own config on other ports, since those of the defaults may be taken. */
const config = (ports: { msn: number; passport: number; admin: number; irc: number }): string => `
data: ./data/demo
admin: { listen: 127.0.0.1:${ports.admin} }
media: { listen: 127.0.0.1:0 }
networks:
  - { id: home, type: msn-service, listen: 127.0.0.1:${ports.msn}, passport: { listen: 127.0.0.1:${ports.passport} } }
  - { id: msn, type: msn, server: 127.0.0.1:${ports.msn}, passport: { nexus: "https://127.0.0.1:${ports.passport}/rdr/pprdr.asp" } }
  - { id: irc, type: irc-gateway, listen: 127.0.0.1:${ports.irc}, friend_requests: accept }
`

const makeEmpty = (): string => {
  const folder = makeFolder()
  opened.push(async () => {
    removeFolder(folder)
  })
  return folder
}

const envOf = (folder: string, stepMs: number) => ({
  MSN_BRIDGE_DEMO_CONFIG: `${folder}/demo.yaml`,
  MSN_BRIDGE_DEMO_STEP_MS: String(stepMs),
})

const demoIn = async (folder: string, stepMs: number) => {
  const ports = { msn: await freePort(), passport: await freePort(), admin: await freePort(), irc: await freePort() }
  writeFileSync(`${folder}/demo.yaml`, config(ports))
  return { demo: await startDaemon({ folder, demo: true, env: envOf(folder, stepMs) }), ports }
}

/** Connected, with the demo behind it. */
const newcomer = async (nick: string): Promise<Irssi> => {
  const folder = makeEmpty()
  const { demo, ports } = await demoIn(folder, STEP_MS)
  opened.push(() => demo.stop())
  const irssi = await Irssi.start({ port: ports.irc, nick })
  opened.push(() => irssi.stop())
  await irssi.until(CONTROL, /<root> .*register PASSWORD/)
  return irssi
}

test('a newcomer registers, and contacts come, greet, answer, nudge and go away', async () => {
  const ada = await newcomer('ada')
  await ada.say(CONTROL, 'register sesame99')
  await ada.until(CONTROL, /<root> Account successfully created/)
  await ada.until(CONTROL, /-!- penny \[penny@home\.example\] has joined &bitlbee/)
  await ada.until(CONTROL, /\[\+v penny\]/)

  await ada.until('penny', () => ada.said('penny', 'penny').some((text) => text.includes('/msg penny')), 'the greeting')
  await ada.say('penny', 'hello')
  await ada.until('penny', () => ada.said('penny', 'penny').some((text) => text.includes('It works')), 'an answer')
  await ada.until('penny', () => ada.said('penny', 'penny').includes('/me nudges you'), 'a nudge')

  await ada.until(CONTROL, /\[\+v max\][^]*\[-v max\]/, 'Max going away')
  await ada.say('max', 'are you there?')
  await ada.until(EVERYTHING, /-!- max is away: (Away|Busy)/)
  await ada.until(CONTROL, /-!- max \[max@home\.example\] has quit \[Leaving\.\.\.\]/)
}, 30_000)

test('two contacts in one channel answer the newcomer, and not each other', async () => {
  // Who works as root on their machine is called so by their client; the next name that it tries is free.
  const ada = await newcomer('root')
  await ada.until(CONTROL, /-!- root_ \[\S+\] has joined &bitlbee/)
  await ada.say(CONTROL, 'register sesame99')
  await ada.until(CONTROL, /<root> Account successfully created/)
  // From now on he stays for a while.
  await ada.until(CONTROL, /-!- max \[\S+\] has quit[^]*\[\+v max\]/)
  await ada.say(CONTROL, 'chat with penny')
  await ada.until('#penny', /root_ \[\S+\] has joined #penny/)
  await ada.type('/invite max #penny')
  await ada.until('#penny', /-!- max \[\S+\] has joined #penny/)
  const words = (nick: string): readonly string[] =>
    ada.said(nick, '#penny').flatMap((text) => (text.startsWith('/me') ? [] : [text.split(' ')[0] ?? '']))
  const answers = (): readonly number[] => ['penny', 'max'].map((nick) => words(nick).length)
  for (const count of [1, 2, 3]) {
    await ada.say('#penny', `hello for the ${count}. time`)
    await ada.until('#penny', () => answers().every((each) => each >= count), `answer ${count} of both`)
  }
  // Each has their answers in turn for each person: had they answered each other, some would be there twice.
  expect(words('penny')).toEqual(['Hello!', 'Say', 'In'])
  expect(words('max')).toEqual(['Just', 'Back.', 'Have'])
}, 30_000)

always(
  'it ends without an error, however busy the contacts are, and begins anew with the folder of before',
  async () => {
    const folder = makeEmpty()
    for (let run = 0; run < 2; run++) {
      const { demo } = await demoIn(folder, 1)
      await demo.waitFor(({ msg, user }) => msg === 'signed in' && user === 'max@home.example')
      expect(await demo.stop()).toBe(0)
      expect(demo.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([])
    }
  },
  30_000,
)

always('its config is that of the defaults, with a folder of its own, and lets everybody in', () => {
  const here = loadConfig('demo/config.yaml', {}, process.cwd())
  const defaults = loadConfig(undefined, {}, makeEmpty())
  if (here.kind === 'broken' || defaults.kind === 'broken') throw new Error('a config is broken')
  const networks = defaults.config.networks.map((network) =>
    network.type === 'irc-gateway' ? { ...network, friend_requests: 'accept' } : network,
  )
  expect(here.config).toEqual({ ...defaults.config, data: `${process.cwd()}/data/demo`, networks })
})

always(
  'where another program has the port of the service, the contacts wait for it',
  async () => {
    const folder = makeEmpty()
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    opened.push(async () => other.close())
    const { port } = other.address() as AddressInfo
    const ports = { msn: port, passport: await freePort(), admin: await freePort(), irc: await freePort() }
    writeFileSync(`${folder}/demo.yaml`, config(ports))
    const demo = await startDaemon({ folder, demo: true, env: envOf(folder, 20) })
    other.close()
    await demo.waitFor(({ msg, user }) => msg === 'signed in' && user === 'penny@home.example')
    expect(await demo.stop()).toBe(0)
    expect((await demo.ended).stderr).toMatch(/^demo: Penny and Max wait, since the MSN service does not run/)
  },
  60_000,
)
