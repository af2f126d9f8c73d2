import { MisuseError } from '../../sansio/machine.ts'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import { formatPersonalMessage } from '../model/personal-message.ts'
import { encodeName } from '../wire/escape.ts'
import type { NotificationRequest, SignedIn } from './notification-states.ts'
import { keyOf, onList } from './roster.ts'

/** Bytes of an encoded name; servers cut the connection over a longer one. Source: docs/protocol.md, Sizes. */
export const MAX_NAME_BYTES = 387
/** Bytes of an encoded group name. */
export const MAX_GROUP_NAME_BYTES = 61
/** Bytes of an encoded phone number. */
export const MAX_PHONE_BYTES = 95
/** Bytes of an address. */
export const MAX_ADDRESS_BYTES = 129

/** Printable ASCII without space: what addresses, ids and the like are made of. */
const WORD = /^[\x21-\x7e]+$/

/** Why an address cannot be said on the wire; undefined: it can. Whether it exists, the server decides. */
export const wrongAddress = (email: string): string | undefined =>
  !WORD.test(email) || !email.includes('@')
    ? 'an address has the form name@domain, in ASCII and without spaces'
    : email.length > MAX_ADDRESS_BYTES
      ? `an address has at most ${MAX_ADDRESS_BYTES} characters`
      : undefined

/** Why a request cannot be said on the wire: servers close the connection over most of these. undefined: it can. */
export function wrongRequest(request: NotificationRequest, dialect: Dialect): string | undefined {
  const { personalMessages, policyFiles, pendingList } = TRAITS[dialect]
  switch (request.kind) {
    case 'rename':
      return wrongAddress(request.email) ?? wrongText('a name', request.name, MAX_NAME_BYTES)
    case 'list-add':
      return (
        wrongAddress(request.email) ?? wrongWord(request.group) ?? wrongText('a name', request.name, MAX_NAME_BYTES)
      )
    case 'list-remove':
      if (request.list === 'PL' && !pendingList) return `${dialect} has no list of people who wait for an answer`
      return wrongAddress(request.email) ?? wrongWord(request.group)
    case 'group-add':
      return wrongText('the name of a group', request.name, MAX_GROUP_NAME_BYTES)
    case 'group-rename':
      return wrongWord(request.group) ?? wrongText('the name of a group', request.name, MAX_GROUP_NAME_BYTES)
    case 'group-remove':
      return wrongWord(request.group)
    case 'phone':
      return (
        wrongWord(request.code) ??
        (request.value === undefined ? undefined : wrongText('a phone number', request.value, MAX_PHONE_BYTES))
      )
    case 'personal-message':
      return personalMessages ? undefined : `${dialect} has no personal messages`
    case 'file':
      return policyFiles ? wrongWord(request.name) : `${dialect} has no files of the service`
    case 'url':
      return request.words.map(wrongWord).find((wrong) => wrong !== undefined)
    case 'status':
    case 'privacy':
    case 'prompt':
    case 'switchboard':
    case 'synchronize':
      return undefined
  }
}

const wrongWord = (word: string | undefined): string | undefined =>
  word === undefined || WORD.test(word) ? undefined : 'an id is one word of ASCII'

function wrongText(what: string, text: string, max: number): string | undefined {
  if (text === '') return `${what} must not be empty`
  return encodeName(text).length > max ? `${what} has at most ${max} bytes, as it is written on the wire` : undefined
}

interface WireCommand {
  readonly verb: string
  /** Without the transaction id. */
  readonly params: readonly (string | number)[]
  readonly payload?: Uint8Array
}

/** What is known of the session that a request is made in. */
export type Spoken = Pick<SignedIn, 'dialect' | 'email' | 'roster'>

/** SYN for all lists, whatever was known. */
export const synParams = (dialect: Dialect): readonly number[] => (TRAITS[dialect].guidIds ? [0, 0] : [0])

