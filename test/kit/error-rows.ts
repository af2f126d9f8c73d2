/** What a client says to a notification server that refuses it, line by line. */
import { expect } from 'vitest'
import type { Dialect } from '../../msnp/model/dialect.ts'
import type { ServiceLimits, ServiceTimings } from '../../msnp/service/contract.ts'
import { account, DeskWorld } from './notification-desk.ts'

export interface ErrorRow {
  readonly code: number
  readonly name: string
  readonly limits?: Partial<ServiceLimits>
  readonly timings?: Partial<ServiceTimings>
  readonly arrange?: (world: DeskWorld) => void
  /** Each line and its answer; a last one of undefined: nothing comes. */
  readonly talk: readonly (readonly [ask: string, answer: string])[]
  readonly closes?: true
}

const world = (row: ErrorRow): DeskWorld =>
  new DeskWorld(
    [
      account('alice@example.com', {
        version: 150,
        groups: [
          { id: 1, name: 'Work' },
          { id: 2, name: 'Home' },
          { id: 3, name: 'Play' },
        ],
        contacts: [{ email: 'frank@example.com', name: 'Frank', lists: 3, groups: [0] }],
      }),
      ...['bob', 'carol', 'dave', 'eve', 'frank'].map((name) => account(`${name}@example.com`)),
    ],
    row.limits,
    row.timings,
  )

/** Signs alice in and says it all. */
export async function play(row: ErrorRow, dialect: Dialect): Promise<void> {
  const desk = world(row)
  const client = await desk.signIn('alice@example.com', dialect)
  row.arrange?.(desk)
  for (const [ask, answer] of row.talk) {
    client.raw(Buffer.from(ask.includes('\r\n') ? ask : `${ask}\r\n`))
    await desk.desk.idle()
    expect(client.take()[0]).toBe(dialect === 'MSNP8' && ask.startsWith('PGD') ? '200 6' : answer)
  }
  expect(client.closed !== undefined).toBe(row.closes === true)
}
