import type { EditableList } from '../session/notification-server-events.ts'
import type { AccountRecord, GroupRecord } from './contract.ts'
import type { Grouping } from './lists.ts'

/** A line without its transaction id. */
export interface Answer {
  readonly verb: string
  readonly words: readonly (string | number)[]
}

/** Somebody who was put on a list, or taken off it. */
export interface Entry {
  readonly list: EditableList
  readonly email: string
  /** As the request has it. */
  readonly name: string | undefined
  readonly group: GroupRecord | undefined
  /** They were not on FL before. */
  readonly isNew: boolean
}

/**
 * How a dialect names groups and says what has changed. `record` is the account in its new version. Every answer says
 * what is, not what was asked, so that it can be told to another session of the account as well.
 */
export interface Forms {
  readonly grouping: Grouping
  /** The id of the group that a word means; `NO_GROUP` if there is none. */
  group(record: AccountRecord, word: string): number
  added(record: AccountRecord, entry: Entry): Answer
  removed(record: AccountRecord, entry: Omit<Entry, 'name' | 'isNew'>): Answer
  /** The account itself. */
  renamed(record: AccountRecord): Answer
  nicknamed(record: AccountRecord, contact: { readonly email: string; readonly name: string }): Answer
  groupAdded(record: AccountRecord, group: GroupRecord): Answer
  groupRenamed(record: AccountRecord, group: GroupRecord): Answer
  groupRemoved(record: AccountRecord, group: GroupRecord): Answer
  /** PRP, BLP, GTC. */
  set(record: AccountRecord, verb: string, words: readonly (string | number)[]): Answer
  /** `record` is that of the one who was added by somebody. */
  watched(record: AccountRecord, watcher: { readonly email: string; readonly name: string }): Answer
  unwatched(record: AccountRecord, email: string): Answer
  /** What stands before a number in BPR. */
  phonePlace(record: AccountRecord, email: string): readonly (string | number)[]
}
