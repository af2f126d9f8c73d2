import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ghostIdOf, ghostUserOf, isGhostId, isPossible, localpartOf } from '../../../adapters/matrix/ghost-ids.ts'
import type { NetworkId, UserId, UserRef } from '../../../bridge/model/ids.ts'
import '../../kit/properties.ts'

const names = { prefix: 'msn_', domain: 'example.org:8448', bot: '@msn_bot_x:example.org:8448' } as const
const person = (network: string, user: string): UserRef => ({ network: network as NetworkId, user: user as UserId })

describe('ids of ghosts', () => {
  test.each([
    ['retro', 'bob@example.com', '@msn_retro_bob=40example.com:example.org:8448'],
    ['libera', 'joe', '@msn_libera_joe:example.org:8448'],
    ['my_net', 'a_b', '@msn_my=5fnet_a_b:example.org:8448'],
    ['retro', 'Bob=1', '@msn_retro_=42ob=3d1:example.org:8448'],
    ['retro', 'zoë', '@msn_retro_zo=c3=ab:example.org:8448'],
  ])('%s %s is %s', (network, user, id) => {
    expect(ghostIdOf(names, person(network, user))).toBe(id)
    expect(ghostUserOf(names, id)).toEqual(person(network, user))
  })

  test.each([
    ['somebody else', '@alice:example.org:8448'],
    ['of another domain', '@msn_retro_bob:example.org'],
    ['without a network', '@msn__bob:example.org:8448'],
    ['without a user', '@msn_retro_:example.org:8448'],
    ['without either', '@msn_retro:example.org:8448'],
    ['escaped without need', '@msn_retro_=62ob:example.org:8448'],
    ['upper-case hexadecimal', '@msn_retro_bob=4Ax:example.org:8448'],
    ['broken UTF-8', '@msn_retro_=ff:example.org:8448'],
    ['half an escape', '@msn_retro_bob=4:example.org:8448'],
    ['the bot', '@msn_bot_x:example.org:8448'],
  ])('nobody is meant by an id that is %s', (_, id) => {
    expect(ghostUserOf(names, id)).toBeUndefined()
  })

  test('the part of the ids that is ours counts as ours, whatever it means; the bot is not a ghost', () => {
    expect(isGhostId(names, '@msn_retro_=ff:example.org:8448')).toBe(true)
    expect(isGhostId(names, names.bot)).toBe(false)
  })

  test('an address that is too long for the homeserver is found out', () => {
    expect(isPossible(ghostIdOf(names, person('retro', `${'a'.repeat(200)}@b`)))).toBe(true)
    expect(isPossible(ghostIdOf(names, person('retro', 'ü'.repeat(60))))).toBe(false)
  })

  test('every person has one id of the allowed characters, and it means them', () => {
    const network = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,31}$/)
    const user = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
    fc.assert(
      fc.property(network, user, (net, name) => {
        const whom = person(net, name.toWellFormed())
        const id = ghostIdOf(names, whom)
        expect(localpartOf(id)).toMatch(/^[a-z0-9._=/-]+$/)
        expect(ghostUserOf(names, id)).toEqual(whom)
      }),
    )
  })

  test('any text is read without an error, and what is read is written the same again', () => {
    const odd = fc.oneof(fc.string(), fc.stringMatching(/^@msn_[a-z0-9_=-]{0,20}:example\.org:8448$/))
    fc.assert(
      fc.property(odd, (id) => {
        const whom = ghostUserOf(names, id)
        if (whom !== undefined) expect(ghostIdOf(names, whom)).toBe(id)
      }),
    )
  })
})
