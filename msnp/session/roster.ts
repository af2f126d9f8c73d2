import { plainId, type ContactId } from '../model/ids.ts'
import { LIST_BITS, type ListName } from '../model/lists.ts'
import { NO_PERSONAL_MESSAGE, samePersonalMessage, type PersonalMessage } from '../model/personal-message.ts'
import type { Status } from '../model/status.ts'

/** People that are kept; who comes beyond is passed over. Far above what services allow. */
export const MAX_ROSTER = 5_000
/** Groups that are kept, in all and of one contact. */
export const MAX_ROSTER_GROUPS = 100
/** Phone numbers and the like. Source: docs/protocol.md, Names, phones, privacy. */
const PHONE_CODES: readonly string[] = ['PHH', 'PHW', 'PHM', 'MOB', 'MBE']

/** One person on our lists. Source: docs/protocol.md, Contact lists. */
export interface Contact {
  /** As the server writes it; compare in lower case. */
  readonly email: string
  readonly name: string
  /** Sum of the bits of the lists they are on: see `onList`. */
  readonly lists: number
  /** Ids of the groups they are in; opaque. */
  readonly groups: readonly string[]
  /** By code: PHH home, PHW work, PHM mobile, MOB whether pages are welcome. */
  readonly phones: Readonly<Record<string, string>>
  /** undefined: offline, or they do not let us see them. */
  readonly presence: Presence | undefined
  /** From MSNP10 on, of those who are or were on FL. */
  readonly id?: ContactId
  /** From MSNP12 on: 1 is Messenger. */
  readonly network?: number
  /** What they write beside their name, and what they play; from MSNP11 on, while they are online. */
  readonly personal?: PersonalMessage
}

export interface Presence {
  readonly status: Status
  /** Sum of the bits of what the client can do; 0 when the server sent none. */
  readonly clientId: number
  /** The display picture object as XML, if there is one. */
  readonly object: string | undefined
}

export interface Group {
  readonly id: string
  readonly name: string
}

/** Whether people on neither AL nor BL may see us and write to us: AL yes, BL no. */
export type Privacy = 'AL' | 'BL'

export const onList = (contact: { readonly lists: number }, list: ListName): boolean =>
  (contact.lists & LIST_BITS[list]) !== 0

/** PL stands for RL as long as there is no answer: on either they have us, and of both it is told once. */
const bitsOf = (list: ListName): number =>
  list === 'RL' || list === 'PL' ? LIST_BITS.RL | LIST_BITS.PL : LIST_BITS[list]

/** How addresses are compared. */
export const keyOf = (email: string): string => email.toLowerCase()

/** Our lists as the server last told them, and who is online. Changes come from the lines of the server alone. */
export class Roster {
  #contacts = new Map<string, Contact>()
  /** Ids as they are compared -> keys of contacts. */
  #ids = new Map<string, string>()
  #groups: Group[] = []
  #privacy: Privacy = 'AL'
  /** Groups, who is in them, or `privacy` are others now. Not called for a list that comes whole. */
  onChange: () => void = () => undefined
  /** Whether the official client is to ask before it lets people in who add us. */
  prompt = true
  /** Our own numbers, by code. */
  phones: Readonly<Record<string, string>> = {}

  /** By address in lower case. */
  get contacts(): ReadonlyMap<string, Contact> {
    return this.#contacts
  }

  get groups(): readonly Group[] {
    return this.#groups
  }

  get privacy(): Privacy {
    return this.#privacy
  }

