/** Tests that are written once and run on the fake homeserver and on Synapse. */
import { describe } from 'vitest'
import { FakeHomeserver } from './fake-homeserver.ts'
import { missingSynapse, Synapse } from './synapse.ts'

export interface HomeserverOptions {
  /** Registration files of application services. */
  readonly registrations?: readonly string[]
  /** Where clients connect; by default a free port. */
  readonly port?: number
}

/** What both can do. */
export type Homeserver = FakeHomeserver | Synapse
export type StartHomeserver = (options?: HomeserverOptions) => Promise<Homeserver>

const KINDS: readonly { readonly name: string; readonly start: StartHomeserver; readonly absent: () => boolean }[] = [
  { name: 'the fake homeserver', start: (options) => FakeHomeserver.start(options), absent: () => false },
  { name: 'Synapse', start: (options) => Synapse.start(options), absent: missingSynapse },
]

/** Synapse is skipped, loudly, where it is not installed. */
export const onEachHomeserver = (tests: (start: StartHomeserver, kind: Homeserver['kind']) => void): void => {
  for (const { name, start, absent } of KINDS)
    describe.skipIf(absent())(`on ${name}`, () => tests(start, name === 'Synapse' ? 'synapse' : 'fake'))
}
