/** What the core asks to be done with our contact list and with how we appear. */
import type { RosterRequest as AnyRequest } from '../../bridge/adapter.ts'
import type { UserId } from '../../bridge/model/ids.ts'
import type { Reason, RosterResult } from '../../bridge/model/result.ts'
import { onList, type CommandFailure, type CommandResult, type Group } from '../../msnp/index.ts'
import { namedGroups } from './contacts.ts'
import type { Line } from './line.ts'

/** Our own picture is no matter of a list. */
export type RosterRequest = Exclude<AnyRequest, { kind: 'picture' }>

/** Never rejects. The answer is a sentence for the person who asked. */
export const change = async (line: Line, request: RosterRequest): Promise<RosterResult> => {
  const result = await ask(line, request)
  if ('kind' in result) return result
  return result.ok ? { kind: 'done' } : refusalOf(result.failure, request)
}

type Answer = CommandResult | RosterResult

const ask = (line: Line, request: RosterRequest): Promise<Answer> | Answer => {
  switch (request.kind) {
    case 'rename':
      return line.rename(request.name)
    case 'personal-message':
      return line.hasPersonalMessages
        ? line.setPersonalMessage({ text: request.text, media: undefined })
        : wrong('unsupported', NO_PERSONAL_MESSAGES)
    case 'privacy':
      return line.setPrivacy(request.strangers === 'allowed' ? 'AL' : 'BL')
    case 'add':
      return line.add(addressOf(line, request.user))
    case 'remove':
      return isListed(line, request.user) ? line.remove(addressOf(line, request.user)) : notListed(request.user)
    case 'block':
      return line.block(addressOf(line, request.user))
    case 'unblock':
      return line.unblock(addressOf(line, request.user))
    case 'move':
      return move(line, request.user, request.group)
    case 'group-add':
      if (groupOf(line, request.group) !== undefined)
        return wrong('forbidden', `there is a group ${request.group} already`)
      return line.addGroup(request.group)
    case 'group-rename':
      return renameGroup(line, request.group, request.name)
    case 'group-remove': {
      const group = groupOf(line, request.group)
      return group === undefined ? noGroup(request.group) : line.removeGroup(group.id)
    }
  }
}

const NO_PERSONAL_MESSAGES =
  'the MSN network is spoken with in a dialect that has no personal messages; they came with MSNP11'

const move = (line: Line, user: UserId, name: string | undefined): Promise<Answer> | Answer => {
  if (!isListed(line, user)) return notListed(user)
  const group = name === undefined ? undefined : groupOf(line, name)
  if (name !== undefined && group === undefined) return noGroup(name)
  return line.move(addressOf(line, user), group?.id)
}

const renameGroup = (line: Line, name: string, wanted: string): Promise<Answer> | Answer => {
  const group = groupOf(line, name)
  if (group === undefined) return noGroup(name)
  const other = groupOf(line, wanted)
  if (other !== undefined && other.id !== group.id) return wrong('forbidden', `there is a group ${other.name} already`)
  return line.renameGroup(group.id, wanted)
}

const groupOf = (line: Line, name: string): Group | undefined => {
  const groups = namedGroups(line.groups)
  return (
    groups.find((group) => group.name === name) ??
    groups.find((group) => group.name.toLowerCase() === name.toLowerCase())
  )
}

/** As the server writes it. */
const addressOf = (line: Line, user: UserId): string => line.contacts.get(user)?.email ?? user

const isListed = (line: Line, user: UserId): boolean => {
  const contact = line.contacts.get(user)
  return contact !== undefined && onList(contact, 'FL')
}

const notListed = (user: UserId): RosterResult => wrong('not-found', `${user} is not on the list`)
const noGroup = (name: string): RosterResult => wrong('not-found', `there is no group ${name}`)

const refusalOf = (failure: CommandFailure, request: RosterRequest): RosterResult => {
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

const refusalOfCode = (code: number, meaning: string, request: RosterRequest): RosterResult => {
  switch (code) {
    case 201:
    case 205:
    case 206:
    case 208:
      return wrong('not-found', 'user' in request ? `${request.user} has no account there` : meaning)
    case 209:
      return wrong('forbidden', 'the MSN server does not allow this name')
    case 210:
      return wrong('forbidden', 'the list is full: remove somebody first')
    case 218:
      // It is as it was wanted.
      return { kind: 'done' }
    case 223:
      return wrong('forbidden', 'there are as many groups as the MSN server allows')
    case 229:
      return wrong('forbidden', 'the name of the group is too long')
    case 713:
    case 800:
      return wrong('rate-limited', 'that was too fast for the MSN server: try again in a minute')
    default:
      return wrong('protocol', `the MSN server refused: ${meaning} (${code})`)
  }
}

const wrong = (reason: Reason, detail: string): RosterResult => ({ kind: 'refused', reason, detail })
