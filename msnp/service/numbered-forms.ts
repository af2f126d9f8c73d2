import { encodeNick } from '../wire/escape.ts'
import type { Forms } from './answer-forms.ts'
import { NO_GROUP } from './lists.ts'
import { nameWord } from './name-word.ts'

/** MSNP8 and 9: people by address, groups by number, and the list version in every answer. */
export const NUMBERED: Forms = {
  grouping: 'always',
  group: (_, word) => (/^\d{1,9}$/.test(word) ? Number(word) : NO_GROUP),
  added: ({ version }, { list, email, name = email, group }) => ({
    verb: 'ADD',
    words: [list, version, email, encodeNick(name), ...(group === undefined ? [] : [group.id])],
  }),
  removed: ({ version }, { list, email, group }) => ({
    verb: 'REM',
    words: [list, version, email, ...(group === undefined ? [] : [group.id])],
  }),
  renamed: (record) => ({ verb: 'REA', words: [record.version, record.email, nameWord(record)] }),
  nicknamed: ({ version }, contact) => ({ verb: 'REA', words: [version, contact.email, encodeNick(contact.name)] }),
  groupAdded: ({ version }, { id, name }) => ({ verb: 'ADG', words: [version, encodeNick(name), id, 0] }),
  groupRenamed: ({ version }, { id, name }) => ({ verb: 'REG', words: [version, id, encodeNick(name), 0] }),
  groupRemoved: ({ version }, { id }) => ({ verb: 'RMG', words: [version, id] }),
  set: ({ version }, verb, words) => ({ verb, words: [version, ...words] }),
  watched: ({ version }, watcher) => ({ verb: 'ADD', words: ['RL', version, watcher.email, nameWord(watcher)] }),
  unwatched: ({ version }, email) => ({ verb: 'REM', words: ['RL', version, email] }),
  phonePlace: ({ version }, email) => [version, email],
}
