/** Files from the programs that people use, by DCC SEND: a picture to root, and a file to a contact. */
import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Ear } from '../kit/ear.ts'
import { missing } from '../kit/foreign-server.ts'
import { address, GatewayWorld, PASSWORD } from '../kit/gateway-world.ts'
import { Irssi } from '../kit/irssi.ts'
import { PeerRoom, sha1 } from '../kit/p2p-messenger.ts'
import { noisyPng } from '../kit/png.ts'
import type { RealClient } from '../kit/real-client.ts'
import { SERVER, Weechat } from '../kit/weechat.ts'

const SASL = { account: 'ann', password: PASSWORD }

interface Program {
  readonly name: string
  readonly absent: boolean
  readonly passive: boolean
  /** What it takes and offers as a name: irssi leaves blanks. */
  readonly file: string
  readonly start: (port: number) => Promise<{ client: RealClient; command: (line: string) => Promise<void> }>
}

const irssi = async (port: number) => {
  const client = await Irssi.start({ port, nick: 'ann', sasl: SASL })
  return { client, command: (line: string) => client.command(line) }
}

const PROGRAMS: readonly Program[] = [
  { name: 'irssi', absent: missing('irssi', 'tmux'), passive: false, file: 'what was said.txt', start: irssi },
  {
    name: 'irssi, which is connected to by nobody',
    absent: missing('irssi', 'tmux'),
    passive: true,
    file: 'what was said.txt',
    start: irssi,
  },
  {
    name: 'WeeChat',
    absent: missing('weechat-headless'),
    passive: false,
    file: 'notes.txt',
    start: async (port) => {
      const client = await Weechat.start({ port, nick: 'ann', sasl: SASL })
      return { client, command: (line) => client.command(SERVER, line) }
    },
  },
]

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** ann has an account and bob as a contact, and sits at that program. */
const begin = async ({ start, passive }: Program) => {
  const gateway = `friend_requests: accept, dcc: { receive: ${passive ? 'passive' : 'any'} }`
  const world = await GatewayWorld.start({ gateway, people: ['bob'] })
  opened.push(() => world.stop())
  const newcomer = await world.newcomer('ann')
  const bob: Ear = await world.friend('bob', 'ann')
  await newcomer.until(() => newcomer.lines.some((line) => line.includes('+v bob')))
  newcomer.send('QUIT')
  const seat = await start(world.ports.irc)
  opened.push(() => seat.client.stop())
  const file = (name: string, bytes: Buffer): string => {
    writeFileSync(`${world.folder}/${name}`, bytes)
    return `${world.folder}/${name}`
  }
  const send = (to: string, path: string) =>
    seat.command(`/dcc send ${passive ? '-passive ' : ''}${to} ${/ /.test(path) ? `"${path}"` : path}`)
  return { world, bob, ...seat, file, send }
}

describe.each(PROGRAMS)('$name', (program) => {
  it.skipIf(program.absent)(
    'gives root a picture, which contacts see, and bob a file, which he gets',
    async () => {
      const { bob, client, file, send } = await begin(program)
      const face = noisyPng(90, 7)
      await send('root', file('me.png', face))
      await client.until('root', () => client.said('root', 'root').some((line) => line.includes('shows that picture')))
      const { words } = await bob.messenger.ns.next(
        ({ words: [verb, , who], line }) => verb === 'NLN' && who === address('ann') && line.includes(' %3C'),
      )
      const room = await bob.messenger.call(address('ann'))
      const peer = new PeerRoom(room, address('bob'), address('ann'))
      const got = await peer.fetch(decodeURIComponent(words[5] ?? ''))
      expect(Buffer.isBuffer(got) && sha1(got)).toBe(sha1(face))

      await send('bob', file(program.file, Buffer.from('what was said')))
      const { name, data } = await peer.takeFile()
      expect([name, data.toString()]).toEqual([program.file, 'what was said'])
    },
    40_000,
  )
})