/** The command of a request. Source: docs/protocol.md, Commands. */
export function commandOf(request: NotificationRequest, spoken: Spoken): WireCommand {
  const wrong = wrongRequest(request, spoken.dialect)
  if (wrong !== undefined) throw new MisuseError(wrong)
  const { guidIds, msnObject } = TRAITS[spoken.dialect]
  switch (request.kind) {
    // Some servers pass over a CHG without a client id in silence.
    case 'status': {
      const object = request.object === undefined || !msnObject ? [] : [encodeName(request.object)]
      return { verb: 'CHG', params: [request.status, request.clientId, ...object] }
    }
    case 'rename':
      return guidIds ? renaming(request, spoken) : { verb: 'REA', params: [request.email, encodeName(request.name)] }
    case 'list-add':
      return guidIds ? addition(request, spoken) : plainAddition(request)
    case 'list-remove': {
      const group = request.group === undefined ? [] : [request.group]
      const who = guidIds && request.list === 'FL' ? idOf(request.email, spoken) : request.email
      return { verb: 'REM', params: [request.list, who, ...group] }
    }
    case 'group-add':
      return { verb: 'ADG', params: [encodeName(request.name), 0] }
    case 'group-rename':
      return { verb: 'REG', params: [request.group, encodeName(request.name), 0] }
    case 'group-remove':
      return { verb: 'RMG', params: [request.group] }
    case 'privacy':
      return { verb: 'BLP', params: [request.privacy] }
    case 'prompt':
      return { verb: 'GTC', params: [request.prompt ? 'A' : 'N'] }
    case 'phone': {
      const value = request.value === undefined ? [] : [encodeName(request.value)]
      return { verb: 'PRP', params: [request.code, ...value] }
    }
    case 'personal-message':
      return { verb: 'UUX', params: [], payload: formatPersonalMessage(request.message) }
    case 'file':
      return { verb: 'GCF', params: [request.name] }
    case 'url':
      return { verb: 'URL', params: request.words }
    case 'switchboard':
      return { verb: 'XFR', params: ['SB'] }
    case 'synchronize':
      return { verb: 'SYN', params: synParams(spoken.dialect) }
  }
}

type Addition = Extract<NotificationRequest, { kind: 'list-add' }>

/** `ADD 9 FL bob@example.com Bob 0` */
function plainAddition({ list, email, name, group }: Addition): WireCommand {
  const groups = list === 'FL' ? [group ?? '0'] : []
  return { verb: 'ADD', params: [list, email, nickOf(name, email), ...groups] }
}

/** `ADC 9 FL N=bob@example.com F=Bob`, or `ADC 9 FL C=guid groupGuid` for somebody who is on it already. */
function addition({ list, email, name, group }: Addition, { roster }: Spoken): WireCommand {
  if (list !== 'FL') return { verb: 'ADC', params: [list, `N=${email}`] }
  const contact = roster.get(email)
  const id = contact !== undefined && onList(contact, 'FL') ? contact.id : undefined
  if (id !== undefined && group !== undefined && group !== '0') return { verb: 'ADC', params: ['FL', `C=${id}`, group] }
  return { verb: 'ADC', params: ['FL', `N=${email}`, `F=${nickOf(name, email)}`] }
}

/** `PRP 9 MFN Alice%20B` for ourselves, `SBP 9 guid MFN Bobby` for a contact. */
function renaming({ email, name }: Extract<NotificationRequest, { kind: 'rename' }>, spoken: Spoken): WireCommand {
  const word = encodeName(name)
  return keyOf(email) === keyOf(spoken.email)
    ? { verb: 'PRP', params: ['MFN', word] }
    : { verb: 'SBP', params: [idOf(email, spoken), 'MFN', word] }
}

/** A service that gave no id takes the address for one. */
const idOf = (email: string, { roster }: Spoken): string => roster.get(email)?.id ?? email

/** Classic clients give the bare address as the name; servers that decode nothing like it that way. */
const nickOf = (name: string, email: string): string =>
  name === email && !email.includes('%') ? email : encodeName(name)
