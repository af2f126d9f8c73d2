/** Pure. An operation that a leg cannot do becomes one that it can, or a reason to tell the sender, or nothing. */
import type { MessageBody } from './model/body.ts'
import type { Capabilities, Support } from './model/capabilities.ts'
import type { Outbound, Puppet, Quote } from './model/events.ts'
import type { EventId } from './model/ids.ts'
import type { Reason } from './model/result.ts'
import { fileWords } from './model/file-words.ts'
import { eachLine, relayed, takenBack } from './model/relayed.ts'
import { plain, type RichText } from './model/text.ts'

export type Op = Outbound<EventId>

/** refused: `detail` is a half-sentence that follows "not delivered: ". */
export type Degraded =
  | { readonly kind: 'op'; readonly op: Op }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }

const DROPPED: Degraded = { kind: 'dropped' }
const refused = (what: string): Degraded => ({
  kind: 'refused',
  reason: 'unsupported',
  detail: `the network cannot carry ${what}`,
})

/** `at`: when it was said, for what becomes a message. Milliseconds since the epoch. */
export const degrade = (op: Op, capabilities: Capabilities, at: number): Degraded => {
  const support = capabilities.ops[op.kind]
  switch (op.kind) {
    case 'message': {
      if (lost(support)) return support === 'dropped' ? DROPPED : refused('messages')
      const { quote, ...rest } = op
      const answer = quote === undefined ? op.body : quoting(op.body, quote, capabilities)
      const said = render(answer, op.as, capabilities)
      return said.kind === 'body'
        ? { kind: 'op', op: { ...rest, as: face(op.as, capabilities), body: said.body } }
        : said
    }
    case 'edit': {
      if (support === 'dropped') return DROPPED
      if (support === 'refused') return refused('corrections')
      const body = support === 'text' ? corrected(op.body) : op.body
      const said = render(body, op.as, capabilities)
      if (said.kind !== 'body') return said
      const as = face(op.as, capabilities)
      return support === 'text'
        ? { kind: 'op', op: { kind: 'message', as, body: said.body, at } }
        : { kind: 'op', op: { ...op, as, body: said.body } }
    }
    case 'redact':
      // That somebody reacted was said in a line of text, and is not worth another.
      if (support === 'text' && op.reaction === true) return DROPPED
      if (support === 'text') return say(takenBack(nameOf(op.as), op.quote), capabilities, at)
      return passed(op, support, 'the removal of messages')
    case 'reaction':
      if (support === 'text')
        return say(`* ${nameOf(op.as)} reacted ${oneLine(op.key)} to ${meant(op.quote)}`, capabilities, at)
      return passed(op, support, 'reactions')
    case 'title':
      return lost(support) || support === 'text' ? DROPPED : { kind: 'op', op }
    case 'member':
      if (support === 'text') return say(`* ${membership(op)}`, capabilities, at)
      return passed(op, support, 'joins and leaves')
    case 'topic':
      if (support === 'text')
        return say(`* ${nameOf(op.as)} changed the topic to: ${oneLine(op.topic)}`, capabilities, at)
      return passed(op, support, 'topics')
    case 'typing':
    case 'read':
    case 'company':
    case 'presence':
    case 'profile':
      // Never shown as text, and nobody waits for it.
      return lost(support) || support === 'text' ? DROPPED : { kind: 'op', op }
    case 'delivery':
      if (support === 'text')
        return op.outcome === 'delivered' ? DROPPED : speak({ kind: 'status', text: op.text }, capabilities, at)
      return lost(support) ? DROPPED : { kind: 'op', op }
    case 'status':
      return speak(op, capabilities, at)
  }
}

/** Whether the senders on this leg see what became of each message by a mark, and not by a line of text. */
export const marksDelivery = (capabilities: Capabilities): boolean =>
  capabilities.ops.delivery === 'native' || capabilities.ops.delivery === 'emulated'

const lost = (support: Support): boolean => support === 'dropped' || support === 'refused'

const passed = (op: Op, support: Support, what: string): Degraded => {
  if (support === 'dropped') return DROPPED
  return support === 'refused' ? refused(what) : { kind: 'op', op }
}

