/** PRIVMSG, NOTICE and TAGMSG: to root, to contacts, to groups, and through the control channel. */
import type { MessageId } from '../../../bridge/model/ids.ts'
import {
  maskOf,
  type ChannelPort,
  type ClientPort,
  type ContactKey,
  type Face,
  type PersonPort,
  type Saying,
  type SayResult,
} from '../types.ts'
import { works } from '../wire/caps.ts'
import { ISUPPORT_LIMITS } from '../wire/isupport.ts'
import { timeTag } from '../world/outbound.ts'
import { spokenIn, typingOf, type Spoken } from './ctcp.ts'
import type { FileOffer } from '../dcc-offer.ts'
import type { Answering, Asked, Commands, DispatchDeps } from './desk.ts'
import { outsideAnswer } from './labels.ts'
import { quoted, reply } from './replies.ts'
import { isChannel, rootOf, same, withoutStatus } from './sight.ts'

type Verb = 'PRIVMSG' | 'NOTICE'

/** Clients that are set up to identify with services speak to root so, as with BitlBee. */
const SERVICES = 'NickServ'

/** Who is spoken to, once the name is known. */
type Target =
  | { readonly kind: 'root' }
  | { readonly kind: 'self' }
  | { readonly kind: 'contact'; readonly face: Face; readonly key: ContactKey }
  | { readonly kind: 'channel'; readonly channel: ChannelPort }
  | { readonly kind: 'unknown'; readonly code: 'ERR_NOSUCHNICK' | 'ERR_NOSUCHCHANNEL' }

const targetOf = ({ sight, client }: Asked, name: string): Target => {
  const bare = withoutStatus(name)
  if (isChannel(bare)) {
    const channel = sight.channel(bare)
    return channel === undefined ? { kind: 'unknown', code: 'ERR_NOSUCHCHANNEL' } : { kind: 'channel', channel }
  }
  const face = sight.face(bare)
  if (face !== undefined)
    return face.contact === undefined ? { kind: 'root' } : { kind: 'contact', face, key: face.contact }
  if (same(bare, client.nick)) return { kind: 'self' }
  return same(bare, SERVICES) ? { kind: 'root' } : { kind: 'unknown', code: 'ERR_NOSUCHNICK' }
}

const speak = (asked: Asked, verb: Verb): Answering => {
  const { client, params } = asked
  const [names = '', text = ''] = params
  const targets = targetsOf(names)
  // "automatic replies must never be sent in response to a NOTICE message"
  const loud = verb === 'PRIVMSG'
  if (targets.length === 0 || text === '') {
    if (!loud) return
    if (targets.length === 0) reply(client, 'ERR_NORECIPIENT', [], `No recipient given (${verb})`)
    else reply(client, 'ERR_NOTEXTTOSEND')
    return
  }
  const heard = targets.slice(0, ISUPPORT_LIMITS.maxTargets)
  const beyond = targets[heard.length]
  const answers = heard.flatMap((name) => speakTo(asked, verb, name, text) ?? [])
  if (beyond !== undefined && loud) reply(client, 'ERR_TOOMANYTARGETS', [quoted(beyond)])
  return together(answers)
}

const targetsOf = (names: string): readonly string[] => [...new Set(names.split(',').filter((name) => name !== ''))]

const together = (answers: readonly Promise<void>[]): Answering =>
  answers.length === 0 ? undefined : Promise.all(answers).then(() => undefined)

const speakTo = (asked: Asked, verb: Verb, name: string, text: string): Answering => {
  const target = targetOf(asked, name)
  switch (target.kind) {
    case 'root':
      echo(asked, verb, name, text)
      return toRoot(asked, verb, text)
    case 'self':
      return toSelf(asked, verb, text)
    case 'contact':
      return toContact(asked, verb, target, text)
    case 'channel':
      return target.channel.kind === 'control'
        ? inControl(asked, verb, target.channel, text)
        : inGroup(asked, verb, target.channel, text)
    case 'unknown':
      if (verb === 'PRIVMSG') reply(asked.client, target.code, [quoted(name)])
      return undefined
  }
}

