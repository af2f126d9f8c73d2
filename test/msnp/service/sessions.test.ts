import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_WAITING_REQUESTS } from '../../../msnp/service/notification.ts'
import { account, DeskWorld } from '../../kit/notification-desk.ts'
import { DIALECTS } from '../../../msnp/model/dialect.ts'
import { conversation } from '../../kit/notification-lines.ts'

/** docs/protocol.md, Dispatch and login: beginnings and ends of sessions. */

const friends = (): DeskWorld =>
  new DeskWorld([
    account('alice@example.com', { contacts: [{ email: 'bob@example.com', name: 'Bob', lists: 11, groups: [0] }] }),
    account('bob@example.com', { contacts: [{ email: 'alice@example.com', name: 'Alice', lists: 11, groups: [0] }] }),
    account('carol@example.com'),
  ])

const RING = {
  session: '1',
  address: '192.0.2.9:1863',
  ticket: 'x',
  caller: { email: 'bob@example.com', name: 'Bob' },
}

describe('a dispatch server', () => {
  it('sends everybody on to the notification server and hangs up', async () => {
    const desk = new DeskWorld()
    const client = desk.connect('DS')
    expect(await client.ask('VER 1 MSNP9 MSNP8 CVR0')).toEqual(['VER 1 MSNP9 MSNP8 CVR0'])
    expect(await client.ask('INF 2')).toEqual(['INF 2 TWN'])
    expect(await client.ask('USR 3 TWN I alice@example.com')).toEqual(['XFR 3 NS 192.0.2.5:1863 0 192.0.2.1:1863'])
    expect(client.closed).toEqual({ kind: 'done' })
  })
})

it('gives a client that has nothing everything, even while nothing has ever changed', async () => {
  const desk = new DeskWorld([account('alice@example.com', { version: 0 })])
  const alice = await desk.signIn('alice@example.com')
  expect(await alice.ask('SYN 5 0')).toEqual(['SYN 5 0 0 1', 'GTC A', 'BLP AL', 'LSG 0 Other%20Contacts 0'])
})

describe('a second sign-in', () => {
  it('ends the first with OUT OTH, and is unseen until it says CHG', async () => {
    const desk = friends()
    const bob = await desk.online('bob@example.com')
    const first = await desk.online('alice@example.com')
    bob.take()
    const second = await desk.signIn('alice@example.com', 'MSNP8')
    expect(first.take().at(-1)).toBe('OUT OTH')
    expect(first.closed).toEqual({ kind: 'done' })
    expect(bob.take()).toEqual(['FLN alice@example.com'])
    expect(desk.desk.sessions).toBe(2)
    expect(desk.desk.signedIn('Alice@example.com')).toMatchObject({ dialect: 'MSNP8', status: 'HDN', name: 'alice' })
    await second.ask('CHG 5 PHN 0')
    expect(bob.take()).toEqual(['NLN PHN alice@example.com alice 0'])
    expect(desk.switchboards.gone).toEqual(['alice@example.com'])
  })

  it('waits for changes of the first that are under way and finds them done', async () => {
    const desk = friends()
    const first = await desk.online('alice@example.com')
    const gate = Promise.withResolvers<undefined>()
    desk.host.gate = gate.promise
    first.send('ADG 7 Work 0')
    first.send('ADG 8 Play 0')
    const second = desk.connect()
    second.send('VER 1 MSNP9')
    second.send('USR 2 TWN I alice@example.com')
    second.send(`USR 3 TWN S ${desk.tickets.mint('alice@example.com', desk.now)}`)
    second.send('LSG 4')
    gate.resolve(undefined)
    await desk.desk.idle()
    expect(first.take().slice(-3)).toEqual(['ADG 7 2 Work 1 0', 'ADG 8 3 Play 2 0', 'OUT OTH'])
    expect(second.take().slice(-1)).toEqual(['LSG 4 3 3 3 2 Play 0'])
  })
})

