/** Pure. Why an account is not connected, in words for people; the details are in the log. */
import type { Account } from './adapter.ts'
import type { AccountState } from './model/events.ts'
import type { Fault, SessionState } from './model/result.ts'

/** In words that any member of a chat may read: no names of hosts. */
export const FAULT_WORDS: Readonly<Record<Fault['code'], string>> = {
  'bad-credentials': 'the network refuses its password',
  'signed-in-elsewhere': 'somebody signed in with this account elsewhere',
  banned: 'the network has banned it',
  network: 'the network cannot be reached',
  protocol: 'the network does not answer as it should',
  shutdown: 'the network is going down',
}

export const accountState = (state: SessionState): AccountState => {
  switch (state.kind) {
    case 'connecting':
      return 'CONNECTING'
    case 'online':
      return 'CONNECTED'
    case 'waiting':
      return 'TRANSIENT_DISCONNECT'
    case 'offline':
      return 'LOGGED_OUT'
    case 'stopped':
      return STOPPED[state.fault.code]
  }
}

const STOPPED: Readonly<Record<Fault['code'], AccountState>> = {
  'bad-credentials': 'BAD_CREDENTIALS',
  'signed-in-elsewhere': 'LOGGED_OUT',
  banned: 'UNKNOWN_ERROR',
  network: 'UNKNOWN_ERROR',
  protocol: 'UNKNOWN_ERROR',
  shutdown: 'UNKNOWN_ERROR',
}

/** "bob@example.com on retro". */
export const accountName = ({ login, network }: Pick<Account, 'login' | 'network'>): string => `${login} on ${network}`

/** What its owner can do when it has stopped. `takesLogin`: its password was given by `login`, else it stands in the config. */
export const remedy = ({ id, network, login }: Account, fault: Fault, takesLogin: boolean): string => {
  switch (fault.code) {
    case 'bad-credentials':
      return takesLogin
        ? `Say: login ${network} ${login}`
        : `Its password stands in the config: change it there, then say: reconnect ${id}`
    case 'signed-in-elsewhere':
      return `I do not fight for it. To take it back say: reconnect ${id}`
    case 'banned':
      return `Ask the operators of the network; then say: reconnect ${id}`
    case 'network':
    case 'protocol':
    case 'shutdown':
      return `To try again say: reconnect ${id}`
  }
}
