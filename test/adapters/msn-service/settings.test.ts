import { expect, it } from 'vitest'
import { certificateNames, limitsOf, placesOf, timingsOf, webOf } from '../../../adapters/msn-service/settings.ts'
import { DEFAULT_GATEWAY_LIMITS, DEFAULT_LIMITS, DEFAULT_TIMINGS } from '../../../msnp/index.ts'
import { configOf } from './rig.ts'

it('has the defaults of the library where the config says nothing', () => {
  expect({ ...DEFAULT_LIMITS, ...limitsOf(configOf()) }).toEqual(DEFAULT_LIMITS)
  expect({ ...DEFAULT_TIMINGS, ...timingsOf(configOf()) }).toEqual(DEFAULT_TIMINGS)
})

it('switches every rate off at once', () => {
  const { switchboardRate, callRate, commandRate, messageRate, connectionRate } = limitsOf(
    configOf({ limits: { rates: false } }),
  )
  for (const rate of [switchboardRate, callRate, commandRate, messageRate, connectionRate]) expect(rate?.burst).toBe(0)
})

it('challenges on switchboards only where that is asked for', () => {
  expect(timingsOf(configOf({ challenge: 25 }))).toMatchObject({ challenge: 1_500_000, switchboardChallenge: 'off' })
  expect(timingsOf(configOf({ challenge: 'once', challenge_switchboards: true }))).toMatchObject({
    challenge: 'once',
    switchboardChallenge: 'once',
  })
})

it('shares one port where the switchboards are given that of the notification server', () => {
  const places = placesOf(
    configOf({
      listen: '127.0.0.1:1863',
      public: 'msn.home.example:1863',
      switchboard: { listen: '127.0.0.1:1863' },
      passport: { listen: '127.0.0.1:1443' },
    }),
  )
  expect(places.listen).toEqual({
    notification: { host: '127.0.0.1', port: 1863 },
    passport: { host: '127.0.0.1', port: 1443 },
  })
  expect(places.public?.switchboard).toEqual({ host: 'msn.home.example', port: 1863 })
})

it('has no HTTP gateway unless it is asked for, and then that of the library', () => {
  expect(webOf(configOf())).toEqual({ legacyTls: true })
  expect(placesOf(configOf()).listen.http).toBeUndefined()
  const config = configOf({
    passport: { legacy: false },
    http_gateway: { listen: '127.0.0.1:80', public: 'gateway.example' },
  })
  expect({ ...DEFAULT_GATEWAY_LIMITS, ...webOf(config).gateway }).toEqual(DEFAULT_GATEWAY_LIMITS)
  expect(webOf(config).legacyTls).toBe(false)
  expect(placesOf(config).listen.http).toEqual({ host: '127.0.0.1', port: 80 })
  expect(placesOf(config).public?.gateway).toBe('gateway.example')
  expect(placesOf(configOf({ http_gateway: {} })).listen.http).toBeUndefined()
})

it('names in the certificate what classic clients ask for, or what the config says', () => {
  expect(certificateNames(configOf({ domain: 'a.example' }))).toEqual([
    '127.0.0.1',
    'a.example',
    'nexus.passport.com',
    'login.passport.com',
    'loginnet.passport.com',
    'localhost',
  ])
  expect(certificateNames(configOf({ passport: { certificate_names: ['login.live.com'] } }))).toEqual([
    '127.0.0.1',
    'home.example',
    'login.live.com',
    'localhost',
  ])
})