describe('somebody who leaves', () => {
  it('has what was asked for before done all the same', async () => {
    const desk = friends()
    const alice = await desk.online('alice@example.com')
    alice.raw(
      Buffer.from('REM 7 FL bob@example.com\r\nREM 8 AL bob@example.com\r\nREA 9 alice@example.com Al\r\nOUT\r\n'),
    )
    await desk.desk.idle()
    expect(desk.record('alice@example.com')).toMatchObject({ version: 4, name: 'Al', contacts: [{ lists: 8 }] })
    expect(desk.record('bob@example.com').contacts).toMatchObject([{ lists: 3 }])
    expect(desk.desk.sessions).toBe(0)
  })

  it('is not seen again because of a CHG that was still waiting', async () => {
    const desk = friends()
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    bob.take()
    const gate = Promise.withResolvers<undefined>()
    desk.host.gate = gate.promise
    alice.send('ADG 7 Work 0')
    alice.send('CHG 8 AWY 0')
    alice.raw(null)
    gate.resolve(undefined)
    await desk.desk.idle()
    expect(bob.take()).toEqual(['FLN alice@example.com'])
    expect(await bob.ask('ADD 9 FL carol@example.com Carol 0')).toContain('ADD 9 FL 2 carol@example.com Carol 0')
    expect(desk.desk.ring('alice@example.com', RING)).toBe(217)
  })

  it('gets the answers to what it asked in the same packet before', async () => {
    const desk = friends()
    const alice = await desk.signIn('alice@example.com')
    alice.raw(Buffer.from('INF 6\r\nLSG 7\r\nGTC 8 X\r\nURL 9 INBOX\r\nVER 10 MSNP9\r\n'))
    expect(alice.take()).toEqual([
      'INF 6 TWN',
      'LSG 7 1 1 1 0 Other%20Contacts 0',
      '201 8',
      'URL 9 / http://home.example 1',
      '715 10',
    ])
    expect(alice.closed).toMatchObject({ kind: 'peer-violation', detail: 'a second VER' })
  })

  it('while the ticket is checked is not signed in', async () => {
    const desk = friends()
    const client = desk.connect()
    client.send('VER 1 MSNP9')
    client.send('USR 2 TWN I alice@example.com')
    client.send(`USR 3 TWN S ${desk.tickets.mint('alice@example.com', desk.now)}`)
    client.raw(null)
    await desk.desk.idle()
    expect(desk.desk.sessions).toBe(0)
    expect(desk.host.notices).toEqual([])
  })
})

describe('the host', () => {
  it('is told who comes and goes', async () => {
    const desk = friends()
    const alice = await desk.signIn('alice@example.com')
    alice.send('OUT')
    const who = { email: 'alice@example.com', dialect: 'MSNP9', address: '192.0.2.77' }
    expect(desk.host.notices).toEqual([
      { kind: 'signed-in', ...who },
      { kind: 'signed-out', ...who },
    ])
  })

  it('may change an account behind our back, whose owner must come again then', async () => {
    const desk = friends()
    const bob = await desk.signIn('bob@example.com')
    const alice = await desk.signIn('alice@example.com')
    await bob.ask('SYN 1 0')
    alice.send('OUT')
    await bob.ask('SYN 2 0')
    desk.host.records.set('alice@example.com', account('alice@example.com', { phones: { PHH: '555' } }))
    desk.desk.forget('alice@example.com')
    desk.desk.forget('bob@example.com')
    expect(bob.take().at(-1)).toBe('OUT')
    expect(bob.closed).toEqual({ kind: 'done' })
    const back = await desk.signIn('bob@example.com')
    expect(await back.ask('SYN 3 0')).toContain('BPR PHH 555')
  })
})

describe('a service that goes down', () => {
  it('says when, says OUT SSD, finishes what is under way, and lets nobody in', async () => {
    const desk = friends()
    const late = desk.connect()
    await late.ask('VER 1 MSNP9')
    await late.ask('USR 2 TWN I carol@example.com')
    const alice = await desk.online('alice@example.com')
    const bob = await desk.online('bob@example.com')
    alice.take()
    desk.desk.announce(5)
    expect(alice.take()).toEqual([expect.stringMatching(/^MSG Hotmail Hotmail \d+$/)])
    expect(alice.messages.at(-1)).toMatch(/application\/x-msmsgssystemmessage.*\r\n\r\nType: 1\r\nArg1: 5\r\n/s)
    alice.send('ADG 7 Work 0')
    await desk.desk.stop()
    expect(alice.take()).toEqual(['OUT SSD'])
    expect(bob.take().filter((line) => !line.startsWith('MSG'))).toEqual(['OUT SSD'])
    expect(desk.record('alice@example.com').groups).toEqual([{ id: 1, name: 'Work', since: 2 }])
    expect(await late.ask(`USR 3 TWN S ${desk.tickets.mint('carol@example.com', desk.now)}`)).toEqual(['OUT SSD'])
    const later = desk.connect()
    await later.ask('VER 1 MSNP9')
    expect(await later.ask('USR 2 TWN I carol@example.com')).toEqual(['OUT SSD'])
    expect(desk.desk.sessions).toBe(0)
    await desk.desk.stop()
  })
})

