/**
 * What people send that is more than words, and comes as bytes: winks, voice clips and drawings. Turned into what everybody can
 * be shown: a file that the bridge keeps, or words that say what it was.
 */
import type { AdapterContext, FileAbout } from '../../bridge/adapter.ts'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { UserRef } from '../../bridge/model/ids.ts'
import type { MsnObject } from '../../msnp/index.ts'
import { filesInCabinet } from './cabinet.ts'
import type { Fetched } from './peer-talk.ts'
import { oneLine } from './words.ts'

/** Things that are brought at once; of further ones people hear in words. */
export const MAX_BRINGING = 8
/** From the announcement to the last byte. Milliseconds. */
export const BRING_MS = 30_000
/** Of the name of a wink, UTF-16 units. */
const MAX_NAME = 60

export type Thing =
  /** `xml`: as its sender described it. */
  | { readonly kind: 'wink' | 'voice'; readonly object: MsnObject; readonly xml: string }
  | { readonly kind: 'ink'; readonly format: 'gif' | 'isf'; readonly data: Uint8Array }

export interface ThingsOptions {
  readonly context: Pick<AdapterContext, 'files' | 'clock' | 'metrics'>
  /** Ask for winks and voice clips. */
  readonly fetch: boolean
}

/** Asks their sender for the bytes. Never rejects. */
export type Fetch = (object: MsnObject, xml: string, signal: AbortSignal) => Promise<Fetched>

export class Things {
  readonly #options: ThingsOptions
  readonly #life = new AbortController()
  #bringing = 0

  constructor(options: ThingsOptions) {
    this.#options = options
  }

  stop(): void {
    this.#life.abort()
  }

  /** What to show of it. Never rejects. */
  async bring(thing: Thing, from: UserRef, fetch: Fetch): Promise<MessageBody> {
    if (this.#bringing >= MAX_BRINGING) return wordsFor(thing)
    this.#bringing++
    try {
      const body = await this.#within((late) => this.#body(thing, from, fetch, late))
      const outcome = body === undefined ? 'words' : 'file'
      this.#options.context.metrics.count('msn_things', { kind: thing.kind, outcome })
      return body ?? wordsFor(thing)
    } catch {
      return wordsFor(thing)
    } finally {
      this.#bringing--
    }
  }

  async #body(thing: Thing, from: UserRef, fetch: Fetch, signal: AbortSignal): Promise<MessageBody | undefined> {
    if (thing.kind === 'ink') return this.#file(thing.data, { name: `drawing.${thing.format}`, from }, '', signal)
    const { object, xml } = thing
    if (!this.#options.fetch || object.size > this.#options.context.files.maxBytes) return undefined
    const fetched = await fetch(object, xml, signal)
    if (fetched.kind === 'failed') return undefined
    if (thing.kind === 'voice') return this.#file(fetched.bytes, { name: 'voice clip.wav', from }, '', signal)
    const picture = pictureOf(fetched.bytes)
    if (picture === undefined) return undefined
    const name = oneLine(object.friendly, MAX_NAME) || 'wink'
    return this.#file(picture.data, { name: `${name}.${picture.kind}`, from }, winkWords(object), signal)
  }

  async #file(bytes: Uint8Array, about: FileAbout, words: string, late: AbortSignal): Promise<MessageBody | undefined> {
    const put = await this.#options.context.files.put(one(bytes), about, late)
    if (put.kind === 'refused') return undefined
    return { kind: 'file', file: put.file, text: words === '' ? [] : [{ text: words }] }
  }

  async #within<Value>(work: (late: AbortSignal) => Promise<Value>): Promise<Value> {
    const done = new AbortController()
    const late = new AbortController()
    void this.#options.context.clock.sleep(BRING_MS, done.signal).then(() => late.abort())
    try {
      return await work(AbortSignal.any([late.signal, this.#life.signal]))
    } finally {
      done.abort()
    }
  }
}

/** A wink is a cabinet with an animation that nobody can play today, and a small picture of it. */
const pictureOf = (cabinet: Uint8Array): Picture | undefined => {
  const pictures = filesInCabinet(cabinet).flatMap(({ name, data }) => {
    const kind = kindOf(data)
    return kind === undefined ? [] : [{ name, data, kind }]
  })
  return pictures.find(({ name }) => /thumb/i.test(name)) ?? pictures[0]
}

interface Picture {
  readonly data: Uint8Array
  readonly kind: string
}

const kindOf = (data: Uint8Array): string | undefined => {
  const start = Buffer.from(data.subarray(0, 4)).toString('latin1')
  return [
    ['\x89PNG', 'png'],
    ['GIF8', 'gif'],
    ['\xff\xd8\xff', 'jpg'],
  ].find(([mark = '']) => start.startsWith(mark))?.[1]
}

const wordsFor = (thing: Thing): MessageBody => {
  switch (thing.kind) {
    case 'wink':
      return action(winkWords(thing.object))
    case 'voice':
      return action('sends a voice clip, which could not be fetched')
    case 'ink':
      return action('sends a drawing, which could not be kept')
  }
}

const winkWords = ({ friendly }: MsnObject): string => {
  const name = oneLine(friendly, MAX_NAME)
  return name === '' ? 'sends a wink' : `sends the wink "${name}"`
}

const action = (text: string): MessageBody => ({ kind: 'action', text: [{ text }] })

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
