/** Two accounts in one switchboard, with the machines of our adapter: files and pictures go from one to the other. */
import { PeerTalk, type IncomingFile } from '../../adapters/msn/peer-talk.ts'
import { systemClock } from '../../bridge/clock.ts'
import {
  describeObject,
  formatMsnObject,
  MsnClient,
  OBJECT_TYPES,
  parseMime,
  parseMsnObject,
} from '../../msnp/index.ts'
import type { MsnClientEvent, Switchboard } from '../../msnp/index.ts'
import type { Ports } from '../load.ts'
import { clockMs, quantile } from '../measure.ts'
import { answer, memoryInUse } from '../processes.ts'

const [FROM, TO] = ['user0@bench.example', 'user1@bench.example'] as const
const PICTURE = Buffer.alloc(20_000, 7)
const PIECE = Buffer.alloc(64 * 1024, 9)

interface End {
  readonly client: MsnClient
  talk: PeerTalk | undefined
  onFile: (file: IncomingFile) => void
}

const ends: End[] = []

const signIn = async (ports: Ports, own: string): Promise<End> => {
  const on = (board: Switchboard): PeerTalk =>
    (end.talk ??= new PeerTalk({
      board,
      own,
      clock: systemClock,
      random: () => Math.floor(Math.random() * 2 ** 32),
      serve: () => PICTURE,
      offered: (file) => end.onFile(file),
    }))
  const onEvent = (event: MsnClientEvent): void => {
    if (event.kind === 'switchboard') on(event.switchboard)
    if (event.kind === 'message') on(event.switchboard).receive(event.from.email, parseMime(event.payload))
  }
  const client = new MsnClient({
    server: { host: '127.0.0.1', port: ports.notification },
    passport: { login: `http://127.0.0.1:${ports.passport}/login2.srf` },
    login: own,
    password: 'secret',
    onEvent,
  })
  const end: End = { client, talk: undefined, onFile: (file) => file.decline() }
  const result = await client.signIn()
  if (!result.ok) throw new Error(result.failure.detail)
  return end
}

const both = (): readonly [PeerTalk, End] => {
  const [from, to] = ends
  if (from?.talk === undefined || to === undefined) throw new Error('nobody is there')
  return [from.talk, to]
}

answer({
  open: async (ports: Ports) => {
    const from = await signIn(ports, FROM)
    const to = await signIn(ports, TO)
    ends.push(from, to)
    const opened = await from.client.openSwitchboard()
    if (!opened.ok) throw new Error('no switchboard')
    const invited = await opened.switchboard.invite(TO)
    if (invited.kind !== 'joined') throw new Error('nobody came')
    from.talk = new PeerTalk({
      board: opened.switchboard,
      own: FROM,
      clock: systemClock,
      random: () => Math.floor(Math.random() * 2 ** 32),
      serve: () => undefined,
    })
  },
  /** Bytes a second, and how much the process has grown meanwhile, at most. Bytes. */
  file: async (size: number) => {
    const [talk, to] = both()
    const before = memoryInUse().rss
    let most = before
    const taken = Promise.withResolvers<number>()
    to.onFile = (file) => {
      const take = async (): Promise<number> => {
        let bytes = 0
        for await (const piece of file.accept()) {
          bytes += piece.length
          most = Math.max(most, process.memoryUsage.rss())
        }
        return bytes
      }
      void take().then(taken.resolve, taken.reject)
    }
    const started = clockMs()
    const read = (_: number, length: number): Promise<Uint8Array> => Promise.resolve(PIECE.subarray(0, length))
    const how = await talk.offer(TO, { name: 'film.avi', size }, read, new AbortController().signal)
    if (how !== 'done' || (await taken.promise) !== size) throw new Error(`the file did not arrive: ${how}`)
    return { rate: (size * 1000) / (clockMs() - started), grown: most - before }
  },
  /** Milliseconds of each of so many pictures, one after the other. */
  pictures: async (count: number) => {
    const [talk] = both()
    const xml = formatMsnObject(describeObject(PICTURE, { creator: TO, type: OBJECT_TYPES.displayPicture }))
    const object = parseMsnObject(xml)
    if (object === undefined) throw new Error('no object')
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const started = clockMs()
      const fetched = await talk.fetch(TO, object, xml, new AbortController().signal)
      if (fetched.kind !== 'fetched') throw new Error(`no picture: ${fetched.how}`)
      times.push(clockMs() - started)
    }
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
  },
})