/** What goes to nobody but the bridge comes back at once; what goes to people when it is stored. */
const echo = ({ client, desk }: Asked, verb: Verb, target: string, text: string): void => {
  const time = timeTag(desk.deps.context.clock.now())
  if (works(client.caps, 'echo-message'))
    client.send({ source: client.mask, verb, params: [target, text], tags: { time } })
}

const toRoot = (asked: Asked, verb: Verb, text: string, where = 'query'): Answering => {
  const { client, desk } = asked
  if (verb === 'NOTICE') return undefined
  if (!text.startsWith('\x01')) return desk.deps.root.hear(client, text, where)
  const spoken = spokenIn(verb, text, desk.deps.facts.version)
  if (spoken.kind === 'offer') {
    const { offer } = spoken
    // Nothing else waits for a file.
    outsideAnswer(() => void desk.deps.root.offered(client, offer))
    return undefined
  }
  const root = rootOf(asked.sight)
  if (spoken.kind === 'answer' && root !== undefined) answer(asked, root, spoken)
  return undefined
}

const answer = ({ client }: Asked, from: Face, { text }: Extract<Spoken, { kind: 'answer' }>): void =>
  client.send({ source: maskOf(from), verb: 'NOTICE', params: [client.nick, text] })

/** Clients measure their lag so. The echo belongs to the answer; "the delivered message" does not. */
const toSelf = ({ client, person }: Asked, verb: Verb, text: string): Answering => {
  const message = { source: client.mask, verb, params: [client.nick, text] }
  if (client.caps.has('echo-message')) client.send(message)
  outsideAnswer(() => {
    if (person === undefined) client.send(message)
    else person.tell(() => [message])
  })
  return undefined
}

const toContact = (
  asked: Asked,
  verb: Verb,
  { face, key }: { readonly face: Face; readonly key: ContactKey },
  text: string,
  where?: string,
): Answering => {
  const { client, person, desk } = asked
  if (person === undefined) return undefined
  const spoken = spokenIn(verb, text, `MSN Messenger, through ${desk.deps.facts.version}`)
  switch (spoken.kind) {
    case 'say': {
      const saying = sayingOf(asked, spoken)
      const result = where === undefined ? person.say(key, saying, client) : person.say(key, saying, client, where)
      return result.then((said) => {
        if (said.kind === 'refused') refused(asked, verb, where ?? face.nick, said)
        else if (verb === 'PRIVMSG') sayAway(client, person, key)
      })
    }
    case 'typing':
      person.typing(key, spoken.forMs)
      return undefined
    case 'answer':
      echo(asked, verb, where ?? face.nick, text)
      answer(asked, face, spoken)
      return undefined
    case 'offer': {
      const { offer } = spoken
      outsideAnswer(() => void passOn(client, person, { face, key }, offer, desk.deps))
      return undefined
    }
    case 'nothing':
      return undefined
  }
}

/** A file goes to a contact as one from anywhere else does: what becomes of it is told as of any message. Never rejects. */
const passOn = async (
  client: ClientPort,
  person: PersonPort,
  { face, key }: { readonly face: Face; readonly key: ContactKey },
  offer: FileOffer,
  { inbox, context }: Pick<DispatchDeps, 'inbox' | 'context'>,
): Promise<void> => {
  const put = await inbox.take(client, face, offer, context.files.maxBytes)
  const said =
    put.kind === 'refused' ? put : person.say(key, { body: { kind: 'file', file: put.file, text: [] } }, undefined)
  const result = await Promise.resolve(said).catch((): SayResult => ({ kind: 'refused', detail: NOT_STORED }))
  if (result.kind === 'refused')
    person.rootSays(`The file for ${person.faceOf(key)?.nick ?? face.nick} was not passed on: ${result.detail}`)
}

const NOT_STORED = 'the bridge cannot store it now'

const sayingOf = ({ tags }: Asked, { body }: Extract<Spoken, { kind: 'say' }>): Saying => {
  const replyTo = tags.get('+draft/reply') ?? tags.get('+reply') ?? ''
  return replyTo === '' ? { body } : { body, replyTo: replyTo as MessageId }
}

