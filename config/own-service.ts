/** Networks of this config that are our own: an `msn` account on the `msn-service` beside it. */
import { join } from 'node:path'
import { certificateName, type MsnServiceConfig } from '../adapters/msn-service/config.ts'
import type { MsnConfig } from '../adapters/msn/config.ts'
import type { Config } from './schema.ts'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/
const ANYWHERE = /^(0\.0\.0\.0|::|\[::\])$/

/** The service whose login page that network uses. */
const serviceOf = (config: Config, { passport }: MsnConfig): MsnServiceConfig | undefined => {
  const url = new URL('nexus' in passport ? passport.nexus : passport.login)
  const port = Number(url.port === '' ? 443 : url.port)
  return config.networks
    .filter((network) => network.type === 'msn-service')
    .find(({ passport: { listen, plain } }) => {
      const reaches = url.hostname === listen.host || LOOPBACK.test(url.hostname)
      const listens = url.hostname === listen.host || LOOPBACK.test(listen.host) || ANYWHERE.test(listen.host)
      return url.protocol === 'https:' && !plain && port === listen.port && reaches && listens
    })
}

/** Its certificate is ours and needs no `ca`: the one of the config, or the one that is made in the data folder. */
export const trustingOurselves = (config: Config, network: MsnConfig): MsnConfig => {
  if (network.ca !== undefined || network.insecure) return network
  const service = serviceOf(config, network)
  if (service === undefined) return network
  return { ...network, ca: service.tls?.cert ?? join(config.data, certificateName(service.id)) }
}
