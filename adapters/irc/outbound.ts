/** What the core wants said -> IRC messages, before they are cut to length. Pure. */
import type { MessageBody } from '../../bridge/model/body.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import { nameOf } from '../../bridge/model/relayed.ts'
import { sliceOf, textOf, type RichText } from '../../bridge/model/text.ts'
import { withoutControls, render } from '../../irc/formatting.ts'
import { cutToBytes, MAX_LINE_BYTES } from '../../irc/guard.ts'
import { leadOf, quietLine, ZERO_WIDTH_SPACE } from './highlight.ts'
import { LEAST_BUDGET, splitLine, splitLines } from '../../irc/split.ts'

/** One message on the wire: `PRIVMSG target :text`, or `TOPIC target :text`. */
export interface Wire {
  readonly verb: 'PRIVMSG' | 'NOTICE' | 'TOPIC'
  readonly target: string
  readonly text: string
}

/** How others see us: the server puts `:nick!user@host ` before what we say, and it counts. */
export interface Prefix {
  readonly nick: string
  readonly user: string
  readonly host: string
}

/** Used until a server has shown us: names as long as servers have them. */
export const LONGEST_PREFIX: Prefix = { nick: 'n'.repeat(30), user: 'u'.repeat(11), host: 'h'.repeat(63) }

const ACTION_BYTES = Buffer.byteLength('\x01ACTION \x01')
const NUDGE: RichText = [{ text: 'nudges you' }]

/** Bytes of text that fit into one line to `target` as others receive it. */
export const budgetFor = (verb: Wire['verb'], target: string, prefix: Prefix): number =>
  MAX_LINE_BYTES - Buffer.byteLength(`:${prefix.nick}!${prefix.user}@${prefix.host} ${verb} ${target} :`)

interface Speech {
  readonly verb: 'PRIVMSG' | 'NOTICE'
  readonly action: boolean
  /** Lines may begin with the name of whoever says them. */
  readonly relayed: boolean
  /** They do: we speak for somebody who has no name of their own here. */
  readonly named: boolean
  readonly text: RichText
}

const speechOf = (body: MessageBody, named: boolean): Speech => {
  switch (body.kind) {
    case 'text':
      return { verb: 'PRIVMSG', action: false, relayed: true, named, text: body.text }
    case 'action':
      return { verb: 'PRIVMSG', action: true, relayed: false, named: false, text: body.text }
    case 'notice':
      return { verb: 'NOTICE', action: false, relayed: true, named, text: body.text }
    case 'file':
      return { verb: 'PRIVMSG', action: false, relayed: true, named, text: body.text }
    case 'nudge':
      return { verb: 'PRIVMSG', action: true, relayed: false, named: false, text: NUDGE }
  }
}

/** The part of an operation that is said in words; undefined for the others. */
const spoken = (op: Outbound): Speech | undefined => {
  switch (op.kind) {
    case 'message':
      return speechOf(op.body, op.as.kind === 'self')
    case 'status':
    case 'delivery':
      return { verb: 'NOTICE', action: false, relayed: false, named: false, text: op.text }
    case 'edit':
    case 'redact':
    case 'reaction':
    case 'title':
    case 'member':
    case 'topic':
    case 'typing':
    case 'read':
    case 'company':
    case 'presence':
    case 'profile':
      return undefined
  }
}

const piecesOf = (speech: Speech, target: string, prefix: Prefix): readonly RichText[] => {
  const budget = budgetFor(speech.verb, target, prefix) - (speech.action ? ACTION_BYTES : 0)
  return splitLines(speech.text).flatMap((line) => {
    if (!speech.relayed) return splitLine(line, budget)
    const quiet = quietLine(line)
    return speech.named ? splitNamed(quiet, budget) : splitLine(quiet, budget)
  })
}

/** Each piece carries the name that the line begins with: in a busy channel others speak in between. */
const splitNamed = (line: RichText, budget: number): readonly RichText[] => {
  const lead = leadOf(line)
  const name = sliceOf(line, 0, lead)
  const room = budget - Buffer.byteLength(render(name))
  const whole = splitLine(line, budget)
  if (lead === 0 || whole.length === 1 || room < LEAST_BUDGET) return whole
  // A piece that begins with a blank needs no other one before it.
  const bare = sliceOf(line, 0, lead - 1)
  return splitLine(sliceOf(line, lead), room).map((piece) => [...(/^\s/.test(textOf(piece)) ? bare : name), ...piece])
}

const unstyled = (text: RichText): RichText => [{ text: textOf(text) }]

/** The lines of an operation; none for what IRC does not show. `style`: the channel lets no colours through. */
export const wiresOf = (
  op: Outbound,
  target: string,
  prefix: Prefix,
  style: 'styled' | 'plain' = 'styled',
): readonly Wire[] => {
  if (op.kind === 'topic') {
    const text = withoutControls(op.topic.replace(/[\r\n]+/g, ' '))
    return [{ verb: 'TOPIC', target, text: cutToBytes(text, budgetFor('TOPIC', target, prefix)) }]
  }
  const speech = spoken(op)
  if (speech === undefined) return []
  const said = style === 'plain' ? { ...speech, text: unstyled(speech.text) } : speech
  return piecesOf(said, target, prefix).map((piece) => {
    const text = render(piece)
    return { verb: speech.verb, target, text: speech.action ? `\x01ACTION ${text}\x01` : text }
  })
}

/** Whoever says it, the line has room: the ghost itself, or the bot with the ghost's name in front. */
const piecesForAll = (speech: Speech, name: string, target: string, prefix: Prefix): readonly RichText[] => {
  const lead = Buffer.byteLength(`<${name}> ${ZERO_WIDTH_SPACE}`)
  const byBot = budgetFor(speech.verb, target, prefix) - lead
  const byGhost = budgetFor(speech.verb, target, LONGEST_PREFIX) - (speech.action ? ACTION_BYTES : 0)
  return splitLines(speech.text).flatMap((line) => splitLine(line, Math.min(byBot, byGhost)))
}

/** The operation in parts of one line each. What fits comes back as it is. */
export const partsOf = (op: Outbound, target: string, prefix: Prefix): readonly Outbound[] => {
  const speech = spoken(op)
  if (speech === undefined) return [op]
  const name = nameOf(op)
  const pieces = name === undefined ? piecesOf(speech, target, prefix) : piecesForAll(speech, name, target, prefix)
  if (pieces.length < 2) return [op]
  return pieces.map((text): Outbound => {
    if (op.kind === 'message' && op.body.kind !== 'nudge') return { ...op, body: { ...op.body, text } }
    return { kind: 'status', text }
  })
}

export const lineOf = (wire: Wire): string => `${wire.verb} ${wire.target} :${wire.text}`
