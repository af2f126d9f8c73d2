/** What people say to the bot, and what it answers: commands, passwords, and touches under its questions. */
import type { CommandReply, CommandRequest } from '../../bridge/adapter.ts'
import type { AccountNews, Outbound } from '../../bridge/model/events.ts'
import type { ChatId, UserId } from '../../bridge/model/ids.ts'
import { plain, textOf, type RichText } from '../../bridge/model/text.ts'
import type { Choices } from './choices.ts'
import { Courtesy } from './courtesy.ts'
import { isEventId } from './ids.ts'
import { answerTo, SOURCE } from './outbound.ts'
import { ownCommand, OWN_HELP, words, type OwnDeps } from './own-commands.ts'
import { path } from './paths.ts'
import type { PictureAsks, PictureCommand } from './picture-asks.ts'
import { roleOf, type Grant } from './permissions.ts'
import { redact } from './redaction.ts'
import { membersIn } from './members-in.ts'
import { membersCall, noticeCall } from './room-calls.ts'
import type { SaidOnce } from './said-once.ts'
import { concealedOf, type Asker, type Change, type Concealed, type Secrets } from './secrets.ts'
import { splitOp } from './split.ts'
import { correctedIn, isAtHome, isCancel, spokenIn, verbOf, type Spoken } from './spoken.ts'
import {
  mxidOf,
  refOf,
  type GhostPort,
  type HomeserverPort,
  type MatrixDeps,
  type Mxid,
  type RoomEvent,
  type RoomId,
  type RoomTable,
} from './types.ts'
import { recordOf } from './untrusted.ts'

export interface TalkDeps extends MatrixDeps {
  readonly homeserver: HomeserverPort
  readonly table: Pick<RoomTable, 'byRoom'>
  readonly ghosts: Pick<GhostPort, 'isOurs'>
  readonly grantOf: (user: Mxid) => Grant
  /** How somebody is called in a room, where that is known. */
  readonly nameOf: (user: Mxid, room: RoomId) => string | undefined
  readonly own: OwnDeps
  readonly secrets: Secrets
  readonly choices: Choices
  readonly pictures: PictureAsks
  readonly answers: SaidOnce
  /** They have just signed in with this account. */
  readonly signedIn: (user: Mxid, account: AccountNews) => void
}

/** What is to be said, and what is to be on disk before. */
interface Outcome {
  readonly lines: readonly RichText[]
  readonly changes?: readonly Change[]
  readonly ask?: Asker
}

const GREETING =
  'Hello! I bring your MSN contacts into Matrix. Write login to sign in to MSN with your own account, or help for all that I can do.'
const GREETING_ELSEWHERE =
  'Hello! Here I answer to what begins with !msn, such as: !msn help. To sign in to MSN, write to me in a room of our own.'
const NOT_HERE =
  'Others can read along here, so I did not use it. Write to me in a room of our own, where I can also ask you for a password.'
const LATE = 'I did not wait for that any more, and have thrown it away. Say again what you wanted to do.'
const LOST = 'I was restarted before I could read that. Say again what you wanted to do.'
const NOT_DELETED = 'I may not delete messages in this room: delete the one with your password yourself.'
const RELAY_ONLY = 'You may speak through this bridge where a relay is set, but not command it.'
const NOBODY = 'You may not use this bridge. Who may is said in its config, under permissions.'

export class Talk {
  readonly #deps: TalkDeps
  readonly #courtesy = new Courtesy()

  constructor(deps: TalkDeps) {
    this.#deps = deps
  }

  async load(): Promise<void> {
    const { secrets, choices, answers } = this.#deps
    await Promise.all([secrets.load(), choices.load(), answers.load()])
  }

  /** Whether an event is for the bot, and for nobody else. */
  hears(event: RoomEvent): boolean {
    const { table, ghosts, choices, homeserver, answers } = this.#deps
    if (ghosts.isOurs(event.sender) || event.content[SOURCE] === homeserver.bot) return false
    if (answers.of(event.event_id) !== undefined) return true
    const room = table.byRoom(event.room_id)
    switch (event.type) {
      case 'm.room.message':
        if (concealedOf(event) !== undefined || room?.kind === 'home') return true
        return spokenIn(event, room) !== undefined || correctedIn(event, room) !== undefined
      case 'm.reaction':
        return choices.chosenBy(event) !== undefined
      default:
        return false
    }
  }

