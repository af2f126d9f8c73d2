/** What people say to the bot, and where a secret is in it. Pure. */
import { withoutFallback } from './body-in.ts'
import type { Room, RoomEvent } from './types.ts'
import { recordOf, textIn } from './untrusted.ts'

/** Begins a command wherever the bot is not spoken to alone. */
const TRIGGER = '!msn'

export interface Spoken {
  /** Without the trigger. */
  readonly line: string
  /** What it began with there, with the space behind it; absent in a home. */
  readonly trigger?: string
}

type Place = Pick<Room, 'kind' | 'owner'>

/** Whether they speak with the bot alone there: nobody else's lines are commands by themselves. */
export const isAtHome = (room: Place | undefined, user: string): boolean => room?.kind === 'home' && room.owner === user

/** undefined: it is not meant for the bot. Corrections of earlier messages are no commands. */
export const spokenIn = ({ type, sender, content }: RoomEvent, room: Place | undefined): Spoken | undefined => {
  const { msgtype, body } = content
  if (type !== 'm.room.message' || msgtype !== 'm.text' || typeof body !== 'string') return undefined
  const relation = recordOf(content['m.relates_to'])
  if (relation['rel_type'] === 'm.replace') return undefined
  const text = (relation['m.in_reply_to'] === undefined ? body : withoutFallback(body)).trim()
  const triggered = /^!msn(?:\s+|$)/i.exec(text)?.[0]
  const line = triggered === undefined ? text : text.slice(triggered.length)
  if (isAtHome(room, sender)) return { line: line === '' ? 'help' : line }
  return triggered === undefined ? undefined : { line: line === '' ? 'help' : line, trigger: `${TRIGGER} ` }
}

/** What a correction makes of an earlier line, where that would be meant for the bot: it is not done, but nobody else's either. */
export const correctedIn = (event: RoomEvent, room: Place | undefined): Spoken | undefined => {
  const { content } = event
  if (recordOf(content['m.relates_to'])['rel_type'] !== 'm.replace') return undefined
  const body = textIn(content['m.new_content'], 'body') ?? textIn(content, 'body')?.replace(/^\* /, '')
  return body === undefined ? undefined : spokenIn({ ...event, content: { msgtype: 'm.text', body } }, room)
}

export const verbOf = (line: string): string => (/^\S*/.exec(line.trim())?.[0] ?? '').toLowerCase()

/** Commands after which something secret is asked for. */
const ASKING: ReadonlySet<string> = new Set(['login', 'login-matrix'])

/** The words of a command, and those of one that is given for another: `sudo USER login NETWORK ADDRESS`. */
const commandWords = (line: string): readonly RegExpExecArray[] => {
  const words = [...line.trim().matchAll(/\S+/g)]
  return verbOf(line) === 'sudo' ? words.slice(2) : words
}

/** A command that asks for a secret: what comes next may be one, though it was not yet asked for. */
export const mayAsk = (line: string): boolean => ASKING.has(commandWords(line)[0]?.[0].toLowerCase() ?? '')

/** Words that nobody writes before an address for anything else: "lgoin", "/login", "sign-in". */
const MEANT = /^\W*(?:l[ogin]{2,6}|(?:log|sign)-?(?:in|on)?)\W*$/i

/** Somebody who wrote the secret behind the command at once, or behind what they took for it. `line` is what is left. */
export const secretIn = (line: string): { readonly line: string; readonly secret: string } | undefined => {
  const [verb, ...rest] = commandWords(line)
  const at = verb === undefined ? -1 : secretAt(verb[0].toLowerCase(), rest)
  const first = rest[at]
  if (first === undefined) return undefined
  const text = line.trim()
  return { line: text.slice(0, first.index).trim(), secret: text.slice(first.index) }
}

/** `login-matrix TOKEN`; `login NETWORK ADDRESS PASSWORD`, or without the network. -1: there is none. */
const secretAt = (verb: string, rest: readonly RegExpExecArray[]): number => {
  if (verb === 'login-matrix') return 0
  if (verb === 'login') return rest[0]?.[0].includes('@') === true ? 1 : 2
  const address = MEANT.test(verb) ? rest.slice(0, 3).findIndex(([word]) => word.includes('@')) : -1
  return address === -1 ? -1 : address + 1
}

/** Ends a question. */
export const isCancel = (line: string): boolean => verbOf(line) === 'cancel' && line.trim().length === 'cancel'.length
