import { TRAITS } from '../model/dialect.ts'
import { isAddress } from '../model/address.ts'
import { contactIdOf } from '../model/ids.ts'
import { nameOf } from '../model/names.ts'
import type { Frame } from '../wire/frame.ts'
import { parseAdd, parseBpr, parseLst, parseRem, type ListLine } from './list-lines.ts'
import { parseGroupWords, parseKeyedChange, parseKeyedEntry, type KeyedChange } from './list-words.ts'
import { answer, unreadable } from './notification-answers.ts'
import type { Handlers, NotificationContext, Pending } from './notification-context.ts'
import type { NotificationState, SignedIn } from './notification-states.ts'
import { applyToLists } from './roster-changes.ts'
import type { Request } from './requests.ts'
import { keyOf } from './roster.ts'
import { finishSync } from './synchronization.ts'

type State = Extract<NotificationState, { session: SignedIn }>

/** What the server says of our lists, of their groups and of what belongs to the people on them. */
export const LIST_LINES: Handlers<State> = {
  // LSG 1 Work 0 / LSG Work guid
  LSG({ line }, { session }, { params }) {
    const [id, name] = params
    const group = parseGroupWords(params) ?? { id, name: name === undefined ? undefined : nameOf(name) }
    if (group.id === undefined || group.name === undefined) {
      line.malformedLines++
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.addGroup(group.id, group.name)
  },
  // LST bob@example.com Bob 11 0,1 / LST N=bob@example.com F=Bob C=guid 11 1 guid,guid
  LST(context, { session }, { params }) {
    const { sync } = session
    session.lastListed = listed(context, session, params)
    if (sync === undefined) return
    sync.listed++
    sync.deadline = context.line.now + context.timings.commandMs
    if (sync.listed >= sync.expected) finishSync(context, session, sync)
  },
  // BPR PHM 1%20555 / BPR 35 bob@example.com PHM 1%20555 / BPR bob@example.com MFN Bob
  BPR({ line }, { session }, { params }) {
    const line_ = parseBpr(params)
    const email = line_?.email ?? session.lastListed
    if (line_ === undefined) {
      line.malformedLines++
      return
    }
    if (email === undefined) return
    for (const roster of [session.sync?.fresh, session.roster]) {
      if (line_.code !== 'MFN') roster?.phone(email, line_.code, line_.value)
      else if (line_.value !== undefined) roster?.rename(email, line_.value)
    }
  },
  // GTC A / GTC 9 39 N / GTC 9 N
  GTC(context, { session }, frame) {
    const value = settingOf(context, frame, 'done')
    if (value !== 'A' && value !== 'N') {
      context.line.malformedLines++
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.prompt = value === 'A'
  },
  // BLP AL / BLP 9 39 BL / BLP 9 BL
  BLP(context, { session }, frame) {
    const value = settingOf(context, frame, 'done')
    if (value !== 'AL' && value !== 'BL') {
      context.line.malformedLines++
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.privacy = value
  },
  // PRP PHH 555%201234 / PRP 9 38 PHH 555%201234 / PRP MFN Alice%20A / PRP 9 MFN Alice%20B
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
    if (code === 'MFN') {
      ownName(context, session, value === undefined ? session.email : nameOf(value))
      return
    }
    const roster = session.sync?.fresh ?? session.roster
    roster.ownPhone(code, value === undefined ? undefined : nameOf(value))
  },
  // ADD 9 FL 28 bob@example.com Bob 0 / ADD 0 RL 32 bob@example.com Bob
  ADD(context, { session }, frame) {
    const added = parseAdd(frame.params.slice(1))
    const request = context.line.requests.takeFor('ADD', frame.params[0])
    changeList(context, session, request, 'added', added)
  },
  // ADC 9 FL N=bob@example.com F=Bob C=guid / ADC 9 FL C=guid groupGuid / ADC 0 RL N=bob@example.com F=Bob
  ADC(context, { session }, frame) {
    const request = context.line.requests.takeFor('ADC', frame.params[0])
    const change = parseKeyedChange(frame.params.slice(1))
    const added = change === undefined ? undefined : personOf(session, request, change)
    if (added !== undefined && intoGroup(context, session, request, added)) return
    changeList(context, session, request, 'added', added)
  },
  // REM 9 FL 30 bob@example.com 2 / REM 0 RL 33 bob@example.com / REM 9 FL guid groupGuid
  REM(context, { session }, frame) {
    const words = frame.params.slice(1)
    const request = context.line.requests.takeFor('REM', frame.params[0])
    const removed = TRAITS[session.dialect].guidIds ? removedById(session, request, words) : parseRem(words)
    changeList(context, session, request, 'removed', removed)
  },
  // ADG 9 34 Work 2 0 / ADG 9 Work guid 0
  ADG(context, { session }, frame) {
    const [trid, , name, id] = frame.params
    const request = context.line.requests.takeFor('ADG', trid)
    const group = parseGroupWords(frame.params.slice(1)) ?? { id, name: name === undefined ? undefined : nameOf(name) }
    if (group.id === undefined || group.name === undefined) {
      unreadable(context, request, 'ADG')
      return
    }
    session.roster.addGroup(group.id, group.name)
    answer(context, request, { kind: 'group', id: group.id })
  },
  // REG 9 35 2 Play 0 / REG 9 1 Play guid 0 / REG 9 guid Play
  REG(context, { session }, frame) {
    const [trid, , id, name] = frame.params
    const request = context.line.requests.takeFor('REG', trid)
    const group = parseGroupWords(frame.params.slice(1)) ?? { id, name: name === undefined ? undefined : nameOf(name) }
    if (group.id === undefined || group.name === undefined) {
      unreadable(context, request, 'REG')
      return
    }
    session.roster.addGroup(group.id, group.name)
    answer(context, request, { kind: 'done' })
  },
  // RMG 9 36 2 / RMG 9 1 guid / RMG 9 guid
  RMG(context, { session }, frame) {
    const [trid, , second] = frame.params
    const request = context.line.requests.takeFor('RMG', trid)
    const id = parseGroupWords(frame.params.slice(1))?.id ?? second
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
  // SBP 9 guid MFN Bobby
  SBP(context, { session }, { params: [trid, id, property, value] }) {
    const request = context.line.requests.takeFor('SBP', trid)
    if (id === undefined || property === undefined) {
      unreadable(context, request, 'SBP')
      return
    }
    const contact = session.roster.byId(id)
    if (contact !== undefined && property.toUpperCase() === 'MFN' && value !== undefined) {
      session.roster.rename(contact.email, nameOf(value))
    }
    answer(context, request, { kind: 'done' })
  },
}

/** Puts one LST into the lists that are being told; gives whom it is about. */
function listed({ line }: NotificationContext, session: SignedIn, params: readonly string[]): string | undefined {
  const roster = session.sync?.fresh ?? session.roster
  const { guidIds, networkIds } = TRAITS[session.dialect]
  if (guidIds && /^[A-Z]=/i.test(params[0] ?? '')) {
    const entry = parseKeyedEntry(params, networkIds)
    if (entry === undefined) line.malformedLines++
    // A phone that stands for a person has no address that could be written to.
    if (entry?.email === undefined || !isAddress(entry.email)) return undefined
    const { email, name = email, lists, groups, id, network } = entry
    roster.list(email, name, lists, groups, id, network)
    return email
  }
  const entry = parseLst(params)
  if (entry === undefined) line.malformedLines++
  else roster.list(entry.email, entry.name, entry.lists, entry.groups)
  return entry?.email
}

/** Whom an ADC is about: some name the id alone. */
function personOf(
  session: SignedIn,
  request: Request<Pending> | undefined,
  { list, email, name, id, group }: KeyedChange,
): ListLine | undefined {
  const known = id === undefined ? undefined : session.roster.byId(id)
  const address = email ?? known?.email ?? askedAbout(request)
  if (!isAddress(address)) return undefined
  return { list, email: address, name, group, ...(id === undefined ? {} : { id }) }
}

/** `FL guid groupGuid`, `AL bob@example.com`, after the transaction id. */
function removedById(
  session: SignedIn,
  request: Request<Pending> | undefined,
  words: readonly string[],
): ListLine | undefined {
  const plain = parseRem(words)
  if (plain !== undefined) return { ...plain, staysListed: true }
  const [list, word = '', group] = words
  const id = contactIdOf(word)
  if (id === undefined) return undefined
  const email = session.roster.byId(id)?.email ?? askedAbout(request)
  if (list?.toUpperCase() !== 'FL' || email === undefined) return undefined
  return { list: 'FL', email, name: undefined, group, staysListed: true }
}

function askedAbout(request: Request<Pending> | undefined): string | undefined {
  const asked = request?.what.kind === 'request' ? request.what.request : undefined
  return asked?.kind === 'list-add' || asked?.kind === 'list-remove' ? asked.email : undefined
}

/**
 * From MSNP10 on somebody new is put on FL first and then into a group: whether that second step is under way now, and
 * the answer belongs to it.
 */
function intoGroup(
  context: NotificationContext,
  session: SignedIn,
  request: Request<Pending> | undefined,
  added: ListLine,
): boolean {
  const { line, timings } = context
  if (request?.what.kind !== 'request' || request.what.secondStep === true) return false
  const { what } = request
  const wanted = what.request.kind === 'list-add' && what.request.list === 'FL' ? what.request.group : undefined
  if (wanted === undefined || wanted === '0' || added.group !== undefined || added.id === undefined) return false
  applyToLists(context, session, 'added', added, true)
  line.ask('ADC', ['FL', `C=${added.id}`, wanted], { ...what, secondStep: true }, timings.commandMs)
  return true
}

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
