/** An MSN service and the load that uses it, for as long as a measurement lasts. */
import type { Ports } from './load.ts'
import { Child } from './processes.ts'

export interface ServiceOptions {
  /** Of the service; the load is always on 1. */
  readonly core: 0 | 1
  /** Accounts user0 to user<users - 1>. */
  readonly users: number
  /** Everybody has `star` on the list, and `star` everybody. */
  readonly star?: true
  /** Each has so many of the next ones on the list. */
  readonly contacts?: number
}

export interface Running {
  readonly ports: Ports
  readonly service: Child
  readonly load: Child
}

export async function withService<T>(
  { core, users, star, contacts }: ServiceOptions,
  work: (running: Running) => Promise<T>,
): Promise<T> {
  const service = Child.start('service', core)
  const load = Child.start('load', 1)
  try {
    const ports = await service.ask<Ports>('start', users, star === true, contacts ?? 0)
    return await work({ ports, service, load })
  } finally {
    await load.stop()
    await service.stop()
  }
}
