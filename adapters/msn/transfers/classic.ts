/** Files by MSNFTP, the way of the first Messengers. Source: docs/protocol.md, File transfer. */
import type { Clock } from '../../../bridge/adapter.ts'
import type { UserId } from '../../../bridge/model/ids.ts'
import {
  fileAcceptance,
  fileInvitation,
  inviteDecline,
  parseFileAcceptance,
  parseFileInvitation,
  parseSaid,
  receiveFile,
  sendFile,
  type CancelCode,
  type FileAcceptance,
  type FileFailure,
  type FileInvitation,
  type FilePlace,
  type FilePorts,
  type FileTimings,
  type FileTransferOptions,
  type Meeting,
  type MimeMessage,
} from '../../../msnp/index.ts'
import type { Arrival, Courier, IncomingOffer, OfferedFile, OfferResult, OutgoingOffer, Talk } from './types.ts'

export interface ClassicOptions {
  /** Our own address, in lower case. */
  readonly account: UserId
  readonly clock: Clock
  /** Who opens the connection, where the other side leaves it to us. */
  readonly direction: 'listen' | 'connect'
  readonly ports: FilePorts
  /** Where others find us. */
  readonly publicHost: () => string
  readonly mayConnect: (address: string) => boolean
  /** So long they may take to say yes or no. Milliseconds. */
  readonly answerMs: number
  readonly timings: Partial<FileTimings>
  /** 32 or more hexadecimal digits, never the same twice. */
  readonly random: () => string
}

/** Generation of 7.5, the last that is known to take files so. */
const LAST_GENERATION = 5
/** After both have agreed, the place of the one who listens. Milliseconds. */
const PLACE_MS = 20_000
/** Files that are talked about at once on one account. */
const MAX_PENDING = 64

/** What is said about one file, by who said it first and the cookie. */
interface Pending {
  readonly user: UserId
  accepted(acceptance: FileAcceptance, talk: Talk): void
  cancelled(code: string | undefined): void
  gone(): void
}

export class ClassicCourier implements Courier {
  readonly #options: ClassicOptions
  readonly #pending = new Map<string, Pending>()

  constructor(options: ClassicOptions) {
    this.#options = options
  }

  understands(generation: number): boolean {
    return generation <= LAST_GENERATION
  }

  hear(message: MimeMessage, talk: Talk): IncomingOffer | 'taken' | undefined {
    const said = parseSaid(message)
    if (said.kind !== 'invite') return undefined
    const pending = this.#pending.get(keyOf(talk.user, said.cookie))
    if (said.command === 'CANCEL') {
      pending?.cancelled(said.cancelCode)
      return pending === undefined ? undefined : 'taken'
    }
    const acceptance = parseFileAcceptance(said)
    if (acceptance !== undefined) {
      pending?.accepted(acceptance, talk)
      return pending === undefined ? undefined : 'taken'
    }
    const invitation = parseFileInvitation(said)
    if (invitation === undefined) return undefined
    // Said twice.
    if (pending !== undefined) return 'taken'
    if (this.#pending.size >= MAX_PENDING) {
      talk.say(inviteDecline(said.cookie, 'REJECT'))
      return 'taken'
    }
    return this.#incoming(invitation, talk)
  }

