/** Type of network -> its adapter, imported when a config first asks for it. */
import type { AdapterState, Logger } from '../bridge/adapter.ts'
import type { IrcGatewayConfig } from './irc-gateway/config.ts'
import type { IrcConfig } from './irc/config.ts'
import type { MatrixConfig } from './matrix/config.ts'
import type { AccountAdmin, AdapterOptions, HostingAdapter, RegistrationAnswer } from './module.ts'
import type { MsnServiceConfig } from './msn-service/config.ts'
import type { MsnConfig } from './msn/config.ts'

/** Exactly the types that config/schema.ts accepts: a new fragment does not compile until it has its case here. */
export type NetworkConfig = MsnServiceConfig | MsnConfig | IrcConfig | IrcGatewayConfig | MatrixConfig

type Shared = Omit<AdapterOptions<never>, 'config'>

export const createAdapter = async (config: NetworkConfig, shared: Shared): Promise<HostingAdapter> => {
  switch (config.type) {
    case 'msn-service':
      return (await import('./msn-service/index.ts')).create({ ...shared, config })
    case 'msn':
      return (await import('./msn/index.ts')).create({ ...shared, config })
    case 'irc':
      return (await import('./irc/index.ts')).create({ ...shared, config })
    case 'irc-gateway':
      return (await import('./irc-gateway/index.ts')).create({ ...shared, config })
    case 'matrix':
      return (await import('./matrix/index.ts')).create({ ...shared, config })
  }
}

/** Whether people have accounts of their own on a network of this type. */
export const keepsAccounts = (config: NetworkConfig): boolean => config.type === 'msn-service'

/** The accounts of a service that is not running. */
export const accountsOf = async (
  config: NetworkConfig,
  shared: Shared,
  state: AdapterState,
  log: Logger,
): Promise<AccountAdmin | undefined> =>
  config.type === 'msn-service'
    ? (await import('./msn-service/index.ts')).accounts({ ...shared, config }, state, log)
    : undefined

/** Whether a server of this type must be given a file before it lets us in. */
export const needsRegistration = (config: NetworkConfig): config is MatrixConfig => config.type === 'matrix'

/** Writes that file. */
export const register = async (config: MatrixConfig, shared: Shared): Promise<RegistrationAnswer> =>
  (await import('./matrix/index.ts')).registration({ ...shared, config })
