import { expect, test } from 'vitest'
import type { MsnConfig } from '../../adapters/msn/config.ts'
import { checkConfig } from '../../config/load.ts'
import { trustingOurselves } from '../../config/own-service.ts'

const caOf = (service: string, msn: string): string | undefined => {
  const loaded = checkConfig(
    `networks:
  - { id: home, type: msn-service, ${service} }
  - { id: retro, type: msn, server: "127.0.0.1:1863", ${msn} }`,
    { name: 'config.yaml', base: '/srv', env: {} },
  )
  if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
  const network = loaded.config.networks.find((each): each is MsnConfig => each.type === 'msn')
  return network === undefined ? undefined : trustingOurselves(loaded.config, network).ca
}

const OWN = '/srv/data/msn-service-home.crt'
test.each([
  ['passport: { listen: "127.0.0.1:1443" }', 'passport: { nexus: "https://127.0.0.1:1443/rdr/pprdr.asp" }', OWN],
  ['passport: { listen: "0.0.0.0:1443" }', 'passport: { login: "https://localhost:1443/login2.srf" }', OWN],
  ['passport: { listen: "192.0.2.7:443" }', 'passport: { login: "https://192.0.2.7/login2.srf" }', OWN],
  ['passport: { listen: "127.0.0.1:1443" }', 'passport: { nexus: "https://127.0.0.1:1444/rdr/pprdr.asp" }', undefined],
  ['passport: { listen: "127.0.0.1:1443" }', 'passport: { nexus: "https://nexus.example:1443/" }', undefined],
  ['passport: { listen: "192.0.2.7:1443" }', 'passport: { nexus: "https://127.0.0.1:1443/" }', undefined],
  ['passport: { listen: "127.0.0.1:1443", plain: true }', 'passport: { login: "http://127.0.0.1:1443/" }', undefined],
  [
    'passport: { listen: "127.0.0.1:1443" }',
    'insecure: true, passport: { nexus: "https://127.0.0.1:1443/" }',
    undefined,
  ],
])('a service with %s and an account with %s: the certificate trusted is %3$s', (service, msn, ca) => {
  expect(caOf(service, msn)).toBe(ca)
})
