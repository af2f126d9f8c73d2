/** What is told of how our account looks to others. */
import { expect, it } from 'vitest'
import { OwnLooks } from '../../../adapters/msn/own-looks.ts'
import { NO_PERSONAL_MESSAGE, type Messenger, type PersonalMessage } from '../../../msnp/index.ts'

const song: PersonalMessage['media'] = { application: '', type: 'Music', format: '{0} - {1}', args: ['Song', 'Band'] }
const messenger = (more: Partial<Messenger> = {}): Messenger => ({
  status: 'NLN',
  clientId: 0,
  object: undefined,
  personal: NO_PERSONAL_MESSAGE,
  ...more,
})
const OBJECT =
  '<msnobj Creator="a@x" Size="1234" Type="3" Location="a" Friendly="AAA=" SHA1D="2jmj7l5rSw0yVb/vlWAYkK/YBwk="/>'

it('is nothing at first, and then what we said and show', () => {
  const looks = new OwnLooks(NO_PERSONAL_MESSAGE, undefined)
  expect(looks.seen()).toEqual({})
  looks.says({ text: 'away', media: song })
  looks.shows(500)
  expect(looks.seen()).toEqual({ text: 'away', playing: { title: 'Song', artist: 'Band' }, picture: 500 })
})

it('is what the Messenger says while it is there; its words stay, its music goes', () => {
  const looks = new OwnLooks({ text: 'ours', media: undefined }, 500)
  looks.beside(messenger({ personal: { text: 'theirs', media: song }, object: OBJECT }))
  expect(looks.seen()).toEqual({
    text: 'theirs',
    playing: { title: 'Song', artist: 'Band' },
    picture: 500,
    beside: { picture: 1234 },
  })
  looks.beside(undefined)
  expect(looks.seen()).toEqual({ text: 'theirs', picture: 500 })
})

it('has no picture of the Messenger where that shows none, or describes none', () => {
  const looks = new OwnLooks(NO_PERSONAL_MESSAGE, undefined)
  for (const object of [undefined, 'no object', OBJECT.replace('1234', 'x')]) {
    looks.beside(messenger({ object }))
    expect(looks.seen()).toEqual({ beside: {} })
  }
})
