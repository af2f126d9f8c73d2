/** The homeserver of the tests, with a stop-watch on what the bridge brings it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { systemClock } from '../../bridge/clock.ts'
import { FakeHomeserver, type LoggedRequest } from '../../test/kit/fake-homeserver.ts'
import type { FakePerson } from '../../test/kit/homeserver/person.ts'
import { tableOf } from '../../test/kit/homeserver/state.ts'
import type { PlannedRoom } from '../matrix.ts'
import { answer, sharedClock } from '../processes.ts'

/** What the bridge calls its device, and its bot by default. */
const DEVICE = 'MSNBRIDGE'
const BOT_NAME = 'MSN bridge'

interface Spoken {
  readonly room: string
  readonly owner: FakePerson
}

let running: FakeHomeserver | undefined
let spoken: Spoken[] = []
/** Microseconds on the way, one for each text that arrived. */
let arrived: number[] = []
let lastArrival = 0
/** When each request for presence came, milliseconds. */
let told: number[] = []
/** What each ghost shows, and has in its profile: words, or for want of words whether it is there. */
const shown = new Map<string, string>()
const profiles = new Map<string, string>()
/** Words in the order in which people say them. */
let order: readonly string[] = []
/** How often a ghost went back to older words. */
let backwards = 0
let last: LoggedRequest | undefined

const server = (): FakeHomeserver => {
  if (running === undefined) throw new Error('the homeserver has not been started')
  return running
}

/** Every request that was answered, once. */
const look = (): false => {
  const request = server().requests.at(-1)
  if (request === undefined || request === last) return false
  last = request
  const { method, path, body, status, user } = request
  const isPresence = path.startsWith('/_matrix/client/v3/presence/')
  const isField = path.endsWith('/m.status')
  if (isPresence || isField) told.push(performance.now())
  if (status !== 200) return false
  if (path.includes('/send/m.room.message/')) {
    const sent = /t=(\d+)/.exec(String(body['body']))?.[1]
    if (sent === undefined) return false
    lastArrival = sharedClock()
    arrived.push(lastArrival - Number(sent))
  } else if (isPresence) {
    show(shown, user, body['status_msg'] ?? body['presence'])
  } else if (isField) {
    show(profiles, user, method === 'DELETE' ? '' : tableOf(body['m.status'])['text'])
  }
  return false
}

const show = (where: Map<string, string>, ghost: string, said: unknown): void => {
  const words = String(said)
  if (order.indexOf(words) < order.indexOf(where.get(ghost) ?? '')) backwards++
  where.set(ghost, words)
}

/** A service behind this registration that has taken all that happened before the measurement. */
async function swallow(work: () => void): Promise<void> {
  const listener = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.end('{}'))
  })
  const { port, hostname } = new URL(server().service.registration.url)
  listener.listen(Number(port), hostname)
  await once(listener, 'listening')
  work()
  await server().quiet()
  const closed = once(listener, 'close')
  listener.close()
  listener.closeAllConnections()
  await closed
}

const say = ({ room, owner }: Spoken): Promise<string> =>
  owner.send(room, 'm.room.message', { msgtype: 'm.text', body: `t=${sharedClock()}` })

const speaker = (index: number): Spoken => {
  const found = spoken[index % spoken.length]
  if (found === undefined) throw new Error('there are no rooms')
  return found
}

/** The most requests for presence in any time of so long. */
const busiest = (ms: number): number => {
  let most = 0
  for (let from = 0, to = 0; to < told.length; to++) {
    while ((told[to] ?? 0) - (told[from] ?? 0) >= ms) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}

answer({
  start: async (port: number, registration: string) => {
    running = await FakeHomeserver.start({ port, registrations: [registration] })
    void running.watch.until(look)
  },
  /** A room of the bot with an owner and a ghost for each; answers their ids. */
  furnish: async (planned: readonly PlannedRoom[]) => {
    const { state, service } = server()
    const people = new Map<string, FakePerson>()
    // A name that changes is told in every room.
    state.setProfile(service.bot, 'displayname', BOT_NAME)
    for (const { owner } of planned)
      if (!people.has(owner)) people.set(owner, await server().person(owner.slice(1, owner.indexOf(':'))))
    await swallow(() => {
      spoken = planned.map(({ owner, ghost, name }) => {
        if (!state.users.has(ghost)) state.register(ghost).devices.add(DEVICE)
        state.setProfile(ghost, 'displayname', name)
        const room = state.createRoom(service.bot, { preset: 'private_chat', is_direct: true, invite: [ghost, owner] })
        state.join(room, ghost)
        state.join(room, owner)
        const person = people.get(owner)
        if (person === undefined) throw new Error(`nobody is ${owner}`)
        return { room: room.id, owner: person }
      })
    })
    return spoken.map(({ room }) => room)
  },
  /** What has arrived since the last call: microseconds on the way, and when the last one came. */
  arrived: () => {
    const taken = arrived
    arrived = []
    return { times: taken, last: lastArrival }
  },
  /** `count` messages at once, over the rooms in turn; gives when the first was said. */
  burst: async (count: number) => {
    const first = sharedClock()
    for (let index = 0; index < count; index++) await say(speaker(index))
    return first
  },
  /** `count` messages, one each `everyMs`, over the rooms in turn. */
  talk: async (count: number, everyMs: number) => {
    for (let index = 0; index < count; index++) {
      await systemClock.sleep(everyMs)
      await say(speaker(index))
    }
  },
  /** `count` messages in full transactions, one after the other; milliseconds from the first request to the last 200. */
  transactions: async (count: number) => {
    const release = server().service.hold()
    for (let index = 0; index < count; index++) await say(speaker(index))
    const started = performance.now()
    release()
    await server().quiet()
    return performance.now() - started
  },
  /** Forgets which requests for presence came; from now on people say these words, one after the other. */
  presenceBegins: (words: readonly string[]) => {
    told = []
    order = words
    backwards = 0
  },
  /** How many ghosts show this and have it in their profile, and what came since `presenceBegins`. */
  presence: (words: string, inProfile: string) => ({
    showing: [...shown.values()].filter((each) => each === words).length,
    written: [...profiles.values()].filter((each) => each === inProfile).length,
    requests: told.length,
    busiest: busiest(5_000) / 5,
    backwards,
  }),
})
