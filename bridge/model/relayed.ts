/**
 * Pure. What somebody says as it reads when one account says it for all: "<alice> hi", "* alice waves". Networks where not
 * everybody has a name of their own at all times need it as much as the core does.
 */
import type { MessageBody } from './body.ts'
import type { Outbound, Quote } from './events.ts'
import { plain, type RichText, sameStyle, type Span } from './text.ts'

/** A file is shown as what it is: who sent it stands in the words beside it, if any. */
export const relayed = (body: MessageBody, name: string): MessageBody => {
  switch (body.kind) {
    case 'text':
    case 'notice':
      return { kind: body.kind, text: eachLine(`<${name}> `, body.text) }
    case 'action':
      // "/me waves" by one account for all would show that account's name: the name must stand in the text.
      return { kind: 'text', text: eachLine(`* ${name} `, body.text) }
    case 'nudge':
      return { kind: 'text', text: plain(`* ${name} sends a nudge`) }
    case 'file':
      return body
  }
}

/** Who has a name there that is not the account's. */
export const nameOf = (op: Outbound): string | undefined => {
  if (op.kind !== 'message' || op.as.kind === 'self') return undefined
  return op.as.kind === 'ghost' || op.as.user !== undefined ? op.as.name : undefined
}

/** As the account says it for them. */
export const relayedOp = (op: Outbound): Outbound => {
  const name = nameOf(op)
  if (op.kind !== 'message' || name === undefined) return op
  return { ...op, as: { kind: 'self' }, body: relayed(op.body, name) }
}

/** Every line that says something gets the name: a second line must not pass for somebody else's. */
export const eachLine = (prefix: string, text: RichText): RichText => {
  const out: Span[] = []
  let fresh = true
  for (const span of text) {
    const { text: words, ...style } = span
    for (const [index, line] of words.split('\n').entries()) {
      if (index > 0) {
        out.push({ ...style, text: '\n' })
        fresh = true
      }
      if (line === '') continue
      if (fresh) out.push({ text: prefix })
      fresh = false
      out.push({ ...style, text: line })
    }
  }
  return out.length === 0 ? [{ text: prefix }] : joined(out)
}

/** Neighbours of one style are one run again. */
const joined = (spans: readonly Span[]): RichText => {
  const out: Span[] = []
  for (const span of spans) {
    const last = out.at(-1)
    if (last !== undefined && sameStyle(last, span)) out[out.length - 1] = { ...last, text: last.text + span.text }
    else out.push(span)
  }
  return out
}

/** What stands for a message that was taken back, where it cannot be removed. */
export const takenBack = (name: string, quote: Quote | undefined): string =>
  `* ${name} took back ${quote === undefined ? 'a message' : `"${quote.text}"`}`
