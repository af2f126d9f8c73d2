/**
 * One connection to an IRC server, from the socket to the end: registration through the library, identification, our own
 * name as others see it, liveness, and what became of each line. It never reconnects; a new attempt is a new object.
 */
import framework, { type Client, type IrcMessage } from 'irc-framework'
import { SessionFault, type Clock, type Logger, type Metrics } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { caseMappingOf, fold, isChannelName, sameName, type CaseMapping } from '../../irc/casemap.ts'
import { Confirmations, readRefusal, type LineOutcome } from './delivery.ts'
import {
  badCredentials,
  lost,
  readError,
  readKill,
  readNumeric,
  readSaslFailure,
  unreachable,
  type Ending,
} from './faults.ts'
import { NickServ, type NickServSettings } from './nickserv.ts'
import { lineOf, LONGEST_PREFIX, type Prefix, type Wire } from './outbound.ts'
import { Pulse } from './pulse.ts'
import { LineTransport, type Target, type Ticket } from './transport.ts'
import type { Pace } from './flood.ts'

export interface WebIrc {
  readonly password: string
  readonly username: string
  readonly hostname: string
  readonly address: string
}

export interface ConnectionSettings {
  readonly network: NetworkId
  readonly target: Target
  readonly nick: string
  readonly alternates: readonly string[]
  readonly username: string
  readonly realname: string
  readonly password: string | undefined
  readonly sasl:
    | { readonly mechanism: 'PLAIN'; readonly account: string; readonly password: string }
    | { readonly mechanism: 'EXTERNAL' }
    | undefined
  readonly nickserv: NickServSettings | undefined
  readonly version: string
  /** Whom we speak for, as a server believes that trusts us. */
  readonly webirc?: WebIrc
  /** What others say in channels is none of our business here. */
  readonly deaf?: true
  readonly pace: Pace
  readonly registerMs: number
  readonly pingMs: number
  readonly pingTimeoutMs: number
  readonly confirmMs: number
}

export interface ConnectionEvents {
  /** Once, before the first `message`. */
  readonly online: () => void
  /** Each message of the server once we are signed in. */
  readonly message: (message: IrcMessage) => void
  /** Once, after being signed in. */
  readonly ended: (ending: Ending) => void
}

/** What only the handshake needs reaches the library; it keeps answers like NAMES without a limit and trips over broken ones. */
const FOR_LIBRARY = new Set(
  'CAP AUTHENTICATE 001 002 003 004 005 900 901 902 903 904 905 906 907 908 NICK PING PONG ERROR PRIVMSG'.split(' '),
)
const EXTRA_CAPS = ['labeled-response', 'batch'] as const
/** Nicknames made up after the configured ones were taken. */
const MADE_UP_NICKS = 20
const ENDED: LineOutcome = { kind: 'unsent', reason: 'network', detail: 'the IRC connection ended' }
const BUSY: LineOutcome = { kind: 'unsent', reason: 'rate-limited', detail: 'too many lines wait for the IRC server' }

const SIGNED_OUT: Ending = { fault: { code: 'shutdown', detail: 'we signed out' }, stop: false, cause: 'lost' }

type Phase = 'connecting' | 'registering' | 'identifying' | 'online' | 'ended'

export class Connection {
  readonly #settings: ConnectionSettings
  readonly #clock: Clock
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #events: ConnectionEvents
  readonly #transport: LineTransport
  readonly #client: Client
  readonly #confirmations = new Confirmations()
  readonly #pulse: Pulse
  readonly #over = new AbortController()
  #phase: Phase = 'connecting'
  #ending: Ending | undefined
  #settle: { resolve: () => void; reject: (fault: SessionFault) => void } | undefined
  /** The library does not believe in nicks that begin with a digit, which is what servers give to whoever lost theirs. */
  #nick: string | undefined
  #user: string | undefined
  #host: string | undefined
  #loggedIn = false
  #nickAttempts = 0
  #labels = 0
  #barrier: { readonly token: string; readonly reached: () => void } | undefined
  #nickServ: NickServ | undefined