  set privacy(privacy: Privacy) {
    if (this.#privacy === privacy) return
    this.#privacy = privacy
    this.onChange()
  }

  get(email: string): Contact | undefined {
    return this.#contacts.get(keyOf(email))
  }

  /** Whom the service knows by that id. */
  byId(id: string): Contact | undefined {
    const key = this.#ids.get(plainId(id))
    return key === undefined ? undefined : this.#contacts.get(key)
  }

  /** A line of a synchronisation. */
  list(email: string, name: string, lists: number, groups: readonly string[], id?: ContactId, network?: number): void {
    const known = this.get(email) ?? blank(email)
    const more = { ...(id === undefined ? {} : { id }), ...(network === undefined ? {} : { network }) }
    this.#put({ ...known, ...more, email, name, lists, groups: groups.slice(0, MAX_ROSTER_GROUPS) })
  }

  /** Whether they were not on that list before. */
  add(list: ListName, email: string, name: string | undefined, group?: string, id?: ContactId): boolean {
    const known = this.get(email) ?? blank(email)
    // Whoever was let in or blocked has had the answer that PL waits for: what is left is that they have us.
    const answered = (list === 'AL' || list === 'BL') && onList(known, 'PL')
    const before = answered ? (known.lists & ~LIST_BITS.PL) | LIST_BITS.RL : known.lists
    const lists = before | LIST_BITS[list]
    const full = known.groups.length >= MAX_ROSTER_GROUPS
    const groups =
      list !== 'FL' || group === undefined || full || known.groups.includes(group)
        ? known.groups
        : [...known.groups, group]
    // What is added along with an address is seldom the person's own name: presence knows better.
    const named = name === undefined || known.name !== known.email ? known.name : name
    const more = id === undefined ? {} : { id }
    if (!this.#put({ ...known, ...more, name: named, lists, groups })) return false
    if (groups !== known.groups) this.onChange()
    return (known.lists & bitsOf(list)) === 0
  }

  /**
   * With a group, the contact leaves that group, and the list only along with the last one. Whether they were on the
   * list and are not any more.
   */
  remove(list: ListName, email: string, group?: string): boolean {
    const known = this.get(email)
    if (known === undefined || (known.lists & bitsOf(list)) === 0) return false
    if (list === 'FL' && group !== undefined) {
      const groups = known.groups.filter((id) => id !== group)
      if (groups.length > 0 || known.groups.length === 0) {
        this.#put({ ...known, groups })
        this.onChange()
        return false
      }
    }
    const lists = known.lists & ~(list === 'RL' ? bitsOf(list) : LIST_BITS[list])
    this.#put(list === 'FL' ? unlisted({ ...known, lists }) : { ...known, lists })
    return true
  }

  /** Out of a group, and still on the list. */
  ungroup(email: string, group: string): void {
    const known = this.get(email)
    if (known === undefined) return
    this.#put({ ...known, groups: known.groups.filter((id) => id !== group) })
    this.onChange()
  }

  rename(email: string, name: string): void {
    const known = this.get(email)
    if (known !== undefined) this.#put({ ...known, name })
  }

  phone(email: string, code: string, value: string | undefined): void {
    const known = this.get(email)
    if (known !== undefined) this.#put({ ...known, phones: withPhone(known.phones, code, value) })
  }

  ownPhone(code: string, value: string | undefined): void {
    this.phones = withPhone(this.phones, code, value)
  }

  /** undefined as presence: offline. Whether anything is new; repetitions are common. */
  see(email: string, presence: Presence | undefined, name?: string): boolean {
    const known = this.get(email)
    if (known === undefined && presence === undefined) return false
    const before = known ?? blank(email)
    const { personal, ...rest } = { ...before, presence, name: name ?? before.name }
    // Who has gone says nothing any more.
    const after = presence === undefined || personal === undefined ? rest : { ...rest, personal }
    if (after.name === before.name && samePresence(after.presence, before.presence)) return false
    return this.#put(after)
  }

  /** Whether the personal message is another one than before. */
  hear(email: string, message: PersonalMessage): boolean {
    const known = this.get(email)
    if (known === undefined || samePersonalMessage(known.personal ?? NO_PERSONAL_MESSAGE, message)) return false
    return this.#put({ ...known, personal: message })
  }

  addGroup(id: string, name: string): void {
    const others = this.#groups.filter((group) => group.id !== id)
    if (others.length >= MAX_ROSTER_GROUPS) return
    this.#groups = [...others, { id, name }]
    this.onChange()
  }

  removeGroup(id: string): void {
    this.#groups = this.#groups.filter((group) => group.id !== id)
    for (const contact of this.#contacts.values()) {
      if (contact.groups.includes(id)) this.#put({ ...contact, groups: contact.groups.filter((group) => group !== id) })
    }
    this.onChange()
  }

  /** Takes over the lists of a fresh synchronisation; who is online stays known. `fresh` must not be used any more. */
  replaceWith(fresh: Roster): void {
    for (const [key, contact] of fresh.#contacts) {
      const { presence, personal } = this.#contacts.get(key) ?? {}
      const more = personal === undefined ? {} : { personal }
      if (presence !== undefined) fresh.#contacts.set(key, { ...contact, presence, ...more })
    }
    this.#contacts = fresh.#contacts
    this.#ids = fresh.#ids
    this.#groups = fresh.#groups
    this.#privacy = fresh.#privacy
    this.prompt = fresh.prompt
    this.phones = fresh.phones
  }

  /** Whether there was room. Who is on no list and offline need not be remembered. */
  #put(contact: Contact): boolean {
    const key = keyOf(contact.email)
    const before = this.#contacts.get(key)
    const gone = contact.lists === 0 && contact.presence === undefined
    if (!gone && before === undefined && this.#contacts.size >= MAX_ROSTER) return false
    if (before?.id !== undefined && (gone || before.id !== contact.id)) this.#ids.delete(plainId(before.id))
    if (gone) this.#contacts.delete(key)
    else {
      this.#contacts.set(key, contact)
      if (contact.id !== undefined) this.#ids.set(plainId(contact.id), key)
    }
    return true
  }
}

/** Off FL nobody has groups or is seen. */
function unlisted(contact: Contact): Contact {
  const { email, name, lists, phones, id, network } = contact
  const more = { ...(id === undefined ? {} : { id }), ...(network === undefined ? {} : { network }) }
  return { email, name, lists, groups: [], phones, presence: undefined, ...more }
}

const blank = (email: string): Contact => ({
  email,
  name: email,
  lists: 0,
  groups: [],
  phones: {},
  presence: undefined,
})

const samePresence = (a: Presence | undefined, b: Presence | undefined): boolean =>
  a?.status === b?.status && a?.clientId === b?.clientId && a?.object === b?.object

function withPhone(
  phones: Readonly<Record<string, string>>,
  code: string,
  value: string | undefined,
): Readonly<Record<string, string>> {
  if (!PHONE_CODES.includes(code)) return phones
  const others = Object.entries(phones).filter(([other]) => other !== code)
  return Object.fromEntries(value === undefined ? others : [...others, [code, value]])
}
