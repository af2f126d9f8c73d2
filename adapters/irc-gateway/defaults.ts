/** What settings are as long as nobody changes them: BitlBee's, or what the operator wrote. */
import type { IrcGatewayConfig } from './config.ts'
import { checkSetting, rowsOf, settingRow } from './root/settings.ts'

/** By name. Throws a sentence when the config names a setting that there is not, or a value that it cannot have. */
export const defaultsOf = ({
  id,
  settings,
}: Pick<IrcGatewayConfig, 'id' | 'settings'>): ReadonlyMap<string, string> => {
  const defaults = new Map(
    [...rowsOf('channel'), ...rowsOf('account'), ...rowsOf('user')].map((row) => [row.name, row.default] as const),
  )
  for (const [name, value] of Object.entries(settings)) {
    const row = settingRow(name, 'user')
    if (row === undefined)
      throw new Error(`network ${id}: there is no setting "${name}": take it out of "settings"; docs/irc.md lists all`)
    const checked = checkSetting(row, value)
    if ('wrong' in checked) throw new Error(`network ${id}: settings.${name}: ${checked.wrong}`)
    defaults.set(row.name, checked.value)
  }
  return defaults
}
