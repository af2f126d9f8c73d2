import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { drive, LINGER_MS, type Driven, type DriveOptions } from '../../sansio/drive.ts'
import type { CloseReason, Machine, Output } from '../../sansio/machine.ts'

type Command = readonly Output<string>[]

/** A machine that gives back what it is told, and notes what it was given. */
class Script implements Machine<Command, string> {
  wakeAt: number | undefined
  isFull = false
  readonly received: string[] = []
  readonly ticks: number[] = []
  onReceive: (text: string) => readonly Output<string>[] = () => []
  onEnd: () => readonly Output<string>[] = () => [{ kind: 'close', reason: { kind: 'lost', detail: 'ended' } }]
  onTick: (now: number) => readonly Output<string>[] = () => []

  receive(bytes: Uint8Array | null): readonly Output<string>[] {
    if (bytes === null) return this.onEnd()
    const text = Buffer.from(bytes).toString()
    this.received.push(text)
    return this.onReceive(text)
  }

  command(command: Command): readonly Output<string>[] {
    return command
  }

  tick(now: number): readonly Output<string>[] {
    this.ticks.push(now)
    return this.onTick(now)
  }
}

const write = (text: string | Buffer): Output<string> => ({ kind: 'write', bytes: Buffer.from(text) })
const event = (name: string): Output<string> => ({ kind: 'event', event: name })
const close = (reason: CloseReason): Output<string> => ({ kind: 'close', reason })

interface Pair {
  readonly ours: net.Socket
  readonly peer: net.Socket
}

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUp.splice(0)) clean()
})

/** Two ends of a real connection on loopback. The peer does not hang up by itself when we do. */
async function connect(): Promise<Pair> {
  const server = net.createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ours = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(ours, 'connect')])) as [[net.Socket], unknown]
  peer.on('error', () => undefined)
  cleanUp.push(() => {
    ours.destroy()
    peer.destroy()
    server.close()
  })
  return { ours, peer }
}

interface Seen {
  readonly events: string[]
  readonly driven: Driven<Command>
  readonly closed: Promise<CloseReason>
}

function start(
  ours: net.Socket,
  machine: Script,
  options: Pick<DriveOptions<string>, 'maxUnsentBytes' | 'now' | 'onTaken'> = {},
): Seen {
  const events: string[] = []
  let resolve: (reason: CloseReason) => void = () => undefined
  const closed = new Promise<CloseReason>((settle) => (resolve = settle))
  const driven = drive(ours, machine, {
    onEvent: (name) => events.push(name),
    onClose: (reason) => {
      events.push(`closed: ${reason.kind}`)
      resolve(reason)
    },
    ...options,
  })
  return { events, driven, closed }
}

/** Counts how often the socket is written to, without getting in the way. */
function countWrites(socket: net.Socket): () => number {
  let count = 0
  const original = socket.write.bind(socket)
  socket.write = (chunk: Uint8Array) => {
    count++
    return original(chunk)
  }
  return () => count
}

const textOf = async (socket: net.Socket, length: number): Promise<string> => {
  let text = ''
  while (text.length < length) text += String((await once(socket, 'data'))[0])
  return text
}

