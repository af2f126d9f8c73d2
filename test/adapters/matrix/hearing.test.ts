import { beforeEach, describe, expect, test } from 'vitest'
import { matrixConfig } from '../../../adapters/matrix/config.ts'
import { Faces } from '../../../adapters/matrix/faces.ts'
import { Hearing } from '../../../adapters/matrix/hearing.ts'
import { Names } from '../../../adapters/matrix/names.ts'
import type { Talk } from '../../../adapters/matrix/talk.ts'
import type { Mxid, RoomId } from '../../../adapters/matrix/types.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import { alice, Town } from './town.ts'

const dan: Mxid = '@dan:example.org'
const mallory: Mxid = '@mallory:elsewhere.example'
const telegram: Mxid = '@telegram_1:example.org'
/** Nothing is said to the bot here. */
const silent = { hears: () => false } as unknown as Talk

let town: Town
let hearing: Hearing
beforeEach(async () => {
  town = new Town()
  await town.service.start()
  const config = matrixConfig.parse({
    id: 'matrix',
    type: 'matrix',
    homeserver: 'http://127.0.0.1:8008',
    domain: 'example.org',
    other_bridges: ['@telegram_.+:example[.]org'],
  })
  const emit = (event: Parameters<typeof town.bridge.emit>[0]) => town.bridge.emit(event)
  const names = new Names(town.homeserver)
  const { service } = town
  const { context, network, account } = service
  const faces = new Faces({ network, account: account.id, context, isOurs: (id) => service.ghosts.isOurs(id) })
  hearing = new Hearing({ config, service, talk: silent, names, faces, emit })
})

describe('a topic', () => {
  let plumbed: RoomId
  beforeEach(async () => {
    plumbed = town.homeserver.room(dan, { state: [['m.room.join_rules', '', { join_rule: 'public' }]] })
    await town.rooms.open({ kind: 'channel', name: plumbed as string as ChatId }, town.signal)
  })

  const set = async (room: RoomId, sender: Mxid, topic: unknown) => {
    const event = town.homeserver.event(room, 'm.room.topic', sender, { topic }, '')
    if (hearing.direct(event) === undefined) await hearing.act(event, town.signal)
    return event
  }

  test('is told of linked rooms, clean and not too long', async () => {
    const event = await set(plumbed, dan, `tea\0\x1b ${'x'.repeat(20_000)}`)
    expect(town.bridge.events).toMatchObject([{ kind: 'topic', id: event.event_id, sender: { user: dan } }])
    const [told] = town.bridge.events
    expect(told?.kind === 'topic' ? told.topic : undefined).toMatch(/^tea x+…$/)
  })

  test('of somebody who may not use the bridge is not passed on, and they are told so', async () => {
    await set(plumbed, mallory, 'spam')
    expect(town.bridge.events).toEqual([])
    expect(town.homeserver.said(plumbed)).toEqual([expect.stringContaining('you may not use this bridge')])
  })

  test('that another bridge or we have set is not passed on', async () => {
    await set(plumbed, telegram, 'tea')
    await set(plumbed, town.homeserver.bot, 'tea')
    await set(plumbed, dan, { no: 'text' })
    expect(town.bridge.events).toEqual([])
    expect(town.homeserver.said(plumbed)).toEqual([])
  })

  test('of a room that was made for a conversation is nothing to the other side, nor is its name', async () => {
    const portal = await town.portal()
    town.bridge.events.length = 0
    await set(portal, alice, 'tea')
    const named = town.homeserver.event(portal, 'm.room.name', alice, { name: 'tea' }, '')
    expect(hearing.direct(named)).toBe('nothing')
    expect(town.bridge.events).toEqual([])
    expect(town.homeserver.said(portal)).toEqual([])
  })
})
