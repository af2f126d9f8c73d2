/** People who sign in to a whole service, each in a dialect of their own, and say what that dialect has for it. */
import { Buffer } from 'node:buffer'
import { TRAITS, type Dialect, type Traits } from '../../msnp/model/dialect.ts'
import { contactGuid } from '../../msnp/service/guids.ts'
import type { Frame } from '../../msnp/wire/frame.ts'
import type { Served, WholeService } from './whole-service.ts'

/** `UBX bob@example.com 53 | <Data>...`: bytes read as UTF-8. */
export const textOf = ({ verb, params, payload }: Frame): string => {
  const line = Buffer.from([verb, ...params].join(' '), 'latin1').toString()
  return payload === undefined || payload.length === 0 ? line : `${line} | ${Buffer.from(payload).toString()}`
}

/** One connection and what came on it. */
export class Peer {
  readonly #service: WholeService
  readonly #served: Served
  #read = 0

  constructor(service: WholeService, role: 'NS' | 'DS' | 'SB') {
    this.#service = service
    this.#served = service.connect(role)
  }

  /** Sends a line, with a payload its length is added; gives what came until all is quiet. */
  async say(line: string, payload?: string): Promise<readonly string[]> {
    const bytes = payload === undefined ? '' : ` ${Buffer.byteLength(payload)}\r\n${payload}`
    this.#served.receive(Buffer.from(payload === undefined ? `${line}\r\n` : line + bytes))
    await this.#service.settled()
    return this.take()
  }

  /** What came since the last time. */
  take(): readonly string[] {
    const fresh = this.#served.answers.slice(this.#read).map(textOf)
    this.#read = this.#served.answers.length
    return fresh
  }

  /** What ever came. */
  get all(): readonly string[] {
    return this.#served.answers.map(textOf)
  }

  get isClosed(): boolean {
    return this.#served.closed !== undefined
  }
}

export interface Looks {
  readonly status?: string
  readonly clientId?: string
  /** As on the wire; only said where the dialect has it. */
  readonly object?: string
  readonly personal?: string
}

export class DialectPerson extends Peer {
  readonly email: string
  readonly dialect: Dialect
  readonly traits: Traits
  /** What came with the first CHG. */
  welcome: readonly string[] = []

  private constructor(service: WholeService, email: string, dialect: Dialect) {
    super(service, 'NS')
    this.email = email
    this.dialect = dialect
    this.traits = TRAITS[dialect]
  }

  /** Signed in, with lists and a status. */
  static async arrive(
    service: WholeService,
    name: string,
    dialect: Dialect,
    looks: Looks = {},
  ): Promise<DialectPerson> {
    const person = new DialectPerson(service, `${name}@example.com`, dialect)
    await person.say(`VER 1 ${dialect} CVR0`)
    await person.say(`USR 2 TWN I ${person.email}`)
    await person.say(`USR 3 TWN S ${service.ticket(person.email)}`)
    await person.say(person.traits.guidIds ? 'SYN 4 0 0' : 'SYN 4 0')
    if (looks.personal !== undefined && person.traits.personalMessages) await person.personal(looks.personal)
    person.welcome = await person.looks(looks)
    return person
  }

  looks({ status = 'NLN', clientId = '268435456', object }: Looks): Promise<readonly string[]> {
    return this.say(
      ['CHG 5', status, clientId, ...(object === undefined || !this.traits.msnObject ? [] : [object])].join(' '),
    )
  }

  personal(text: string): Promise<readonly string[]> {
    return this.say('UUX 6', `<Data><PSM>${text}</PSM><CurrentMedia></CurrentMedia></Data>`)
  }

  rename(word: string): Promise<readonly string[]> {
    return this.say(this.traits.guidIds ? `PRP 7 MFN ${word}` : `REA 7 ${this.email} ${word}`)
  }

  add(list: 'FL' | 'AL' | 'BL', email: string, name: string): Promise<readonly string[]> {
    if (!this.traits.guidIds) return this.say(`ADD 8 ${list} ${email} ${name}`)
    return this.say(`ADC 8 ${list} N=${email}${list === 'FL' ? ` F=${name}` : ''}`)
  }

  remove(list: 'FL' | 'AL' | 'BL', email: string): Promise<readonly string[]> {
    const byId = list === 'FL' && this.traits.guidIds
    return this.say(`REM 9 ${list} ${byId ? contactGuid(this.email, email) : email}`)
  }
}
