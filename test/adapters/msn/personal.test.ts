import { describe, expect, it } from 'vitest'
import { personalOf, stateOf } from '../../../adapters/msn/personal.ts'
import type { PresenceState } from '../../../bridge/model/presence.ts'
import { formatPersonalMessage, parsePersonalMessage, type PersonalMessage } from '../../../msnp/index.ts'

const media = (type: string, format: string, ...args: string[]): PersonalMessage['media'] => ({
  application: '',
  type,
  format,
  args,
})

describe('what people of MSN write beside their names', () => {
  it.each<[string, PersonalMessage | undefined, PresenceState]>([
    ['nothing', { text: '', media: undefined }, { show: 'busy' }],
    ['nothing, before MSNP11', undefined, { show: 'busy' }],
    ['a text', { text: 'at work', media: undefined }, { show: 'busy', text: 'at work' }],
    [
      'a text and a song',
      { text: 'at work', media: media('Music', '{0} - {1}', 'Song', 'Artist', 'Album') },
      { show: 'busy', text: 'at work', playing: { title: 'Song', artist: 'Artist', album: 'Album' } },
    ],
    ['a song alone', { text: '', media: media('Music', '{0}', 'Song') }, { show: 'busy', playing: { title: 'Song' } }],
    ['a game', { text: '', media: media('Games', 'Playing {0}', 'Chess') }, { show: 'busy', text: 'Playing Chess' }],
    ['a game and a text', { text: 'hi', media: media('Games', '{0}', 'Chess') }, { show: 'busy', text: 'hi' }],
    ['a song without a title', { text: '', media: media('Music', 'Radio') }, { show: 'busy', text: 'Radio' }],
  ])('%s is told', (_, personal, state) => {
    expect(stateOf('busy', personal)).toEqual(state)
  })

  it('is over when they are offline', () => {
    expect(stateOf('offline', { text: 'at work', media: undefined })).toEqual({ show: 'offline' })
  })

  it.each<PresenceState>([
    { show: 'online' },
    { show: 'online', text: 'a < b & "c"' },
    { show: 'online', text: 'hi', playing: { title: 'Song', artist: 'Artist', album: 'Album' } },
    { show: 'online', playing: { title: 'Song' } },
    { show: 'online', playing: { title: '{1}', artist: '{0}' } },
  ])('is said so that it comes back as it was: %j', (state) => {
    expect(stateOf('online', parsePersonalMessage(formatPersonalMessage(personalOf(state))))).toEqual(state)
  })
})
