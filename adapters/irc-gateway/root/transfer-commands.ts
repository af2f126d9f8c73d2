/** `transfer`: files of a conversation, by DCC for who does not want to open a link. */
import type { FileRef } from '../../../bridge/model/body.ts'
import { withoutControls } from '../../../irc/formatting.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'

/** The latest ones are offered. */
const MAX_FILES = 10
/** Messages that are looked through for them. */
const MAX_SAID = 500

const transfer = async ({ client, person, words, deps }: PersonCall): Promise<Answer> => {
  const [nick, number, ...rest] = words
  if (nick === undefined)
    return ['Files come as links in the conversation. To get one by DCC instead, write: transfer NICK']
  if (rest.length > 0 || (number !== undefined && !/^\d{1,2}$/.test(number))) return 'usage'
  const face = person.face(nick)
  if (face?.contact === undefined) return [`Nobody of your contacts is called ${withoutControls(nick)} here.`]
  const { network, context } = deps
  const chat = { network, chat: person.chatOf(face.contact) }
  const said = await context.history.said(chat, { from: 'newest', limit: MAX_SAID })
  const files = said
    .flatMap(({ event }) => (event.body.kind === 'file' ? [event.body.file] : []))
    .slice(-MAX_FILES)
    .toReversed()
  if (files.length === 0) return [`No files were sent in the conversation with ${face.nick}.`]
  if (number === undefined)
    return [
      `Files of the conversation with ${face.nick}, the latest first. To get one: transfer ${face.nick} NUMBER`,
      ...files.map((file, index) => `${index}, ${shown(file)}`),
    ]
  const file = files[Number(number)]
  if (file === undefined) return [`There is no file with that number. See: transfer ${face.nick}`]
  return [await deps.dcc.send(client, face, file, (line) => person.rootSays(line))]
}

const shown = ({ name, size }: FileRef): string =>
  `${withoutControls(name.replace(/\s+/g, ' '))}${size === undefined ? '' : ` (${size} bytes)`}`

export const transferCommands: readonly RootCommand[] = [
  {
    name: 'transfer',
    who: 'identified',
    usage: ['transfer', 'transfer <nick>', 'transfer <nick> <number>'],
    about: 'files by DCC',
    help: [
      'Files come as links in the conversation. With a nick: the latest files of that conversation.',
      'With a number of that list your client is offered the file by DCC SEND, and connects to us to fetch it.',
    ],
    least: 0,
    run: transfer,
  },
]
