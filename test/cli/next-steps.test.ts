import { expect, test } from 'vitest'
import { nextSteps } from '../../cli/next-steps.ts'
import { checkConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'

const parsed = (text: string): Config => {
  const loaded = checkConfig(text, { name: 'test', base: '/', env: {} })
  if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
  return loaded.config
}
const add = (address: string): string => `account add ${address}`

test('with the defaults three lines lead to a talk', () => {
  expect(nextSteps(parsed(''), ['home', 'msn', 'irc'], add)).toEqual([
    '  To talk:',
    '    1. Connect an IRC client:   irssi -c 127.0.0.1 -p 6667',
    '    2. In &bitlbee there say:  register PASSWORD   (it makes NICK@home.example, an MSN account here)',
    '    3. A friend for you:        account add friend@home.example   then there: add msn friend@home.example',
  ])
})

test('nobody is sent to a gateway that does not run', () => {
  expect(nextSteps(parsed(''), ['home', 'msn'], add)).toEqual([
    '  Make an account, in another terminal:',
    '    account add you@home.example',
  ])
  expect(nextSteps(parsed(''), [], add)).toEqual([])
})

test('a service on which nobody signs in here is no reason to promise an account', () => {
  const config = parsed(`
data: ./data
networks:
  - { id: home, type: msn-service }
  - { id: irc, type: irc-gateway, listen: "0.0.0.0:6667" }
`)
  expect(nextSteps(config, ['home', 'irc'], add)).toEqual([
    '  To talk:',
    '    1. Connect an IRC client:   irssi -c 127.0.0.1 -p 6667',
    '    2. In &bitlbee there say:  register PASSWORD',
    '    3. Sign in to MSN there:    account add msn you@example.com',
  ])
})
