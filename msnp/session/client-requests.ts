import { MisuseError } from '../../sansio/machine.ts'
import { encodeName } from '../wire/escape.ts'
import type { NotificationRequest } from './notification-states.ts'

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
export function wrongRequest(request: NotificationRequest): string | undefined {
  switch (request.kind) {
    case 'rename':
      return wrongAddress(request.email) ?? wrongText('a name', request.name, MAX_NAME_BYTES)
    case 'list-add':
      return (
        wrongAddress(request.email) ?? wrongWord(request.group) ?? wrongText('a name', request.name, MAX_NAME_BYTES)
      )
    case 'list-remove':
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
}

/** The command of a request. Source: docs/protocol.md, Commands. */
export function commandOf(request: NotificationRequest): WireCommand {
  const wrong = wrongRequest(request)
  if (wrong !== undefined) throw new MisuseError(wrong)
  switch (request.kind) {
    // Some servers pass over a CHG without a client id in silence.
    case 'status': {
      const object = request.object === undefined ? [] : [encodeName(request.object)]
      return { verb: 'CHG', params: [request.status, request.clientId, ...object] }
    }
    case 'rename':
      return { verb: 'REA', params: [request.email, encodeName(request.name)] }
    case 'list-add': {
      const group = request.list === 'FL' ? [request.group ?? '0'] : []
      // Classic clients give the bare address as the name; servers that decode nothing like it that way.
      const plain = request.name === request.email && !request.email.includes('%')
      const name = plain ? request.email : encodeName(request.name)
      return { verb: 'ADD', params: [request.list, request.email, name, ...group] }
    }
    case 'list-remove': {
      const group = request.group === undefined ? [] : [request.group]
      return { verb: 'REM', params: [request.list, request.email, ...group] }
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
    case 'url':
      return { verb: 'URL', params: request.words }
    case 'switchboard':
      return { verb: 'XFR', params: ['SB'] }
    case 'synchronize':
      return { verb: 'SYN', params: [0] }
  }
}