/** One account speaks for all where ghosts have no name of their own. */
const face = (as: Puppet, capabilities: Capabilities): Puppet => (prefixed(as, capabilities) ? { kind: 'self' } : as)

const prefixed = (as: Puppet, capabilities: Capabilities): boolean =>
  capabilities.puppets === 'prefix' && (as.kind === 'ghost' || (as.kind === 'person' && as.user !== undefined))

type Rendered = { readonly kind: 'body'; readonly body: MessageBody } | Exclude<Degraded, { kind: 'op' }>

const render = (body: MessageBody, as: Puppet, capabilities: Capabilities): Rendered => {
  const support = capabilities.bodies[body.kind]
  if (support === 'dropped') return { kind: 'dropped' }
  if (support === 'refused')
    return { kind: 'refused', reason: 'unsupported', detail: `the network cannot carry a ${body.kind}` }
  const named = prefixed(as, capabilities) ? relayed : unnamed
  switch (body.kind) {
    case 'text':
      return kept(named(body, nameOf(as)))
    case 'notice':
      return kept(named({ kind: support === 'text' ? 'text' : 'notice', text: body.text }, nameOf(as)))
    case 'action':
      if (support !== 'text') return kept(named(body, nameOf(as)))
      return kept(as.kind === 'self' ? { kind: 'text', text: eachLine('* ', body.text) } : relayed(body, as.name))
    case 'file': {
      // Where one account speaks for all, a file of its own would not say whose it is.
      if (support !== 'text' && !prefixed(as, capabilities)) return kept(body)
      const text: RichText = [
        ...(body.text.length === 0 ? [] : [...body.text, { text: '\n' }]),
        { text: fileWords(body.file) },
      ]
      return kept(named({ kind: 'text', text }, nameOf(as)))
    }
    case 'nudge':
      return kept(support === 'text' ? relayed(body, nameOf(as)) : named(body, nameOf(as)))
  }
}

const unnamed = (body: MessageBody): MessageBody => body

const kept = (body: MessageBody): Rendered => ({ kind: 'body', body })

const corrected = (body: MessageBody): MessageBody =>
  body.kind === 'nudge' ? body : { ...body, text: [{ text: '* corrected: ' }, ...body.text] }

/** Where the network cannot point at a message, its first words stand before the answer. */
const quoting = (body: MessageBody, quote: Quote, { replies }: Capabilities): MessageBody => {
  if (replies === 'native' || body.kind === 'nudge' || (body.kind === 'file' && body.text.length === 0)) return body
  const lead = replies === 'lines' ? `> ${quote.name}: ${quote.text}\n` : `(to ${quote.name}: "${quote.text}") `
  return { ...body, text: [{ text: lead }, ...body.text] }
}

const meant = (quote: Quote | undefined): string => (quote === undefined ? 'a message' : `"${quote.text}"`)

/** The bridge's own words. */
const say = (text: string, capabilities: Capabilities, at: number): Degraded =>
  speak({ kind: 'status', text: plain(text) }, capabilities, at)

const speak = (op: Extract<Op, { kind: 'status' }>, capabilities: Capabilities, at: number): Degraded => {
  const support = capabilities.ops.status
  if (lost(support)) return DROPPED
  if (support !== 'text') return { kind: 'op', op }
  const notice = capabilities.bodies.notice === 'native' || capabilities.bodies.notice === 'emulated'
  return {
    kind: 'op',
    op: { kind: 'message', as: { kind: 'self' }, body: { kind: notice ? 'notice' : 'text', text: op.text }, at },
  }
}

const nameOf = (as: Puppet): string => (as.kind === 'self' ? 'somebody' : as.name)

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

const membership = (op: Extract<Op, { kind: 'member' }>): string => {
  const why = op.reason === undefined || op.reason === '' ? '' : ` (${oneLine(op.reason)})`
  switch (op.change) {
    case 'join':
      return `${op.userName} joined`
    case 'leave':
      return `${op.userName} left${why}`
    case 'invite':
      return `${nameOf(op.as)} invited ${op.userName}`
    case 'kick':
      return `${nameOf(op.as)} removed ${op.userName}${why}`
  }
}
