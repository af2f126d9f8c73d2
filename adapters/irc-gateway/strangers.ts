/** Who connects without an account finds root in the control channel, and how to get one. */
import type { ClientPort, GatewayDeps } from './types.ts'

/** `first`: nobody has an account here yet. */
export const greetStranger = (client: ClientPort, { server, control }: GatewayDeps, first: boolean): void => {
  const root = `root!root@${server}`
  const say = (text: string) => ({ source: root, verb: 'PRIVMSG', params: [control, text] })
  client.send({ source: client.mask, verb: 'JOIN', params: [control] })
  client.numeric('332', control, 'Welcome to the control channel. Type help for help information.')
  if (!client.caps.has('no-implicit-names') && !client.caps.has('draft/no-implicit-names')) {
    client.numeric('353', '=', control, `@root @${client.nick}`)
    client.numeric('366', control, 'End of /NAMES list')
  }
  client.send(
    say('Welcome! I am root; what you write here, I read. Say "help" whenever you like.'),
    say(
      first
        ? `You are the first one here. Choose a password and say:  register PASSWORD  (your account is called ${client.nick} then)`
        : 'Say who you are:  identify PASSWORD  - or, if you are new here, choose a password and say:  register PASSWORD',
    ),
  )
}
