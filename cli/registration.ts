/** `msn-bridge registration`: the files that homeservers need to know us. */
import { needsRegistration, register } from '../adapters/registry.ts'
import type { NetworkId } from '../bridge/model/ids.ts'
import type { ControlAnswer } from '../bridge/ops/control.ts'
import { secretReader } from '../config/apply.ts'
import type { Config } from '../config/schema.ts'
import type { Io } from './io.ts'

/** For the network that is named, or for all that need one. */
export const writeRegistrations = async (config: Config, named: string | undefined, io: Io): Promise<ControlAnswer> => {
  const all = config.networks.filter(needsRegistration)
  if (all.length === 0) return { kind: 'failed', wrong: 'this config has no network of type matrix: add one first' }
  const chosen = named === undefined ? all : all.filter(({ id }) => id === named)
  if (chosen.length === 0)
    return {
      kind: 'failed',
      wrong: `${named ?? ''} is no network of type matrix; there is ${all.map(({ id }) => id).join(', ')}`,
    }
  const lines: string[] = []
  for (const network of chosen) {
    const shared = { network: network.id as NetworkId, dataFolder: config.data, secret: secretReader(io.env) }
    const answer = await register(network, shared)
    if (answer.kind === 'refused') return { kind: 'failed', wrong: answer.wrong }
    lines.push(...answer.lines)
  }
  return { kind: 'done', lines }
}
