import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  creationOf,
  creatorsStandAbove,
  levelOf,
  levelToSpeak,
  portalLevels,
  withLevel,
} from '../../../adapters/matrix/power-levels.ts'
import '../../kit/properties.ts'

const bot = '@msnbot:example.org'
const alice = '@alice:example.org'

describe('power levels', () => {
  test.each([
    ['1', false],
    ['11', false],
    ['12', true],
    ['13', true],
    ['org.matrix.hydra.11', true],
    ['org.matrix.msc1234', false],
  ])('whoever makes a room of version %s stands above all levels: %s', (version, above) => {
    expect(creatorsStandAbove(version)).toBe(above)
    expect(bot in (portalLevels(version, bot, alice)['users'] as object)).toBe(!above)
  })

  test.each([
    [{}, 0],
    [{ users_default: 5 }, 5],
    [{ users_default: 5, users: { [alice]: 50 } }, 50],
    [{ users: { [alice]: '75' } }, 75],
    [{ users: { [alice]: 'much' }, users_default: null }, 0],
    [{ users: [alice] }, 0],
    [null, 0],
    ['x', 0],
  ])('of %j, alice has %i', (levels, level) => {
    expect(levelOf(levels, alice)).toBe(level)
  })

  test.each([
    [{}, 0],
    [{ events_default: 10 }, 10],
    [{ events_default: 10, events: { 'm.room.message': 20 } }, 20],
    [{ events: null }, 0],
  ])('of %j, speaking takes %i', (levels, level) => {
    expect(levelToSpeak(levels)).toBe(level)
  })

  test('creators count from version 12 on only', () => {
    const content = { room_version: '12', additional_creators: [alice, 7] }
    expect(creationOf(content, bot)).toEqual({ roomVersion: '12', creators: [bot, alice] })
    expect(creationOf({ ...content, room_version: '11' }, bot).creators).toEqual([])
    expect(levelOf({ users: {} }, bot, [bot])).toBe(Number.POSITIVE_INFINITY)
  })

  test('somebody is raised without a change for the others, and never lowered', () => {
    const levels = { users: { [alice]: 100 }, ban: 50 }
    expect(withLevel(levels, bot, 100)).toEqual({ users: { [alice]: 100, [bot]: 100 }, ban: 50 })
    expect(withLevel(levels, alice, 50)).toBeUndefined()
  })

  test('any content gives a number', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (levels, user) => {
        expect(typeof levelOf(levels, user)).toBe('number')
        expect(Number.isFinite(levelToSpeak(levels))).toBe(true)
      }),
    )
  })
})
