/** Changes of the contact list while another session of the account makes the same ones. */
import { describe, expect, it } from 'vitest'
import { blockContact, unblockContact, type ListAccess } from '../../../msnp/io/list-changes.ts'
import type { NotificationRequest } from '../../../msnp/session/notification-states.ts'

const BOB = 'bob@example.com'

/** What we know is older than what the server has. */
const rig = (known: number, codes: readonly (number | undefined)[]) => {
  const asked: string[] = []
  const lists: ListAccess = {
    contact: () => ({ email: BOB, name: 'Bob', lists: known, groups: [] }) as never,
    ask: async (request: NotificationRequest) => {
      asked.push('list' in request ? `${request.kind} ${request.list}` : request.kind)
      const code = codes[asked.length - 1]
      return code === undefined ? ({ kind: 'done' } as never) : ({ kind: 'refused', code } as never)
    },
  }
  return { asked, lists }
}

describe('somebody else has done it a moment ago', () => {
  it.each([
    ['off AL', [216, undefined]],
    ['onto BL', [undefined, 215]],
    ['both', [216, 215]],
  ] as const)('blocking: %s', async (_, codes) => {
    const { asked, lists } = rig(3, codes)
    expect(await blockContact(lists, BOB)).toEqual({ ok: true })
    expect(asked).toEqual(['list-remove AL', 'list-add BL'])
  })

  it('unblocking', async () => {
    const { asked, lists } = rig(5, [216, 215])
    expect(await unblockContact(lists, BOB)).toEqual({ ok: true })
    expect(asked).toEqual(['list-remove BL', 'list-add AL'])
  })

  it('another refusal is one', async () => {
    const { asked, lists } = rig(3, [500])
    expect(await blockContact(lists, BOB)).toMatchObject({ ok: false })
    expect(asked).toEqual(['list-remove AL'])
  })
})
