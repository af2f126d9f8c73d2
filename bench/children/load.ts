/** The load: everything that is sent to the service, and the stop-watch. */
import net from 'node:net'
import { once } from 'node:events'
import { pair, signIn, textMessage, ticketFor, type Peer, type Ports } from '../load.ts'
import { clockMs, quantile } from '../measure.ts'
import { answer } from '../processes.ts'

const email = (index: number): string => `user${index}@bench.example`
const held: Peer[] = []
let pairs: (readonly [Peer, Peer])[] = []

/** Runs `work` for 0..count-1, `width` at a time. */
async function pool(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await work(next++)
    }),
  )
}

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
  /** Sign-ins a second, the password included. */
  logins: async (ports: Ports, emails: readonly string[], password: string, count: number, width: number) => {
    for (const each of emails) await ticketFor(ports, each, password)
    const started = clockMs()
    await pool(count, width, async (index) => {
      const who = emails[index % emails.length] ?? ''
      await gone(await signIn(ports, who, await ticketFor(ports, who, password)))
    })
    return (count * 1000) / (clockMs() - started)
  },
  /** Signs in user<from> to user<to - 1> and stays. */
  hold: async (ports: Ports, from: number, to: number) => {
    await pool(to - from, 20, async (index) => {
      held.push(await signIn(ports, email(from + index), await ticketFor(ports, email(from + index))))
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
  /** A TCP echo of 200 bytes, closed loop: what the machine itself can do. Round trips a second. */
  pingPong: async (port: number, count: number) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const bytes = Buffer.alloc(200)
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

async function gone(peer: Peer): Promise<void> {
  if (peer.socket.destroyed) return
  const closed = once(peer.socket, 'close')
  peer.write('OUT\r\n')
  peer.socket.end()
  await closed
}
