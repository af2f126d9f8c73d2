/** An MSN service with accounts in memory and its rates off. */
import { MsnServer } from '../../msnp/io/server.ts'
import { newAccount, type AccountRecord, type Host } from '../../msnp/service/contract.ts'
import { answer, memoryInUse } from '../processes.ts'
import { keepHeapSmall } from '../../bridge/ops/heap.ts'

keepHeapSmall()

const off = { burst: 0, intervalMs: 1 }
/** As on a disk: what is loaded is a copy of its own. */
const records = new Map<string, string>()

const host: Host = {
  verifyPassword: (email) => Promise.resolve(records.has(email) ? 'right' : 'wrong'),
  load: (email) => {
    const text = records.get(email)
    return Promise.resolve(text === undefined ? undefined : (JSON.parse(text) as AccountRecord))
  },
  save: (changed) => {
    for (const record of changed) put(record)
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
    connectionRate: off,
    switchboardRate: off,
    messageRate: off,
    commandRate: off,
  },
  timings: { ticketMs: 600_000 },
})

const put = (record: AccountRecord): void => void records.set(record.email, JSON.stringify(record))

const account = (email: string, watched: readonly string[]): AccountRecord => ({
  ...newAccount(email),
  contacts: watched.map((contact) => ({ email: contact, name: contact, lists: 11, groups: [0] })),
})

answer({
  /**
   * Accounts user0 to user<n-1>; each has the next `contacts` of them on the list. `star`: everybody has `star` and the
   * other way round.
   */
  start: async (users: number, star: boolean, contacts = 0) => {
    const names = Array.from({ length: users }, (_, index) => `user${index}@bench.example`)
    const next = (index: number): string[] =>
      Array.from({ length: contacts }, (_, step) => names[(index + step + 1) % users] ?? '')
    names.forEach((name, index) => put(account(name, star ? ['star@bench.example'] : next(index))))
    put(account('bridge@bench.example', []))
    put(account('star@bench.example', star ? names : []))
    await server.start()
    const listening = server.listening
    if (listening === undefined) throw new Error('the service does not listen')
    return { notification: listening.notification.port, passport: listening.passport.port }
  },
  memory: () => memoryInUse(),
})
