import { expect, test } from 'vitest'
import { create } from '../../../adapters/irc-gateway/index.ts'
import { ircGatewayConfig } from '../../../adapters/irc-gateway/config.ts'
import type { AdapterContext } from '../../../bridge/adapter.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import { recordingLog } from '../../kit/observers.ts'
import { FakeContext } from '../irc/fake-context.ts'

const warnings = async (register: 'open' | 'closed'): Promise<readonly unknown[]> => {
  const config = ircGatewayConfig.parse({
    id: 'irc',
    type: 'irc-gateway',
    listen: '127.0.0.1:0',
    admins: ['Alice', 'boss'],
    register,
  })
  const adapter = create({ network: 'irc' as NetworkId, config, dataFolder: '', secret: () => '' })
  const context = new FakeContext()
  context.stored.set('user/alice', JSON.stringify({ hash: '', setAt: 0 }))
  const log = recordingLog()
  const watched: AdapterContext = Object.assign(context, { log })
  await adapter.start(watched)
  await adapter.stop()
  return log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['admin'])
}

test('the operator is warned of an admin whose name anybody can still register', async () => {
  expect(await warnings('open')).toEqual(['boss'])
  expect(await warnings('closed')).toEqual([])
})
