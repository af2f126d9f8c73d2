import { parseTwnData } from '../auth/passport.ts'
import { BESIDE_CLIENT } from '../model/beside.ts'
import { knownDialects, TRAITS, type Dialect } from '../model/dialect.ts'
import { nameOf } from '../model/names.ts'
import { synParams } from './client-requests.ts'
import type { Frame } from '../wire/frame.ts'
import {
  answerChallenge,
  ignore,
  out,
  redirected,
  type Handlers,
  type NotificationContext,
} from './notification-context.ts'
import type { NotificationState, SignedIn } from './notification-states.ts'
import { Roster } from './roster.ts'

type In<Kind extends NotificationState['kind']> = Extract<NotificationState, { kind: Kind }>

const LOGIN = { kind: 'login' } as const

/** What our client says it is: the official one that came with the dialect. Source: docs/protocol.md, VER, CVR, USR. */
const CLIENT_VERSIONS: Readonly<Record<Dialect, string>> = {
  MSNP8: '5.0.0544',
  MSNP9: '6.0.0602',
  MSNP10: '6.2.0137',
  MSNP11: '7.0.0816',
  MSNP12: '7.5.0324',
}

/** `VER 1 MSNP9 MSNP8 CVR0` */
export function sayVersions(context: NotificationContext, email: string, offered: readonly Dialect[]): void {
  context.line.ask('VER', [...offered, 'CVR0'], LOGIN, context.timings.commandMs)
  context.enter({ kind: 'negotiating', email, offered })
}

/** `USR 7 TWN S t=...&p=...` */
export function sayTicket(context: NotificationContext, state: In<'authenticating'>, ticket: string): void {
  context.line.ask('USR', ['TWN', 'S', ticket], LOGIN, context.timings.commandMs)
  context.enter({ ...state, step: 'sent-ticket' })
}

/** Dispatch servers may send us on at any step. */
const XFR = (context: NotificationContext, _: unknown, frame: Frame): void => {
  if (!redirected(context, frame)) context.line.unknownLines++
}
/** The profile may come before the end of the sign-in; QNG belongs to nobody yet. */
const COMMON = {
  XFR,
  OUT: (context: NotificationContext, _: unknown, frame: Frame) => out(context, frame),
  MSG: ignore,
}

export const NEGOTIATING: Handlers<In<'negotiating'>> = {
  ...COMMON,
  // VER 1 MSNP9 MSNP8 CVR0 / VER 1 0
  VER(context, state, frame) {
    const { line } = context
    if (line.requests.takeFor('VER', frame.params[0]) === undefined) {
      line.unknownLines++
      return
    }
    const dialect = knownDialects(frame.params.slice(1)).find((name) => state.offered.includes(name))
    if (dialect === undefined) {
      refuse(context, 'VER', 0)
      return
    }
    const version = CLIENT_VERSIONS[dialect]
    const product = context.beside ? BESIDE_CLIENT : 'MSMSGS'
    const client = ['0x0409', 'winnt', '5.1', 'i386', 'MSNMSGR', version, product, state.email]
    line.ask('CVR', client, LOGIN, context.timings.commandMs)
    context.enter({ kind: 'introducing', email: state.email, dialect })
  },
}

export const INTRODUCING: Handlers<In<'introducing'>> = {
  ...COMMON,
  // CVR 2 6.0.0602 6.0.0602 1.0.0000 http://example.com/dl.exe http://example.com
  CVR(context, state, frame) {
    const { line } = context
    if (line.requests.takeFor('CVR', frame.params[0]) === undefined) {
      line.unknownLines++
      return
    }
    line.ask('USR', ['TWN', 'I', state.email], LOGIN, context.timings.commandMs)
    context.enter({ kind: 'authenticating', email: state.email, dialect: state.dialect, step: 'sent-name' })
  },
}

export const AUTHENTICATING: Handlers<In<'authenticating'>> = {
  ...COMMON,
  CVR: ignore,
  QRY: (context, _, frame) => void context.line.requests.takeFor('QRY', frame.params[0]),
  CHL(context, state, frame) {
    answerChallenge(context.line, frame, state.dialect, { kind: 'challenge' }, context.timings.commandMs)
  },
  // USR 6 TWN S lc=1033,id=507,... / USR 7 OK alice@example.com Alice%20A 1 0
  USR(context, state, frame) {
    const { line } = context
    if (line.requests.takeFor('USR', frame.params[0]) === undefined) {
      line.unknownLines++
      return
    }
    const word = frame.params[1]?.toUpperCase()
    if (word === 'OK') {
      signedIn(context, state, frame)
      return
    }
    if (word !== 'TWN' || state.step !== 'sent-name') {
      line.violation('an unexpected USR', frame)
      return
    }
    if (!/^s/i.test(frame.params[2] ?? '')) {
      line.violation('USR TWN without S', frame)
      return
    }
    line.emit({ kind: 'ticket-needed', policy: parseTwnData(frame.params.slice(2)) ?? '' })
    context.enter({ ...state, step: 'needs-ticket' })
  },
}

function signedIn(context: NotificationContext, state: In<'authenticating'>, frame: Frame): void {
  const { line, timings } = context
  const [, , email = state.email, ...rest] = frame.params
  const { nameInUsrOk } = TRAITS[state.dialect]
  const name = nameInUsrOk && rest.length > 1 ? nameOf(rest[0] ?? '') : email
  const session: SignedIn = {
    dialect: state.dialect,
    email,
    name: name === '' ? email : name,
    verified: (nameInUsrOk ? rest[1] : rest[0]) !== '0',
    roster: new Roster(),
    status: undefined,
    sync: undefined,
    lastListed: undefined,
    pingAt: line.now + timings.pingMs,
    pongBy: undefined,
    messenger: undefined,
    confirms: false,
    participants: 0,
  }
  line.emit({ kind: 'signed-in', session })
  line.ask('SYN', synParams(state.dialect), LOGIN, timings.commandMs)
  context.enter({ kind: 'synchronizing', session })
}

/** The server will not have us: `code` 0 stands for no dialect in common. */
export function refuse({ line }: NotificationContext, verb: string, code: number): void {
  line.emit({ kind: 'refused', verb, code })
  line.finish({ kind: 'done' })
}