describe('a machine on a socket', () => {
  it('gets the bytes, and its writes and events come out', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    machine.onReceive = (text) => [event(`got ${text}`), write(`re: ${text}`)]
    const { events } = start(ours, machine)
    peer.write('hello')
    expect(await textOf(peer, 9)).toBe('re: hello')
    expect(events).toEqual(['got hello'])
  })

  it('writes once for all that the machine says in one go, in order', async () => {
    const { ours, peer } = await connect()
    const writes = countWrites(ours)
    const machine = new Script()
    const { driven } = start(ours, machine)
    driven.command([write('a'), event('x'), write('b')])
    driven.command([write('c')])
    driven.command([write('d')])
    expect(await textOf(peer, 4)).toBe('abcd')
    expect(writes()).toBe(1)
  })

  it('flushes before it closes, and tells so once, after the last event', async () => {
    const { ours, peer } = await connect()
    const { driven, events, closed } = start(ours, new Script())
    const ended = once(peer, 'end')
    const received = textOf(peer, 3)
    driven.command([write('bye'), event('last'), close({ kind: 'done' }), event('never'), write('never')])
    expect(await closed).toEqual({ kind: 'done' })
    expect(await received).toBe('bye')
    await ended
    driven.close()
    driven.command([write('x'), event('never')])
    peer.end('too late')
    await once(ours, 'close')
    expect(driven.closed).toBe(true)
    expect(events).toEqual(['last', 'closed: done'])
  })

  it('gives the machine nothing more once it is closed', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    const { driven } = start(ours, machine)
    driven.close()
    peer.write('late')
    peer.end()
    await once(ours, 'close')
    expect(machine.received).toEqual([])
  })

  it('lets go of a peer that never hangs up', async () => {
    const { ours, peer } = await connect()
    peer.resume()
    const { driven, closed } = start(ours, new Script())
    const started = performance.now()
    driven.close({ kind: 'timeout', waitingFor: 'QNG' })
    expect(await closed).toEqual({ kind: 'timeout', waitingFor: 'QNG' })
    await once(ours, 'close')
    expect(performance.now() - started).toBeGreaterThan(LINGER_MS - 200)
  })

  it('tells the machine when the peer has ended', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    const { closed, events } = start(ours, machine)
    peer.end('last words')
    expect(await closed).toEqual({ kind: 'lost', detail: 'ended' })
    expect(machine.received).toEqual(['last words'])
    expect(events).toEqual(['closed: lost'])
  })

  it('is lost when the peer ends and the machine does not say so', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    machine.onEnd = () => []
    const { closed } = start(ours, machine)
    peer.end()
    expect(await closed).toEqual({ kind: 'lost', detail: 'closed' })
  })

  it('is lost with the word of the system when the line breaks', async () => {
    const { ours, peer } = await connect()
    const { closed } = start(ours, new Script())
    peer.resetAndDestroy()
    expect(await closed).toEqual({ kind: 'lost', detail: 'ECONNRESET' })
  })

  it('cuts off a peer that does not read', async () => {
    const { ours, peer } = await connect()
    peer.pause()
    const { driven, closed, events } = start(ours, new Script(), { maxUnsentBytes: 100_000 })
    const block = Buffer.alloc(64 * 1024)
    let sent = 0
    while (!driven.closed) {
      driven.command([write(block)])
      sent += block.length
      expect(sent).toBeLessThan(256 * 1024 * 1024)
      await new Promise(setImmediate)
    }
    expect(await closed).toEqual({ kind: 'timeout', waitingFor: 'the peer to read' })
    expect(ours.destroyed).toBe(true)
    expect(events).toEqual(['closed: timeout'])
  })

  it('reads nothing more while the machine is full, and goes on when it is not', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    machine.onReceive = () => {
      machine.isFull = true
      return [write('full')]
    }
    const { driven } = start(ours, machine)
    peer.write('one')
    expect(await textOf(peer, 4)).toBe('full')
    await new Promise((written) => peer.write('two', written))
    expect(ours.isPaused()).toBe(true)
    expect(machine.received).toEqual(['one'])
    machine.isFull = false
    driven.command([])
    expect(await textOf(peer, 4)).toBe('full')
    expect(machine.received).toEqual(['one', 'two'])
  })

  it('tells how much was written, and how much of it the system has taken', async () => {
    const { ours, peer } = await connect()
    const taken: number[] = []
    const { driven } = start(ours, new Script(), { onTaken: (total) => taken.push(total) })
    expect(driven.queued).toBe(0)
    driven.command([write('abc'), write('de')])
    expect(driven.queued).toBe(5)
    expect(taken).toEqual([])
    await textOf(peer, 5)
    driven.command([write('f')])
    await textOf(peer, 1)
    expect(driven.queued).toBe(6)
    await expect.poll(() => taken).toEqual([5, 6])
  })

  it('does not say that the system has taken what a broken line lost', async () => {
    const { ours, peer } = await connect()
    peer.pause()
    const taken: number[] = []
    const { driven, closed } = start(ours, new Script(), {
      onTaken: (total) => taken.push(total),
      maxUnsentBytes: Infinity,
    })
    const most = 64 * 1024 * 1024
    driven.command([write(Buffer.alloc(most))])
    await new Promise(setImmediate)
    peer.resetAndDestroy()
    expect((await closed).kind).toBe('lost')
    expect(taken).toEqual([])
    expect(driven.queued).toBe(most)
  })

  it('lets a peer that reads have as much as it likes', async () => {
    const { ours, peer } = await connect()
    const { driven } = start(ours, new Script(), { maxUnsentBytes: 300_000 })
    const block = Buffer.alloc(64 * 1024)
    let read = 0
    peer.on('data', (chunk) => (read += chunk.length))
    for (let count = 1; count <= 64; count++) {
      driven.command([write(block)])
      while (read < count * block.length) await once(peer, 'data')
    }
    expect(driven.closed).toBe(false)
    expect(read).toBe(64 * block.length)
  })
})

