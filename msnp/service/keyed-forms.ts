import { isGuid } from '../model/ids.ts'
import { formatKeyedChange } from '../session/list-words.ts'
import { decodeName, encodeNick } from '../wire/escape.ts'
import type { Forms } from './answer-forms.ts'
import type { AccountRecord } from './contract.ts'
import { contactGuid, groupByGuid, groupGuid } from './guids.ts'
import { NO_GROUP } from './lists.ts'
import { nameWord } from './name-word.ts'

/** MSNP10 to 12: contacts and groups by GUID, people by `N= F= C=`, and no version anywhere. */
export const KEYED: Forms = {
  grouping: 'optional',
  group: (record, word) => (isGuid(word) ? groupByGuid(record, word) : groupNamed(record, word))?.id ?? NO_GROUP,
  added({ email: owner }, { list, email, name, group, isNew }) {
    const place = group === undefined || group.id === 0 ? {} : { group: groupGuid(owner, group) }
    const id = contactGuid(owner, email)
    if (list === 'FL' && !isNew) return { verb: 'ADC', words: formatKeyedChange({ list, id, ...place }) }
    const person = { list, email, ...(name === undefined ? {} : { name }), ...(list === 'FL' ? { id } : {}) }
    return { verb: 'ADC', words: formatKeyedChange({ ...person, ...place }) }
  },
  removed: ({ email: owner }, { list, email, group }) => ({
    verb: 'REM',
    words: [
      list,
      list === 'FL' ? contactGuid(owner, email) : email,
      ...(group === undefined || group.id === 0 ? [] : [groupGuid(owner, group)]),
    ],
  }),
  renamed: (record) => ({ verb: 'PRP', words: ['MFN', nameWord(record)] }),
  nicknamed: ({ email: owner }, { email, name }) => ({
    verb: 'SBP',
    words: [contactGuid(owner, email), 'MFN', encodeNick(name)],
  }),
  groupAdded: ({ email }, group) => ({ verb: 'ADG', words: [encodeNick(group.name), groupGuid(email, group), 0] }),
  // The 1 and its place are what Messenger 6.2 and 7 are known to read.
  groupRenamed: ({ email }, group) => ({ verb: 'REG', words: [1, encodeNick(group.name), groupGuid(email, group), 0] }),
  groupRemoved: ({ email }, group) => ({ verb: 'RMG', words: [1, groupGuid(email, group)] }),
  set: (_, verb, words) => ({ verb, words }),
  watched: (_, { email, name }) => ({
    verb: 'ADC',
    words: formatKeyedChange({ list: 'RL', email, name: name === '' ? email : name }),
  }),
  unwatched: (_, email) => ({ verb: 'REM', words: ['RL', email] }),
  phonePlace: (_, email) => [email],
}

/** Messenger 7.0 names a group that it has just made by its name, encoded twice. */
function groupNamed({ groups }: AccountRecord, word: string): AccountRecord['groups'][number] | undefined {
  const once = decodeName(word)
  return groups.find(({ name }) => name === once || name === decodeName(once))
}