  /** Takes what is secret out of an event before it is stored. Of the others only a forged mark. */
  conceal(event: RoomEvent): RoomEvent {
    const { secrets, table } = this.#deps
    // A room that is nothing yet may be about to become the one where they speak with the bot.
    const room = table.byRoom(event.room_id) ?? { kind: 'home', owner: event.sender }
    return secrets.conceal(event, spokenIn(event, room), correctedIn(event, room))
  }

  /**
   * For events that `hears` takes. Resolves when it is answered; may be asked again. Rejects when that could not be, or
   * when the signal is aborted.
   */
  async act(event: RoomEvent, signal: AbortSignal): Promise<void> {
    const { answers, context, secrets } = this.#deps
    let texts = answers.of(event.event_id)
    if (texts === undefined) {
      const outcome = await this.#outcome(event, signal)
      texts = noticesOf(outcome?.lines ?? [])
      const asked = outcome?.ask === undefined ? [] : [secrets.ask(event.sender, event.room_id, outcome.ask)]
      const noted = texts.length === 0 ? [] : answers.put(event.event_id, texts)
      const changes = [...noted, ...(outcome?.changes ?? []), ...asked]
      if (changes.length > 0) await context.state.update(changes)
    }
    await this.#answer(event, texts, signal)
    secrets.settled(event)
  }

