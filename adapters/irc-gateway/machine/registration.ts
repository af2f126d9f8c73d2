/** From the first line to the welcome: what a client says of itself and how it proves it. Sources: RFC 2812, 3.1; ircv3.net, sasl-3.1. */
import { parseNick } from '../../../irc/casemap.ts'
import { cutToBytes } from '../../../irc/guard.ts'
import type { ClientLine } from '../wire/line.ts'
import { hostOf, type Client, type Outputs } from './client.ts'
import type { Negotiation } from './capability.ts'
import type { IrcdCommand, IrcdOptions } from './ircd-events.ts'
import { MECHANISM, PlainExchange } from './sasl.ts'

type Authenticated = Extract<IrcdCommand, { readonly kind: 'authenticated' }>
type Rejected = Extract<IrcdCommand, { readonly kind: 'rejected' }>

const MAX_USERNAME_BYTES = 32
/** The whole of "nick!user@host". */
const MASK = /^[^!]*!([^\s!@]+)@([^\s!@]+)$/

export class Registration {
  readonly #client: Client
  readonly #options: IrcdOptions
  /** When it must be done. */
  readonly until: number
  #hasUser = false
  /** Our side has said who the client's user and host are: USER says nothing new. */
  #hasMask = false
  #negotiating = false
  #password: string | undefined
  #exchange: PlainExchange | undefined
  #asking: 'sasl' | 'pass' | undefined
  #given: string | undefined

  constructor(client: Client, options: IrcdOptions, now: number) {
    this.#client = client
    this.#options = options
    this.until = now + options.limits.registerMs
  }

  /** Credentials are being checked; what comes after them waits. */
  get isAsking(): boolean {
    return this.#asking !== undefined
  }

  /** What the client will be called, if our side has said so. */
  get given(): string | undefined {
    return this.#given
  }

  negotiation(step: Negotiation): void {
    if (step !== 'stays') this.#negotiating = step === 'begins'
  }

  pass(line: ClientLine, out: Outputs): void {
    this.#password = line.params[0]
    this.#client.answer(out, line, [])
  }

  nick(line: ClientLine, out: Outputs): void {
    const client = this.#client
    const nick = cutToBytes(line.params[0] ?? '', this.#options.limits.advertised.nickBytes)
    if (nick === '') client.answer(out, line, [client.numeric('ERR_NONICKNAMEGIVEN')])
    else if (typeof parseNick(nick) !== 'string') {
      client.answer(out, line, [client.numeric('ERR_ERRONEUSNICKNAME', [nick])])
    } else if (this.#options.ownNicks.has(nick.toLowerCase())) {
      // Who works as root on their machine has it by default; clients then take their next one by themselves.
      client.answer(out, line, [client.numeric('ERR_NICKNAMEINUSE', [nick])])
    } else {
      client.nick = nick
      client.answer(out, line, [])
    }
  }

  user(line: ClientLine, out: Outputs): void {
    const client = this.#client
    const [name = '', , , realname = ''] = line.params
    const username = cutToBytes(name.replace(/[\s!@:\x00-\x1f\x7f]/g, ''), MAX_USERNAME_BYTES)
    this.#hasUser = true
    if (!this.#hasMask) client.username = username === '' ? 'user' : username
    client.realname = cutToBytes(realname, this.#options.limits.advertised.realnameBytes)
    client.answer(out, line, [])
  }

  authenticate(line: ClientLine, out: Outputs): void {
    const client = this.#client
    const exchange = this.#exchange
    const [word = ''] = line.params
    this.#exchange = undefined
    if (client.account !== undefined) client.answer(out, line, [client.numeric('ERR_SASLALREADY')])
    else if (word === '*') client.answer(out, line, [client.numeric('ERR_SASLABORTED')])
    else if (exchange === undefined) this.#begin(line, word, out)
    else this.#go(exchange, line, word, out)
  }

  #begin(line: ClientLine, mechanism: string, out: Outputs): void {
    const client = this.#client
    if (mechanism.toUpperCase() === MECHANISM) {
      this.#exchange = new PlainExchange(this.#options.limits.maxSaslBytes)
      client.answer(out, line, [{ verb: 'AUTHENTICATE', params: ['+'] }])
    } else client.answer(out, line, [client.numeric('RPL_SASLMECHS', [MECHANISM]), client.numeric('ERR_SASLFAIL')])
  }

  #go(exchange: PlainExchange, line: ClientLine, chunk: string, out: Outputs): void {
    const client = this.#client
    const step = exchange.take(chunk)
    if (step === 'more') {
      this.#exchange = exchange
      client.answer(out, line, [])
    } else if (step === 'too-long') client.answer(out, line, [client.numeric('ERR_SASLTOOLONG')])
    else if (step === 'malformed') client.answer(out, line, [client.numeric('ERR_SASLFAIL')])
    else this.#ask('sasl', step.account, step.password, out)
  }

  #ask(by: 'sasl' | 'pass', account: string, password: string, out: Outputs): void {
    this.#asking = by
    out.push({ kind: 'event', event: { kind: 'credentials', by, account, password } })
  }

  authenticated({ account, nick, mask }: Authenticated, out: Outputs): void {
    const client = this.#client
    const by = this.#asking
    const [, user, host] = MASK.exec(mask ?? '') ?? []
    this.#asking = undefined
    this.#password = undefined
    this.#given = nick === '' ? undefined : nick
    client.account = account
    if (user !== undefined && host !== undefined) {
      this.#hasMask = true
      client.username = user
      client.host = hostOf(host)
    }
    client.write(out, [client.numeric('RPL_LOGGEDIN', [client.mask, account], `You are now logged in as ${account}`)])
    if (by === 'sasl') client.write(out, [client.numeric('RPL_SASLSUCCESS')])
  }

  /** Whether the client may go on. */
  rejected({ detail, retry }: Rejected, out: Outputs): boolean {
    const by = this.#asking
    const words = detail === '' ? undefined : detail
    this.#asking = undefined
    const name = by === 'sasl' ? 'ERR_SASLFAIL' : 'ERR_PASSWDMISMATCH'
    this.#client.write(out, [this.#client.numeric(name, [], words)])
    return by === 'sasl' && retry
  }

  /** Whether all is there; a PASS is checked before. */
  isComplete(out: Outputs): boolean {
    const client = this.#client
    if (this.#negotiating || this.isAsking || client.nick === '' || !this.#hasUser) return false
    if (this.#exchange !== undefined) {
      this.#exchange = undefined
      client.write(out, [client.numeric('ERR_SASLABORTED')])
    }
    const password = client.account === undefined ? this.#password : undefined
    if (password === undefined) return true
    const colon = password.indexOf(':')
    this.#ask('pass', colon > 0 ? password.slice(0, colon) : client.nick, password.slice(colon + 1), out)
    return false
  }
}
