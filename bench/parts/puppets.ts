/** What it costs to show each contact on an IRC network by a connection of their own. */
import type { Figures, Part } from '../measure.ts'
import { Child, type Memory } from '../processes.ts'

/** Puppets that are there before it is counted what more cost. */
const BEFORE = 20
const MORE = 100

export const puppets: Part = {
  name: 'irc puppets',
  about: `RSS of the irc adapter per puppet in one channel, slope over ${MORE} more in a fresh process, and heap: its live objects`,
  targets: { kb_per_puppet: { max: 160 } },
  async run(): Promise<Figures> {
    const adapter = Child.start('puppets', 0)
    const ircd = Child.start('ircd', 1)
    try {
      await adapter.ask('start', await ircd.ask<number>('start'))
      await adapter.ask('come', 0, BEFORE)
      const small = await adapter.ask<Memory>('memory')
      await adapter.ask('come', BEFORE, BEFORE + MORE)
      const large = await adapter.ask<Memory>('memory')
      await adapter.ask('end')
      const slope = (of: keyof Memory): number => (large[of] - small[of]) / MORE / 1024
      return { kb_per_puppet: slope('rss'), heap_kb: slope('heap') }
    } finally {
      await adapter.stop()
      await ircd.stop()
    }
  },
}
