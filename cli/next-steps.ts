/** Pure. What to do next at a terminal, as far as what runs lets one: three lines that lead to a talk. */
import { signUpPlace } from '../config/own-service.ts'
import type { Config } from '../config/schema.ts'

/** An address to connect to on this machine, for one to listen on. */
export const fromHere = (host: string): string => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host)

/** `running`: ids of networks; `accountAdd` is the command that makes an account; `thirdStep` stands for the last one. */
export const nextSteps = (
  config: Config,
  running: readonly string[],
  accountAdd: (address: string) => string,
  thirdStep?: string,
): readonly string[] => {
  const networks = config.networks.filter(({ id }) => running.includes(id))
  const gateway = networks.find((network) => network.type === 'irc-gateway')
  const service = networks.find((network) => network.type === 'msn-service')
  if (gateway === undefined)
    return service === undefined
      ? []
      : ['  Make an account, in another terminal:', `    ${accountAdd(`you@${service.domain}`)}`]
  const { host, port } = gateway.listen
  const place = signUpPlace(config)
  const domain = place !== undefined && running.includes(place.service) ? place.domain : undefined
  const makes = domain === undefined ? '' : `   (it makes NICK@${domain}, an MSN account here)`
  return [
    '  To talk:',
    `    1. Connect an IRC client:   irssi -c ${fromHere(host)} -p ${port}`,
    `    2. In ${gateway.control} there say:  ${gateway.register === 'closed' ? 'identify PASSWORD' : `register PASSWORD${makes}`}`,
    `    3. ${
      thirdStep ??
      (domain === undefined
        ? 'Sign in to MSN there:    account add msn you@example.com'
        : `A friend for you:        ${accountAdd(`friend@${domain}`)}   then there: add msn friend@${domain}`)
    }`,
  ]
}
