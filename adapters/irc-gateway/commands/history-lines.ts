/** What was said -> the lines that say it again, as they were said. Pure. */
import type { Said } from '../../../bridge/adapter.ts'
import type { MessageEvent } from '../../../bridge/model/events.ts'
import type { ServerMessage } from '../wire/message.ts'
import { messagesOf, speechOf, textsOf } from '../world/outbound.ts'

/** Who said something, as the reader sees them now. */
export interface Author {
  readonly mask: string
  /** What account-tag says. */
  readonly account: string
}

export interface HistoryView {
  readonly self: Author & { readonly nick: string }
  /** query: the other one's nick. channel: its name. */
  readonly place:
    { readonly kind: 'query'; readonly nick: string } | { readonly kind: 'channel'; readonly name: string }
  /** undefined: the reader, on whatever client and network. */
  author(event: MessageEvent): Author | undefined
}

/** Of what was said in several lines, the first has the id: no two lines are the same message. */
export const historyLines = ({ id, event }: Said, view: HistoryView): readonly ServerMessage[] => {
  const speech = speechOf(event.body)
  const author = view.author(event)
  const { mask: source, account } = author ?? view.self
  const target =
    view.place.kind === 'channel' ? view.place.name : author === undefined ? view.place.nick : view.self.nick
  const line = { source, target, lead: '' }
  const [first, ...more] = messagesOf(textsOf(speech, line), speech, line, { at: event.at, id, account })
  if (first === undefined) return []
  const reply = event.replyTo === undefined ? {} : { '+draft/reply': event.replyTo }
  return [{ ...first, tags: { ...first.tags, ...reply } }, ...more]
}
