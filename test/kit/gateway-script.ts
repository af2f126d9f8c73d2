/**
 * Conversations with the gateway in files (test/scenarios/gateway, its README tells the format): parsed, and played.
 * A mismatch is thrown with the place in the file, and with what came instead.
 */
import type { MessageBody } from '../../bridge/model/body.ts'
import { plain } from '../../bridge/model/text.ts'
import {
  availabilityOf,
  contactAs,
  CONTROL,
  GatewayHouse,
  type GatewayHouseOptions,
  type ListedContact,
  PASSWORD,
} from './gateway-house.ts'
import { IrcClient, requesting } from './irc-client.ts'

export type Step =
  | { readonly kind: 'send'; readonly client: string; readonly line: string; readonly at: number }
  /** next: the very next line. later: some later one; those before it are passed over. */
  | {
      readonly kind: 'expect'
      readonly client: string
      readonly how: 'next' | 'later'
      readonly line: string
      readonly at: number
    }
  /** Nothing like that has come when all is quiet; those that came stay. */
  | { readonly kind: 'silence'; readonly client: string; readonly line: string; readonly at: number }
  | {
      readonly kind: 'client'
      readonly client: string
      readonly does: ClientDoes
      readonly at: number
    }
  | { readonly kind: 'msn'; readonly words: string; readonly at: number }
  | { readonly kind: 'restart'; readonly at: number }

/** is deaf: it does not answer PING any more. vanishes: the connection is cut. */
type ClientDoes = 'connects' | 'opens' | 'is deaf' | 'vanishes' | 'is closed'

export interface Script {
  /** From the first comment. */
  readonly title: string
  readonly house: GatewayHouseOptions
  /** By client. */
  readonly caps: ReadonlyMap<string, readonly string[]>
  readonly steps: readonly Step[]
}

/** How long a line may take to come. Milliseconds. */
const PATIENCE_MS = 4_000

/** Throws on a line that it does not understand. */
export const parseScript = (name: string, text: string): Script => {
  const caps = new Map<string, readonly string[]>()
  const contacts = new Map<string, ListedContact>()
  const steps: Step[] = []
  let title: string | undefined
  let people: readonly string[] = ['alice']
  let gateway: string | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const at = index + 1
    const line = raw.trimEnd()
    const [, header, value = ''] = /^(people|contacts|gateway|caps(?: \w+)?):(?: (.*))?$/.exec(line) ?? []
    if (line.startsWith('#')) title ??= line.slice(1).trim()
    else if (header === 'people') people = value.split(' ').filter(Boolean)
    else if (header === 'gateway') gateway = value
    else if (header === 'contacts') for (const each of value.split(', ').filter(Boolean)) addContact(contacts, each)
    else if (header !== undefined) caps.set(header.slice('caps '.length) || 'alice', value.split(' '))
    else if (line !== '') steps.push(stepOf(line, `${name}:${at}`, at))
  }
  const house = { people, contacts, ...(gateway === undefined ? {} : { gateway }) }
  return { title: title ?? name, house, caps, steps }
}

