/** Files from peer to peer over a switchboard, the way of Messenger 6 and later. Source: docs/protocol.md, Files between peers. */
import type { UserId } from '../../../bridge/model/ids.ts'
import type { P2pEnd } from '../../../msnp/index.ts'
import { TransferEnded, type IncomingFile, type PeerTalk } from '../peer-talk.ts'
import type { Courier, IncomingOffer, OfferedFile, OfferResult, OutgoingOffer } from './types.ts'

export interface PeerOptions {
  /** Generations of clients that are offered files so, from this one on; Infinity: none are. */
  readonly from: number
  /** Over a switchboard where they are; undefined: they cannot be reached. */
  readonly withPeer: <Value>(
    user: UserId,
    work: (talk: Pick<PeerTalk, 'offer'>, email: string) => Promise<Value>,
  ) => Promise<Value | undefined>
}

export class PeerCourier implements Courier {
  readonly #options: PeerOptions

  constructor(options: PeerOptions) {
    this.#options = options
  }

  understands(generation: number): boolean {
    return generation >= this.#options.from
  }

  /** Its invitations do not come as messages for people: see `incoming`. */
  hear(): undefined {
    return undefined
  }

  offer(to: UserId, file: OfferedFile): OutgoingOffer {
    const run: OutgoingOffer['run'] = async (_, signal, onProgress) => {
      if (file.size === 0) return { kind: 'failed', detail: 'their client takes no empty file' }
      let isAccepted = false
      const how = await this.#options.withPeer(to, (talk, email) => {
        const reader = new Reader(file, signal, onProgress)
        const accepted = (): void => void (isAccepted = true)
        return talk
          .offer(email, { name: file.name, size: file.size }, (_at, length) => reader.read(length), signal, accepted)
          .finally(() => reader.close())
      })
      if (signal.aborted && how !== 'done') return { kind: 'taken-back' }
      return resultOf(how ?? 'left', isAccepted)
    }
    return { payload: undefined, run, forget: () => undefined }
  }

  gone(): void {
    // The machine of that switchboard knows it already.
  }
}

/** An invitation as the flow wants it. */
export const incoming = (from: IncomingFile): IncomingOffer => {
  const withdrawn = new AbortController()
  void from.ended.then((how) => {
    if (how === 'cancelled' || how === 'left') withdrawn.abort()
  })
  return {
    name: from.file.name,
    size: from.file.size,
    withdrawn: withdrawn.signal,
    accept: async (signal, onProgress) => ({
      kind: 'arriving',
      body: counted(from.accept('confirms'), signal, onProgress),
      done: (kept) => from.done(kept),
    }),
    decline: () => from.decline(),
  }
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of body) {
    if (signal.aborted) throw new TransferEnded('cancelled')
    bytes += piece.length
    onProgress(bytes)
    yield piece
  }
}

const resultOf = (how: P2pEnd, isAccepted: boolean): OfferResult => {
  switch (how) {
    case 'done':
      return { kind: 'received' }
    case 'declined':
      return { kind: 'declined' }
    case 'cancelled':
      return { kind: isAccepted ? 'cancelled' : 'declined' }
    case 'timeout':
      return isAccepted ? { kind: 'failed', detail: 'nothing moved any more' } : { kind: 'unanswered' }
    case 'left':
      return isAccepted ? { kind: 'failed', detail: 'they have left the conversation' } : { kind: 'unanswered' }
    case 'carrier':
      return { kind: 'failed', detail: 'the MSN server does not pass it on' }
    case 'wrong':
    case 'busy':
      return { kind: 'failed', detail: 'too much is under way with them' }
  }
}

/** The file from its beginning to its end, in pieces as long as they are asked for. */
class Reader {
  readonly #file: OfferedFile
  readonly #life = new AbortController()
  readonly #onProgress: (bytes: number) => void
  #source: AsyncIterator<Uint8Array> | undefined
  #rest: Uint8Array = new Uint8Array()
  #given = 0

  constructor(file: OfferedFile, signal: AbortSignal, onProgress: (bytes: number) => void) {
    this.#file = file
    this.#onProgress = onProgress
    signal.addEventListener('abort', () => this.#life.abort(), { once: true })
  }

  /** Fewer bytes at the end of the file; undefined: it cannot be read. */
  async read(length: number): Promise<Uint8Array | undefined> {
    this.#source ??= (await this.#file.open(this.#life.signal))?.[Symbol.asyncIterator]()
    if (this.#source === undefined) return undefined
    const pieces = [this.#rest]
    let size = this.#rest.length
    while (size < length) {
      const next = await this.#source.next()
      if (next.done === true) break
      pieces.push(next.value)
      size += next.value.length
    }
    const bytes = Buffer.concat(pieces)
    this.#rest = bytes.subarray(length)
    // What was asked for before is on its way.
    this.#onProgress(this.#given)
    this.#given += Math.min(length, size)
    return bytes.subarray(0, length)
  }

  close(): void {
    this.#life.abort()
    void this.#source?.return?.().catch(() => undefined)
  }
}
