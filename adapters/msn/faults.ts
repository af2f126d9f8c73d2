/** Why a sign-in failed or ended, as the supervisor understands it. Pure. */
import { SessionFault } from '../../bridge/adapter.ts'
import type { Fault } from '../../bridge/model/result.ts'
import type { ClientCloseReason, SignInFailure } from '../../msnp/index.ts'

const ELSEWHERE: Fault = {
  code: 'signed-in-elsewhere',
  detail: 'the account was signed in somewhere else; sign out there, then reconnect',
}

/** Errors that say the account itself is barred. Source: docs/protocol.md, Errors. */
const BARRED: ReadonlySet<number> = new Set([420, 511, 717, 923, 924, 926, 927])

export const faultOf = (failure: SignInFailure): Fault => {
  switch (failure.kind) {
    case 'bad-credentials':
      return { code: 'bad-credentials', detail: failure.detail }
    case 'signed-in-elsewhere':
      return ELSEWHERE
    case 'refused':
      return { code: BARRED.has(failure.code ?? 0) ? 'banned' : 'protocol', detail: failure.detail }
    case 'protocol':
      return { code: 'protocol', detail: failure.detail }
    case 'busy':
    case 'unreachable':
    case 'tls':
    case 'timeout':
    case 'aborted':
      return { code: 'network', detail: failure.detail }
  }
}

export const sessionFault = (failure: SignInFailure): SessionFault =>
  new SessionFault(faultOf(failure), failure.retryAfterMs)

/** undefined: we ended it ourselves. */
export const faultOfClose = (reason: ClientCloseReason): Fault | undefined => {
  switch (reason.kind) {
    case 'signed-out':
      return undefined
    case 'signed-in-elsewhere':
      return ELSEWHERE
    case 'server-shutdown':
      return { code: 'shutdown', detail: 'the MSN server shuts down' }
    case 'lost':
      return { code: 'network', detail: `the connection to the MSN server was lost (${reason.detail})` }
    case 'timeout':
      return { code: 'network', detail: `the MSN server stopped answering (waited for ${reason.waitingFor})` }
    case 'protocol':
      return { code: 'protocol', detail: `the MSN server broke the protocol: ${reason.detail}` }
    case 'refused':
      return {
        code: BARRED.has(reason.code) ? 'banned' : 'protocol',
        detail: `the MSN server ended the session with error ${reason.code}: ${reason.detail}`,
      }
    case 'move-failed':
      return faultOf(reason.failure)
  }
}

/** After these only a person can help: the state is `stopped`. */
export const needsPerson = (fault: Fault): boolean =>
  fault.code === 'bad-credentials' || fault.code === 'signed-in-elsewhere' || fault.code === 'banned'
