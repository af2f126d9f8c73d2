/** Networks of this config that are our own: an `msn` account on the `msn-service` beside it. */
import { join } from 'node:path'
import { elsewhereAddress, elsewhereOf } from '../adapters/msn-service/addresses.ts'
import { certificateName, type MsnServiceConfig } from '../adapters/msn-service/config.ts'
import type { MsnConfig } from '../adapters/msn/config.ts'
import type { NetworkId } from '../bridge/model/ids.ts'
import type { Config } from './schema.ts'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/
const ANYWHERE = /^(0\.0\.0\.0|::|\[::\])$/

const loginPage = ({ passport }: MsnConfig): URL =>
  new URL('nexus' in passport ? passport.nexus : 'login' in passport ? passport.login : passport.rst)

/** The service whose login page that network uses. */
const serviceOf = (config: Config, network: MsnConfig): MsnServiceConfig | undefined => {
  const url = loginPage(network)
  const port = Number(url.port === '' ? 443 : url.port)
  return config.networks
    .filter((each) => each.type === 'msn-service')
    .find(({ passport: { listen, plain } }) => {
      const reaches = url.hostname === listen.host || LOOPBACK.test(url.hostname)
      const listens = url.hostname === listen.host || LOOPBACK.test(listen.host) || ANYWHERE.test(listen.host)
      return url.protocol === 'https:' && !plain && port === listen.port && reaches && listens
    })
}

/** The first service on which people can be given accounts, and the network through which they sign in with them. */
export const signUpPlace = (
  config: Config,
): { readonly service: NetworkId; readonly network: NetworkId; readonly domain: string } | undefined => {
  for (const network of config.networks) {
    if (network.type !== 'msn') continue
    const service = serviceOf(config, network) ?? publicService(config, network)
    if (service !== undefined)
      return { service: service.id as NetworkId, network: network.id as NetworkId, domain: service.domain }
  }
  return undefined
}

/** Accounts of people elsewhere, which the bridge made when somebody added them by address. */
export const isVisitor = (
  place: ReturnType<typeof signUpPlace>,
  { network, login }: { readonly network: NetworkId; readonly login: string },
): boolean => network === place?.network && elsewhereOf(login, place.domain) !== undefined

/** Of somebody of another network, on the service with that domain. */
export const addressElsewhere = (local: string, network: NetworkId, domain: string): string =>
  elsewhereAddress({ local, label: network.toLowerCase() }, domain)

/** The login page may be found under another name, perhaps behind a proxy with a certificate of its own. */
const publicService = (config: Config, network: MsnConfig): MsnServiceConfig | undefined => {
  const url = loginPage(network)
  return config.networks
    .filter((each) => each.type === 'msn-service')
    .find(({ passport }) => passport.public?.toLowerCase().replace(/:443$/, '') === url.host)
}

/**
 * Its certificate is ours and needs no `ca`: the one of the config, or the one that is made in the data folder. And it lets
 * an account be signed in here and with a Messenger.
 */
export const trustingOurselves = (config: Config, network: MsnConfig): MsnConfig => {
  const service = serviceOf(config, network)
  const own =
    service === undefined && publicService(config, network) === undefined
      ? network
      : { ...network, beside_messenger: network.beside_messenger ?? true }
  if (own.ca !== undefined || own.insecure || service === undefined) return own
  return { ...own, ca: service.tls?.cert ?? join(config.data, certificateName(service.id)) }
}
