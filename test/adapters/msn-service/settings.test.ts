import { expect, it } from 'vitest'
import { limitsOf, placesOf, timingsOf } from '../../../adapters/msn-service/settings.ts'
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from '../../../msnp/index.ts'
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
