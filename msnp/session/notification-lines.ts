import { isAddress } from '../model/address.ts'
import { CONFIRM_HEADER, participantsIn, parseServerSaid } from '../model/content-types.ts'
import { newsOfMail } from '../model/mail.ts'
import { nameOf } from '../model/names.ts'
import { NO_PERSONAL_MESSAGE, parsePersonalMessage } from '../model/personal-message.ts'
import { statusOf } from '../model/status.ts'
import { parseMime } from '../wire/mime.ts'
import { parsePresence } from './list-lines.ts'
import { answer, unreadable } from './notification-answers.ts'
import {
  answerChallenge,
  ignore,
  out,
  parseHostPort,
  redirected,
  type Handlers,
  type NotificationContext,
  type Pending,
} from './notification-context.ts'
import type { NotificationRequest, NotificationState, SignedIn } from './notification-states.ts'
import { applyToLists } from './roster-changes.ts'
import { LIST_LINES } from './roster-lines.ts'
import { keyOf } from './roster.ts'
import { beginSync } from './synchronization.ts'

type State = Extract<NotificationState, { session: SignedIn }>
type Answered = Extract<Pending, { kind: 'request' }>

/** Seconds in QNG that make sense. */
const MAX_QNG_SECONDS = 600

/** What the server may say once we are signed in, while it tells the lists and after. */
export const SIGNED_IN: Handlers<State> = {
  // ACK of a challenge, profile after OK and so on come at any time.
  // SYN 8 27 3 2 / SYN 8 27 / SYN 8 2004-07-01T00:00:00.0-07:00 2004-07-01T00:00:00.0-07:00 3 1
  SYN(context, state, frame) {
    const request = context.line.requests.takeFor('SYN', frame.params[0])
    if (request === undefined) {
      context.line.unknownLines++
      return
    }
    beginSync(context, state.session, request.what, frame)
  },
  ...LIST_LINES,
  // CHG 9 NLN 268435456 ; with id 0 the server has changed it
  CHG(context, { session }, frame) {
    const request = context.line.requests.takeFor('CHG', frame.params[0])
    const status = statusOf(frame.params[1] ?? '')
    if (status === undefined) {
      unreadable(context, request, 'CHG')
      return
    }
    if (session.status !== status) {
      session.status = status
      context.line.emit({ kind: 'own-status', status })
    }
    answer(context, request, { kind: 'done' })
  },
  // ILN 9 NLN bob@example.com Bob 268435456 %3Cmsnobj... ; the id is that of CHG or of ADD
  ILN: (context, { session }, frame) => see(context, session, frame.params.slice(1)),
  // NLN NLN bob@example.com Bob 268435456 %3Cmsnobj...
  NLN: (context, { session }, frame) => see(context, session, frame.params),
  // FLN bob@example.com
  FLN(context, { session }, { params: [email] }) {
    const { line } = context
    const { roster } = session
    if (!isAddress(email)) {
      line.malformedLines++
      return
    }
    if (isMessenger(context, session, email)) {
      messengerIs(line, session, undefined)
      return
    }
    const known = roster.get(email)
    if (known === undefined || !roster.see(email, undefined)) return
    line.emit({ kind: 'presence', email: known.email, name: known.name, presence: undefined })
  },
  // UBX bob@example.com 85: an empty payload takes it back
  UBX(context, { session }, { params: [email], payload }) {
    const { line } = context
    const { roster } = session
    if (!isAddress(email) || payload === undefined) {
      line.malformedLines++
      return
    }
    const known = roster.get(email)
    const message = parsePersonalMessage(payload)
    if (session.messenger !== undefined && isMessenger(context, session, email)) {
      messengerIs(line, session, { ...session.messenger, personal: message })
      return
    }
    if (known === undefined || !roster.hear(email, message)) return
    line.emit({ kind: 'personal-message', email: known.email, message })
  },
  // UUX 10 0
  UUX(context, _, frame) {
    answer(context, context.line.requests.takeFor('UUX', frame.params[0]), { kind: 'done' })
  },
  // GCF 17 Shields.xml 151 / GCF 0 151
  GCF(context, _, { params, payload }) {
    const request = context.line.requests.takeFor('GCF', params[0])
    if (payload === undefined) unreadable(context, request, 'GCF')
    else answer(context, request, { kind: 'file', bytes: Uint8Array.from(payload) })
  },
  // XFR 15 SB 192.0.2.9:1863 CKI 17262740.1050826919.32308 / XFR 0 NS 192.0.2.5:1863 0 192.0.2.1:1863
  XFR(context, _, frame) {
    if (redirected(context, frame)) return
    const [trid, role, address, , token] = frame.params
    const request = context.line.requests.takeFor('XFR', trid)
    const target = parseHostPort(address)
    if (role?.toUpperCase() !== 'SB' || target === undefined || token === undefined) {
      unreadable(context, request, 'XFR')
      return
    }
    answer(context, request, { kind: 'switchboard', ...target, token })
  },
  // RNG 11752013 192.0.2.9:1863 CKI 849102291.520491113 alice@example.com Alice%20A
  RNG({ line }, _, { params: [session, address, , token, email, name] }) {
    const target = parseHostPort(address)
    if (session === undefined || target === undefined || token === undefined || !isAddress(email)) {
      {
        line.malformedLines++
        return
      }
    }
    line.emit({ kind: 'ring', session, ...target, token, email, name: nameOf(name ?? email) })
  },
  // URL 17 /cgi-bin/HoTMaiL http://... 1
  URL(context, _, { params: [trid, ...words] }) {
    answer(context, context.line.requests.takeFor('URL', trid), { kind: 'url', words })
  },
  CHL(context, { session }, frame) {
    answerChallenge(context.line, frame, session.dialect, { kind: 'challenge' }, context.timings.commandMs)
  },
  QRY: ({ line }, _, frame) => void line.requests.takeFor('QRY', frame.params[0]),
  // QNG 50: the seconds until the next PNG. Earlier is harmless, so ours may be shorter.
  QNG({ line, timings }, { session }, { params: [word = ''] }) {
    session.pongBy = undefined
    const seconds = /^\d{1,6}$/.test(word) ? Math.min(Number(word), MAX_QNG_SECONDS) : 0
    session.pingAt = line.now + (seconds === 0 ? timings.pingMs : Math.min(timings.pingMs, seconds * 1_000))
  },
  // MSG Hotmail Hotmail 512: only the server itself speaks here, and anybody else is a forger
  MSG({ line, confirms }, { session }, { params: [sender], payload }) {
    if (payload === undefined || sender !== 'Hotmail') return
    const mime = parseMime(payload)
    const said = parseServerSaid(mime)
    if (said.kind === 'going-down') line.emit({ kind: 'going-down', minutes: said.minutes })
    const news = said.kind === 'mail' ? newsOfMail(said) : undefined
    if (news !== undefined) line.emit({ kind: 'mail', news })
    session.participants = participantsIn(mime) ?? session.participants
    if (confirms && !session.confirms && mime.headers.get(CONFIRM_HEADER) === '1') {
      session.confirms = true
      line.say('CFM', [0, 'ON'])
    }
  },
  CFM: ignore,
  OUT: (context, _, frame) => out(context, frame),
  // Alerts, pages and what belongs to later dialects or other devices
  NOT: ignore,
  IPG: ignore,
  // SBS 0 null: of mobile phones, and nobody knows what
  SBS: ignore,
}