describe('the timer of a machine on a socket', () => {
  it('wakes the machine when something is due, and what it says goes out', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    machine.wakeAt = Date.now() + 30
    machine.onTick = () => {
      machine.wakeAt = undefined
      return [write('PNG\r\n')]
    }
    start(ours, machine)
    expect(await textOf(peer, 5)).toBe('PNG\r\n')
    expect(machine.ticks).toHaveLength(1)
  })

  it('follows what is due earlier, and forgets what was put off', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    const started = Date.now()
    machine.wakeAt = started + 60_000
    machine.onTick = () => {
      machine.wakeAt = undefined
      return [write('x')]
    }
    const { driven } = start(ours, machine)
    machine.wakeAt = started + 20
    driven.command([])
    machine.wakeAt = started + 120
    driven.command([])
    await textOf(peer, 1)
    expect(machine.ticks).toHaveLength(1)
    expect(machine.ticks[0]).toBeGreaterThanOrEqual(started + 120)
  })

  it('is not set anew for what is due later', async () => {
    const { ours } = await connect()
    const machine = new Script()
    const { driven } = start(ours, machine)
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    for (let count = 0; count < 1_000; count++) {
      machine.wakeAt = Date.now() + 60_000 + count
      driven.command([])
    }
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length - before).toBeLessThanOrEqual(1)
  })

  it('is gone as soon as the machine waits for nothing, and comes back', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    machine.onTick = () => {
      machine.wakeAt = undefined
      return [write('x')]
    }
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    machine.wakeAt = Date.now() + 60_000
    const { driven } = start(ours, machine)
    expect(timers()).toBe(before + 1)
    machine.wakeAt = undefined
    driven.command([])
    expect(timers()).toBe(before)
    machine.wakeAt = Date.now() + 10
    driven.command([])
    await textOf(peer, 1)
    expect(machine.ticks).toHaveLength(1)
  })

  it('takes waits that are longer than a timer can be', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    machine.wakeAt = Date.now() + 2 ** 33
    const { driven } = start(ours, machine)
    driven.command([write('x')])
    await textOf(peer, 1)
    expect(machine.ticks).toEqual([])
  })

  it('is gone after the end', async () => {
    const { ours, peer } = await connect()
    peer.on('end', () => peer.end()).resume()
    const machine = new Script()
    machine.wakeAt = Date.now() + 10
    const { driven } = start(ours, machine)
    driven.close()
    await once(ours, 'close')
    const later = new Script()
    later.wakeAt = Date.now() + 40
    const other = await connect()
    later.onTick = () => {
      later.wakeAt = undefined
      return [write('x')]
    }
    start(other.ours, later)
    await textOf(other.peer, 1)
    expect(machine.ticks).toEqual([])
  })

  it('uses the clock that it was given', async () => {
    const { ours, peer } = await connect()
    const machine = new Script()
    let now = 1_000
    machine.wakeAt = 1_010
    machine.onTick = () => {
      machine.wakeAt = undefined
      return [write('x')]
    }
    start(ours, machine, { now: () => (now += 5) })
    await textOf(peer, 1)
    expect(machine.ticks[0]).toBeGreaterThanOrEqual(1_010)
    expect(machine.ticks[0]).toBeLessThan(2_000)
  })
})
