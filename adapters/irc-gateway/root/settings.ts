/**
 * Settings: looked up, checked, and read. Values are text, kept by the person's `SettingsPort`: those of an account or a
 * channel under keys of their own. Pure.
 */
import { fold } from '../../../irc/casemap.ts'
import type { AccountId } from '../../../bridge/model/ids.ts'
import type { SettingsPort } from '../types.ts'
import { type Scope, type SettingRow, settingRows } from './setting-rows.ts'
import { checkValue, type Checked, isTrue } from './setting-values.ts'

const rows: ReadonlyMap<string, SettingRow> = new Map(settingRows.map((row) => [row.name, row]))

/** In a scope, or in any; whatever its case. */
export const settingRow = (name: string, scope?: Scope): SettingRow | undefined => {
  const row = rows.get(name.toLowerCase())
  return row !== undefined && (scope === undefined || row.scopes.includes(scope)) ? row : undefined
}

export const rowsOf = (scope: Scope): readonly SettingRow[] =>
  settingRows.filter(({ scopes }) => scopes.includes(scope))

/** BitlBee's default; '' for what there is not. */
export const defaultOf = (name: string): string => rows.get(name)?.default ?? ''

export const checkSetting = ({ type }: SettingRow, value: string): Checked => checkValue(type, value)

/** Under which name `SettingsPort` keeps what an account has of its own. */
export const accountKey = (account: AccountId, name: string): string => `account/${account}/${name}`

export const channelKey = (channel: string, name: string): string => `channel/${fold(channel, 'rfc1459')}/${name}`

type Read = Pick<SettingsPort, 'get' | 'own'>

/** Of the account itself, else of its person where they can set it, else BitlBee's. */
export const accountSetting = (settings: Read, account: AccountId, name: string): string =>
  settings.own(accountKey(account, name)) ??
  (settingRow(name, 'user') === undefined ? defaultOf(name) : settings.get(name))

export const isAccountOn = (settings: Read, account: AccountId, name: string): boolean =>
  isTrue(accountSetting(settings, account, name))

/** Whatever somebody is in they find again, and those with & are of type control, unless they say otherwise. */
export const channelSetting = (settings: Read, channel: string, name: string): string => {
  const own = settings.own(channelKey(channel, name))
  if (own !== undefined) return own
  if (name === 'type') return channel.startsWith('&') ? 'control' : 'chat'
  if (name === 'auto_join') return 'true'
  return defaultOf(name)
}
