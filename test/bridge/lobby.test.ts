import { describe, expect, test } from 'vitest'
import { address, handleOf, lobbyBook } from '../../bridge/lobby.ts'
import type { AccountId, ChatId, ChatRef, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { plain, type RichText } from '../../bridge/model/text.ts'
import type { LegId } from '../../bridge/store/port.ts'

const leg = 'l' as LegId
const contact = (user: string, name = '') => ({ leg, user: user as UserId, name })
const chat: ChatRef = { network: 'msn' as NetworkId, chat: 'group:1' as ChatId, account: 'relay' as AccountId }
const book = lobbyBook(
  [
    contact('bob@home.example', 'Bob the Builder'),
    contact('carol@home.example', 'Carol'),
    contact('carol@work.example', 'Boss'),
    contact('mallory@x', 'bob'),
    contact('g1@x', 'g one'),
  ],
  [{ leg, handle: 'g1', chat }],
)

test.each([
  ['bob@home.example', 'bob'],
  ['carol@home.example', 'carol@home.example'],
  ['carol@work.example', 'carol@work.example'],
  ['g1@x', 'g1@x'],
  ['mallory@x', 'mallory'],
])('%s is called %s', (user, handle) => {
  expect(handleOf(book, leg, user as UserId)).toBe(handle)
})

const to = (user: string) => ({ kind: 'direct', with: user })

describe('an address', () => {
  test.each<[string, string | RichText, unknown]>([
    ['by handle', 'bob: hello', { kind: 'to', to: { place: to('bob@home.example') }, text: plain('hello') }],
    ['with a comma, in capitals', 'BOB, hello: you', { kind: 'to', text: plain('hello: you') }],
    ['over lines', 'bob:\nhello\nthere', { kind: 'to', text: plain('hello\nthere') }],
    ['by full address', 'carol@work.example: hi', { kind: 'to', to: { place: to('carol@work.example') } }],
    ['by display name without blanks', 'bobthebuilder: hi', { kind: 'to', to: { place: to('bob@home.example') } }],
    [
      'a display name never catches what is meant for an address',
      'bob: hi',
      { kind: 'to', to: { place: to('bob@home.example') } },
    ],
    ['a group', 'g1: hi all', { kind: 'to', to: { place: { kind: 'chat', chat } } }],
    [
      'two of one name',
      'carol: hi',
      { kind: 'ambiguous', word: 'carol', handles: ['carol@home.example', 'carol@work.example'] },
    ],
    ['nobody we know', 'dave: hi', { kind: 'unknown', word: 'dave' }],
    ['no address', 'hello bob: how are you', { kind: 'nobody' }],
    ['a link', 'http://example.org', { kind: 'nobody' }],
    ['an address without words', 'bob: ', { kind: 'nobody' }],
    ['nothing', '', { kind: 'nobody' }],
    ['an endless word', `${'x'.repeat(500)}: hi`, { kind: 'nobody' }],
  ])('%s', (_, text, expected) => {
    expect(address(typeof text === 'string' ? plain(text) : text, book)).toMatchObject(expected as object)
  })

  test('is cut off, and the styling of the rest is kept', () => {
    const text: RichText = [
      { text: 'bo', bold: true },
      { text: 'b: he', italic: true },
      { text: 'llo', color: '#ff0000' },
    ]
    expect(address(text, book)).toMatchObject({
      kind: 'to',
      text: [
        { text: 'he', italic: true },
        { text: 'llo', color: '#ff0000' },
      ],
    })
  })
})
