/** Who connects without an account finds root in the control channel, and how to get one. */
import { sightOf } from './commands/sight.ts'
import { maskOf, type ClientPort, type GatewayDeps } from './types.ts'
import { entryOf } from './world/names.ts'

/** `first`: nobody has an account here yet. */
export const greetStranger = (client: ClientPort, deps: GatewayDeps, first: boolean): void => {
  const sight = sightOf(client, deps)
  for (const channel of sight.channels())
    client.send(...entryOf(channel, client, { user: '', deps, markOf: () => undefined }))
  const [root] = sight.faces()
  if (root === undefined) return
  const say = (text: string) => ({ source: maskOf(root), verb: 'PRIVMSG', params: [deps.control, text] })
  client.send(
    say('Welcome! I am root; what you write here, I read. Say "help" whenever you like.'),
    say(
      first
        ? `You are the first one here. Choose a password and say:  register PASSWORD  (your account is called ${client.nick} then)`
        : 'Say who you are:  identify PASSWORD  - or, if you are new here, choose a password and say:  register PASSWORD',
    ),
  )
}
