import { expect, test } from 'vitest'
import type { MsnConfig } from '../../adapters/msn/config.ts'
import { checkConfig } from '../../config/load.ts'
import { signUpPlace, trustingOurselves } from '../../config/own-service.ts'
import type { Config } from '../../config/schema.ts'

const configOf = (service: string, msn: string): Config => {
  const loaded = checkConfig(
    `networks:
  - { id: home, type: msn-service, ${service} }
  - { id: retro, type: msn, server: "127.0.0.1:1863", ${msn} }`,
    { name: 'config.yaml', base: '/srv', env: {} },
  )
  if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
  return loaded.config
}

const caOf = (service: string, msn: string): string | undefined => {
  const config = configOf(service, msn)
  const network = config.networks.find((each): each is MsnConfig => each.type === 'msn')
  return network === undefined ? undefined : trustingOurselves(config, network).ca
}

const OWN = '/srv/data/msn-service-home.crt'
test.each([
  ['passport: { listen: "127.0.0.1:1443" }', 'passport: { nexus: "https://127.0.0.1:1443/rdr/pprdr.asp" }', OWN],
  ['passport: { listen: "0.0.0.0:1443" }', 'passport: { login: "https://localhost:1443/login2.srf" }', OWN],
  ['passport: { listen: "192.0.2.7:443" }', 'passport: { login: "https://192.0.2.7/login2.srf" }', OWN],
  ['passport: { listen: "127.0.0.1:1443" }', 'passport: { rst: "https://127.0.0.1:1443/RST.srf" }', OWN],
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

test.each([
  ['https://127.0.0.1:1443/x', '', true],
  ['https://127.0.0.1:1443/x', 'beside_messenger: false, ', false],
  ['https://nexus.example:1443/x', '', undefined],
])('an account at %s with %swhich Messengers are there, too: %s', (page, more, beside) => {
  const config = configOf('passport: { listen: "127.0.0.1:1443" }', `${more}passport: { nexus: "${page}" }`)
  const network = config.networks.find((each): each is MsnConfig => each.type === 'msn')
  expect(network && trustingOurselves(config, network).beside_messenger).toBe(beside)
})

test.each([
  ['passport: { listen: "127.0.0.1:1443" }', 'https://localhost:1443/rdr/pprdr.asp', true],
  [
    'passport: { listen: "127.0.0.1:8080", plain: true, public: login.example.org }',
    'https://login.example.org/x',
    true,
  ],
  ['passport: { listen: "127.0.0.1:1443", public: "login.example.org:444" }', 'https://login.example.org:444/x', true],
  ['passport: { listen: "127.0.0.1:1443", public: "login.example.org:444" }', 'https://login.example.org/x', false],
  ['passport: { listen: "127.0.0.1:1443" }', 'https://nexus.example:1443/x', false],
])('with %s, people of the login page %s can be given accounts: %s', (service, page, can) => {
  const place = signUpPlace(configOf(service, `passport: { nexus: "${page}" }`))
  expect(place).toEqual(can ? { service: 'home', network: 'retro', domain: 'home.example' } : undefined)
})
