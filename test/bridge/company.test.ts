/** Who is in a channel, for chats that show each of them. */
import { expect, test } from 'vitest'
import { Company, type CompanyDeps } from '../../bridge/company.ts'
import type { Op } from '../../bridge/degrade.ts'
import type { AccountId, ChatId, ChatRef, NetworkId, PortalId, UserId } from '../../bridge/model/ids.ts'
import type { Leg, LegId, Portal } from '../../bridge/store/port.ts'
import { ableCapabilities, plainCapabilities } from '../kit/fake-adapter.ts'

const irc = 'irc' as NetworkId
const msn = 'msn' as NetworkId
const TEA: ChatRef = { network: irc, chat: '#tea' as ChatId }

const channel: Leg = {
  id: 'l1' as LegId,
  portal: 'p' as PortalId,
  network: irc,
  via: 'irc' as AccountId,
  request: { kind: 'channel', name: TEA.chat },
  chat: TEA,
  flow: 'both',
}
const contact = (id: string, user: string, flow: Leg['flow'] = 'both'): Leg => ({
  id: id as LegId,
  portal: channel.portal,
  network: msn,
  via: 'tea' as AccountId,
  request: { kind: 'direct', with: user as UserId },
  chat: { network: msn, chat: user as ChatId, account: 'tea' as AccountId },
  flow,
})
const carol = contact('l2', 'carol@x')
const dave = contact('l3', 'dave@x')

const people = (...names: readonly string[]) =>
  names.map((name) => ({ user: { network: irc, user: name.toLowerCase() as UserId }, name }))

/** With what each leg was sent: "carol@x: amy bob". */
const started = (...legs: readonly Leg[]) => {
  const portal = { id: channel.portal, kind: 'channel', origin: 'command', legs } as Portal
  let linked: Portal | undefined = portal
  let capabilities: ReturnType<CompanyDeps['capabilitiesOf']> = ableCapabilities
  const sent: string[] = []
  const company = new Company({
    portals: {
      find: (chat) => {
        const leg = linked?.legs.find((one) => one.chat?.chat === chat.chat)
        return leg === undefined || linked === undefined ? undefined : { portal: linked, leg }
      },
      get: () => linked,
    },
    ephemeral: {
      send: (_account, place, op: Op) => {
        const names = op.kind === 'company' ? op.people.map(({ name }) => name).join(' ') : op.kind
        sent.push(`${place.kind === 'direct' ? place.with : place.kind}: ${names}`)
      },
    },
    capabilitiesOf: (leg) => (leg.network === msn ? capabilities : plainCapabilities),
  })
  return {
    company,
    portal,
    told: () => sent.splice(0),
    are: (...names: readonly string[]) => company.accept({ kind: 'company', chat: TEA, people: people(...names) }),
    relink: (next: Portal | undefined) => (linked = next),
    can: (able: typeof capabilities) => (capabilities = able),
  }
}

test('all of a list goes to each chat that shows them, and to no other one', () => {
  const { are, told, can } = started(channel, carol, dave, contact('l4', 'eve@x', 'in'))
  are('Amy', 'bob')
  expect(told()).toEqual(['carol@x: Amy bob', 'dave@x: Amy bob'])
  are('bob')
  expect(told()).toEqual(['carol@x: bob', 'dave@x: bob'])
  can(plainCapabilities)
  are('cat')
  can('unknown')
  are('dan')
  can(undefined)
  are('eve')
  expect(told()).toEqual([])
})

test('that nobody is there is told where somebody was', () => {
  const { are, told } = started(channel, carol)
  are()
  expect(told()).toEqual([])
  are('amy')
  are()
  are()
  expect(told()).toEqual(['carol@x: amy', 'carol@x: '])
})

test('a chat that is opened later learns who is there, also of a channel that was known before it was linked', () => {
  const { are, told, company, relink, portal } = started(channel, carol, dave)
  relink(undefined)
  are('amy')
  expect(told()).toEqual([])
  relink(portal)
  company.opened({ portal, leg: dave })
  expect(told()).toEqual(['dave@x: amy'])
  company.opened({ portal, leg: channel })
  expect(told()).toEqual(['carol@x: amy', 'dave@x: amy'])
})

test('where the channel is taken away, nobody is there any more', () => {
  const { are, told, company, relink, portal } = started(channel, carol, dave)
  are('amy')
  told()
  relink({ ...portal, legs: [carol, dave] })
  company.left([channel])
  expect(told()).toEqual(['carol@x: ', 'dave@x: '])
  relink(undefined)
  company.left([carol, dave])
  expect(told()).toEqual([])
})

test('names are as safe as those before a message', () => {
  const { are, told } = started(channel, carol)
  are('<amy>\u202e x', '\u200b')
  expect(told()).toEqual(['carol@x: amy x \u200b'])
})
