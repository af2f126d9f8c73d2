/** What the MSN server itself says, as a line for the owner of the account. Pure. */
import type { MailNews } from '../../msnp/index.ts'
import { oneLine } from './words.ts'

/** A server that says more than this at once says it to nobody. */
export const NOTICE_RATE = { burst: 20, intervalMs: 60_000 }
/** Of a name or a subject, UTF-16 units. */
const MAX_WORDS = 120

export const downWords = (login: string, minutes: number): string =>
  `${login}: the MSN server goes down for maintenance ${minutes < 1 ? 'now' : `in ${counted(minutes, 'minute')}`}.`

export const mailWords = (login: string, news: MailNews): string => {
  switch (news.kind) {
    case 'unread': {
      const places = [
        ...(news.inbox === 0 ? [] : [`${counted(news.inbox, 'unread mail')} in the inbox`]),
        ...(news.elsewhere === 0 ? [] : [`${counted(news.elsewhere, 'unread mail')} in other folders`]),
      ]
      return `${login}: ${places.join(', ')}.`
    }
    case 'arrived': {
      const [from, address, subject] = [news.from, news.address, news.subject].map((text) => oneLine(text, MAX_WORDS))
      const who = from === '' || from === address ? address : address === '' ? from : `${from} <${address}>`
      return `${login}: mail from ${who}${subject === '' ? '' : `: ${subject}`}`
    }
  }
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 || what.endsWith('mail') ? '' : 's'}`