/** An error in answer to a request. What the server says is so already, we take over. */
export function refused(context: NotificationContext, session: SignedIn, what: Answered, code: number): void {
  const { request } = what
  // Of ourselves it says that we cannot be on a list of our own.
  const isOurs = request.kind === 'list-add' && keyOf(request.email) === keyOf(session.email)
  if (request.kind === 'list-add' && code === 215 && !isOurs)
    applyToLists(context, session, 'added', lineOf(request), true)
  if (request.kind === 'list-remove' && code === 216) applyToLists(context, session, 'removed', lineOf(request), true)
  context.line.emit({ kind: 'answer', id: what.id, answer: { kind: 'refused', code } })
}

const lineOf = (request: Extract<NotificationRequest, { kind: 'list-add' | 'list-remove' }>) => ({
  list: request.list,
  email: request.email,
  name: undefined,
  group: request.group,
})

/** The own address is that of the Messenger beside which we stand. */
const isMessenger = ({ beside }: NotificationContext, session: SignedIn, email: string): boolean =>
  beside && keyOf(email) === keyOf(session.email)

function messengerIs(line: NotificationContext['line'], session: SignedIn, messenger: SignedIn['messenger']): void {
  if (JSON.stringify(session.messenger) === JSON.stringify(messenger)) return
  session.messenger = messenger
  line.emit({ kind: 'messenger', messenger })
}

function see(context: NotificationContext, session: SignedIn, words: readonly string[]): void {
  const { line } = context
  const seen = parsePresence(words)
  if (seen === undefined) {
    line.malformedLines++
    return
  }
  if (isMessenger(context, session, seen.email)) {
    const { personal = NO_PERSONAL_MESSAGE } = session.messenger ?? {}
    messengerIs(line, session, { ...seen.presence, personal })
    return
  }
  if (keyOf(seen.email) === keyOf(session.email)) return
  if (session.roster.see(seen.email, seen.presence, seen.name)) line.emit({ kind: 'presence', ...seen })
}