  offer(to: UserId, file: OfferedFile): OutgoingOffer {
    const cookie = this.#number()
    const { answerMs, clock, direction } = this.#options
    const answer = Promise.withResolvers<Answer>()
    const over = new AbortController()
    this.#pending.set(keyOf(to, cookie), {
      user: to,
      accepted: (acceptance, talk) => answer.resolve({ kind: 'accepted', acceptance, talk }),
      cancelled: (code) => {
        answer.resolve({ kind: code === 'TIMEOUT' || code === 'OUTBANDCANCEL' ? 'unanswered' : 'declined' })
        over.abort()
      },
      gone: () => answer.resolve({ kind: 'unanswered' }),
    })
    const forget = (): void => void this.#pending.delete(keyOf(to, cookie))
    const run: OutgoingOffer['run'] = async (talk, signal, onProgress) => {
      const waited = new AbortController()
      const both = AbortSignal.any([signal, waited.signal])
      void clock.sleep(answerMs, both).then(() => {
        answer.resolve({ kind: signal.aborted ? 'taken-back' : 'unanswered' })
      })
      const said = await answer.promise
      waited.abort()
      try {
        if (said.kind !== 'accepted') {
          if (said.kind !== 'declined') talk.say(inviteDecline(cookie, 'TIMEOUT'))
          return { kind: said.kind }
        }
        const result = await this.#give(said, file, cookie, AbortSignal.any([signal, over.signal]), onProgress)
        if (result.kind === 'received') return result
        if (over.signal.aborted) return { kind: 'cancelled' }
        said.talk.say(inviteDecline(cookie, 'FTTIMEOUT'))
        return signal.aborted ? { kind: 'taken-back' } : result
      } finally {
        forget()
      }
    }
    const payload = fileInvitation({ cookie, name: file.name, size: file.size, listens: direction === 'listen' })
    return { payload, run, forget }
  }

  gone(user: UserId): void {
    for (const pending of this.#pending.values()) if (pending.user === user) pending.gone()
  }

  #incoming(invitation: FileInvitation, talk: Talk): IncomingOffer {
    const { cookie, name, size, listens } = invitation
    const key = keyOf(talk.user, cookie)
    const withdrawn = new AbortController()
    const place = Promise.withResolvers<FilePlace>()
    this.#pending.set(key, {
      user: talk.user,
      accepted: (acceptance) => {
        if (acceptance.place !== undefined) place.resolve(acceptance.place)
      },
      cancelled: () => withdrawn.abort(),
      gone: () => undefined,
    })
    const say = (code: CancelCode): void => talk.say(inviteDecline(cookie, code))
    const accept: IncomingOffer['accept'] = async (signal, onProgress) => {
      const both = AbortSignal.any([signal, withdrawn.signal])
      const take = { cookie, size, signal: both, onProgress, place: place.promise, talk }
      const arrival = await (this.#options.direction === 'listen' || !listens
        ? this.#takeListening(take)
        : this.#takeConnecting(take))
      if (arrival.kind === 'failed') {
        this.#pending.delete(key)
        if (!withdrawn.signal.aborted) say('FTTIMEOUT')
        return withdrawn.signal.aborted ? { kind: 'failed', detail: 'they have cancelled it' } : arrival
      }
      const done = (kept: boolean): void => {
        this.#pending.delete(key)
        arrival.done(kept)
      }
      return { ...arrival, done }
    }
    const decline: IncomingOffer['decline'] = (why) => {
      this.#pending.delete(key)
      if (why !== 'elsewhere') say(why === 'unwanted' ? 'REJECT' : 'REJECT_NOT_INSTALLED')
    }
    return { name, size, withdrawn: withdrawn.signal, accept, decline }
  }

  /** They connect to us; or, if they do not know how, tell us a place all the same. */
  async #takeListening(take: Take): Promise<Arrival> {
    const elsewhere = new AbortController()
    const authCookie = this.#number()
    const told = take.place.then((place) => {
      if (!place.addresses.some(({ host }) => this.#options.mayConnect(host))) return undefined
      elsewhere.abort()
      return place
    })
    const arrival = await this.#receive(take, authCookie, {
      signal: AbortSignal.any([take.signal, elsewhere.signal]),
      meeting: this.#listening(take.talk.user, (place) => {
        take.talk.say(fileAcceptance({ cookie: take.cookie, place: { ...place, authCookie }, senderConnects: true }))
      }),
    })
    if (arrival.kind === 'arriving' || !elsewhere.signal.aborted || take.signal.aborted) return arrival
    const place = await told
    return place === undefined ? arrival : this.#takeFrom(take, place)
  }

  async #takeConnecting(take: Take): Promise<Arrival> {
    take.talk.say(fileAcceptance({ cookie: take.cookie, senderConnects: false }))
    const late = new AbortController()
    const timer = this.#options.clock.sleep(PLACE_MS, AbortSignal.any([late.signal, take.signal]))
    const place = await Promise.race([take.place, timer.then(() => undefined)])
    late.abort()
    return place === undefined
      ? { kind: 'failed', detail: 'their client does not say where it waits' }
      : this.#takeFrom(take, place)
  }

  #takeFrom(take: Take, { addresses, authCookie }: FilePlace): Promise<Arrival> {
    const meeting: Meeting = { kind: 'connect', addresses, mayConnect: this.#options.mayConnect }
    return this.#receive(take, authCookie, { signal: take.signal, meeting })
  }

  async #receive(
    { size, onProgress }: Take,
    authCookie: string,
    more: Pick<FileTransferOptions, 'signal' | 'meeting'>,
  ): Promise<Arrival> {
    const { account, timings } = this.#options
    const result = await receiveFile({ account, authCookie, size, timings, onProgress, ...more })
    if (!result.ok) return { kind: 'failed', detail: wordsOf(result.failure) }
    return { kind: 'arriving', body: result.file.body, done: (kept) => result.file.done(kept) }
  }

  async #give(
    { acceptance, talk }: Extract<Answer, { kind: 'accepted' }>,
    file: OfferedFile,
    cookie: string,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ): Promise<OfferResult> {
    const { direction, mayConnect, timings } = this.#options
    const { place } = acceptance
    const own = this.#number()
    if (place === undefined && direction === 'connect')
      return { kind: 'failed', detail: 'their client does not say where it waits' }
    const meeting: Meeting =
      place === undefined
        ? this.#listening(talk.user, (here) => {
            talk.say(fileAcceptance({ cookie, place: { ...here, authCookie: own }, senderConnects: false }))
          })
        : { kind: 'connect', addresses: place.addresses, mayConnect }
    const authCookie = place?.authCookie ?? own
    const ended = new AbortController()
    const result = await sendFile(
      { account: talk.user, authCookie, size: file.size, signal, timings, onProgress, meeting },
      () => file.open(AbortSignal.any([signal, ended.signal])),
    )
    ended.abort()
    if (result.ok) return { kind: 'received' }
    return result.failure.kind === 'declined'
      ? { kind: 'cancelled' }
      : { kind: 'failed', detail: wordsOf(result.failure) }
  }

  #listening(peer: UserId, onPlace: (place: Omit<FilePlace, 'authCookie'>) => void): Meeting {
    const { ports, publicHost } = this.#options
    return {
      kind: 'listen',
      ports,
      peer,
      onPort: (port) => onPlace({ addresses: [{ host: publicHost(), port }] }),
    }
  }

  /** Cookies are numbers of 32 bits. */
  #number(): string {
    return String(Number.parseInt(this.#options.random().slice(0, 8), 16))
  }
}

type Answer =
  | { readonly kind: 'accepted'; readonly acceptance: FileAcceptance; readonly talk: Talk }
  | { readonly kind: 'declined' | 'unanswered' | 'taken-back' }

/** Of one file that we accept. */
interface Take {
  readonly cookie: string
  readonly size: number
  readonly signal: AbortSignal
  readonly onProgress: (bytes: number) => void
  /** Where they wait, if they say so. */
  readonly place: Promise<FilePlace>
  readonly talk: Talk
}

const keyOf = (user: UserId, cookie: string): string => `${user} ${cookie}`

const wordsOf = ({ kind, detail }: FileFailure): string => {
  switch (kind) {
    case 'unreachable':
    case 'not-allowed':
    case 'no-port':
    case 'lost':
    case 'protocol':
      return detail
    case 'declined':
      return 'they have cancelled it'
    case 'aborted':
      return 'it was given up'
    case 'timeout':
      return 'there was no connection in time, or nothing moved on it'
  }
}
