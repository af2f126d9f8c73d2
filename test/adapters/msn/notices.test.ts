import { describe, expect, it } from 'vitest'
import { downWords, mailWords, NOTICE_RATE } from '../../../adapters/msn/notices.ts'
import type { MailNews } from '../../../msnp/index.ts'
import { account, Rig } from './fakes.ts'

const OWN = 'relay@example.com'
const notice = (text: string) => ({ kind: 'notice', account: account.id, text: [{ text }] })

describe('what the server itself says', () => {
  it.each([
    [5, 'relay@example.com: the MSN server goes down for maintenance in 5 minutes.'],
    [1, 'relay@example.com: the MSN server goes down for maintenance in 1 minute.'],
    [0, 'relay@example.com: the MSN server goes down for maintenance now.'],
  ])('is that it goes down in %i', (minutes, line) => {
    expect(downWords(OWN, minutes)).toBe(line)
  })

  it.each<[MailNews, string]>([
    [{ kind: 'unread', inbox: 2, elsewhere: 1 }, '2 unread mail in the inbox, 1 unread mail in other folders.'],
    [{ kind: 'unread', inbox: 0, elsewhere: 1 }, '1 unread mail in other folders.'],
    [{ kind: 'arrived', from: 'Bob', address: 'bob@x', subject: 'Hi' }, 'mail from Bob <bob@x>: Hi'],
    [{ kind: 'arrived', from: 'bob@x', address: 'bob@x', subject: '' }, 'mail from bob@x'],
    [{ kind: 'arrived', from: 'A\r\nB\u0002', address: '', subject: 'x\ny' }, 'mail from A B: x y'],
  ])('is news of mail: %j', (news, line) => {
    expect(mailWords(OWN, news)).toBe(`relay@example.com: ${line}`)
  })

  it('is told to the owner of the account; of mail only where that is wished', async () => {
    const mail = { kind: 'mail', news: { kind: 'unread', inbox: 1, elsewhere: 0 } } as const
    const deaf = await Rig.online()
    deaf.line.event(mail)
    deaf.line.event({ kind: 'announcement', minutes: 5 })
    expect(deaf.core.of('notice')).toEqual([notice(downWords(OWN, 5))])
    const keen = await Rig.online({ mail: true })
    keen.line.event(mail)
    expect(keen.core.of('notice')).toEqual([notice('relay@example.com: 1 unread mail in the inbox.')])
  })

  it('is bounded, over all sign-ins', async () => {
    const rig = await Rig.online()
    for (let count = 0; count < 30; count++) rig.line.event({ kind: 'announcement', minutes: count })
    await rig.connect()
    for (let count = 0; count < 30; count++) rig.line.event({ kind: 'announcement', minutes: count })
    expect(rig.core.of('notice')).toHaveLength(NOTICE_RATE.burst)
    await rig.core.clock.advance(NOTICE_RATE.intervalMs)
    rig.line.event({ kind: 'announcement', minutes: 1 })
    expect(rig.core.of('notice')).toHaveLength(NOTICE_RATE.burst + 1)
  })
})