  /** Somebody opened a room with the bot: once for each room. */
  async greet(user: Mxid, room: RoomId, signal: AbortSignal): Promise<void> {
    const grant = this.#deps.grantOf(user)
    const greeting = isAtHome(this.#deps.table.byRoom(room), user) ? GREETING : GREETING_ELSEWHERE
    const text = roleOf(grant) === 'none' ? this.#refusal(user, grant) : greeting
    if (text === undefined) return
    await this.#deps.homeserver.insist(noticeCall(room, `greeting/${user}`, text, { signal }))
  }

  async #outcome(event: RoomEvent, signal: AbortSignal): Promise<Outcome | undefined> {
    const chosen = this.#deps.choices.chosenBy(event)
    const kind = concealedOf(event)
    const spoken = this.#spoken(event)
    const picture = kind === undefined ? this.#sent(event) : undefined
    if (chosen === undefined && kind === undefined && spoken === undefined && picture === undefined) return undefined
    const grant = this.#deps.grantOf(event.sender)
    if (roleOf(grant) === 'none') {
      const text = this.#refusal(event.sender, grant)
      return text === undefined ? undefined : { lines: [plain(text)] }
    }
    if (chosen !== undefined) {
      const outcome = await this.#command(event, { line: chosen.line }, signal)
      return { ...outcome, changes: [...(outcome.changes ?? []), this.#deps.choices.close(chosen.ask)] }
    }
    if (kind !== undefined) return this.#secret(event, kind, signal)
    if (picture !== undefined) return this.#picture(event, picture, {})
    return spoken === undefined ? undefined : this.#command(event, spoken, signal)
  }

  /** An image, where they speak with the bot alone. */
  #sent(event: RoomEvent): PictureCommand | undefined {
    const isAlone = event.type === 'm.room.message' && isAtHome(this.#deps.table.byRoom(event.room_id), event.sender)
    return isAlone ? this.#deps.pictures.sent(event) : undefined
  }

  async #picture(event: RoomEvent, picture: PictureCommand, trigger: Pick<Spoken, 'trigger'>): Promise<Outcome> {
    if ('say' in picture) return said(picture.say)
    return {
      lines: (await this.#ask({ ...this.#request(event, { line: picture.line, ...trigger }), file: picture.file }))
        .lines,
    }
  }

  #spoken(event: RoomEvent): Spoken | undefined {
    return spokenIn(event, this.#deps.table.byRoom(event.room_id))
  }

  async #command(event: RoomEvent, spoken: Spoken, signal: AbortSignal): Promise<Outcome> {
    const verb = verbOf(spoken.line)
    const own = ownCommand(verb)
    const call = { ...this.#ownCall(event), signal }
    if (own !== undefined) {
      const answer = await own.run(call, this.#deps.own)
      return typeof answer === 'string'
        ? said(answer)
        : this.#asks(event, { lines: [plain(answer.ask)] }, 'puppet', signal)
    }
    const alone = isAtHome(this.#deps.table.byRoom(event.room_id), event.sender)
    const picture = await this.#deps.pictures.said(event, spoken, alone, signal)
    if (picture !== undefined) {
      const { trigger } = spoken
      return this.#picture(event, picture, trigger === undefined ? {} : { trigger })
    }
    if (isCancel(spoken.line) && this.#deps.pictures.cancel(event.sender, event.room_id)) return said('Cancelled.')
    const topic = ownCommand(verbOf(spoken.line.trim().slice(verb.length)))
    if (verb === 'help' && topic !== undefined) return said(`${spoken.trigger ?? ''}${topic.usage}: ${topic.about}`)
    const cancelled = isCancel(spoken.line) ? this.#cancelled(event) : undefined
    if (cancelled?.asker === 'puppet') return { lines: [plain('Cancelled.')], changes: [cancelled.change] }
    const reply = await this.#ask(this.#request(event, spoken))
    const lines = verb === 'help' && !/\s/.test(spoken.line.trim()) ? withOwn(reply.lines) : reply.lines
    const outcome = { lines, ...(cancelled === undefined ? {} : { changes: [cancelled.change] }) }
    return reply.secretNext === true ? this.#asks(event, outcome, 'core', signal) : outcome
  }

  #cancelled({ sender, room_id }: RoomEvent): { readonly asker: Asker; readonly change: Change } | undefined {
    const asker = this.#deps.secrets.asked(sender, room_id)
    const change = this.#deps.secrets.close(sender, room_id)
    return asker === undefined || change === undefined ? undefined : { asker, change }
  }

  /** Secrets are asked for only where nobody else reads them. */
  async #asks(event: RoomEvent, outcome: Outcome, asker: Asker, signal: AbortSignal): Promise<Outcome> {
    const { homeserver, table } = this.#deps
    if (isAtHome(table.byRoom(event.room_id), event.sender)) {
      const there = await homeserver.insist<unknown>(membersCall(event.room_id, { signal }))
      const others = there.ok ? membersIn(there.value, ['join', 'invite']) : []
      if (others.every((id) => id === event.sender || id === homeserver.bot)) return { ...outcome, ask: asker }
    }
    if (asker === 'core') await this.#deps.context.command(this.#request(event, { line: 'cancel' }))
    return said(NOT_HERE)
  }

  async #secret(event: RoomEvent, kind: Concealed, signal: AbortSignal): Promise<Outcome | undefined> {
    const { secrets } = this.#deps
    const secret = secrets.take(event.event_id)
    const asker = secrets.asked(event.sender, event.room_id)
    // It came before we could ask, and we did not ask: it was a command like any other.
    if (kind === 'perhaps' && asker === undefined && secret !== undefined) {
      const room = this.#deps.table.byRoom(event.room_id)
      const spoken = spokenIn({ ...event, content: { msgtype: 'm.text', body: secret } }, room)
      return spoken === undefined ? undefined : this.#command(event, spoken, signal)
    }
    const isGone = await redact(event, { homeserver: this.#deps.homeserver, puppets: this.#deps.own.puppets }, signal)
    // The secret is lost with us then, and at the next start they are told so.
    signal.throwIfAborted()
    const outcome = await this.#used(event, kind, asker, secret)
    if (isGone) return outcome
    return { ...outcome, lines: [...(outcome?.lines ?? []), plain(NOT_DELETED)] }
  }

  async #used(
    event: RoomEvent,
    kind: Concealed,
    asker: Asker | undefined,
    secret: string | undefined,
  ): Promise<Outcome | undefined> {
    switch (kind) {
      case 'edit':
        return undefined
      case 'inline':
        return this.#inline(event, secret)
      case 'late':
      case 'perhaps':
      case 'answer': {
        const change = this.#deps.secrets.close(event.sender, event.room_id)
        const changes = change === undefined ? [] : [change]
        if (kind === 'late' || secret === undefined || asker === undefined)
          return { lines: [plain(kind === 'late' ? LATE : LOST)], changes }
        const outcome = await this.#answered(event, asker, secret)
        return { ...outcome, changes }
      }
    }
  }

  /** The command, and what it would have asked for. */
  async #inline(event: RoomEvent, secret: string | undefined): Promise<Outcome> {
    const spoken = this.#spoken(event)
    if (spoken === undefined || !isAtHome(this.#deps.table.byRoom(event.room_id), event.sender)) return said(NOT_HERE)
    if (secret === undefined) return said(LOST)
    if (verbOf(spoken.line) === 'login-matrix') return this.#answered(event, 'puppet', secret)
    const reply = await this.#ask(this.#request(event, spoken))
    return reply.secretNext === true ? this.#answered(event, 'core', secret) : { lines: reply.lines }
  }

  async #answered(event: RoomEvent, asker: Asker, secret: string): Promise<Outcome> {
    if (asker === 'puppet') return said(words(await this.#deps.own.puppets.login(event.sender, secret.trim())))
    const reply: CommandReply = await this.#ask({ ...this.#request(event, { line: '' }), secret })
    return reply.secretNext === true ? { lines: reply.lines, ask: 'core' } : { lines: reply.lines }
  }

  /** The bridge answers. */
  async #ask(request: CommandRequest): Promise<CommandReply> {
    const reply = await this.#deps.context.command(request)
    if (reply.about !== undefined) this.#deps.signedIn(mxidOf(request.from.user), reply.about)
    return reply
  }

  /** undefined: they know. */
  #refusal(user: Mxid, grant: Grant): string | undefined {
    if (!this.#courtesy.isDue(user, this.#deps.context.clock.now())) return undefined
    return grant === 'relay' ? RELAY_ONLY : NOBODY
  }

  #ownCall({ sender, room_id }: RoomEvent) {
    return {
      user: sender,
      role: roleOf(this.#deps.grantOf(sender)),
      roomId: room_id,
      room: this.#deps.table.byRoom(room_id),
    }
  }

  #request(event: RoomEvent, { line, trigger }: Spoken): CommandRequest {
    const { network, account, nameOf } = this.#deps
    const { sender, room_id } = event
    const { room, role } = this.#ownCall(event)
    return {
      from: { network, user: sender as string as UserId },
      fromName: nameOf(sender, room_id) ?? sender.slice(1, sender.indexOf(':')),
      via: account.id,
      ...(isAtHome(room, sender) ? {} : { chat: refOf(network, room?.chat ?? (room_id as string as ChatId)) }),
      role,
      line,
      ...(trigger === undefined ? {} : { trigger }),
    }
  }

  /** In order, each once however often it is tried. */
  async #answer(event: RoomEvent, texts: readonly RichText[], signal: AbortSignal): Promise<void> {
    const { homeserver, context } = this.#deps
    const touched = event.type === 'm.reaction' ? recordOf(event.content['m.relates_to'])['event_id'] : undefined
    const target = isEventId(touched) ? touched : event.event_id
    for (const [index, text] of texts.entries()) {
      const sent = await homeserver.insist({
        method: 'PUT',
        path: path`/_matrix/client/v3/rooms/${event.room_id}/send/m.room.message/${`${event.event_id}/answer-${index}`}`,
        body: answerTo(target, text, homeserver.bot),
        device: true,
        signal,
      })
      if (sent.ok) continue
      if (sent.failure.kind !== 'refused') throw new Error(`the answer was not sent: ${sent.failure.detail}`)
      // Somebody took the bot out of the room.
      context.log.debug({ detail: sent.failure.detail }, 'an answer was refused')
      return
    }
  }
}

const said = (text: string): Outcome => ({ lines: [plain(text)] })

/** Our own row before the last line, which says how to ask for more. */
const withOwn = (lines: readonly RichText[]): readonly RichText[] => [
  ...lines.slice(0, -1),
  plain(OWN_HELP),
  ...lines.slice(-1),
]

/** As few notices as the lines fit in. */
const noticesOf = (lines: readonly RichText[]): readonly RichText[] => {
  const text = lines.flatMap((line, index): RichText => (index === 0 ? line : [{ text: '\n' }, ...line]))
  if (textOf(text).trim() === '') return []
  const op: Outbound = { kind: 'status', text }
  return splitOp(op).flatMap((each) => (each.kind === 'status' ? [each.text] : []))
}
