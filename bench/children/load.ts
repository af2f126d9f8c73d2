/** The load: everything that is sent to the service, and the stop-watch. */
import net from 'node:net'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { call, pair, Peer, signIn, textMessage, ticketFor, type Ports } from '../load.ts'
import { clockMs, quantile } from '../measure.ts'
import { pool } from '../pool.ts'
import { answer, sharedClock } from '../processes.ts'

const email = (index: number): string => `user${index}@bench.example`
const ECHO = Buffer.alloc(250)
const held: Peer[] = []
/** Conversations with the bridge, and the microseconds that its messages were on the way. */
const rooms: Peer[] = []
let heard: number[] = []
/** Of those who stay, the number of their dialect. */
const speakers: (readonly [Peer, number])[] = []
let lastHeard = 0
let pairs: (readonly [Peer, Peer])[] = []

/** Sends `count` messages with at most `window` without an ACK; resolves when the other side has all and all are ACKed. */
function flow([from, to]: readonly [Peer, Peer], count: number, window: number): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0
    let acked = 0
    let heard = 0
    const more = (): void => {
      let burst = ''
      while (sent < count && sent - acked < window) burst += textMessage(++sent + 100)
      if (burst !== '') from.write(burst)
      if (acked === count && heard === count) resolve()
    }
    from.onFrame = (frame) => {
      if (frame.verb === 'NAK') throw new Error('a message was refused')
      if (frame.verb === 'ACK') acked++
      // One write for a whole chunk of ACKs: refill when half of the window is free.
      if (sent - acked <= window / 2 || acked === count) more()
    }
    to.onFrame = (frame) => {
      if (frame.verb === 'MSG') heard++
      if (heard === count) more()
    }
    more()
  })
}