describe('changes', () => {
  it('that reach more people than when they were asked for wait for those too', async () => {
    const desk = friends()
    const alice = await desk.online('alice@example.com')
    const carol = await desk.online('carol@example.com')
    const gate = Promise.withResolvers<undefined>()
    desk.host.gate = gate.promise
    carol.send('ADD 7 FL alice@example.com Alice 0')
    alice.send('PRP 8 PHH 555')
    alice.send('PNG')
    gate.resolve(undefined)
    await desk.desk.idle()
    expect(carol.take()).toContain('BPR 3 alice@example.com PHH 555')
    expect(alice.take()).toEqual(['ADD 0 RL 2 carol@example.com carol', 'QNG 50', 'PRP 8 3 PHH 555'])
  })

  it('that pile up unanswered end the connection', async () => {
    const desk = new DeskWorld(undefined, { commandRate: { burst: 0, intervalMs: 1 } })
    const alice = await desk.signIn('alice@example.com')
    const gate = Promise.withResolvers<undefined>()
    desk.host.gate = gate.promise
    for (let index = 0; index <= MAX_WAITING_REQUESTS + 1; index++)
      alice.send(`REA ${index} alice@example.com A${index}`)
    expect(alice.closed).toMatchObject({ kind: 'peer-violation' })
    gate.resolve(undefined)
    await desk.desk.idle()
    expect(desk.desk.sessions).toBe(0)
    expect(desk.record('alice@example.com').version).toBeLessThanOrEqual(MAX_WAITING_REQUESTS + 2)
  })
})

describe('many viewers', () => {
  it('get a change from one buffer for each form of it', async () => {
    const emails = Array.from({ length: 500 }, (_, index) => `user${index}@example.com`)
    const desk = new DeskWorld([
      account('alice@example.com', {
        contacts: emails.map((email) => ({ email, name: email, lists: 8, groups: [] })),
      }),
      ...emails.map((email) => account(email)),
    ])
    const viewers = []
    for (const [index, email] of emails.entries()) {
      viewers.push(await desk.online(email, index % 2 === 0 ? 'MSNP8' : 'MSNP9'))
    }
    for (const viewer of viewers) viewer.take()
    const alice = await desk.online('alice@example.com')
    const pushed = new Set<Uint8Array>()
    for (const viewer of viewers) {
      viewer.send = (command): void => {
        if (typeof command !== 'string' && command.kind === 'push') pushed.add(command.bytes)
      }
    }
    await alice.ask('CHG 9 AWY 0 %3Cmsnobj%2F%3E')
    expect([...pushed].map((bytes) => Buffer.from(bytes).toString())).toEqual([
      'NLN AWY alice@example.com alice 0\r\n',
      'NLN AWY alice@example.com alice 0 %3Cmsnobj%2F%3E\r\n',
    ])
  })
})

describe('an account that is removed', () => {
  it('is signed out and leaves the lists of those whom it had', async () => {
    const desk = friends()
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    bob.take()
    const record = desk.record('alice@example.com')
    desk.host.records.delete('alice@example.com')
    await desk.desk.erase(record)
    expect(alice.closed).toEqual({ kind: 'done' })
    expect(bob.take()).toEqual(['FLN alice@example.com', 'REM 0 RL 2 alice@example.com'])
    expect(desk.record('bob@example.com').contacts).toMatchObject([{ email: 'alice@example.com', lists: 3 }])
    expect((await bob.ask('SYN 9 0')).at(-1)).toBe('LST alice@example.com Alice 3 0')
  })
})

const dialect = fc.constantFrom(...DIALECTS)

it('survives whatever two clients of any dialects say at once, and keeps both sides of every list in step', async () => {
  await fc.assert(
    fc.asyncProperty(conversation, conversation, dialect, dialect, async (one, other, ours, theirs) => {
      const desk = new DeskWorld(undefined, { commandRate: { burst: 0, intervalMs: 1 } })
      const clients = [await desk.online('alice@example.com', ours), await desk.online('bob@example.com', theirs)]
      clients[0]?.raw(one)
      clients[1]?.raw(other)
      await desk.desk.idle()
      expect(desk.host.notices.filter(({ kind }) => kind === 'failure')).toEqual([])
      for (const record of desk.host.records.values()) {
        for (const contact of record.contacts) {
          const back = desk.record(contact.email).contacts.find(({ email }) => email === record.email)
          expect((contact.lists & 1) !== 0).toBe(((back?.lists ?? 0) & 8) !== 0)
          if ((contact.lists & 16) !== 0) expect(contact.lists & 14).toBe(8)
        }
        const online = desk.desk.signedIn(record.email)
        if (online !== undefined) expect(online.name).toBe(record.name)
      }
    }),
    { numRuns: 300 },
  )
})
