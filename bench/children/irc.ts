/** People with IRC clients at the gateway, and the stop-watch. */
import { setTimeout as pause } from 'node:timers/promises'
import { IrcPeer, type Login } from '../irc.ts'
import { clockMs } from '../measure.ts'
import { pool } from '../pool.ts'
import { answer, sharedClock } from '../processes.ts'

const held: IrcPeer[] = []
/** The client that the messages are for, and the microseconds that each was on the way. */
let listener: IrcPeer | undefined
let arrived: number[] = []
let lastArrival = 0

const theListener = (): IrcPeer => {
  if (listener === undefined) throw new Error('nobody listens')
  return listener
}

/** As long as what the MSN side says. */
const words = (nick: string): string => `PRIVMSG ${nick} :t=${sharedClock()} ${'x'.repeat(80)}\r\n`

/** `from` to `to - 1`, as they are called. */
const login = (index: number, password: string): Login => ({ account: `person${index}`, password })

const attachAndGo = async (port: number, who: Login): Promise<void> => (await IrcPeer.attach(port, who)).quit()

answer({
  /** Attaches the client that hears and speaks. */
  listen: async (port: number, who: Login) => {
    const peer = await IrcPeer.attach(port, who)
    listener = peer
    peer.onLine = (line) => {
      const sent = / :t=(\d+) /.exec(line)?.[1]
      if (sent === undefined) return
      lastArrival = sharedClock()
      arrived.push(lastArrival - Number(sent))
    }
  },
  arrived: () => {
    const taken = arrived
    arrived = []
    return { times: taken, last: lastArrival }
  },
  /** Says `count` messages to each of these at once, with the time in them; gives when the first was written. */
  burst: (nicks: readonly string[], count: number) => {
    const first = sharedClock()
    let text = ''
    for (let index = 0; index < count; index++) for (const nick of nicks) text += words(nick)
    theListener().write(text)
    return first
  },
  /** `count` messages, one each `everyMs`, to these in turn. */
  talk: async (nicks: readonly string[], count: number, everyMs: number) => {
    for (let index = 0; index < count; index++) {
      await pause(everyMs)
      theListener().write(words(nicks[index % nicks.length] ?? ''))
    }
  },
  /** person<from> to person<to - 1> attach so many clients each, and stay. */
  hold: async (port: number, from: number, to: number, each: number, password: string) => {
    for (let client = 0; client < each; client++)
      await pool(to - from, 20, async (index) => {
        held.push(await IrcPeer.attach(port, login(from + index, password)))
      })
  },
  /** Registrations a second: `count` of person0 to person<people - 1> in turn come and go, `width` at a time. */
  registrations: async (port: number, people: number, count: number, width: number, password: string) => {
    const started = clockMs()
    await pool(count, width, (index) => attachAndGo(port, login(index % people, password)))
    return (count * 1000) / (clockMs() - started)
  },
  /** Milliseconds from the question to the end of the batch, one for each round. */
  latest: async (nick: string, limit: number, rounds: number) => {
    const times: number[] = []
    const peer = theListener()
    for (let round = 0; round < rounds; round++) {
      const started = clockMs()
      let lines = 0
      await new Promise<void>((resolve) => {
        peer.onLine = (line) => {
          if (line.includes(' PRIVMSG ')) lines++
          if (line.includes(' BATCH -') || line.includes(' FAIL ')) resolve()
        }
        peer.write(`CHATHISTORY LATEST ${nick} * ${limit}\r\n`)
      })
      times.push(clockMs() - started)
      if (lines !== limit) throw new Error(`${lines} messages instead of ${limit}`)
    }
    return times
  },
})
