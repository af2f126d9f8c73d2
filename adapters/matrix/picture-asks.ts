/**
 * `set-picture` on Matrix: which image is meant. The one that is answered, one by its address, or the next that they send
 * where they speak with the bot alone; with its caption, an image can also say it itself.
 */
import type { FileRef } from '../../bridge/model/body.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import type { Clock } from '../../bridge/adapter.ts'
import { readFile } from './body-in.ts'
import { isEventId } from './ids.ts'
import { FACE_SIZE, parseMxc, thumbnailOf } from './mxc.ts'
import { path } from './paths.ts'
import { verbOf, type Spoken } from './spoken.ts'
import type { HomeserverPort, Mxid, RoomEvent, RoomId } from './types.ts'
import { recordOf } from './untrusted.ts'

export interface PictureAsksDeps {
  readonly network: NetworkId
  readonly clock: Clock
  readonly homeserver: Pick<HomeserverPort, 'insist'>
}

/** A picture is waited for so long. Milliseconds. */
export const WANTED_MS = 5 * 60_000
/** People of whom a picture is waited for; past it the oldest is forgotten. */
const MAX_WANTED = 500

const COMMAND = 'set-picture'
const ASK = 'Send the image here now, or answer to one with set-picture. To leave it: cancel'
const ELSEWHERE = 'Answer with it to a message with an image.'
const NO_IMAGE = 'The message that you answered has no image that I can read.'
const UNASKED = 'To show this image to your MSN contacts, answer to it with: set-picture'

/** `line` and `file`: for the bridge. `say`: what the bot answers itself. */
export type PictureCommand = { readonly line: string; readonly file: FileRef } | { readonly say: string }

export class PictureAsks {
  readonly #deps: PictureAsksDeps
  /** Lines whose image is still to come. */
  readonly #wanted = new Map<string, { readonly line: string; readonly until: number }>()

  constructor(deps: PictureAsksDeps) {
    this.#deps = deps
  }

  /** Somebody said a command. undefined: it is another one. `alone`: nobody else is spoken to there. */
  async said(
    event: RoomEvent,
    { line }: Spoken,
    alone: boolean,
    signal: AbortSignal,
  ): Promise<PictureCommand | undefined> {
    if (verbOf(line) !== COMMAND) return undefined
    const words = line.split(/\s+/)
    const uri = words.find((word) => word.startsWith('mxc://'))
    if (uri !== undefined)
      return parseMxc(uri) === undefined
        ? { say: `${uri} is no address of an image: it is mxc://SERVER/ID` }
        : { line: words.filter((word) => word !== uri).join(' '), file: this.#face(uri, 'picture') }
    const answered = recordOf(recordOf(event.content['m.relates_to'])['m.in_reply_to'])['event_id']
    if (isEventId(answered)) {
      const got = await this.#deps.homeserver.insist<RoomEvent>({
        method: 'GET',
        path: path`/_matrix/client/v3/rooms/${event.room_id}/event/${answered}`,
        signal,
      })
      signal.throwIfAborted()
      const file = got.ok ? this.#imageIn(recordOf(recordOf(got.value)['content'])) : undefined
      return file === undefined ? { say: NO_IMAGE } : { line, file }
    }
    if (!alone) return { say: ELSEWHERE }
    this.#want(event, line)
    return { say: ASK }
  }

  /** Somebody sent something where they speak with the bot alone. undefined: it is no image. */
  sent(event: RoomEvent): PictureCommand | undefined {
    const file = this.#imageIn(event.content)
    if (file === undefined) return undefined
    const { body, filename } = event.content
    const caption = typeof filename === 'string' && filename !== body && typeof body === 'string' ? body.trim() : ''
    const wanted = this.#wanted.get(keyOf(event.sender, event.room_id))
    this.cancel(event.sender, event.room_id)
    if (verbOf(caption) === COMMAND) return { line: caption, file }
    return wanted === undefined || wanted.until <= this.#deps.clock.now()
      ? { say: UNASKED }
      : { line: wanted.line, file }
  }

  /** Whether a picture was waited for. */
  cancel(user: Mxid, room: RoomId): boolean {
    return this.#wanted.delete(keyOf(user, room))
  }

  #want({ sender, room_id }: RoomEvent, line: string): void {
    const key = keyOf(sender, room_id)
    this.#wanted.delete(key)
    const [oldest] = this.#wanted.keys()
    if (oldest !== undefined && this.#wanted.size >= MAX_WANTED) this.#wanted.delete(oldest)
    this.#wanted.set(key, { line, until: this.#deps.clock.now() + WANTED_MS })
  }

  #imageIn(content: RoomEvent['content']): FileRef | undefined {
    if (content['msgtype'] !== 'm.image') return undefined
    const read = readFile('image', content, {
      network: this.#deps.network,
      notices: false,
      nameOf: () => undefined,
      reply: false,
    })
    if (read.kind !== 'body' || read.body.kind !== 'file') return undefined
    return this.#face(read.body.file.ref, read.body.file.name)
  }

  /** Small, as the homeserver makes it. */
  #face(uri: string, name: string): FileRef {
    return { network: this.#deps.network, ref: thumbnailOf(uri, FACE_SIZE), name, media: 'image' }
  }
}

const keyOf = (user: Mxid, room: RoomId): string => `${user} ${room}`
