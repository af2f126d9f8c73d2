import { describe, expect, it } from 'vitest'
import type { Fetched } from '../../../adapters/msn/peer-talk.ts'
import { BRING_MS, MAX_BRINGING, Things, type Fetch, type Thing } from '../../../adapters/msn/things.ts'
import type { Files } from '../../../bridge/adapter.ts'
import type { NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { kindOf, mediaOfKind, shownName } from '../../../bridge/media/kinds.ts'
import { describeObject, formatMsnObject } from '../../../msnp/index.ts'
import { cabinet } from '../../kit/cabinet.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { nobody } from '../../kit/nobody.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\n-picture', 'latin1')
const JPEG = Buffer.from('\xff\xd8\xff\xe0-thumbnail', 'latin1')
/** Of a voice clip: a WAVE file whose codec is Siren, which is passed on as it is. */
const VOICE = Buffer.from('RIFF\x20\0\0\0WAVEfmt \x14\0\0\0\x8e\x02', 'latin1')

const from = { network: 'msn' as NetworkId, user: 'bob@example.com' as UserId }

/** Keeps what is put, under its number. */
class Shelf implements Files {
  readonly maxBytes = 100_000
  readonly kept: Buffer[] = []
  readonly refusal: Files['refusal'] = () => undefined
  readonly open: Files['open'] = (file, signal) => nobody.files.open(file, signal)
  full = false
  readonly put: Files['put'] = async (body, { name }, signal) => {
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    if (this.full || signal.aborted) return { kind: 'refused', reason: 'network', detail: 'not now' }
    const bytes = Buffer.concat(pieces)
    const mime = kindOf(bytes, name)
    const ref = String(this.kept.push(bytes) - 1)
    const file = { network: '~files' as NetworkId, ref, name: shownName(name), media: mediaOfKind(mime), mime }
    return { kind: 'stored', file }
  }
}

const object = (kind: 'wink' | 'voice', data: Buffer, friendly = ''): Thing => {
  const about = describeObject(data, { creator: 'bob@example.com', type: kind === 'wink' ? 8 : 11, friendly })
  return { kind, object: { ...about, sha1c: undefined }, xml: formatMsnObject(about) }
}
const gives =
  (bytes: Buffer): Fetch =>
  async () => ({ kind: 'fetched', bytes })
const never: Fetch = (_object, _xml, signal) =>
  new Promise<Fetched>((resolve) =>
    signal.addEventListener('abort', () => resolve({ kind: 'failed', how: 'cancelled' })),
  )
const declined: Fetch = async () => ({ kind: 'failed', how: 'declined' })

const build = (fetch = true) => {
  const clock = new VirtualClock()
  const files = new Shelf()
  const metrics = { count: () => {}, gauge: () => {}, observe: () => {} }
  return { clock, files, things: new Things({ context: { files, clock, metrics }, fetch }) }
}
const words = (text: string) => ({ kind: 'action', text: [{ text }] })

describe('what is more than words', () => {
  const WINK = cabinet(
    [
      { name: 'content.xml', data: Buffer.from('<package/>') },
      { name: 'a.png', data: PNG },
      { name: 'Thumb.jpg', data: JPEG },
    ],
    { packed: true },
  )

  it('is the small picture of a wink, with its name', async () => {
    const { things, files } = build()
    expect(await things.bring(object('wink', WINK, 'Big  kiss'), from, gives(WINK))).toMatchObject({
      kind: 'file',
      file: { name: 'Big kiss.jpg', media: 'image', mime: 'image/jpeg' },
      text: [{ text: 'sends the wink "Big kiss"' }],
    })
    expect(files.kept).toEqual([JPEG])
  })

  it('is a voice clip as audio, byte for byte', async () => {
    const { things, files } = build()
    expect(await things.bring(object('voice', VOICE), from, gives(VOICE))).toMatchObject({
      kind: 'file',
      file: { name: 'voice clip.wav', media: 'audio', mime: 'audio/wav' },
      text: [],
    })
    expect(files.kept).toEqual([VOICE])
  })

  it.each([
    ['gif', 'GIF89a-drawing', 'image'],
    ['isf', 'strokes', 'file'],
  ] as const)('is a drawing: %s', async (format, data, media) => {
    const { things, files } = build()
    const body = await things.bring({ kind: 'ink', format, data: Buffer.from(data) }, from, declined)
    expect(body).toMatchObject({ kind: 'file', file: { name: `drawing.${format}`, media } })
    expect(files.kept).toEqual([Buffer.from(data)])
  })

  it.each([
    ['a wink that they do not give', object('wink', WINK, 'Kiss'), declined, 'sends the wink "Kiss"'],
    ['a wink without a name', object('wink', WINK), declined, 'sends a wink'],
    ['a wink without a picture', object('wink', VOICE, 'Odd'), gives(VOICE), 'sends the wink "Odd"'],
    ['a wink of hostile name', object('wink', WINK, 'a\r\nb\u0007'), declined, 'sends the wink "a b"'],
    ['a wink too large', object('wink', Buffer.alloc(100_001), 'Huge'), gives(WINK), 'sends the wink "Huge"'],
    [
      'a voice clip that they do not give',
      object('voice', VOICE),
      declined,
      'sends a voice clip, which could not be fetched',
    ],
    [
      'a fetch that throws',
      object('voice', VOICE),
      () => Promise.reject(new Error('broken')),
      'sends a voice clip, which could not be fetched',
    ],
  ])('is said in words: %s', async (_name, thing, fetch, text) => {
    const { things, files } = build()
    expect(await things.bring(thing, from, fetch)).toEqual(words(text))
    expect(files.kept).toEqual([])
  })

  it('is said in words where it cannot be kept, or is not to be fetched', async () => {
    const { things, files } = build()
    files.full = true
    const drawing: Thing = { kind: 'ink', format: 'gif', data: Buffer.from('GIF89a') }
    expect(await things.bring(drawing, from, declined)).toEqual(words('sends a drawing, which could not be kept'))
    expect(await build(false).things.bring(object('wink', WINK, 'Kiss'), from, gives(WINK))).toEqual(
      words('sends the wink "Kiss"'),
    )
  })

  it('is waited for, but not for ever, and no longer than we are signed in', async () => {
    const { things, clock } = build()
    const slow = things.bring(object('wink', WINK, 'Slow'), from, never)
    await clock.advance(BRING_MS)
    expect(await slow).toEqual(words('sends the wink "Slow"'))
    const cut = things.bring(object('wink', WINK, 'Cut'), from, never)
    things.stop()
    expect(await cut).toEqual(words('sends the wink "Cut"'))
  })

  it('is not asked for without end', async () => {
    const { things } = build()
    const under = Array.from({ length: MAX_BRINGING }, () => things.bring(object('wink', WINK, 'Kiss'), from, never))
    let asked = false
    const more: Fetch = async () => {
      asked = true
      return { kind: 'fetched', bytes: WINK }
    }
    expect(await things.bring(object('wink', WINK, 'Ninth'), from, more)).toEqual(words('sends the wink "Ninth"'))
    expect(asked).toBe(false)
    things.stop()
    await Promise.all(under)
  })
})