/** "bob NLN", "carol AWY at the lake", "dave FLN [Friends]", "mallory (stranger)" */
const addContact = (contacts: Map<string, ListedContact>, text: string): void => {
  const [, name = '', status = 'NLN', words = '', group] =
    /^(\S+)(?: ([A-Z]{3}))?(?: ([^[]*?))?(?: \[(.*)\])?$/.exec(text) ?? []
  const presence = { show: availabilityOf(status), ...(words === '' ? {} : { text: words }) }
  contacts.set(name, contactAs(name, { presence, groups: group === undefined ? [] : [group] }))
}

const stepOf = (line: string, where: string, at: number): Step => {
  const [, sender, sent = ''] = /^(\w+)> ?(.*)$/.exec(line) ?? []
  if (sender !== undefined) return { kind: 'send', client: sender, line: sent, at }
  const [, hearer, mark, heard = ''] = /^(\w+)<([~!]?)(?: (.*))?$/.exec(line) ?? []
  if (hearer !== undefined && mark === '!') return { kind: 'silence', client: hearer, line: heard || '*', at }
  if (hearer !== undefined)
    return { kind: 'expect', client: hearer, how: mark === '~' ? 'later' : 'next', line: heard, at }
  const [, msn] = /^msn (.+)$/.exec(line) ?? []
  if (msn !== undefined) return { kind: 'msn', words: msn, at }
  if (line === 'restart') return { kind: 'restart', at }
  const [, client = '', does] = /^(\w+) (connects|opens|is deaf|vanishes|is closed)$/.exec(line) ?? []
  if (does !== undefined) return { kind: 'client', client, does: does as ClientDoes, at }
  throw new Error(`${where}: "${line}" is no step`)
}

/** A client of the script: what it has read, and what is still to be looked at. */
interface Seat {
  readonly client: IrcClient
  read: number
  /** It has said something that nothing has answered so far. */
  unanswered: boolean
}

export class Player {
  readonly #name: string
  readonly #script: Script
  readonly #seats = new Map<string, Seat>()
  /** What `<id:first>` stood for. */
  readonly #values = new Map<string, string>()
  #house: GatewayHouse | undefined
  #listened = 0
  #pings = 0

  constructor(name: string, script: Script) {
    this.#name = name
    this.#script = script
  }

  async play(): Promise<void> {
    const house = await GatewayHouse.start(this.#script.house)
    this.#house = house
    this.#listened = house.heard.length
    try {
      for (const step of this.#script.steps) await this.#step(step, house)
      for (const name of this.#seats.keys()) await this.#silent(name, '*', this.#script.steps.at(-1)?.at ?? 0)
    } finally {
      for (const { client } of this.#seats.values()) client.close()
      await house.dispose()
    }
  }

  async #step(step: Step, house: GatewayHouse): Promise<void> {
    switch (step.kind) {
      case 'send':
        this.#seat(step.client, step.at).unanswered = true
        this.#seat(step.client, step.at).client.send(this.#filled(step.line))
        return
      case 'expect':
        return this.#expect(step)
      case 'silence':
        return this.#silent(step.client, step.line, step.at)
      case 'client':
        return this.#client(step, house)
      case 'msn':
        return this.#msn(step.words, step.at, house)
      case 'restart':
        await this.#allRead(step.at)
        await house.restart()
    }
  }

  async #client({ client: name, does, at }: Extract<Step, { kind: 'client' }>, house: GatewayHouse): Promise<void> {
    if (does === 'is deaf') {
      this.#seat(name, at).client.answersPings = false
      return
    }
    if (does === 'vanishes') {
      this.#seat(name, at).client.close()
      this.#seats.delete(name)
      await house.settle()
      return
    }
    if (does === 'is closed') {
      const { client } = this.#seat(name, at)
      await this.#inTime(
        client.until(() => client.closed),
        () => this.#wrong(at, `${name} is still connected`),
      )
      this.#seats.delete(name)
      await house.settle()
      return
    }
    await this.#allRead(at)
    const person = name.replace(/\d+$/, '')
    const client = await IrcClient.open(house.port, person)
    const seat: Seat = { client, read: 0, unanswered: false }
    this.#seats.set(name, seat)
    if (does === 'opens') return
    const caps = this.#script.caps.get(name) ?? []
    if (caps.length > 0) for (const line of requesting(caps)) client.send(line)
    for (const line of [`PASS ${person}:${PASSWORD}`, `NICK ${person}`, `USER ${person} 0 * :${person}`])
      client.send(line)
    await this.#expect({ kind: 'expect', client: name, how: 'later', line: `*PRIVMSG ${CONTROL} :Welcome to *`, at })
  }

  async #expect({ client: name, how, line, at }: Extract<Step, { kind: 'expect' }>): Promise<void> {
    const seat = this.#seat(name, at)
    const { lines } = seat.client
    const found = await this.#inTime(
      seat.client.until(() => {
        for (let index = seat.read; index < lines.length; index++) {
          const matched = this.#match(line, lines[index] ?? '')
          if (matched !== undefined) return { index, matched }
          if (how === 'next') return { index, matched }
        }
        return undefined
      }),
      () => {
        const rest = lines.slice(seat.read)
        return this.#wrong(
          at,
          `${name} should get:\n  ${line}\nand got ${rest.length === 0 ? 'nothing' : `only:\n${indented(rest)}`}`,
        )
      },
    )
    if (found.matched === undefined) {
      const rest = lines.slice(seat.read, seat.read + 10)
      throw this.#wrong(at, `${name} should get:\n  ${line}\nand got:\n${indented(rest)}`)
    }
    for (const [key, value] of found.matched) this.#values.set(key, value)
    seat.read = found.index + 1
    seat.unanswered = false
  }

  async #silent(name: string, pattern: string, at: number): Promise<void> {
    const seat = this.#seats.get(name)
    if (seat === undefined || seat.client.closed) return
    await this.#house?.settle()
    await this.#barrier(name, seat, at)
    const wrong = seat.client.lines.slice(seat.read).filter((line) => this.#match(pattern, line) !== undefined)
    if (wrong.length > 0) throw this.#wrong(at, `${name} should not get:\n${indented(wrong)}`)
  }

  /** What clients have said is done before anything else happens. */
  async #allRead(at: number): Promise<void> {
    for (const [name, seat] of this.#seats)
      if (seat.unanswered && seat.client.answersPings) await this.#barrier(name, seat, at)
    await this.#house?.settle()
  }

  async #barrier(name: string, seat: Seat, at: number): Promise<void> {
    const { client } = seat
    const token = `barrier-${++this.#pings}`
    client.send(`PING ${token}`)
    const pong = await this.#inTime(
      client.until(() => {
        const index = client.lines.findIndex((line) => line.endsWith(` :${token}`) || line.endsWith(` ${token}`))
        return index !== -1 ? { index } : client.closed ? { index } : undefined
      }),
      () => this.#wrong(at, `${name} gets no PONG`),
    )
    if (pong.index !== -1) client.lines.splice(pong.index, 1)
    seat.unanswered = false
  }

  async #msn(words: string, at: number, house: GatewayHouse): Promise<void> {
    const [, expected] = /^hears (.*)$/.exec(words) ?? []
    if (expected !== undefined) return this.#hears(expected, at, house)
    const [, unexpected] = /^never hears (.*)$/.exec(words) ?? []
    if (unexpected !== undefined) {
      await house.settle()
      const wrong = house.heard.slice(this.#listened).filter((line) => this.#match(unexpected, line) !== undefined)
      if (wrong.length > 0) throw this.#wrong(at, `MSN should not hear:\n${indented(wrong)}`)
      return
    }
    const [, refusal] = /^refuses: (.*)$/.exec(words) ?? []
    if (refusal !== undefined) {
      house.next = { kind: 'refused', reason: 'offline', detail: refusal }
      return
    }
    await this.#allRead(at)
    if (!(await happens(words, house))) throw this.#wrong(at, `MSN cannot do "${words}"`)
  }

  async #hears(expected: string, at: number, house: GatewayHouse): Promise<void> {
    const index = await this.#inTime(
      house.untilHeard(() => {
        const rest = house.heard.slice(this.#listened)
        const found = rest.findIndex((line) => this.#match(expected, line) !== undefined)
        return found === -1 ? undefined : this.#listened + found
      }),
      () =>
        this.#wrong(at, `MSN should hear:\n  ${expected}\nand heard:\n${indented(house.heard.slice(this.#listened))}`),
    )
    this.#listened = index + 1
  }

  #seat(name: string, at: number): Seat {
    const seat = this.#seats.get(name)
    if (seat === undefined) throw this.#wrong(at, `${name} is not connected`)
    return seat
  }

  /** What named wildcards stood for; undefined: it is another line. */
  #match(pattern: string, line: string): ReadonlyMap<string, string> | undefined {
    const names: string[] = []
    const source = unescaped(pattern)
      .split(/(\*|<\w+(?::\w+)?>)/)
      .map((part) => {
        if (part === '*') return '.*'
        const [, kind, name] = /^<(\w+)(?::(\w+))?>$/.exec(part) ?? []
        if (kind === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        const known = name === undefined ? undefined : this.#values.get(name)
        if (known !== undefined) return known.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        if (name !== undefined) names.push(name)
        const what = kind === 'time' ? String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z` : '[^ ;]+'
        return name === undefined ? what : `(${what})`
      })
      .join('')
    const match = new RegExp(`^${source}$`, 's').exec(line)
    return match === null ? undefined : new Map(names.map((name, index) => [name, match[index + 1] ?? '']))
  }

  #filled(line: string): string {
    return unescaped(line).replace(/<\w+:(\w+)>/g, (all, name: string) => this.#values.get(name) ?? all)
  }

  async #inTime<Result>(waiting: Promise<Result>, late: () => Error): Promise<Result> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), PATIENCE_MS)
    })
    try {
      return await Promise.race([waiting, deadline])
    } finally {
      clearTimeout(timer)
    }
  }

  #wrong(at: number, words: string): Error {
    return new Error(`${this.#name}:${at}: ${words}`)
  }
}

/** "bob says hi", "bob,carol: bob says hi", "bob AWY at the lake" */
const happens = async (words: string, house: GatewayHouse): Promise<boolean> => {
  const [, of = 'alice', group, name = '', does = '', rest = ''] =
    /^(?:to (\w+): )?(?:([\w,]+): )?(\w+) (says|acts|nudges|types|writes elsewhere|joins|leaves|adds us|is called|loses its connection|[A-Z]{3})(?: (.*))?$/.exec(
      words,
    ) ?? []
  const members = group?.split(',') ?? [name]
  const text = plain(unescaped(rest))
  const say = (body: MessageBody): Promise<void> => house.says(members, name, body, of)
  switch (does) {
    case 'says':
      await say({ kind: 'text', text })
      return true
    case 'acts':
      await say({ kind: 'action', text })
      return true
    case 'nudges':
      await say({ kind: 'nudge' })
      return true
    case 'types':
      await house.types(members, name, of)
      return true
    case 'writes elsewhere':
      await house.says(members, name, { kind: 'text', text }, of, true)
      return true
    case 'joins':
      await house.member(members, name, 'join', of)
      return true
    case 'leaves':
      await house.member(members, name, 'leave', of)
      return true
    case 'adds us':
      await house.changes(name, 'added-us')
      return true
    case 'is called':
      await house.isCalled(name, rest)
      return true
    case 'loses its connection':
      house.lose(name)
      return true
    case '':
      return false
    default:
      await house.shows(name, availabilityOf(does), rest)
      return true
  }
}

/** Control characters are written as \x01, others as \u200d, a line break of MSN as \n. */
const unescaped = (text: string): string =>
  text
    .replace(/\\x([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\u\{?([0-9a-f]{4,6})\}?/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll('\\n', '\n')

const indented = (lines: readonly string[]): string =>
  lines.length === 0 ? '  nothing' : lines.map((line) => `  ${JSON.stringify(line).slice(1, -1)}`).join('\n')
