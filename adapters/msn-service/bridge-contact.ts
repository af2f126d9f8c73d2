/** The contact `bridge@<domain>`: whoever talks to it talks to the bridge. Nothing of that is a chat, and nothing is kept. */
import { Buffer } from 'node:buffer'
import type { AdapterContext, Role } from '../../bridge/adapter.ts'
import type { AccountId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { textOf } from '../../bridge/model/text.ts'
import {
  inviteDecline,
  newAccount,
  parseMime,
  parseSaid,
  PLAIN_FORMAT,
  textMessage,
  textRoom,
  type Person,
  type Resident,
  type ResidentTalk,
} from '../../msnp/index.ts'
import type { AccountBook } from './accounts.ts'
import { bridgeAddress, elsewhereOf } from './addresses.ts'
import type { MsnServiceConfig } from './config.ts'

/** Commands of one conversation that wait for those before them; more are not heard. */
export const MAX_WAITING = 8

const TOO_LONG = 'That is too long for a command.'
const BUSY = 'One after the other: I did not hear that. Wait until I have answered.'
const FAILED = 'That went wrong; the log of the bridge says why.'
const WORDS_ONLY = 'I understand words only. Say help.'

export interface BridgeContactOptions {
  readonly config: Pick<MsnServiceConfig, 'domain' | 'bridge_contact'>
  readonly book: Pick<AccountBook, 'load' | 'exists'>
  readonly context: Pick<AdapterContext, 'command' | 'log' | 'metrics'>
  readonly network: NetworkId
}

/** undefined: there is none. */
export async function bridgeContact(options: BridgeContactOptions): Promise<Resident | undefined> {
  const { config, book, context } = options
  const { enabled, name } = config.bridge_contact
  const email = bridgeAddress(config.domain)
  if (!enabled) return undefined
  if (await book.exists(email)) {
    context.log.warn({ user: email }, 'an account has the address of the bridge contact')
    return undefined
  }
  const record = (await book.load(email)) ?? newAccount(email)
  return {
    record: { ...record, name },
    meets: (person, say) => new Talk(options, person, say),
  }
}

/** A conversation with one person. */
class Talk implements ResidentTalk {
  readonly #options: BridgeContactOptions
  readonly #person: Person
  readonly #say: (payload: Uint8Array) => void
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0
  /** The bridge has asked for a secret: the next text is one. */
  #isAsked = false

  constructor(options: BridgeContactOptions, person: Person, say: (payload: Uint8Array) => void) {
    this.#options = options
    this.#person = person
    this.#say = say
  }

  heard(payload: Uint8Array): void {
    const message = parseMime(payload)
    // Parts of a text that is longer than any command; told of with the first.
    if (message.headers.get('chunk') !== undefined) return
    if (message.headers.get('chunks') !== undefined) {
      this.#answer([TOO_LONG])
      return
    }
    const said = parseSaid(message)
    switch (said.kind) {
      case 'text':
        this.#take(said.text)
        break
      case 'action':
      case 'nudge':
      case 'wink':
      case 'voice':
      case 'ink':
        this.#answer([WORDS_ONLY])
        break
      case 'invite':
        if (said.command === 'INVITE') this.#say(inviteDecline(said.cookie))
        break
      case 'typing':
      case 'emoticons':
      case 'client-info':
      case 'keep-alive':
      case 'direct':
      case 'profile':
      case 'mail':
      case 'going-down':
      case 'unknown':
        break
    }
  }

  /** What the bridge has asked, it forgets by itself after a while. */
  ended(): void {
    this.#isAsked = false
  }

  #take(text: string): void {
    if (text.trim() === '') return
    if (this.#waiting >= MAX_WAITING) {
      this.#options.context.metrics.count('msn_service_dropped_commands', { network: this.#options.network })
      this.#answer([BUSY])
      return
    }
    this.#waiting++
    this.#turn = this.#turn.then(() => this.#run(text))
  }

  /** Never rejects. */
  async #run(text: string): Promise<void> {
    const { context } = this.#options
    const isSecret = this.#isAsked
    this.#isAsked = false
    try {
      const { lines, secretNext = false } = await context.command({
        ...this.#request(),
        ...(isSecret ? { line: '', secret: text } : { line: text.trim() }),
      })
      this.#isAsked = secretNext
      this.#answer(lines.map(textOf))
    } catch (error) {
      context.log.error({ error: String(error) }, 'a command failed')
      this.#answer([FAILED])
    } finally {
      this.#waiting--
    }
  }

  #request() {
    const { config, network } = this.#options
    const { email, name } = this.#person
    return {
      from: { network, user: email as UserId },
      fromName: name,
      via: `${network}:${bridgeAddress(config.domain)}` as AccountId,
      role: this.#role(email),
    }
  }

  #role(email: string): Role {
    const { config } = this.#options
    // Those who stand for people of other networks give their commands there.
    if (elsewhereOf(email, config.domain) !== undefined) return 'none'
    return config.bridge_contact.admins.some((admin) => admin.toLowerCase() === email) ? 'admin' : 'user'
  }

  #answer(lines: readonly string[]): void {
    for (const text of messagesOf(lines)) this.#say(textMessage(text, PLAIN_FORMAT))
  }
}

/** As few messages as the lines fit in. */
function messagesOf(lines: readonly string[]): readonly string[] {
  const room = textRoom(PLAIN_FORMAT)
  const messages: string[] = []
  let text = ''
  for (const line of lines.flatMap((each) => each.split('\n')).flatMap((each) => cut(each, room))) {
    const longer = text === '' ? line : `${text}\r\n${line}`
    if (Buffer.byteLength(longer) <= room) text = longer
    else {
      messages.push(text)
      text = line
    }
  }
  return text.trim() === '' ? messages : [...messages, text]
}

/** A line in pieces of so many bytes. */
function cut(line: string, room: number): readonly string[] {
  if (Buffer.byteLength(line) <= room) return [line]
  const pieces: string[] = []
  let piece = ''
  let bytes = 0
  for (const letter of line) {
    const more = Buffer.byteLength(letter)
    if (bytes + more > room) {
      pieces.push(piece)
      piece = ''
      bytes = 0
    }
    piece += letter
    bytes += more
  }
  return [...pieces, piece]
}
