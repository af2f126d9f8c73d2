import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { commandRows } from '../../adapters/irc-gateway/root/commands.ts'
import { settingRows } from '../../adapters/irc-gateway/root/setting-rows.ts'
import { CAP_NAMES } from '../../adapters/irc-gateway/wire/caps.ts'
import { ircGatewayConfig } from '../../adapters/irc-gateway/config.ts'

const text = readFileSync(new URL('../../docs/irc.md', import.meta.url), 'utf8')
const between = (name: string): string => text.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0]?.trim() ?? ''
const cell = (words: string): string => words.replaceAll('|', '\\|')
const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
const code = (words: string): string => `\`${cell(words)}\``

it('has a row for each command of root, in its own words', () => {
  const rows = commandRows.map(({ usage, about, help }) => {
    return `| ${usage.map(code).join('<br>')} | ${cell([sentence(about), ...help].join(' '))} |`
  })
  expect(between('commands').split('\n').slice(2)).toEqual(rows)
})

it('has a row for each setting that does something, and names the others', () => {
  const used = settingRows.filter(({ by }) => by !== 'none')
  const rows = used.map(({ name, scopes, default: value, about }) => {
    return `| ${code(name)} | ${scopes.join(', ')} | ${value === '' ? '' : code(value)} | ${cell(about)} |`
  })
  expect(between('settings').split('\n').slice(2)).toEqual(rows)
  const unused = settingRows.filter(({ by }) => by === 'none')
  expect(between('unused')).toBe(unused.map(({ name }) => code(name)).join(', '))
})

it('names each capability and each key of the config', () => {
  const drafts = new Set(['draft/no-implicit-names', 'draft/event-playback', 'cap-notify'])
  for (const cap of CAP_NAMES) if (!drafts.has(cap)) expect(text).toContain(`\`${cap}\``)
  for (const key of Object.keys(ircGatewayConfig.shape))
    if (key !== 'id' && key !== 'type') expect(text).toContain(`| \`${key}\` |`)
})
