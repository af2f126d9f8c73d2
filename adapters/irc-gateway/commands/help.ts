/** /HELP of IRC's own commands. What the bridge can do is root's to explain. Pure. */

export const HELP_INDEX: readonly string[] = [
  'This server is a bridge to MSN. Its own commands are explained by root: say "help" in the control channel.',
  'Of IRC it knows, among others:',
  'PRIVMSG NOTICE TAGMSG JOIN PART NAMES TOPIC INVITE LIST WHO WHOIS ISON MONITOR',
  'AWAY NICK SETNAME CHATHISTORY MARKREAD OPER MOTD VERSION LUSERS',
  '/HELP COMMAND says more of these: AWAY CHATHISTORY INVITE NICK OPER PRIVMSG',
]

export const HELP: Readonly<Record<string, readonly string[]>> = {
  AWAY: ['AWAY [words]', 'Shows you on MSN as away. The words may begin with a state: Away, Busy, BRB, Phone, Lunch.'],
  CHATHISTORY: [
    'CHATHISTORY BEFORE|AFTER|LATEST|AROUND|BETWEEN|TARGETS ...',
    'Asks for what was said earlier. Clients send it by themselves.',
  ],
  INVITE: ['INVITE nick #name', 'Brings a contact into a group chat. A group of that name is made if there is none.'],
  NICK: ['NICK nick', 'Changes your nick here. SETNAME changes the name that your contacts see.'],
  OPER: ['OPER name password', 'Gives a password to root when root has asked for one: clients do not log it.'],
  PRIVMSG: ['PRIVMSG nick :words', 'Speaks to a contact. In the control channel, "nick: words" does the same.'],
}
