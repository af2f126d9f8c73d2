import type { EditableList, NotificationRequest } from '../session/notification-states.ts'
import { onList, type Contact } from '../session/roster.ts'
import type { CommandResult } from './client-contract.ts'
import { commandResult } from './client-results.ts'
import type { Answer } from './notification-connection.ts'

/** What the sequences need: to ask the server, and to know what it said last. */
export interface ListAccess {
  ask(request: NotificationRequest): Promise<Answer>
  contact(email: string): Contact | undefined
}

const DONE: CommandResult = { ok: true }

/** FL, then AL, as official clients do; off BL first. */
export async function addContact(lists: ListAccess, email: string): Promise<CommandResult> {
  const listed = await put(lists, 'FL', email)
  return listed.ok ? allow(lists, email) : listed
}

/**
 * Off FL. They stay on AL: who has us on their list and is on neither AL nor BL would be asked about again. Some
 * servers answer 216 and remove the contact all the same: only a fresh list tells.
 */
export async function removeContact(lists: ListAccess, email: string): Promise<CommandResult> {
  const answer = await lists.ask({ kind: 'list-remove', list: 'FL', email })
  if (answer.kind !== 'refused' || answer.code !== 216) return commandResult(answer, 'REM')
  const synchronized = commandResult(await lists.ask({ kind: 'synchronize' }), 'SYN')
  if (!synchronized.ok || !isOn(lists, 'FL', email)) return DONE
  return commandResult(await lists.ask({ kind: 'list-remove', list: 'FL', email }), 'REM')
}

/** Into that group first, then out of all others: in between nobody is off the list. `group` undefined: into none. */
export async function moveContact(lists: ListAccess, email: string, group: string | undefined): Promise<CommandResult> {
  const before = lists.contact(email)?.groups ?? []
  if (group !== undefined && !before.includes(group)) {
    const add = { kind: 'list-add', list: 'FL', email, name: lists.contact(email)?.name ?? email, group } as const
    const added = commandResult(await lists.ask(add), 'ADD')
    if (!added.ok) return added
  }
  for (const other of before) {
    if (other === group) continue
    const left = commandResult(await lists.ask({ kind: 'list-remove', list: 'FL', email, group: other }), 'REM')
    if (!left.ok) return left
  }
  return DONE
}

/** Off AL, onto BL. */
export async function blockContact(lists: ListAccess, email: string): Promise<CommandResult> {
  const removed = isOn(lists, 'AL', email) ? await take(lists, 'AL', email) : DONE
  return removed.ok ? put(lists, 'BL', email) : removed
}

/** Off BL, onto AL. */
export const unblockContact = allow

async function allow(lists: ListAccess, email: string): Promise<CommandResult> {
  const removed = isOn(lists, 'BL', email) ? await take(lists, 'BL', email) : DONE
  return removed.ok ? put(lists, 'AL', email) : removed
}

/** 219, on the opposite list: off there, then once more. 215, there already: done. */
async function put(lists: ListAccess, list: EditableList, email: string): Promise<CommandResult> {
  if (isOn(lists, list, email)) return DONE
  const add = { kind: 'list-add', list, email, name: email } as const
  const answer = await lists.ask(add)
  if (answer.kind !== 'refused' || answer.code !== 219 || list === 'FL') return commandResult(answer, 'ADD')
  const removed = await take(lists, list === 'AL' ? 'BL' : 'AL', email)
  return removed.ok ? commandResult(await lists.ask(add), 'ADD') : removed
}

const take = async (lists: ListAccess, list: EditableList, email: string): Promise<CommandResult> =>
  commandResult(await lists.ask({ kind: 'list-remove', list, email }), 'REM')

function isOn(lists: ListAccess, list: EditableList, email: string): boolean {
  const contact = lists.contact(email)
  return contact !== undefined && onList(contact, list)
}
