import { expect, test } from 'vitest'
import { checkConfig } from '../../config/load.ts'

const settingsOf = (settings: string): unknown => {
  const loaded = checkConfig(`networks:\n  - { id: irc, type: irc-gateway, settings: { ${settings} } }`, {
    name: 'config.yaml',
    base: '/srv',
    env: {},
  })
  return loaded.kind === 'broken' ? loaded.problems : loaded.config.networks[0]
}

test('what YAML takes for a boolean or a number is a setting like its words', () => {
  expect(settingsOf('typing_notice: true, away_reply_timeout: 60, display_namechanges: "true"')).toMatchObject({
    settings: { typing_notice: 'true', away_reply_timeout: '60', display_namechanges: 'true' },
  })
})

test('a list is none, and that is said', () => {
  expect(settingsOf('typing_notice: [true]')).toEqual([
    expect.stringContaining('must be a text, a number, true or false'),
  ])
})
