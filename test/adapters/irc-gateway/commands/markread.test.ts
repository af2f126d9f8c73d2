// ircv3.net, read-marker.
import { describe, expect, test } from 'vitest'
import { markLine, placeOfChannel } from '../../../../adapters/irc-gateway/commands/markread.ts'
import { MAX_MARKS, ReadMarks } from '../../../../adapters/irc-gateway/commands/read-marks.ts'
import type { UserId } from '../../../../bridge/model/ids.ts'
import { Rig, face } from './rig.ts'

const CAPS = ['draft/read-marker', 'standard-replies'] as const
const T1 = 'timestamp=2003-06-01T12:00:00.000Z'
const T2 = 'timestamp=2003-06-01T12:00:01.000Z'

describe('a read marker', () => {
  test('is unknown, then set, then got', async () => {
    const rig = new Rig()
    const alice = rig.client(...CAPS)
    expect(await rig.ask(alice, 'MARKREAD bob')).toEqual([':localhost MARKREAD bob *'])
    expect(await rig.ask(alice, `MARKREAD Bob ${T1}`)).toEqual([`:localhost MARKREAD bob ${T1}`])
    expect(await rig.ask(alice, 'MARKREAD BOB')).toEqual([`:localhost MARKREAD bob ${T1}`])
  })

  test('only ever increases', async () => {
    const rig = new Rig()
    const alice = rig.client(...CAPS)
    await rig.ask(alice, `MARKREAD &bitlbee ${T2}`)
    expect(await rig.ask(alice, `MARKREAD &bitlbee ${T1}`)).toEqual([`:localhost MARKREAD &bitlbee ${T2}`])
    // "clamp it between the last read timestamp and the current time"
    expect(await rig.ask(alice, 'MARKREAD &bitlbee timestamp=2033-01-01T00:00:00.000Z')).toEqual([
      ':localhost MARKREAD &bitlbee timestamp=2004-01-01T00:00:00.000Z',
    ])
  })

  test('is told to the other clients that know of it, when it has moved', async () => {
    const rig = new Rig()
    const irssi = rig.client(...CAPS)
    const weechat = rig.client(...CAPS)
    const old = rig.client()
    await rig.ask(irssi, `MARKREAD bob ${T2}`, `MARKREAD bob ${T1}`)
    expect(weechat.heard()).toEqual([`:localhost MARKREAD bob ${T2}`])
    expect(old.heard()).toEqual([])
  })

  test('stays with a contact who is called otherwise, and over a restart', async () => {
    const rig = new Rig()
    await rig.ask(rig.client(...CAPS), `MARKREAD bob ${T1}`)
    const later = new Rig([face('robert', { contact: face('bob').contact })])
    for (const [key, value] of rig.stored) later.stored.set(key, value)
    expect(await later.ask(later.client(...CAPS), 'MARKREAD robert')).toEqual([`:localhost MARKREAD robert ${T1}`])
    expect([...rig.stored.keys()]).toEqual([expect.stringMatching(/^person\/alice\/read\//)])
  })

  const wrong: readonly (readonly [line: string, answer: string])[] = [
    ['MARKREAD', 'NEED_MORE_PARAMS :Missing parameters'],
    ['MARKREAD bob *', 'INVALID_PARAMS * :Invalid parameters'],
    ['MARKREAD bob yesterday', 'INVALID_PARAMS yesterday :Invalid parameters'],
    ['MARKREAD bob timestamp=x', 'INVALID_PARAMS timestamp=x :Invalid parameters'],
  ]
  test.each(wrong)('wrongly: %s', async (line, answer) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(...CAPS), line)).toEqual([`:localhost FAIL MARKREAD ${answer}`])
  })

  test('that cannot be kept is refused, and not remembered', async () => {
    const rig = new Rig()
    const alice = rig.client(...CAPS)
    rig.diskFull = true
    expect(await rig.ask(alice, `MARKREAD bob ${T1}`)).toEqual([
      ':localhost FAIL MARKREAD INTERNAL_ERROR bob :The read timestamp could not be set',
    ])
    rig.diskFull = false
    expect(await rig.ask(alice, 'MARKREAD bob')).toEqual([':localhost MARKREAD bob *'])
  })

  test('is none of a client that did not ask for the capability', async () => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), 'MARKREAD bob')).toEqual([':localhost 421 alice MARKREAD :Unknown command'])
  })

  test('can be sent with a JOIN', async () => {
    const rig = new Rig()
    await rig.ask(rig.client(...CAPS), `MARKREAD &bitlbee ${T1}`)
    const marks = await rig.dispatch.marks.of(rig.person.user)
    const place = placeOfChannel({ name: '&BitlBee', chat: undefined })
    expect(markLine('&bitlbee', marks.get(place))).toEqual({ verb: 'MARKREAD', params: ['&bitlbee', T1] })
  })
})

test('so many markers are kept of one person, and no more', async () => {
  const { stored } = new Rig()
  const marks = new ReadMarks({
    state: {
      get: () => Promise.resolve(undefined),
      list: () => Promise.resolve([]),
      update: (changes) => {
        for (const [key, value] of changes) {
          if (value === undefined) stored.delete(key)
          else stored.set(key, value)
        }
        return Promise.resolve()
      },
    },
  })
  const alice = 'alice' as UserId
  for (let count = 0; count < MAX_MARKS + 5; count++) await marks.set(alice, `name/${count}`, count + 1)
  expect((await marks.of(alice)).size).toBe(MAX_MARKS)
  expect(stored.size).toBe(MAX_MARKS)
  expect((await marks.of(alice)).has('name/0')).toBe(false)
})

test('marks are known at once when they were asked for, and forgotten with their person', async () => {
  const rig = new Rig()
  const alice = rig.client(...CAPS)
  const { marks } = rig.dispatch
  expect(marks.known(rig.person.user)).toBeUndefined()
  await rig.ask(alice, `MARKREAD &bitlbee ${T1}`)
  expect(marks.known(rig.person.user)?.get('name/&bitlbee')).toBe(Date.UTC(2003, 5, 1, 12))
  rig.stored.clear()
  marks.forget(rig.person.user)
  expect(marks.known(rig.person.user)).toBeUndefined()
  expect(await rig.ask(alice, 'MARKREAD &bitlbee')).toEqual([':localhost MARKREAD &bitlbee *'])
})
