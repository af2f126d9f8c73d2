/** Who somebody is here: register, identify, drop, save, and what they enter by /OPER. */
import type { ClientPort } from '../types.ts'
import { findNetwork } from './accounts.ts'
import type { Answer, Call, PersonCall, RootCommand, RootDeps } from './deps.ts'
import { signIn } from './sign-in.ts'
import type { Waiting } from './passwords.ts'
import type { Questions } from './questions.ts'

/** `[account] <password>` */
const nameAndPassword = (words: readonly string[], client: ClientPort) =>
  words.length > 1 ? { name: words[0] ?? '', password: words[1] } : { name: client.nick, password: words[0] }

const askFor = (what: string): string =>
  `Now enter the password ${what} with the /OPER command, so that your client does not log it: /OPER you PASSWORD`

const register = async ({ client, words, deps, passwords }: Call): Promise<Answer> => {
  if (client.person !== undefined) return ['You are identified: you have an account here.']
  if (words.length > 2) return 'usage'
  const { name, password = '' } = nameAndPassword(words, client)
  if (password !== '') return makeAccount(client, name, password, deps)
  passwords.wait(client, { kind: 'register', name })
  return [askFor(`that you want for your account`)]
}

const makeAccount = async (
  client: ClientPort,
  name: string,
  password: string,
  deps: RootDeps,
): Promise<readonly string[]> => {
  const result = await deps.users.register(client, name, password)
  if (result.kind === 'refused') return [result.detail]
  const { signUp } = deps.context
  const done = `Account successfully created. From now on say when you connect: identify ${result.user} PASSWORD`
  if (signUp === undefined) return [done, nextAccount(deps)]
  const from = { network: deps.network, user: result.user }
  const made = await signUp.run({ from, fromName: name, name: result.user, password })
  if (made.kind === 'refused') return [done, `You got no MSN account here: ${made.detail}`, nextAccount(deps)]
  return [
    done,
    `You also have an MSN account now: ${made.login}, with the same password. It is signing in.`,
    `Your friends can put ${made.login} on their contact lists. To put one of them on yours say: add ${signUp.network} friend@${signUp.domain}`,
  ]
}

const nextAccount = (deps: RootDeps): string => {
  const network = findNetwork('msn', deps)
  const name = typeof network === 'string' ? 'msn' : (deps.knownNetworks()[0]?.id ?? 'msn')
  return `To use an MSN account that you have say: account add ${name} you@example.com`
}

const identify = async ({ client, words: all, passwords, deps }: Call): Promise<Answer> => {
  const words = all.filter((word) => !/^-(?:noload|force)$/i.test(word))
  if (words.length > 2) return 'usage'
  if (client.person !== undefined) return ["You're already logged in."]
  const { name, password = '' } = nameAndPassword(words, client)
  if (password !== '') return enter(client, name, password, deps)
  passwords.wait(client, { kind: 'identify', name })
  return [askFor('of your account here')]
}

const enter = async (
  client: ClientPort,
  name: string,
  password: string,
  deps: RootDeps,
): Promise<readonly string[]> => {
  const result = await deps.users.identify(client, name, password)
  return [result.kind === 'done' ? 'Password accepted, settings and accounts loaded' : result.detail]
}

const drop = async ({ client, person, words, deps, questions, passwords }: PersonCall): Promise<Answer> => {
  if (words.length > 1) return 'usage'
  const [password = ''] = words
  if (password !== '') return leave(person.user, password, deps, questions)
  passwords.wait(client, { kind: 'drop' })
  return [askFor('of your account here')]
}

const leave = async (
  user: PersonCall['person']['user'],
  password: string,
  deps: RootDeps,
  questions: Questions,
): Promise<readonly string[]> => {
  const result = await deps.users.drop(user, password)
  if (result.kind === 'refused') return [result.detail]
  await questions.forget(user)
  return [`Account \`${result.user}' removed`]
}

const save = async (): Promise<Answer> => ['Configuration saved. Everything is kept as soon as you say it.']

/** What the password that came by /OPER is for. */
export const passwordCame = async (
  waiting: Waiting | undefined,
  client: ClientPort,
  name: string,
  password: string,
  deps: RootDeps,
  questions: Questions,
): Promise<readonly string[]> => {
  const { person } = client
  if (password === '') return ['That is no password.']
  if (waiting === undefined)
    return person === undefined ? enter(client, name, password, deps) : ['I have not asked for a password.']
  switch (waiting.kind) {
    case 'register':
      return person === undefined ? makeAccount(client, waiting.name, password, deps) : ["You're already logged in."]
    case 'identify':
      return person === undefined ? enter(client, waiting.name, password, deps) : ["You're already logged in."]
    case 'login':
      return person === undefined ? [STRANGER] : signIn(person, waiting.network, waiting.address, password)
    case 'own':
      return person === undefined ? [STRANGER] : [await ownPassword(person.user, password, deps)]
    case 'drop':
      return person === undefined ? [STRANGER] : leave(person.user, password, deps, questions)
  }
}

export const ownPassword = async (
  user: PersonCall['person']['user'],
  password: string,
  deps: RootDeps,
): Promise<string> => {
  const result = await deps.users.setPassword(user, password)
  return result.kind === 'done' ? 'Setting changed successfully' : result.detail
}

/** To who has not said yet who they are. */
export const STRANGER =
  'This server only accepts registered users. Say: identify PASSWORD - or, if you have no account here yet: register PASSWORD'

export const identityCommands: readonly RootCommand[] = [
  {
    name: 'register',
    who: 'anyone',
    usage: ['register [<account>] <password>', 'register'],
    about: 'makes an account for you here',
    help: [
      'Your nick is the name of the account if you write none. Without a password you enter it by /OPER.',
      'Where the bridge has an MSN service of its own you get an MSN account there, too, with the same password.',
    ],
    least: 0,
    run: register,
  },
  {
    name: 'identify',
    who: 'anyone',
    usage: ['identify [-noload|-force] [<account>] <password>', 'identify'],
    about: 'says who you are, so that you get your accounts and contacts',
    help: [
      'Your nick is the name of the account if you write none. Without a password you enter it by /OPER.',
      '-noload and -force are understood and change nothing: there is never anything to lose by it.',
      'A password of the server (PASS) or SASL PLAIN does the same when your client connects.',
    ],
    least: 0,
    run: identify,
  },
  {
    name: 'drop',
    who: 'identified',
    usage: ['drop <password>', 'drop'],
    about: 'takes away your account here',
    help: ['All that you have here goes with it: accounts, settings, nicks. Without a password you enter it by /OPER.'],
    least: 0,
    run: drop,
  },
  {
    name: 'save',
    who: 'identified',
    usage: ['save'],
    about: 'keeps everything as it is now',
    help: ['It is kept anyway, as soon as you say it.'],
    least: 0,
    run: save,
  },
]
