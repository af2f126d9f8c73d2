/** MARKREAD: up to when somebody has read, shared between their clients. Source: ircv3.net, read-marker. */
import { fold } from '../../../irc/casemap.ts'
import type { ChannelPort, ContactKey } from '../types.ts'
import { works } from '../wire/caps.ts'
import { CASE_MAPPING } from '../wire/isupport.ts'
import type { ServerMessage } from '../wire/message.ts'
import type { AskedByPerson, Commands } from './desk.ts'
import { isoTime, quoted, reply, standard } from './replies.ts'
import { timeIn } from './selectors.ts'
import { isChannel } from './sight.ts'

/** The same for good, whatever somebody is called: where a mark stands. */
const placeOfContact = ({ account, user }: ContactKey): string => `contact/${account}/${user}`
export const placeOfChannel = ({ name, chat }: Pick<ChannelPort, 'name' | 'chat'>): string =>
  chat === undefined ? placeOfName(name) : `chat/${chat}`
const placeOfName = (name: string): string => `name/${fold(name, CASE_MAPPING)}`

/** "If there is no known last message read timestamp, the timestamp parameter is a literal *." */
export const markLine = (name: string, at: number | undefined): ServerMessage => ({
  verb: 'MARKREAD',
  params: [name, at === undefined ? '*' : `timestamp=${isoTime(at)}`],
})

const placeOf = ({ person }: AskedByPerson, target: string): { readonly name: string; readonly place: string } => {
  if (isChannel(target)) {
    const channel = person.channel(target)
    if (channel !== undefined) return { name: channel.name, place: placeOfChannel(channel) }
  }
  const face = person.face(target)
  const name = face?.nick ?? quoted(target)
  return { name, place: face?.contact === undefined ? placeOfName(name) : placeOfContact(face.contact) }
}

const markread = async (asked: AskedByPerson): Promise<void> => {
  const { client, person, params, desk } = asked
  const [target = '', mark] = params
  if (!works(client.caps, 'draft/read-marker')) {
    reply(client, 'ERR_UNKNOWNCOMMAND', [asked.verb])
    return
  }
  if (target === '') {
    standard(client, 'FAIL', 'MARKREAD', 'NEED_MORE_PARAMS', [], 'Missing parameters')
    return
  }
  const wanted = mark?.startsWith('timestamp=') === true ? timeIn(mark.slice('timestamp='.length)) : undefined
  if (mark !== undefined && wanted === undefined) {
    standard(client, 'FAIL', 'MARKREAD', 'INVALID_PARAMS', [quoted(mark)], 'Invalid parameters')
    return
  }
  const { name, place } = placeOf(asked, target)
  try {
    if (wanted === undefined) {
      client.send(markLine(name, (await desk.marks.of(person.user)).get(place)))
      return
    }
    // "it can clamp it between the last read timestamp and the current time"
    const { at, moved } = await desk.marks.set(person.user, place, Math.min(wanted, desk.deps.context.clock.now()))
    if (moved) person.tell((to) => (works(to.caps, 'draft/read-marker') ? [markLine(name, at)] : []))
    else client.send(markLine(name, at))
  } catch (error) {
    desk.deps.context.log.warn({ error: String(error) }, 'a read marker could not be kept')
    standard(client, 'FAIL', 'MARKREAD', 'INTERNAL_ERROR', [name], 'The read timestamp could not be set')
  }
}

export const MARKREAD: Commands = { MARKREAD: { min: 0, identified: true, run: markread } }
