import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../../adapters/irc-gateway/commands/dispatch.ts'
import { Rig } from './rig.ts'

const ASKED =
  ':localhost 451 newbie :Say who you are first: "identify NAME PASSWORD", or "register NAME PASSWORD" for a new account, to root'

type Row = readonly [line: string, answers: readonly string[], root?: readonly string[]]

const rows: readonly Row[] = [
  ['PRIVMSG &bitlbee :register alice secret', [], ['&bitlbee: register alice secret']],
  ['PRIVMSG root :identify alice secret', [], ['query: identify alice secret']],
  ['OPER alice secret', [], ['oper alice secret']],
  ['PRIVMSG bob :hi', [':localhost 401 newbie bob :No such nick/channel']],
  [
    'NAMES &bitlbee',
    [':localhost 353 newbie = &bitlbee :@root @newbie', ':localhost 366 newbie &bitlbee :End of /NAMES list'],
  ],
  ['MODE &bitlbee b', [':localhost 368 newbie &bitlbee :End of channel ban list']],
  [
    'WHO &bitlbee',
    [
      ':localhost 352 newbie &bitlbee root localhost localhost root H@ :0 User manager',
      ':localhost 352 newbie &bitlbee al 127.0.0.1 localhost newbie H@ :0 Alice L',
      ':localhost 315 newbie &bitlbee :End of /WHO list',
    ],
  ],
  ['JOIN &bitlbee', []],
  ['JOIN &other', [ASKED]],
  ['PART &bitlbee', [ASKED]],
  ['TOPIC &bitlbee :mine', [ASKED]],
  ['INVITE bob &bitlbee', [ASKED]],
  ['AWAY :gone', [ASKED]],
  ['MARKREAD &bitlbee', [ASKED]],
  ['CHATHISTORY LATEST bob * 10', [ASKED]],
  ['NICK other', [':newbie!al@127.0.0.1 NICK :other']],
  ['NICK root', [':localhost 433 newbie root :Nickname is already in use']],
  ['ISON root bob newbie', [':localhost 303 newbie :root newbie']],
  ['LUSERS', expect.arrayContaining([':localhost 255 newbie :I have 3 clients and 0 servers']) as string[]],
]

describe('somebody who is not identified asks', () => {
  test.each(rows.map(([line, answers, root = []]) => [line, answers, root] as const))(
    '%s',
    async (line, answers, root) => {
      const rig = new Rig()
      expect(await rig.ask(rig.stranger(), line)).toEqual(answers)
      expect(rig.toRoot).toEqual(root)
    },
  )

  test('and gets a standard reply where the verb has such errors', async () => {
    const rig = new Rig()
    const stranger = rig.stranger('standard-replies', 'draft/chathistory')
    expect(await rig.ask(stranger, 'CHATHISTORY LATEST bob * 10')).toEqual([
      `:localhost FAIL CHATHISTORY ACCOUNT_REQUIRED ${ASKED.slice(':localhost 451 newbie '.length)}`,
    ])
  })
})

test('nothing that a stranger asks reaches the world', async () => {
  const rig = new Rig()
  const stranger = rig.stranger('draft/read-marker', 'draft/chathistory', 'batch', 'message-tags')
  for (const verb of Object.keys(COMMANDS)) await rig.ask(stranger, `${verb} bob &bitlbee x`, `${verb} &bitlbee bob`)
  expect(rig.person.asked).toEqual([])
  expect(rig.history.asks).toBe(0)
  expect(rig.stored.size).toBe(0)
  expect(rig.logged).toEqual([])
})
