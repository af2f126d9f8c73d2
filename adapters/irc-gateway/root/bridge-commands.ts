/** What lies beyond BitlBee: commands of the bridge under its own names. */
import { findNetwork } from './accounts.ts'
import type { Answer, PersonCall, RootCommand } from './deps.ts'
import { signIn } from './sign-in.ts'
import { readLine } from './words.ts'

/**
 * Words that the bridge uses in its own answers, such as "accept bob@example.com": here they work as they are written there.
 * In full only, and behind the commands of BitlBee.
 */
export const BRIDGE_WORDS: readonly string[] = [
  'accept',
  'cancel',
  'contacts',
  'create-group',
  'decline',
  'disconnect',
  'groups',
  'invite',
  'leave',
  'list-logins',
  'login',
  'logout',
  'ping',
  'reconnect',
  'remove-picture',
  'search',
  'set-name',
  'set-picture',
  'set-status',
  'start-chat',
  'status',
  'unblock',
  'version',
  'who',
]

/** `name` is one of those. */
export const bridgeWord = async (name: string, call: PersonCall): Promise<Answer> => {
  if (name === 'login') return login(call)
  const line = call.rest === '' ? name : `${name} ${call.rest}`
  const lines = await pass(line, call)
  // Answered without a yes or no.
  if (name === 'accept' || name === 'decline') {
    const [user = ''] = call.words
    await call.questions.settle(call.person.user, ({ yes }) => yes.startsWith(`accept ${user.toLowerCase()} `))
  }
  return lines
}

/** How the core asks for a yes. */
const ASKS = /Say "yes" within a minute/

/** What it asks for a yes is answered by root's yes and no. */
const pass = async (line: string, { client, person, questions }: PersonCall): Promise<readonly string[]> => {
  const lines = await person.command(line)
  if (lines.some((each) => ASKS.test(each))) questions.expect(client)
  return lines
}

/** Its password is never a part of the line. */
const login = async ({ client, person, words, deps, passwords }: PersonCall): Promise<Answer> => {
  const [protocol = '', address, password = ''] = words
  const network = findNetwork(protocol, deps)
  if (typeof network !== 'string') return [network.wrong]
  if (address === undefined || /\s/.test(address)) return ['Write: account add <protocol> <address>']
  if (password !== '') return signIn(person, network, address, password)
  passwords.wait(client, { kind: 'login', network, address })
  return ['You can now use the /OPER command to enter the password: /OPER you PASSWORD']
}

const bridge = async (call: PersonCall): Promise<Answer> => {
  const { name, words, rest } = readLine(call.rest)
  if (name === 'help') return call.person.command(`help${words[0] === undefined ? '' : ` ${words[0]}`}`)
  if (!call.deps.isAdmin(call.person.user))
    return ['Only admins of this bridge may do that. Its commands are listed by: bridge help']
  return name === 'login' ? login({ ...call, words, rest }) : pass(call.rest, call)
}

export const bridgeCommands: readonly RootCommand[] = [
  {
    name: 'bridge',
    who: 'identified',
    usage: ['bridge help [<command>]', 'bridge <command>'],
    about: 'commands of the bridge itself',
    help: [
      'Only admins, who stand in the config of the bridge, may use them; everybody may read about them: bridge help',
    ],
    least: 1,
    run: bridge,
  },
]