  constructor(settings: ConnectionSettings, clock: Clock, log: Logger, metrics: Metrics, events: ConnectionEvents) {
    this.#settings = settings
    this.#clock = clock
    this.#log = log
    this.#metrics = metrics
    this.#events = events
    this.#client = new framework.Client()
    const network = { network: settings.network }
    this.#transport = new LineTransport(settings.target, settings.pace, clock, {
      opened: () => {
        if (this.#phase === 'connecting') this.#phase = 'registering'
      },
      closed: () => this.#closed(),
      line: (line) => this.#receive(line),
      guarded: () => metrics.count('irc_guarded_lines', network),
      overflow: (lane) => metrics.count('irc_dropped_lines', { ...network, lane }),
    })
    this.#pulse = new Pulse(settings, {
      clock,
      confirmations: this.#confirmations,
      tells: () => this.has('labeled-response') || this.has('echo-message'),
      backlog: () => this.#transport.waiting('message'),
      send: (line, written) => this.control(line, written),
      silent: (ms) => this.#end(lost(`${this.#place} has not answered for ${Math.round(ms / 1000)} s`)),
    })
  }

  get nick(): string {
    return this.#nick ?? this.#client.user.nick
  }

  get mapping(): CaseMapping {
    return caseMappingOf(this.#client.network.options['CASEMAPPING'])
  }

  /** Our name as the server puts it before our words; as long as names get, while it has not shown us. */
  get prefix(): Prefix {
    return {
      nick: this.nick,
      user: this.#user ?? LONGEST_PREFIX.user,
      host: this.#host ?? LONGEST_PREFIX.host,
    }
  }

  /** Why it ended, once it has. */
  get ending(): Ending | undefined {
    return this.#phase === 'ended' ? this.#ending : undefined
  }

  /** What may stand before a nick in a list of names: `@+`. */
  get prefixes(): string {
    const rows = this.supports('PREFIX')
    const symbols = Array.isArray(rows) ? rows.map(symbolOf) : []
    return symbols.join('')
  }

  /** What the server says of itself in 005. */
  supports(option: string): unknown {
    return this.#client.network.options[option]
  }

  has(capability: string): boolean {
    return this.#client.network.cap.isEnabled(capability)
  }

  /** Signed in, identified, server's options known. Rejects with SessionFault, after which this object is of no use. */
  async open(signal: AbortSignal): Promise<void> {
    const settings = this.#settings
    const opened = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }))
    const abort = (): void => this.#end(lost('The attempt was given up'))
    signal.addEventListener('abort', abort)
    this.#client.on('sasl failed', ({ reason, message }) => {
      this.#end(readSaslFailure(reason, message ?? reason))
    })
    this.#client.requestCap(EXTRA_CAPS)
    void this.#clock.sleep(settings.registerMs, this.#over.signal).then(() => {
      if (this.#phase === 'connecting' || this.#phase === 'registering' || this.#phase === 'identifying') {
        this.#end(lost(`${this.#place} has not finished signing us in within ${settings.registerMs / 1000} s`))
      }
    })
    this.#client.connect({
      host: settings.target.host,
      port: settings.target.port,
      nick: settings.nick,
      username: settings.username,
      gecos: settings.realname,
      account: settings.sasl?.mechanism === 'PLAIN' ? settings.sasl : {},
      ...(settings.password === undefined ? {} : { password: settings.password }),
      ...(settings.sasl === undefined ? {} : { sasl_mechanism: settings.sasl.mechanism }),
      ...(settings.webirc === undefined ? {} : { webirc: settings.webirc }),
      version: settings.version,
      enable_echomessage: true,
      enable_chghost: true,
      auto_reconnect: false,
      ping_interval: 0,
      ping_timeout: 0,
      transport: handing(this.#transport),
    })
    if (signal.aborted) abort()
    try {
      await opened
    } finally {
      signal.removeEventListener('abort', abort)
    }
    void this.#pulse.run(this.#over.signal)
  }

  /** Says goodbye. What was queued is dropped, what was written and not confirmed is uncertain. */
  async quit(reason: string): Promise<void> {
    if (this.#phase !== 'ended') {
      this.#ending = SIGNED_OUT
      await this.#transport.farewell(`QUIT :${reason}`)
    }
    this.#closed()
  }

  /** A line that nobody waits for. False: not taken. */
  control(line: string, written?: () => void): boolean {
    return this.#transport.send({ line, ...(written === undefined ? {} : { written }) })
  }

  /** Says something and learns what became of it. Never rejects. */
  say(wire: Wire, signal: AbortSignal): Promise<LineOutcome> {
    return new Promise((resolve) => {
      const finish = (outcome: LineOutcome): void => {
        signal.removeEventListener('abort', abort)
        resolve(outcome)
      }
      const label = this.has('labeled-response') ? `b${++this.#labels}` : undefined
      const ticket: Ticket = {
        group: fold(wire.target, this.mapping),
        line: `${label === undefined ? '' : `@label=${label} `}${lineOf(wire)}`,
        written: () => {
          const target = fold(wire.target, this.mapping)
          const entry = { target, text: wire.text, settle: finish, ...(label === undefined ? {} : { label }) }
          this.#confirmations.written(entry, this.#clock.now())
          this.#pulse.wrote()
        },
        dropped: (why) => finish(why === 'over' ? ENDED : BUSY),
      }
      const abort = (): void => {
        if (!this.#transport.cancel(ticket)) finish({ kind: 'uncertain', detail: 'gave up waiting for the IRC server' })
      }
      if (signal.aborted || this.#phase === 'ended') {
        resolve(this.#phase === 'ended' ? ENDED : BUSY)
        return
      }
      signal.addEventListener('abort', abort)
      if (!this.#transport.send(ticket, wire.verb === 'TOPIC' ? 'control' : 'message')) {
        finish(BUSY)
      }
    })
  }

  get #place(): string {
    return `${this.#settings.target.host}:${this.#settings.target.port}`
  }

  #receive(line: string): void {
    this.#pulse.heard()
    if (this.#settings.deaf === true && isChatter(line, this.nick)) return
    const message = this.#parse(line)
    if (message === undefined || this.#phase === 'ended') return
    this.#own(message)
    if (this.#phase === 'online') this.#events.message(message)
  }

  /** The library sees what it needs first, so that its view of our nick and capabilities is up to date. */
  #parse(line: string): IrcMessage | undefined {
    let message: IrcMessage | undefined
    try {
      message = framework.ircLineParser(line)
      if (FOR_LIBRARY.has(message.command)) this.#transport.emit('line', line)
    } catch {
      // The library trips over commands without their parameters.
      this.#metrics.count('irc_broken_lines', { network: this.#settings.network })
    }
    return message
  }

  #own(message: IrcMessage): void {
    const { command, params, nick, tags } = message
    const words = params.at(-1) ?? ''
    const label = tags['label']
    this.#nickServ?.message(message)
    switch (command) {
      case 'PRIVMSG':
      case 'NOTICE':
      case 'TOPIC':
        if (this.#isMe(nick)) this.#echoed(params[0] ?? '', words, tags)
        return
      case 'PONG':
        this.#pong(words)
        return
      case 'ACK':
        if (label !== undefined) this.#confirmations.acknowledged(label)
        return
      case 'JOIN':
      case 'CHGHOST':
      case '396':
        this.#rename(message)
        return
      case 'NICK':
        // Services that rename us have their reasons.
        if (this.#isMe(nick)) this.#nick = words
        else this.#nickFreed(nick)
        return
      case 'QUIT':
        this.#nickFreed(nick)
        return
      case '001':
        this.#nick = params[0]
        this.#registered(words)
        return
      case '900':
        this.#loggedIn = true
        return
    }
    const ending = this.#endingIn(message)
    if (ending !== undefined) this.#doom(ending)
    else if (this.#phase === 'registering' && isNickRefusal(message)) this.#nextNick()
    else this.#refused(message, label)
  }

  #endingIn({ command, params }: IrcMessage): Ending | undefined {
    const words = params.at(-1) ?? ''
    if (command === 'ERROR') return readError(words)
    if (command === 'KILL') return this.#isMe(params[0] ?? '') ? readKill(words) : undefined
    return readNumeric(command, words)
  }

  #refused({ command, params }: IrcMessage, label: string | undefined): void {
    const refusal = readRefusal(command, params)
    if (refusal !== undefined) this.#confirmations.refused(fold(refusal.target, this.mapping), label, refusal.refusal)
  }

  /** The server shows how it writes us before our words. */
  #rename({ command, nick, ident, hostname, params }: IrcMessage): void {
    const [first, second = ''] = params
    if (command === '396') this.#host = second.split('@').at(-1)
    else if (this.#isMe(nick)) {
      this.#user = command === 'JOIN' ? ident : first
      this.#host = command === 'JOIN' ? hostname : second
    }
  }

  #echoed(target: string, words: string, tags: IrcMessage['tags']): void {
    this.#confirmations.echoed(fold(target, this.mapping), words, tags['label'], tags['msgid'])
  }

  #isMe(nick: string): boolean {
    return nick !== '' && sameName(nick, this.nick, this.mapping)
  }

  #registered(words: string): void {
    if (this.#phase !== 'registering') return
    this.#phase = 'identifying'
    this.#transport.registered = true
    const [, user, host] = /!([^\s@]+)@(\S+)$/.exec(words) ?? []
    this.#user = user
    this.#host = host
    // Everything that a server has to say at first (005, MOTD) comes before the answer to this.
    const token = this.#confirmations.nextToken()
    this.#barrier = { token, reached: () => void this.#identify() }
    this.control(`PING ${token}`)
  }

  async #identify(): Promise<void> {
    const { sasl, nickserv } = this.#settings
    if (sasl !== undefined && !this.#loggedIn) this.#end(readSaslFailure('capability_missing', ''))
    else if (nickserv !== undefined) await this.#withNickServ(nickserv, sasl !== undefined)
    if (this.#phase !== 'identifying') return
    this.#phase = 'online'
    this.#events.online()
    this.#settle?.resolve()
  }

  async #withNickServ(settings: NickServSettings, identified: boolean): Promise<void> {
    const nickServ = new NickServ(settings, {
      wanted: this.#settings.nick,
      clock: this.#clock,
      over: this.#over.signal,
      isMe: (nick) => this.#isMe(nick),
      send: (line) => this.control(line),
    })
    this.#nickServ = nickServ
    const about = { service: settings.service }
    if (!this.#isMe(this.#settings.nick) && !(await nickServ.recoverNick())) {
      this.#log.warn({ ...about, nick: this.nick }, 'the nick could not be recovered')
    }
    const answer = identified ? 'accepted' : await nickServ.identify()
    this.#nickServ = undefined
    if (answer === 'refused') {
      this.#end(badCredentials('NickServ refuses our password. Check account and password under "nickserv"'))
    } else if (answer === undefined) this.#log.warn(about, 'no known answer from NickServ')
  }

  #nextNick(): void {
    const { nick, alternates } = this.#settings
    const next = alternates[this.#nickAttempts] ?? madeUp(nick, this.#nickAttempts - alternates.length)
    if (this.#nickAttempts++ >= alternates.length + MADE_UP_NICKS) {
      this.#end(lost(`${this.#place} takes none of our nicknames. Set "nick" and "alternates" of this network`))
      return
    }
    this.control(`NICK ${next}`)
  }

  /** Whoever had the nick that we want has let it go. */
  #nickFreed(nick: string): void {
    const wanted = this.#settings.nick
    if (this.#phase === 'online' && sameName(nick, wanted, this.mapping) && !this.#isMe(wanted)) {
      this.control(`NICK ${wanted}`)
    }
  }

  #pong(token: string): void {
    if (this.#barrier?.token === token) {
      const { reached } = this.#barrier
      this.#barrier = undefined
      reached()
    }
    this.#confirmations.pong(token)
  }

  /** The server has said why it is about to close; the first reason is the most exact. */
  #doom(ending: Ending): void {
    if (this.#ending === undefined || (ending.stop && !this.#ending.stop)) this.#ending = ending
    if (this.#phase !== 'online' && ending.stop) this.#end(ending)
  }

  #end(ending: Ending): void {
    this.#ending ??= ending
    this.#transport.disposeSocket()
    this.#closed()
  }

  #closed(): void {
    if (this.#phase === 'ended') return
    const wasOnline = this.#phase === 'online'
    const before = this.#phase
    this.#phase = 'ended'
    const ending = (this.#ending ??= this.#explain(before))
    this.#over.abort()
    this.#confirmations.lost()
    this.#client.removeAllListeners()
    if (wasOnline) this.#events.ended(ending)
    else this.#settle?.reject(new SessionFault(ending.fault, ending.retryAfter))
  }

  #explain(phase: Phase): Ending {
    const { error } = this.#transport
    const why = error === undefined ? 'it closed the connection' : error.message
    if (phase === 'connecting') return unreachable(this.#place, error)
    if (phase === 'registering')
      return lost(`${this.#place} did not let us in: ${why}. Check port and "tls" of this network`)
    return lost(`Lost ${this.#place}: ${why}`)
  }
}

/** The library makes its transport itself; it is given ours. */
const handing = (transport: LineTransport): new () => LineTransport =>
  function handed(): LineTransport {
    return transport
  } as unknown as new () => LineTransport

/** `:somebody!u@h PRIVMSG #channel :…`, by others. A crowd of connections hears each word many times. */
const isChatter = (line: string, nick: string): boolean => {
  const [, by, target] = /^(?:@\S+ )?:([^\s!]+)\S* (?:PRIVMSG|NOTICE|TAGMSG) (\S+)/.exec(line) ?? []
  return by !== undefined && target !== undefined && isChannelName(target) && by !== nick
}

/** `{ symbol: '@', mode: 'o' }` */
const symbolOf = (row: unknown): string =>
  typeof row === 'object' && row !== null && 'symbol' in row && typeof row.symbol === 'string' ? row.symbol : ''

/** 437 may also be about a channel. */
const isNickRefusal = ({ command, params }: IrcMessage): boolean =>
  ['431', '432', '433', '436'].includes(command) || (command === '437' && !isChannelName(params[1] ?? ''))

const madeUp = (nick: string, attempt: number): string =>
  attempt < 3 ? nick + '_'.repeat(attempt + 1) : `${nick}${attempt}`
