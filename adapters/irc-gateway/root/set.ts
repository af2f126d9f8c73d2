/** `set` in its three scopes: shows settings, changes them, and does at once what some of them ask for. */
import type { Answer, PersonCall } from './deps.ts'
import type { Scope, SettingRow } from './setting-rows.ts'
import { checkSetting, rowsOf, settingRow } from './settings.ts'
import { nearest } from './words.ts'

/** Where the values of a scope are. */
export interface SettingPlace {
  readonly scope: Scope
  keyOf(row: SettingRow): string
  /** As it is shown; '' is empty. */
  valueOf(row: SettingRow): string
  /**
   * What must be done for it besides keeping it. Absent: nothing. `value` undefined: it is taken back. lines: said instead
   * of the new value, which is kept, or not.
   */
  act(row: SettingRow, value: string | undefined): Promise<Acted> | undefined
}

export type Acted = { readonly keep: boolean; readonly lines?: readonly string[] }

export const setIn = async (place: SettingPlace, words: readonly string[], { person }: PersonCall): Promise<Answer> => {
  const isTakenBack = words[0]?.toLowerCase() === '-del'
  const [name, ...rest] = isTakenBack ? words.slice(1) : words
  if (name === undefined) return isTakenBack ? 'usage' : rowsOf(place.scope).map((row) => show(row, place))
  const row = settingRow(name, place.scope)
  if (row === undefined) return [unknown(name, place.scope)]
  if (!isTakenBack && rest.length === 0 && row.secret !== true) return [show(row, place)]
  if (row.fixed !== undefined) return [`${row.name} cannot be changed. ${row.fixed}`]
  const value = isTakenBack ? undefined : (rest[0] === '=' ? rest.slice(1) : rest).join(' ')
  const checked = value === undefined || row.secret === true ? undefined : checkSetting(row, value)
  if (checked !== undefined && 'wrong' in checked) return [`Not set: ${checked.wrong}`]
  const wanted = checked === undefined ? value : checked.value
  const acted = await place.act(row, wanted)
  if (acted?.keep !== false && row.secret !== true) await person.settings.set(place.keyOf(row), wanted)
  return acted?.lines ?? [show(row, place), ...(row.by === 'none' ? [row.about] : [])]
}

const show = (row: SettingRow, place: SettingPlace): string => {
  if (row.secret === true) return `${row.name} = \`********' (hidden)`
  const value = place.valueOf(row)
  return value === '' ? `${row.name} is empty` : `${row.name} = \`${value}'`
}

const WRITTEN: Readonly<Record<Scope, string>> = {
  user: 'set',
  account: 'account ACCOUNT set',
  channel: 'channel CHANNEL set',
}

const unknown = (name: string, scope: Scope): string => {
  const elsewhere = settingRow(name)?.scopes[0]
  if (elsewhere !== undefined && elsewhere !== scope)
    return `That is a setting of another kind. Write: ${WRITTEN[elsewhere]} ${name.toLowerCase()} [VALUE]`
  const meant = nearest(
    name,
    rowsOf(scope).map((row) => row.name),
  )
  return `There is no such setting${meant === undefined ? '.' : `; did you mean ${meant}?`} See: ${WRITTEN[scope]}`
}
