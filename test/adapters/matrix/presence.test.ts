import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BUSY, lookOf, MAX_STATUS_BYTES, stateOf } from '../../../adapters/matrix/presence.ts'
import type { Availability } from '../../../bridge/model/presence.ts'
import '../../kit/properties.ts'

it.each([
  ['online', 'online', undefined, 'online'],
  ['idle', 'unavailable', undefined, 'unavailable'],
  ['away', 'unavailable', 'Away', 'unavailable'],
  ['brb', 'unavailable', 'Be right back', 'unavailable'],
  ['lunch', 'unavailable', 'Out to lunch', 'unavailable'],
  ['busy', 'unavailable', 'Busy', BUSY],
  ['phone', 'unavailable', 'On the phone', BUSY],
  ['hidden', 'offline', undefined, 'offline'],
  ['offline', 'offline', undefined, 'offline'],
] as const)('shows %s as %s, or what the homeserver has for it', (show, presence, text, withBusy) => {
  expect(lookOf({ show }, false)).toMatchObject({ presence, ...(text === undefined ? {} : { text }) })
  expect(lookOf({ show }, false).text).toBe(text)
  expect(lookOf({ show }, true).presence).toBe(withBusy)
})

it('puts the personal message before our own words, and what plays behind them', () => {
  expect(lookOf({ show: 'brb', text: ' back\nsoon ' }, false).text).toBe('back soon')
  const playing = { title: 'Hurt', artist: 'Johnny Cash' }
  expect(lookOf({ show: 'online', playing }, false)).toEqual({
    presence: 'online',
    text: 'Johnny Cash - Hurt',
    emoji: '🎵',
  })
  expect(lookOf({ show: 'lunch', playing }, false).text).toBe('Out to lunch')
  expect(lookOf({ show: 'online', playing, text: 'hi' }, false).text).toBe('hi')
})

it('says nothing of somebody who is not there', () => {
  expect(lookOf({ show: 'offline', text: 'gone fishing' }, true)).toEqual({ presence: 'offline' })
  expect(lookOf({ show: 'hidden', text: 'psst' }, true)).toEqual({ presence: 'offline' })
})

it.each([
  [{ presence: 'online', currently_active: true }, { show: 'online' }],
  [
    { presence: 'online', status_msg: 'hi' },
    { show: 'online', text: 'hi' },
  ],
  [{ presence: 'unavailable' }, { show: 'idle' }],
  [
    { presence: 'unavailable', status_msg: 'cooking' },
    { show: 'idle', text: 'cooking' },
  ],
  [{ presence: 'unavailable', status_msg: 'out to Lunch' }, { show: 'lunch' }],
  [{ presence: 'unavailable', status_msg: 'Away' }, { show: 'away' }],
  [{ presence: BUSY }, { show: 'busy' }],
  [{ presence: 'busy', status_msg: 'On the phone' }, { show: 'phone' }],
  [
    { presence: BUSY, status_msg: 'no time' },
    { show: 'busy', text: 'no time' },
  ],
  [{ presence: 'offline', status_msg: 'bye' }, { show: 'offline' }],
  [{ presence: 'online', status_msg: 7 }, { show: 'online' }],
  [{ presence: 'dancing' }, undefined],
  [{}, undefined],
])('reads %j as %j', (content, state) => {
  expect(stateOf(content)).toEqual(state)
})

const shows: readonly Availability[] = ['online', 'idle', 'away', 'brb', 'busy', 'phone', 'lunch', 'offline']

it('reads what it shows itself as what was meant', () => {
  for (const show of shows)
    for (const busy of [false, true]) {
      const { presence, text } = lookOf({ show }, busy)
      expect(stateOf({ presence, status_msg: text })).toEqual({ show })
    }
})

it('cuts any text to what a status may be, and breaks no character', () => {
  fc.assert(
    fc.property(fc.constantFrom(...shows), fc.string({ unit: 'binary', maxLength: 400 }), (show, text) => {
      const shown = lookOf({ show, text }, false).text ?? ''
      expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(MAX_STATUS_BYTES)
      expect(shown.isWellFormed()).toBe(true)
      expect(shown).not.toMatch(/\p{Cc}/u)
    }),
  )
})
