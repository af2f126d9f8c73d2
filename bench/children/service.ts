/** An MSN service with accounts in memory and its rates off. */
import { MsnServer } from '../../msnp/io/server.ts'
import type { AccountRecord, Host } from '../../msnp/service/contract.ts'
import { answer } from '../processes.ts'

const off = { burst: 0, intervalMs: 1 }
const records = new Map<string, AccountRecord>()

const host: Host = {
  verifyPassword: (email) => Promise.resolve(records.has(email) ? 'right' : 'wrong'),
  load: (email) => Promise.resolve(records.get(email)),
  save: (changed) => {
    for (const record of changed) records.set(record.email, record)
    return Promise.resolve()
  },
}

const server = new MsnServer({
  host,
  listen: { notification: { host: '127.0.0.1', port: 0 }, passport: { host: '127.0.0.1', port: 0 } },
  tls: 'plain',
  limits: {
    sessions: 20_000,
    connections: 60_000,
    connectionsPerAddress: 60_000,
    contacts: 1_000,
    switchboardRate: off,
    messageRate: off,
    commandRate: off,
  },
  timings: { ticketMs: 600_000 },
})

const account = (email: string, watched: readonly string[]): AccountRecord => ({
  email,
  name: email,
  version: 1,
  privacy: 'AL',
  prompt: 'A',
  phones: {},
  groups: [],
  group0: 'Other Contacts',
  contacts: watched.map((contact) => ({ email: contact, name: contact, lists: 11, groups: [0] })),
})

answer({
  /** Accounts user0 to user<n-1>; everybody has `star` on the list and the other way round, when asked for. */
  start: async (users: number, star: boolean) => {
    const names = Array.from({ length: users }, (_, index) => `user${index}@bench.example`)
    for (const name of names) records.set(name, account(name, star ? ['star@bench.example'] : []))
    records.set('star@bench.example', account('star@bench.example', star ? names : []))
    await server.start()
    const listening = server.listening
    if (listening === undefined) throw new Error('the service does not listen')
    return { notification: listening.notification.port, passport: listening.passport.port }
  },
  rss: () => {
    for (let round = 0; round < 4; round++) globalThis.gc?.()
    return process.memoryUsage().rss
  },
})
