import { isAddress } from '../model/address.ts'
import { nameOf } from '../model/names.ts'
import { statusOf } from '../model/status.ts'
import { CONFIRM_HEADER, parseServerSaid } from '../model/content-types.ts'
import { newsOfMail } from '../model/mail.ts'
import { parseMime } from '../wire/mime.ts'
import type { Frame } from '../wire/frame.ts'
import { parseAdd, parseBpr, parseLst, parsePresence, parseRem, type ListLine } from './list-lines.ts'
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
import type { NotificationAnswer, NotificationRequest, NotificationState, SignedIn } from './notification-states.ts'
import type { Request } from './requests.ts'
import { keyOf } from './roster.ts'
import { beginSync, finishSync, MAX_SINCE } from './synchronization.ts'

type State = Extract<NotificationState, { session: SignedIn }>
type Answered = Extract<Pending, { kind: 'request' }>

/** Seconds in QNG that make sense. */
const MAX_QNG_SECONDS = 600

/** What the server may say once we are signed in, while it tells the lists and after. */
export const SIGNED_IN: Handlers<State> = {
  // ACK of a challenge, profile after OK and so on come at any time.
  // SYN 8 27 3 2 / SYN 8 27
  SYN(context, state, frame) {
    const request = context.line.requests.takeFor('SYN', frame.params[0])
    if (request === undefined) {
      context.line.unknownLines++
      return
    }
    beginSync(context, state.session, request.what, frame)
  },
  // LSG 1 Work 0
  LSG({ line }, { session }, { params: [id, name] }) {
    if (id === undefined || name === undefined) {
      line.malformedLines++
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.addGroup(id, nameOf(name))
  },
  // LST bob@example.com Bob 11 0,1
  LST(context, { session }, frame) {
    const { sync } = session
    const listed = parseLst(frame.params)
    if (listed === undefined) context.line.malformedLines++
    else (sync?.fresh ?? session.roster).list(listed.email, listed.name, listed.lists, listed.groups)
    session.lastListed = listed?.email
    if (sync === undefined) return
    sync.listed++
    sync.deadline = context.line.now + context.timings.commandMs
    if (sync.listed >= sync.expected) finishSync(context, session, sync)
  },
  // BPR PHM 1%20555 / BPR 35 bob@example.com PHM 1%20555
  BPR({ line }, { session }, { params }) {
    const line_ = parseBpr(params)
    const email = line_?.email ?? session.lastListed
    if (line_ === undefined) {
      line.malformedLines++
      return
    }
    if (email === undefined) return
    session.sync?.fresh.phone(email, line_.code, line_.value)
    session.roster.phone(email, line_.code, line_.value)
  },
  // GTC A / GTC 9 39 N
  GTC(context, { session }, frame) {
    const value = settingOf(context, frame, 'done')
    if (value !== 'A' && value !== 'N') {
      context.line.malformedLines++
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.prompt = value === 'A'
  },
  // BLP AL / BLP 9 39 BL
  BLP(context, { session }, frame) {
    const value = settingOf(context, frame, 'done')
    if (value !== 'AL' && value !== 'BL') {
      context.line.malformedLines++
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.privacy = value
  },
  // PRP PHH 555%201234 / PRP 9 38 PHH 555%201234
  PRP(context, { session }, frame) {
    const { params } = frame
    const request = context.line.requests.takeFor('PRP', params[0])
    if (request !== undefined) answer(context, request, { kind: 'done' })
    const at = params.findIndex((word) => /^[A-Z]{3}$/.test(word))
    const code = params[at]
    if (at === -1 || code === undefined) {
      context.line.malformedLines++
      return
    }
    const value = params[at + 1]
    const roster = session.sync?.fresh ?? session.roster
    roster.ownPhone(code, value === undefined ? undefined : nameOf(value))
  },
  // ADD 9 FL 28 bob@example.com Bob 0 / ADD 0 RL 32 bob@example.com Bob
  ADD(context, { session }, frame) {
    const added = parseAdd(frame.params.slice(1))
    const request = context.line.requests.takeFor('ADD', frame.params[0])
    changeList(context, session, request, 'added', added)
  },
  // REM 9 FL 30 bob@example.com 2 / REM 0 RL 33 bob@example.com
  REM(context, { session }, frame) {
    const removed = parseRem(frame.params.slice(1))
    const request = context.line.requests.takeFor('REM', frame.params[0])
    changeList(context, session, request, 'removed', removed)
  },
  // ADG 9 34 Work 2 0
  ADG(context, { session }, frame) {
    const [trid, , name, id] = frame.params
    const request = context.line.requests.takeFor('ADG', trid)
    if (name === undefined || id === undefined) {
      unreadable(context, request, 'ADG')
      return
    }
    session.roster.addGroup(id, nameOf(name))
    answer(context, request, { kind: 'group', id })
  },
  // REG 9 35 2 Play 0
  REG(context, { session }, frame) {
    const [trid, , id, name] = frame.params
    const request = context.line.requests.takeFor('REG', trid)
    if (name === undefined || id === undefined) {
      unreadable(context, request, 'REG')
      return
    }
    session.roster.addGroup(id, nameOf(name))
    answer(context, request, { kind: 'done' })
  },
  // RMG 9 36 2
  RMG(context, { session }, frame) {
    const [trid, , id] = frame.params
    const request = context.line.requests.takeFor('RMG', trid)
    if (id === undefined) {
      unreadable(context, request, 'RMG')
      return
    }
    session.roster.removeGroup(id)
    answer(context, request, { kind: 'done' })
  },
  // REA 9 37 alice@example.com Alice%20B
  REA(context, { session }, frame) {
    const { params } = frame
    const request = context.line.requests.takeFor('REA', params[0])
    const [email, name] = isAddress(params[1]) ? params.slice(1) : params.slice(2)
    if (!isAddress(email) || name === undefined) {
      unreadable(context, request, 'REA')
      return
    }
    if (keyOf(email) === keyOf(session.email)) ownName(context, session, nameOf(name))
    else session.roster.rename(email, nameOf(name))
    answer(context, request, { kind: 'done' })
  },
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
  FLN({ line }, { session: { roster } }, { params: [email] }) {
    if (!isAddress(email)) {
      line.malformedLines++
      return
    }
    const known = roster.get(email)
    if (known === undefined || !roster.see(email, undefined)) return
    line.emit({ kind: 'presence', email: known.email, name: known.name, presence: undefined })
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
  UBX: ignore,
  SBS: ignore,
  GCF: ignore,
}

/** An error in answer to a request. What the server says is so already, we take over. */
export function refused(context: NotificationContext, session: SignedIn, what: Answered, code: number): void {
  const { request } = what
  if (request.kind === 'list-add' && code === 215) applyToLists(context, session, 'added', lineOf(request), true)
  if (request.kind === 'list-remove' && code === 216) applyToLists(context, session, 'removed', lineOf(request), true)
  context.line.emit({ kind: 'answer', id: what.id, answer: { kind: 'refused', code } })
}

const lineOf = (request: Extract<NotificationRequest, { kind: 'list-add' | 'list-remove' }>): ListLine => ({
  list: request.list,
  email: request.email,
  name: undefined,
  group: request.group,
})

function changeList(
  context: NotificationContext,
  session: SignedIn,
  request: Request<Pending> | undefined,
  change: 'added' | 'removed',
  line: ListLine | undefined,
): void {
  if (line === undefined) {
    unreadable(context, request, change === 'added' ? 'ADD' : 'REM')
    return
  }
  applyToLists(context, session, change, line, request !== undefined)
  answer(context, request, { kind: 'done' })
}

function applyToLists(
  { line }: NotificationContext,
  session: SignedIn,
  change: 'added' | 'removed',
  { list, email, name, group }: ListLine,
  asked: boolean,
): void {
  const { roster, sync } = session
  const before = roster.get(email)
  const changed = change === 'added' ? roster.add(list, email, name, group) : roster.remove(list, email, group)
  if (sync !== undefined && sync.since.length < MAX_SINCE) sync.since.push({ change, list, email, name, group })
  if (!changed) return
  const known = roster.get(email) ?? before
  line.emit({ kind: 'list', list, change, email, name: known?.name ?? email, asked })
}

function see({ line }: NotificationContext, session: SignedIn, words: readonly string[]): void {
  const seen = parsePresence(words)
  if (seen === undefined) {
    line.malformedLines++
    return
  }
  if (keyOf(seen.email) === keyOf(session.email)) return
  if (session.roster.see(seen.email, seen.presence, seen.name)) line.emit({ kind: 'presence', ...seen })
}

function ownName({ line }: NotificationContext, session: SignedIn, name: string): void {
  if (session.name === name) return
  session.name = name
  line.emit({ kind: 'own-name', name })
}

/** The value of GTC or BLP: the last word, whether it stands alone in a list or comes as an answer. */
function settingOf(context: NotificationContext, frame: Frame, kind: 'done'): string | undefined {
  const request = frame.params.length < 2 ? undefined : context.line.requests.takeFor(frame.verb, frame.params[0])
  answer(context, request, { kind })
  return frame.params.at(-1)?.toUpperCase()
}

/** Nobody waits: the server says so unasked, and that was told already. */
function answer({ line }: NotificationContext, request: Request<Pending> | undefined, say: NotificationAnswer): void {
  if (request?.what.kind === 'request') line.emit({ kind: 'answer', id: request.what.id, answer: say })
}

function unreadable(context: NotificationContext, request: Request<Pending> | undefined, verb: string): void {
  context.line.malformedLines++
  answer(context, request, { kind: 'unreadable', verb })
}
