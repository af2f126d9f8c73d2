/** Signing in to an account of a network, and changing its password: by the core's own `login`. */
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { PersonPort } from '../types.ts'

export const signIn = (
  person: PersonPort,
  network: NetworkId,
  address: string,
  password: string,
): Promise<readonly string[]> => person.command(`login ${network} ${address}`, password)

/** What the core says to a `yes` that it waits for no more. */
const NOTHING_ASKED = 'There is nothing to confirm.'

/** Runs what the core asks a `yes` for. */
export const confirmed = async (person: PersonPort, line: string): Promise<readonly string[]> => {
  const asked = await person.command(line)
  const done = await person.command('yes')
  return done[0] === NOTHING_ASKED ? asked : done
}
