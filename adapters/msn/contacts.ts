/** Our contact list as the core is told of it, and what it asks to be done with it. */
import type { RosterRequest } from '../../bridge/adapter.ts'
import type { PassingInbound, Phone, RosterEntry } from '../../bridge/model/events.ts'
import type { AccountId, NetworkId, UserRef } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import type { Reason, RosterResult } from '../../bridge/model/result.ts'
import {
  onList,
  type CommandFailure,
  type Contact,
  type Group,
  type MsnClientEvent,
  type PersonalMessage,
} from '../../msnp/index.ts'
import type { Line } from './line.ts'
import { stateOf } from './personal.ts'
import { availabilityOf } from './presence.ts'
import { oneLine, userIdOf } from './words.ts'

export type ContactEvent = Extract<MsnClientEvent, { kind: 'roster' | 'presence' | 'personal-message' | 'list' }>

type Seen = Pick<Contact, 'email' | 'name' | 'presence'> & { readonly personal?: PersonalMessage | undefined }

/** What was told of a contact last. */
interface Told {
  name: string
  state: PresenceState
}

/** Turns the events of one sign-in into those of the core; what changes nothing is not told. */
export class Contacts {
  readonly #network: NetworkId
  readonly #account: AccountId
  readonly #line: Pick<Line, 'groups' | 'contacts'>
  readonly #told = new Map<string, Told>()

  constructor(network: NetworkId, account: AccountId, line: Pick<Line, 'groups' | 'contacts'>) {
    this.#network = network
    this.#account = account
    this.#line = line
  }

  read(event: ContactEvent): readonly PassingInbound[] {
    switch (event.kind) {
      case 'roster':
        return this.#roster(event.contacts)
      case 'presence':
        return this.#presence({ ...event, personal: this.#contact(event.email)?.personal })
      case 'personal-message': {
        const { name = '', presence } = this.#contact(event.email) ?? {}
        return this.#presence({ email: event.email, name, presence, personal: event.message })
      }
      case 'list':
        return this.#list(event)
    }
  }

  #roster(contacts: readonly Contact[]): readonly PassingInbound[] {
    const names = new Map(this.#line.groups.filter(isNamed).map(({ id, name }) => [id, nameOf(name)]))
    const roster: PassingInbound = {
      kind: 'roster',
      account: this.#account,
      contacts: contacts.map((contact) => this.#entry(contact, names)),
    }
    // The names are in it already. Who is not seen any more, as we were sent to another server, has to be told.
    const changes = contacts.flatMap((contact) => {
      this.#of(contact.email).name = contact.name
      return this.#presence(contact)
    })
    return [roster, ...changes]
  }

  #entry(contact: Contact, names: ReadonlyMap<string, string>): RosterEntry {
    const phones = phonesOf(contact)
    const groups = contact.groups.map((group) => names.get(group)).filter((name) => name !== undefined)
    return {
      user: this.#ref(contact.email),
      name: nameOf(contact.name),
      listed: onList(contact, 'FL'),
      blocked: onList(contact, 'BL'),
      hasUs: onList(contact, 'RL') || onList(contact, 'PL'),
      ...(groups.length === 0 ? {} : { groups }),
      ...(phones.length === 0 ? {} : { phones }),
      ...(onList(contact, 'AL') ? { allowed: true } : {}),
    }
  }

  #presence({ email, name, presence, personal }: Seen): readonly PassingInbound[] {
    const told = this.#of(email)
    const state = stateOf(availabilityOf(presence?.status), personal)
    const about = { account: this.#account, user: this.#ref(email) }
    const events: PassingInbound[] = []
    if (name !== '' && told.name !== name) events.push({ kind: 'profile', ...about, name: nameOf(name) })
    if (!isSame(told.state, state)) events.push({ kind: 'presence', ...about, state })
    if (name !== '') told.name = name
    told.state = state
    return events
  }

