import { Ii } from './ii.ts'
import { Irssi } from './irssi.ts'
import type { RealClient, Registration } from './real-client.ts'
import { Weechat } from './weechat.ts'

export interface RealProgram {
  readonly name: 'irssi' | 'weechat' | 'ii'
  /** For `missing`. */
  readonly programs: readonly string[]
  /** What all of them can: no TLS, no SASL. Resolves when it is registered. */
  readonly start: (registration: Registration & { readonly password?: string }) => Promise<RealClient>
}

/** For a story that is told with each of them: `describe.each(REAL_PROGRAMS)`. */
export const REAL_PROGRAMS: readonly RealProgram[] = [
  { name: 'irssi', programs: ['irssi', 'tmux'], start: (registration) => Irssi.start(registration) },
  { name: 'weechat', programs: ['weechat-headless'], start: (registration) => Weechat.start(registration) },
  { name: 'ii', programs: ['ii'], start: (registration) => Ii.start(registration) },
]
