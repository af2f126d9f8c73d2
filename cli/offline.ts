/** Opens the data folder for one command while no daemon runs. */
import type { AccountAdmin, HostingAdapter } from '../adapters/module.ts'
import { accountsOf, createAdapter } from '../adapters/registry.ts'
import { systemClock } from '../bridge/clock.ts'
import { openDataFolder } from '../bridge/data-folder.ts'
import { Identity } from '../bridge/identity.ts'
import type { NetworkId } from '../bridge/model/ids.ts'
import type { ControlAnswer, ControlRequest } from '../bridge/ops/control.ts'
import { createLog } from '../bridge/ops/log.ts'
import { configuredAccounts, configuredPeople, configuredUsers, secretReader } from '../config/apply.ts'
import type { Config } from '../config/schema.ts'
import type { Io } from './io.ts'
import { serve } from './served.ts'

export const serveOffline = async (request: ControlRequest, config: Config, io: Io): Promise<ControlAnswer> => {
  const log = createLog({ level: 'error', pretty: io.stderr.isTTY === true, out: io.stderr })
  const data = await openDataFolder(config.data, systemClock, log)
  try {
    const adapters = new Map<NetworkId, HostingAdapter>()
    const admins = new Map<NetworkId, AccountAdmin>()
    for (const each of config.networks) {
      const network = each.id as NetworkId
      const shared = { network, dataFolder: config.data, secret: secretReader(io.env) }
      adapters.set(network, await createAdapter(each, shared))
      const admin = await accountsOf(each, shared, data.store.adapterState(network), log)
      if (admin !== undefined) admins.set(network, admin)
    }
    const accounts = configuredAccounts(config, io.env)
    const identity = new Identity({ store: data.store, adapters, accounts: () => accounts })
    await identity.start(configuredPeople(config, accounts))
    identity.configure(configuredUsers(config, adapters).users)
    return await serve(request, {
      config,
      accounts: (network) => admins.get(network),
      adapters,
      identity,
      backup: (file) => data.store.backup(file),
    })
  } finally {
    await data.close()
  }
}