answer({
  open: async (ports: Ports, count: number) => {
    for (const [a, b] of pairs) {
      a.socket.destroy()
      b.socket.destroy()
    }
    pairs = []
    for (let index = 0; index < count; index++) {
      const [a, b] = [email(2 * index), email(2 * index + 1)]
      const caller = await signIn(ports, a, await ticketFor(ports, a))
      const callee = await signIn(ports, b, await ticketFor(ports, b))
      pairs.push(await pair(ports, caller, a, callee, b))
    }
  },
  /** Messages a second over all pairs. */
  relay: async (count: number, window: number) => {
    const started = clockMs()
    await Promise.all(pairs.map((each) => flow(each, count, window)))
    return (count * pairs.length * 1000) / (clockMs() - started)
  },
  /** Closed loop: from the send to the other side, one at a time. Milliseconds. */
  latency: async (count: number) => {
    const [first] = pairs
    if (first === undefined) throw new Error('no pair')
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const started = clockMs()
      await flow(first, 1, 1)
      times.push(clockMs() - started)
    }
    return {
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      rate: 1000 / (times.reduce((a, b) => a + b) / count),
    }
  },
  /** Sign-ins a second, tickets in hand. */
  signIns: async (ports: Ports, count: number, width: number) => {
    const tickets: string[] = []
    for (let index = 0; index < count; index++) tickets.push(await ticketFor(ports, email(index)))
    const started = clockMs()
    await pool(count, width, async (index) => {
      held.push(await signIn(ports, email(index), tickets[index] ?? ''))
    })
    const rate = (count * 1000) / (clockMs() - started)
    await Promise.all(held.splice(0).map((peer) => gone(peer)))
    return rate
  },
  /**
   * Sign-ins a second, the password included: the first of each account, then `count` more of the same. `width` people
   * at a time, each with accounts of their own.
   */
  logins: async (ports: Ports, emails: readonly string[], password: string, count: number, width: number) => {
    const timed = async (visits: number): Promise<number> => {
      const started = clockMs()
      await pool(width, width, async (person) => {
        for (let visit = person; visit < visits; visit += width) {
          const who = emails[visit % emails.length] ?? ''
          await gone(await signIn(ports, who, await ticketFor(ports, who, password)))
        }
      })
      return (visits * 1000) / (clockMs() - started)
    }
    if (emails.length % width !== 0) throw new Error('the accounts cannot be shared out')
    const first = await timed(emails.length)
    return { first, again: await timed(count) }
  },
  /** Signs in user<from> to user<to - 1> and stays; with several dialects, they take turns. */
  hold: async (ports: Ports, from: number, to: number, dialects: readonly string[] = ['MSNP9']) => {
    await pool(to - from, 20, async (index) => {
      const who = email(from + index)
      const dialect = dialects[index % dialects.length] ?? 'MSNP9'
      const peer = await signIn(ports, who, await ticketFor(ports, who), dialect)
      held.push(peer)
      speakers.push([peer, Number(dialect.slice(4))])
    })
  },
  /** Opens connections that say nothing. */
  connect: async (port: number, count: number) => {
    await pool(count, 20, async () => {
      held.push(await Peer.connect(port))
    })
  },
  /** From a change of the star's status to the last NLN. Milliseconds, one for each round. */
  fanOut: async (ports: Ports, rounds: number) => {
    const star = await signIn(ports, 'star@bench.example', await ticketFor(ports, 'star@bench.example'))
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const status = round % 2 === 0 ? 'AWY' : 'NLN'
      let left = held.length
      const started = clockMs()
      await new Promise<void>((resolve) => {
        for (const peer of held) {
          peer.onFrame = (frame) => {
            if (frame.verb === 'NLN' && frame.params[0] === status && --left === 0) resolve()
          }
        }
        star.write(`CHG ${round + 10} ${status} 268435456\r\n`)
      })
      times.push(clockMs() - started)
    }
    return times
  },
  /**
   * A star of MSNP12 with a picture changes status, and says a new personal message. From each until the last line of it
   * has arrived, milliseconds, one for each round. Whoever gets a line that their dialect has not ends the measurement.
   */
  fanOutMixed: async (ports: Ports, rounds: number) => {
    const name = 'star@bench.example'
    const star = await signIn(ports, name, await ticketFor(ports, name), 'MSNP12')
    const picture = `%3Cmsnobj%20Creator%3D%22${'star'.repeat(40)}%22%2F%3E`
    const readers = speakers.filter(([, number]) => number >= 11)
    /** Sends, and waits for as many lines. */
    const timed = async (verb: string, among: typeof speakers, send: () => void, isIt: (word: string) => boolean) => {
      let left = among.length
      const started = clockMs()
      await new Promise<void>((resolve, reject) => {
        for (const [peer, number] of speakers) {
          peer.onFrame = ({ verb: said, params, payload }) => {
            if (said === 'UBX' && number < 11) reject(new Error(`MSNP${number} was told a personal message`))
            const word = said === 'NLN' ? params[0] : payload === undefined ? '' : Buffer.from(payload).toString()
            if (said !== verb || !isIt(word ?? '')) return
            const words = number === 8 ? 4 : 5
            if (said === 'NLN' && params.length !== words) reject(new Error(`MSNP${number} got ${params.length} words`))
            if (--left === 0) resolve()
          }
        }
        send()
      })
      return clockMs() - started
    }
    const presence: number[] = []
    const personal: number[] = []
    for (let round = 0; round < rounds; round++) {
      const status = round % 2 === 0 ? 'AWY' : 'BSY'
      const change = (): void => star.write(`CHG ${round + 10} ${status} 268435456 ${picture}\r\n`)
      presence.push(await timed('NLN', speakers, change, (word) => word === status))
      const text = `<Data><PSM>round ${round} of many &amp; more</PSM><CurrentMedia></CurrentMedia></Data>`
      const say = (): void => star.write(`UUX ${round + 10} ${text.length}\r\n${text}`)
      personal.push(await timed('UBX', readers, say, (payload) => payload.includes(`round ${round} of`)))
    }
    star.socket.destroy()
    return { presence, personal }
  },
  /** Everybody who stays changes their status. */
  change: (status: string) => {
    for (const peer of held) peer.write(`CHG 8 ${status} 268435456\r\n`)
  },
  /** user0 to user<count - 1> sign in and call the bridge, each into a conversation of their own. */
  callBridge: async (ports: Ports, count: number, bridge = 'bridge@bench.example') => {
    for (let index = 0; index < count; index++) {
      const peer = await signIn(ports, email(index), await ticketFor(ports, email(index)))
      held.push(peer)
      const room = await call(peer, email(index), bridge)
      room.onFrame = (frame) => {
        const sent =
          frame.payload === undefined ? undefined : /t=(\d+)/.exec(Buffer.from(frame.payload).toString())?.[1]
        if (sent === undefined) return
        lastHeard = sharedClock()
        heard.push(lastHeard - Number(sent))
      }
      rooms.push(room)
    }
  },
  /** Each room says `count` messages at once, with the time in them; gives when the first was written. */
  burst: (count: number) => {
    const first = sharedClock()
    for (const room of rooms) {
      let text = ''
      for (let index = 0; index < count; index++) text += textMessage(index + 10, stamped())
      room.write(text)
    }
    return first
  },
  /** `count` messages, one each `everyMs`, over the rooms in turn. */
  talk: async (count: number, everyMs: number) => {
    for (let index = 0; index < count; index++) {
      await pause(everyMs)
      rooms[index % rooms.length]?.write(textMessage(index + 1_000, stamped()))
    }
  },
  /** The same between two people on the service, without a bridge: microseconds on the way. */
  direct: async (ports: Ports, from: number, count: number, everyMs: number) => {
    const [a, b] = [email(from), email(from + 1)]
    const caller = await signIn(ports, a, await ticketFor(ports, a))
    const callee = await signIn(ports, b, await ticketFor(ports, b))
    held.push(caller, callee)
    const [speaks, listens] = await pair(ports, caller, a, callee, b)
    const times: number[] = []
    listens.onFrame = (frame) => {
      const sent = frame.payload === undefined ? undefined : /t=(\d+)/.exec(Buffer.from(frame.payload).toString())?.[1]
      if (sent !== undefined) times.push(sharedClock() - Number(sent))
    }
    for (let index = 0; index < count; index++) {
      await pause(everyMs)
      speaks.write(textMessage(index + 1_000, stamped()))
    }
    await pause(1_000)
    return times
  },
  heard: () => {
    const taken = heard
    heard = []
    return { times: taken, last: lastHeard }
  },
  /** A null server that gives back messages of 250 bytes, `window` of them under way. Messages a second. */
  echoes: async (port: number, count: number, window: number) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const started = clockMs()
    await new Promise<void>((resolve) => {
      let sent = 0
      let seen = 0
      const more = (): void => {
        const room = Math.min(window - (sent - Math.floor(seen / ECHO.length)), count - sent)
        sent += room
        if (room > 0) socket.write(Buffer.concat(Array.from({ length: room }, () => ECHO)))
        if (seen === count * ECHO.length) resolve()
      }
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.length
        more()
      })
      more()
    })
    socket.destroy()
    return (count * 1000) / (clockMs() - started)
  },
  /** A TCP echo of 250 bytes, closed loop: what the machine itself can do. Round trips a second. */
  pingPong: async (port: number, count: number) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const bytes = ECHO
    const started = clockMs()
    for (let index = 0; index < count; index++) {
      socket.write(bytes)
      let seen = 0
      while (seen < bytes.length) seen += ((await once(socket, 'data')) as [Buffer])[0].length
    }
    socket.destroy()
    return (count * 1000) / (clockMs() - started)
  },
})

const stamped = (): string =>
  `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nt=${sharedClock()} ${'x'.repeat(80)}`

async function gone(peer: Peer): Promise<void> {
  if (peer.socket.destroyed) return
  const closed = once(peer.socket, 'close')
  peer.write('OUT\r\n')
  peer.socket.end()
  await closed
}
