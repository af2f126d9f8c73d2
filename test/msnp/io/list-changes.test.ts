import { describe, expect, it } from 'vitest'
import {
  addContact,
  blockContact,
  removeContact,
  unblockContact,
  type ListAccess,
} from '../../../msnp/io/list-changes.ts'
import type { Answer } from '../../../msnp/io/notification-connection.ts'
import { commandOf } from '../../../msnp/session/client-requests.ts'
import { Roster } from '../../../msnp/session/roster.ts'

const BOB = 'bob@example.com'
const DONE: Answer = { kind: 'done' }
const refused = (code: number): Answer => ({ kind: 'refused', code })

/** A server that answers as told, and does what it says. */
class Lists implements ListAccess {
  readonly roster = new Roster()
  readonly said: string[] = []
  readonly #answers: Answer[]

  constructor(lists: number, ...answers: Answer[]) {
    this.#answers = answers
    if (lists > 0) this.roster.list(BOB, 'Bob', lists, [])
  }

  ask(request: Parameters<ListAccess['ask']>[0]): Promise<Answer> {
    const { verb, params } = commandOf(request, { dialect: 'MSNP9', email: 'alice@example.com', roster: this.roster })
    this.said.push([verb, ...params].join(' '))
    const answer = this.#answers.shift() ?? DONE
    if (answer.kind === 'done' && request.kind === 'list-add') this.roster.add(request.list, BOB, undefined)
    if (answer.kind === 'done' && request.kind === 'list-remove') this.roster.remove(request.list, BOB)
    return Promise.resolve(answer)
  }

  contact(email: string) {
    return this.roster.get(email)
  }
}

const [FL, AL, BL, RL] = [1, 2, 4, 8]

describe('changes of the contact list (docs/protocol.md, Changing lists)', () => {
  it.each([
    ['add a stranger', addContact, new Lists(0), [`ADD FL ${BOB} ${BOB} 0`, `ADD AL ${BOB} ${BOB}`]],
    ['add one who added us', addContact, new Lists(RL), [`ADD FL ${BOB} ${BOB} 0`, `ADD AL ${BOB} ${BOB}`]],
    ['add one whom we let in already', addContact, new Lists(AL), [`ADD FL ${BOB} ${BOB} 0`]],
    [
      'add one whom we blocked',
      addContact,
      new Lists(BL),
      [`ADD FL ${BOB} ${BOB} 0`, `REM BL ${BOB}`, `ADD AL ${BOB} ${BOB}`],
    ],
    ['add one who is there', addContact, new Lists(FL + AL), []],
    ['remove', removeContact, new Lists(FL + AL), [`REM FL ${BOB}`]],
    ['block', blockContact, new Lists(FL + AL), [`REM AL ${BOB}`, `ADD BL ${BOB} ${BOB}`]],
    ['block a stranger', blockContact, new Lists(0), [`ADD BL ${BOB} ${BOB}`]],
    ['block one who is blocked', blockContact, new Lists(BL), []],
    ['unblock', unblockContact, new Lists(FL + BL), [`REM BL ${BOB}`, `ADD AL ${BOB} ${BOB}`]],
    ['unblock one who is let in', unblockContact, new Lists(AL), []],
    // What the server knows better
    [
      'add: 215',
      addContact,
      new Lists(0, refused(215), refused(215)),
      [`ADD FL ${BOB} ${BOB} 0`, `ADD AL ${BOB} ${BOB}`],
    ],
    [
      'add: 219',
      addContact,
      new Lists(0, DONE, refused(219)),
      [`ADD FL ${BOB} ${BOB} 0`, `ADD AL ${BOB} ${BOB}`, `REM BL ${BOB}`, `ADD AL ${BOB} ${BOB}`],
    ],
    [
      'block: 219',
      blockContact,
      new Lists(0, refused(219), refused(216)),
      [`ADD BL ${BOB} ${BOB}`, `REM AL ${BOB}`, `ADD BL ${BOB} ${BOB}`],
    ],
    ['block: 216', blockContact, new Lists(AL, refused(216)), [`REM AL ${BOB}`, `ADD BL ${BOB} ${BOB}`]],
  ] as const)('%s', async (_, change, lists, said) => {
    expect(await change(lists, BOB)).toEqual({ ok: true })
    expect(lists.said).toEqual(said)
  })

  it('looks at a fresh list when a removal is answered by 216 and may have taken effect all the same', async () => {
    const gone = new Lists(FL, refused(216))
    gone.roster.remove('FL', BOB)
    expect(await removeContact(gone, BOB)).toEqual({ ok: true })
    expect(gone.said).toEqual([`REM FL ${BOB}`, 'SYN 0'])
    const stubborn = new Lists(FL, refused(216), DONE, DONE)
    expect(await removeContact(stubborn, BOB)).toEqual({ ok: true })
    expect(stubborn.said).toEqual([`REM FL ${BOB}`, 'SYN 0', `REM FL ${BOB}`])
  })

  it.each([
    [205, 'no-such-account'],
    [208, 'invalid-account'],
    [210, 'list-full'],
    [201, 'invalid-parameter'],
  ])('stops at %i and says what it means', async (code, name) => {
    const lists = new Lists(0, refused(code))
    expect(await addContact(lists, BOB)).toMatchObject({ ok: false, failure: { kind: 'refused', code, name } })
    expect(lists.said).toHaveLength(1)
  })

  it('does not ask for ever when the server contradicts itself', async () => {
    const lists = new Lists(0, refused(219), refused(216), refused(219))
    expect(await blockContact(lists, BOB)).toMatchObject({ ok: false, failure: { code: 219 } })
    expect(lists.said).toHaveLength(3)
  })

  it('tells silence and the end of the connection apart', async () => {
    expect(await addContact(new Lists(0, { kind: 'timeout', verb: 'ADD' }), BOB)).toEqual({
      ok: false,
      failure: { kind: 'timeout', waitingFor: 'ADD' },
    })
    expect(await addContact(new Lists(0, { kind: 'closed' }), BOB)).toEqual({ ok: false, failure: { kind: 'closed' } })
  })
})
