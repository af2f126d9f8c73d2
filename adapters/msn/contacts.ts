/** Our contact list as the core is told of it. */
import type { PassingInbound, Phone, RosterEntry } from '../../bridge/model/events.ts'
import type { AccountId, NetworkId, UserRef } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import { onList, type Contact, type Group, type MsnClientEvent, type PersonalMessage } from '../../msnp/index.ts'
import type { Line } from './line.ts'
import type { OwnLooks } from './own-looks.ts'
import { stateOf } from './personal.ts'
import { availabilityOf } from './presence.ts'
import { oneLine, userIdOf } from './words.ts'

export type ContactEvent = Extract<
  MsnClientEvent,
  { kind: 'roster' | 'presence' | 'personal-message' | 'list' | 'arranged' | 'own-name' | 'messenger' }
>

/** What of a sign-in can be looked at. */
type Lists = Pick<Line, 'contacts' | 'groups' | 'name' | 'privacy'>

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
  readonly #line: Lists
  readonly #looks: OwnLooks
  readonly #told = new Map<string, Told>()

  constructor(network: NetworkId, account: AccountId, line: Lists, looks: OwnLooks) {
    this.#network = network
    this.#account = account
    this.#line = line
    this.#looks = looks
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
      case 'arranged':
        return [this.#whole([...this.#line.contacts.values()]), this.own()]
      case 'messenger':
        this.#looks.beside(event.messenger)
        return [this.own()]
      case 'own-name':
        return [this.own()]
    }
  }

  #roster(contacts: readonly Contact[]): readonly PassingInbound[] {
    // The names are in it already. Who is not seen any more, as we were sent to another server, has to be told.
    const changes = contacts.flatMap((contact) => {
      this.#of(contact.email).name = contact.name
      return this.#presence(contact)
    })
    return [this.#whole(contacts), this.own(), ...changes]
  }

  #whole(contacts: readonly Contact[]): PassingInbound {
    const names = new Map(namedGroups(this.#line.groups).map(({ id, name }) => [id, name]))
    return {
      kind: 'roster',
      account: this.#account,
      // Others may be known for their presence alone.
      contacts: contacts.filter(({ lists }) => lists !== 0).map((contact) => this.#entry(contact, names)),
    }
  }

  /** How the account itself is now. */
  own(): PassingInbound {
    const { name, groups, privacy } = this.#line
    return {
      kind: 'own',
      account: this.#account,
      name: nameOf(name),
      groups: namedGroups(groups).map((group) => group.name),
      strangers: privacy === 'AL' ? 'allowed' : 'blocked',
      ...this.#looks.seen(),
    }
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
        return [this.#whole([...this.#line.contacts.values()])]
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

/** As people see them. */
export const namedGroups = (groups: readonly Group[]): readonly Group[] =>
  groups.filter(isNamed).map(({ id, name }) => ({ id, name: nameOf(name) }))

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