const refused = (
  { client }: Asked,
  verb: Verb,
  name: string,
  { detail }: Extract<SayResult, { kind: 'refused' }>,
): void => {
  if (verb === 'PRIVMSG') reply(client, 'ERR_CANNOTSENDTOCHAN', [name], detail)
}

/** By the nick that they have by now. */
const sayAway = (client: ClientPort, person: PersonPort, key: ContactKey): void => {
  const words = person.awayReply(key)
  const face = words === undefined ? undefined : person.faceOf(key)
  if (face !== undefined && words !== undefined) reply(client, 'RPL_AWAY', [face.nick], words)
}

const inGroup = (asked: Asked, verb: Verb, channel: ChannelPort, text: string): Answering => {
  const { client, person } = asked
  if (person === undefined) return undefined
  // Several are asked at once there, and none is: clients' questions get no answer.
  const spoken = spokenIn(verb, text, '')
  switch (spoken.kind) {
    case 'say':
      return person.sayIn(channel.name, sayingOf(asked, spoken), client).then((said) => {
        if (said.kind === 'refused') refused(asked, verb, channel.name, said)
      })
    case 'typing':
      person.typing(channel.name, spoken.forMs)
      return undefined
    case 'answer':
    case 'offer':
    case 'nothing':
      return undefined
  }
}

/** "bob: hi" is for bob alone; BitlBee takes a comma as well. */
const ADDRESS = /^([^\s:,]+)[:,]\s*(.*)$/s

const inControl = (asked: Asked, verb: Verb, channel: ChannelPort, text: string): Answering => {
  const { person, sight } = asked
  const addressed = text.startsWith('\x01') ? null : ADDRESS.exec(text)
  if (addressed !== null) {
    const [, nick = '', rest = ''] = addressed
    const face = sight.face(nick)
    if (face?.contact === undefined) echo(asked, verb, channel.name, text)
    if (face === undefined) {
      if (verb === 'PRIVMSG') rootSaysIn(asked, channel, `User does not exist: ${nick}`)
      return undefined
    }
    if (face.contact === undefined) return rest === '' ? undefined : toRoot(asked, verb, rest, channel.name)
    return rest === '' ? undefined : toContact(asked, verb, { face, key: face.contact }, rest, channel.name)
  }
  const last = person?.settings.get('default_target') === 'last' ? person.lastNamed : undefined
  const face = last && person?.faceOf(last)
  if (last !== undefined && face !== undefined) return toContact(asked, verb, { face, key: last }, text, channel.name)
  echo(asked, verb, channel.name, text)
  return toRoot(asked, verb, text, channel.name)
}

const rootSaysIn = (asked: Asked, channel: ChannelPort, text: string): void => {
  const root = rootOf(asked.sight)
  if (root !== undefined) asked.client.send({ source: maskOf(root), verb: 'PRIVMSG', params: [channel.name, text] })
}

const tagmsg = (asked: Asked): Answering => {
  const { client, person, params, tags } = asked
  const forMs = typingOf(tags.get('+typing') ?? tags.get('+draft/typing'))
  for (const name of targetsOf(params[0] ?? '').slice(0, ISUPPORT_LIMITS.maxTargets)) {
    const target = targetOf(asked, name)
    if (target.kind !== 'unknown' && works(client.caps, 'echo-message'))
      client.send({ source: client.mask, verb: 'TAGMSG', params: [name], tags: ownTags(tags) })
    switch (target.kind) {
      case 'unknown':
        reply(client, target.code, [quoted(name)])
        break
      case 'contact':
        if (forMs !== undefined) person?.typing(target.key, forMs)
        break
      case 'channel':
        if (forMs !== undefined && target.channel.kind === 'group') person?.typing(target.channel.name, forMs)
        break
      case 'root':
      case 'self':
        break
    }
  }
  return undefined
}

/** What clients tell each other. */
const ownTags = (tags: Asked['tags']): Readonly<Record<string, string>> =>
  Object.fromEntries([...tags].filter(([key]) => key.startsWith('+')))

export const MESSAGES: Commands = {
  PRIVMSG: { min: 0, run: (asked) => speak(asked, 'PRIVMSG') },
  NOTICE: { min: 0, run: (asked) => speak(asked, 'NOTICE') },
  TAGMSG: { min: 1, run: tagmsg },
}
