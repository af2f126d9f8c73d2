/** Who is at the other end, as far as the machine knows, and how lines reach it. */
import type { Output } from '../../../sansio/machine.ts'
import { works, type Cap } from '../wire/caps.ts'
import type { ClientLine } from '../wire/line.ts'
import { encode, type ServerMessage } from '../wire/message.ts'
import { numeric, type NumericName } from '../wire/numerics.ts'
import type { LineFault } from '../wire/reader.ts'
import type { IrcdEvent } from './ircd-events.ts'

export type Outputs = Output<IrcdEvent>[]

/** "The value MUST NOT exceed 64 bytes." */
const MAX_LABEL_BYTES = 64
const NOT_UTF8 = 'Message rejected, your IRC software MUST use UTF-8 encoding on this network'
const NO_CAPS: ReadonlySet<Cap> = new Set()

export class Client {
  readonly #server: string
  /** '' until it is known. */
  nick = ''
  username = ''
  realname = ''
  account: string | undefined
  host: string
  /** Never changed, only replaced. */
  caps = NO_CAPS
  /** It has said `CAP LS 302`: values, continued lists, cap-notify. */
  modern = false
  #batches = 0

  constructor(server: string, address: string) {
    this.#server = server
    this.host = hostOf(address)
  }

  /** "nick!user@host" */
  get mask(): string {
    return `${this.target}!${this.userAtHost}`
  }

  get userAtHost(): string {
    return `${this.username === '' ? '*' : this.username}@${this.host}`
  }

  /** Who a reply is for: `*` before there is a nick. */
  get target(): string {
    return this.nick === '' ? '*' : this.nick
  }

  numeric(name: NumericName, params: readonly string[] = [], words?: string): ServerMessage {
    return numeric(name, this.nick, params, words)
  }

  write(out: Outputs, messages: readonly ServerMessage[]): void {
    if (messages.length === 0) return
    let text = ''
    for (const message of messages) text += encode(message, this.caps, this.#server)
    out.push({ kind: 'write', bytes: Buffer.from(text) })
  }

  /**
   * The whole answer to a line. With a label it is one logical message: labelled itself, or a labelled batch, or ACK
   * when there is nothing to say. Whoever stands above must name batches of their own otherwise than `m-1`.
   */
  answer(out: Outputs, line: ClientLine, messages: readonly ServerMessage[]): void {
    const label = this.#labelOf(line)
    const [first = { verb: 'ACK', params: [] }, ...more] = messages
    if (label === undefined) this.write(out, messages)
    else if (more.length === 0) this.write(out, [{ ...first, tags: { label } }])
    else {
      const batch = `m-${++this.#batches}`
      this.write(out, [
        { verb: 'BATCH', params: [`+${batch}`, 'labeled-response'], tags: { label } },
        ...messages.map((message) => ({ ...message, tags: { batch } })),
        { verb: 'BATCH', params: [`-${batch}`] },
      ])
    }
  }

  /** What was sent is no line that can be read. */
  complain(out: Outputs, fault: Exclude<LineFault, 'endless'>): void {
    switch (fault) {
      case 'too-long':
        this.write(out, [this.numeric('ERR_INPUTTOOLONG')])
        break
      case 'not-utf8':
        this.write(out, [
          works(this.caps, 'standard-replies')
            ? { verb: 'FAIL', params: ['*', 'INVALID_UTF8', NOT_UTF8] }
            : { verb: 'NOTICE', params: [this.target, NOT_UTF8] },
        ])
        break
    }
  }

  #labelOf(line: ClientLine): string | undefined {
    const label = line.tags.get('label')
    if (label === undefined || label === '' || Buffer.byteLength(label) > MAX_LABEL_BYTES) return undefined
    return works(this.caps, 'labeled-response') ? label : undefined
  }

  rename(out: Outputs, nick: string): void {
    this.write(out, [{ source: this.mask, verb: 'NICK', params: [nick] }])
    this.nick = nick
  }
}

/** A host part that no parser takes for anything else: `::1` would look like a trailing parameter. */
export const hostOf = (address: string): string => {
  const host = address.replace(/[\s!@\0]/g, '')
  return host === '' ? 'unknown' : host.startsWith(':') ? `0${host}` : host
}
