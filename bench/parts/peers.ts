/** What goes from peer to peer over a switchboard. Service on core 0, both peers on core 1. */
import type { Ports } from '../load.ts'
import type { Figures, Part } from '../measure.ts'
import { Child } from '../processes.ts'

const FILE_BYTES = 20_000_000
const PICTURES = 300

export const peers: Part = {
  name: 'peer to peer',
  about:
    'a file of 20 MB and pictures of 20 kB, one after the other, over one switchboard in packets of 1202 bytes; ' +
    'grown: what the process of both peers has taken more of memory at most during the file',
  targets: { file_mb: { min: 2 }, picture_ms: { max: 50 }, grown_mb: { max: 64 } },
  async run(): Promise<Figures> {
    const service = Child.start('service', 0)
    const both = Child.start('peers', 1)
    try {
      const ports = await service.ask<Ports>('start', 2, false, 0)
      await both.ask('open', ports)
      await both.ask('file', 2_000_000)
      const file = await both.ask<{ rate: number; grown: number }>('file', FILE_BYTES)
      await both.ask('pictures', 20)
      const pictures = await both.ask<{ p50: number; p99: number }>('pictures', PICTURES)
      return {
        file_mb: file.rate / 1e6,
        grown_mb: file.grown / 1e6,
        picture_ms: pictures.p50,
        picture_p99_ms: pictures.p99,
      }
    } finally {
      await both.stop()
      await service.stop()
    }
  },
}