  #list(event: Extract<ContactEvent, { kind: 'list' }>): readonly PassingInbound[] {
    const about = { account: this.#account, user: this.#ref(event.email), name: nameOf(event.name) }
    const added = event.change === 'added'
    switch (event.list) {
      case 'FL':
        return [{ kind: 'contact', ...about, change: added ? 'added' : 'removed' }]
      case 'BL':
        return [{ kind: 'contact', ...about, change: added ? 'blocked' : 'unblocked' }]
      case 'RL':
        return [{ kind: 'contact', ...about, change: added ? 'added-us' : 'removed-us' }]
      case 'PL':
        return added ? [{ kind: 'contact', ...about, change: 'added-us' }] : []
      case 'AL':
        return []
    }
  }

  #contact(email: string): Contact | undefined {
    return this.#line.contacts.get(email.toLowerCase())
  }

  #of(email: string): Told {
    const key = email.toLowerCase()
    const told = this.#told.get(key) ?? { name: '', state: { show: 'offline' } }
    this.#told.set(key, told)
    return told
  }

  #ref(email: string): UserRef {
    return { network: this.#network, user: userIdOf(email) }
  }
}

/** Of a phone number, UTF-16 units. */
const MAX_NUMBER = 95

const phonesOf = ({ phones }: Contact): readonly Phone[] =>
  PHONES.flatMap(([code, kind]) => {
    const number = oneLine(phones[code] ?? '', MAX_NUMBER)
    return number === '' ? [] : [{ kind, number }]
  })

const PHONES = [
  ['PHH', 'home'],
  ['PHW', 'work'],
  ['PHM', 'mobile'],
] as const

const isSame = (a: PresenceState, b: PresenceState): boolean =>
  a.show === b.show &&
  a.text === b.text &&
  a.playing?.title === b.playing?.title &&
  a.playing?.artist === b.playing?.artist &&
  a.playing?.album === b.playing?.album

/** Group 0 holds those who are in none, unless its owner has given it a name. */
const isNamed = ({ id, name }: Group): boolean => id !== '0' || (name !== '~' && name !== 'Other Contacts')

const nameOf = (name: string): string => oneLine(name, name.length)

/** The answer is a sentence for the person who asked. */
export const change = async (
  line: Line,
  request: Exclude<RosterRequest, { kind: 'picture' }>,
): Promise<RosterResult> => {
  if (request.kind === 'remove') {
    const contact = line.contacts.get(request.user)
    if (contact === undefined || !onList(contact, 'FL')) return wrong('not-found', `${request.user} is not on the list`)
  }
  const result = await ask(line, request)
  return result.ok ? { kind: 'done' } : refusalOf(result.failure, request)
}

const ask = (line: Line, request: Exclude<RosterRequest, { kind: 'picture' }>) => {
  if (request.kind === 'rename') return line.rename(request.name)
  const email = line.contacts.get(request.user)?.email ?? request.user
  switch (request.kind) {
    case 'add':
      return line.add(email)
    case 'remove':
      return line.remove(email)
    case 'block':
      return line.block(email)
    case 'unblock':
      return line.unblock(email)
  }
}

const refusalOf = (failure: CommandFailure, request: Exclude<RosterRequest, { kind: 'picture' }>): RosterResult => {
  switch (failure.kind) {
    case 'closed':
      return wrong('network', 'the MSN account is not signed in')
    case 'timeout':
      return wrong('network', 'the MSN server did not answer; look again in a minute whether it was done')
    case 'invalid':
      return wrong('not-found', failure.detail)
    case 'refused':
      return refusalOfCode(failure.code, failure.meaning, request)
  }
}

const refusalOfCode = (
  code: number,
  meaning: string,
  request: Exclude<RosterRequest, { kind: 'picture' }>,
): RosterResult => {
  switch (code) {
    case 201:
    case 205:
    case 206:
    case 208:
      return wrong('not-found', request.kind === 'rename' ? meaning : `${request.user} has no account there`)
    case 209:
      return wrong('forbidden', 'the MSN server does not allow this name')
    case 210:
      return wrong('forbidden', 'the list is full: remove somebody first')
    case 713:
    case 800:
      return wrong('rate-limited', 'that was too fast for the MSN server: try again in a minute')
    default:
      return wrong('protocol', `the MSN server refused: ${meaning} (${code})`)
  }
}

const wrong = (reason: Reason, detail: string): RosterResult => ({ kind: 'refused', reason, detail })
