/** Our contact list as the core is told of it. */
import type { PassingInbound, RosterEntry } from '../../bridge/model/events.ts'
import type { AccountId, NetworkId, UserRef } from '../../bridge/model/ids.ts'
import type { Availability } from '../../bridge/model/presence.ts'
import { onList, type Contact, type Group, type MsnClientEvent } from '../../msnp/index.ts'
import type { Line } from './line.ts'
import { availabilityOf } from './presence.ts'
import { oneLine, userIdOf } from './words.ts'

export type ContactEvent = Extract<MsnClientEvent, { kind: 'roster' | 'presence' | 'list' | 'arranged' | 'own-name' }>

/** What of a sign-in can be looked at. */
type Seen = Pick<Line, 'contacts' | 'groups' | 'name' | 'privacy'>

/** What was told of a contact last. */
interface Told {
  name: string
  show: Availability
}

/** Turns the events of one sign-in into those of the core; what changes nothing is not told. */
export class Contacts {
  readonly #network: NetworkId
  readonly #account: AccountId
  readonly #line: Seen
  readonly #told = new Map<string, Told>()

  constructor(network: NetworkId, account: AccountId, line: Seen) {
    this.#network = network
    this.#account = account
    this.#line = line
  }

  read(event: ContactEvent): readonly PassingInbound[] {
    switch (event.kind) {
      case 'roster':
        return this.#roster(event.contacts)
      case 'presence':
        return this.#presence(event.email, event.name, availabilityOf(event.presence?.status))
      case 'list':
        return this.#list(event)
      case 'arranged':
        return [this.#whole([...this.#line.contacts.values()]), this.#own()]
      case 'own-name':
        return [this.#own()]
    }
  }

  #roster(contacts: readonly Contact[]): readonly PassingInbound[] {
    // The names are in it already. Who is not seen any more, as we were sent to another server, has to be told.
    const changes = contacts.flatMap(({ email, name, presence }) => {
      this.#of(email).name = name
      return this.#presence(email, name, availabilityOf(presence?.status))
    })
    return [this.#whole(contacts), this.#own(), ...changes]
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

  #own(): PassingInbound {
    const { name, groups, privacy } = this.#line
    return {
      kind: 'own',
      account: this.#account,
      name: nameOf(name),
      groups: namedGroups(groups).map((group) => group.name),
      strangers: privacy === 'AL' ? 'allowed' : 'blocked',
    }
  }

  #entry(contact: Contact, names: ReadonlyMap<string, string>): RosterEntry {
    const groups = contact.groups.map((group) => names.get(group)).filter((name) => name !== undefined)
    return {
      user: this.#ref(contact.email),
      name: nameOf(contact.name),
      listed: onList(contact, 'FL'),
      blocked: onList(contact, 'BL'),
      hasUs: onList(contact, 'RL'),
      ...(groups.length === 0 ? {} : { groups }),
      ...(onList(contact, 'AL') ? { allowed: true } : {}),
    }
  }

  #presence(email: string, name: string, show: Availability): readonly PassingInbound[] {
    const told = this.#of(email)
    const about = { account: this.#account, user: this.#ref(email) }
    const events: PassingInbound[] = []
    if (name !== '' && told.name !== name) events.push({ kind: 'profile', ...about, name: nameOf(name) })
    if (told.show !== show) events.push({ kind: 'presence', ...about, state: { show } })
    told.name = name
    told.show = show
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
      case 'AL':
        return [this.#whole([...this.#line.contacts.values()])]
    }
  }

  #of(email: string): Told {
    const key = email.toLowerCase()
    const told = this.#told.get(key) ?? { name: '', show: 'offline' }
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

/** Group 0 holds those who are in none, unless its owner has given it a name. */
const isNamed = ({ id, name }: Group): boolean => id !== '0' || (name !== '~' && name !== 'Other Contacts')

const nameOf = (name: string): string => oneLine(name, name.length)
