/** `set`, and the questions of root: yes, no, qlist. */
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { ownPassword } from './identity-commands.ts'
import { setIn, type SettingPlace } from './set.ts'
import type { SettingRow } from './setting-rows.ts'

const placeOf = (call: PersonCall): SettingPlace => ({
  scope: 'user',
  keyOf: ({ name }) => name,
  valueOf: ({ name }) => call.person.settings.get(name),
  act: (row, value) => act(row, value, call),
})

const act = (row: SettingRow, value: string | undefined, call: PersonCall): ReturnType<SettingPlace['act']> => {
  switch (row.name) {
    case 'away':
      return call.person.setAway(value === '' ? undefined : value).then(() => ({ keep: true }))
    case 'status':
      return setStatus(value ?? '', call)
    case 'password':
      return setPassword(value ?? '', call)
    case 'root_nick':
      return Promise.resolve(
        value === undefined || isFree(value, call)
          ? { keep: true }
          : { keep: false, lines: ['Somebody else has that nick.'] },
      )
    default:
      return undefined
  }
}

const isFree = (nick: string, { person }: PersonCall): boolean =>
  person.face(nick)?.contact === undefined && nick.toLowerCase() !== person.nick.toLowerCase()

const setStatus = async (text: string, { person }: PersonCall) => {
  const lines = await person.command(text === '' ? 'set-status auto' : `set-status online ${text}`)
  return { keep: lines[0]?.startsWith('Your status') === true, lines }
}

const setPassword = async (password: string, { client, person, deps, passwords }: PersonCall) => {
  if (password !== '') return { keep: false, lines: [await ownPassword(person.user, password, deps)] }
  passwords.wait(client, { kind: 'own' })
  return { keep: false, lines: ['You can now use the /OPER command to enter your new password: /OPER you PASSWORD'] }
}

const set = async (call: PersonCall): Promise<Answer> => setIn(placeOf(call), call.words, call)

const answer =
  (isYes: boolean) =>
  async ({ person, words, questions, confirms }: PersonCall): Promise<Answer> => {
    if (words.length > 1) return 'usage'
    if (confirms && words.length === 0) return person.command(isYes ? 'yes' : 'cancel')
    const [number = '0'] = words
    if (!/^\d{1,4}$/.test(number)) return 'usage'
    const all = await questions.list(person)
    const question = all[Number(number)]
    if (question === undefined)
      return [all.length === 0 ? 'Did I ask you something?' : 'I asked nothing with that number. See: qlist']
    const lines = await person.command(isYes ? question.yes : question.no)
    // What did not work may be tried again.
    if (!lines.some((line) => line.includes(' failed: ')))
      await questions.settle(person.user, ({ yes }) => yes === question.yes)
    return lines
  }

const qlist = async ({ person, questions }: PersonCall): Promise<Answer> => {
  const all = await questions.list(person)
  if (all.length === 0) return ['There are no pending questions.']
  return ['Pending queries:', ...all.map(({ text }, index) => `${index}, ${text}`)]
}

export const selfCommands: readonly RootCommand[] = [
  {
    name: 'set',
    who: 'identified',
    usage: ['set', 'set <setting> [<value>]', 'set -del <setting>'],
    about: 'your settings',
    help: [
      'Without a word: all of them. Without a value: that one. -del: it is again as it was at first.',
      'What each does: help set NAME. Settings of an account: help account set; of a channel: help channel set',
    ],
    least: 0,
    run: set,
  },
  {
    name: 'yes',
    who: 'identified',
    usage: ['yes [<number>]'],
    about: 'accepts what root has asked',
    help: ['The number is that of qlist; without one the newest question is meant, or what query_order says.'],
    least: 0,
    run: answer(true),
  },
  {
    name: 'no',
    who: 'identified',
    usage: ['no [<number>]'],
    about: 'refuses what root has asked',
    help: ['The number is that of qlist; without one the newest question is meant, or what query_order says.'],
    least: 0,
    run: answer(false),
  },
  {
    name: 'qlist',
    who: 'identified',
    usage: ['qlist'],
    about: 'what root has asked and you have not answered',
    help: [],
    least: 0,
    run: qlist,
  },
]
