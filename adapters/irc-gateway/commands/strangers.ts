/** What those hear who ask for what only somebody known here can have. */
import type { ClientPort } from '../types.ts'
import { works } from '../wire/caps.ts'
import { reply, standard } from './replies.ts'

const WORDS = 'Say who you are first: "identify NAME PASSWORD", or "register NAME PASSWORD" for a new account, to root'

/** Verbs of IRCv3 whose errors are standard replies. */
const STANDARD: ReadonlySet<string> = new Set(['CHATHISTORY', 'MARKREAD', 'SETNAME'])

export const askWhoTheyAre = (client: ClientPort, verb: string): void => {
  if (STANDARD.has(verb) && works(client.caps, 'standard-replies'))
    standard(client, 'FAIL', verb, 'ACCOUNT_REQUIRED', [], WORDS)
  else reply(client, 'ERR_NOTREGISTERED', [], WORDS)
}
