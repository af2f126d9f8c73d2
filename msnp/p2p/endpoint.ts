import { Buffer } from 'node:buffer'
import { MisuseError } from '../../sansio/machine.ts'
import { isObjectData } from '../model/msn-object.ts'
import type { MimeMessage } from '../wire/mime.ts'
import { Assembler } from './assembler.ts'
import {
  DEFAULT_P2P_LIMITS,
  DEFAULT_P2P_TIMINGS,
  EUF,
  type P2pCommand,
  type P2pEnd,
  type P2pEvent,
  type P2pLimits,
  type P2pOptions,
  type P2pOutput,
  type P2pTimings,
  type SessionHandle,
} from './contract.ts'
import { formatFileContext } from './file-context.ts'
import { agreement, objectOf, overSwitchboard, roleOf, wireIdOf } from './negotiation.ts'
import { destinationOf, FLAGS, parsePacket, type Packet } from './packet.ts'
import { Partials } from './partials.ts'
import { Sender, type Message } from './sender.ts'
import { isSent, renew, Sessions, type Arrival, type Role, type RoleOf, type Session } from './session.ts'
import { answerTo, canBeNamed, fieldOf, formatSlp, parseSlp, SLP_TYPES, type Slp } from './slp.ts'

/** A file is asked for in parts of so many bytes, when fewer than half of them wait to go out. */
const PART_BYTES = 64 * 1024
const PREPARATION_BYTES = 4
const PREPARATION = new Uint8Array(PREPARATION_BYTES)

/**
 * All peer-to-peer sessions over one switchboard, with everybody who is inside. No I/O: packets, time and commands in,
 * packets and events out. Never throws for what a peer does. Source: docs/protocol.md, Peer-to-peer packets.
 */
export class P2pEndpoint {
  readonly #own: string
  readonly #isElsewhere: () => boolean
  readonly #limits: P2pLimits
  readonly #timings: P2pTimings
  readonly #sender: Sender
  readonly #partials = new Partials()
  readonly #sessions: Sessions
  #out: P2pOutput[] = []
  #nextHandle = 1

  constructor({ own, random, isElsewhere, limits, timings }: P2pOptions) {
    this.#own = own.toLowerCase()
    this.#isElsewhere = isElsewhere ?? (() => false)
    this.#sessions = new Sessions(random)
    this.#limits = { ...DEFAULT_P2P_LIMITS, ...limits }
    this.#timings = { ...DEFAULT_P2P_TIMINGS, ...timings }
    this.#sender = new Sender({
      limits: this.#limits,
      timings: this.#timings,
      random,
      out: (output) => this.#out.push(output),
      onAcked: (message, now) => this.#delivered(message, now),
      onFailed: (message, how, now) => this.#notDelivered(message, how, now),
      onProgress: (message, now) => this.#progress(message, now),
    })
  }

  /** Sessions that are not over. */
  get size(): number {
    return this.#sessions.size
  }

  get wakeAt(): number | undefined {
    const at = Math.min(this.#sender.wakeAt ?? Infinity, this.#sessions.wakeAt)
    return at === Infinity ? undefined : at
  }

  /** For the next `fetch` or `offer`. */
  handle(): SessionHandle {
    return this.#nextHandle++
  }

  /** A message of type application/x-msnmsgrp2p. Whoever it is not for passes it over. */
  receive(from: string, message: MimeMessage, now: number): readonly P2pOutput[] {
    const packet = destinationOf(message) === this.#own ? parsePacket(message.body) : undefined
    if (packet !== undefined) this.#packet(from.toLowerCase(), packet, now)
    return this.#flush()
  }

  /** What became of a packet of ours: whether the switchboard took it. */
  carried(id: number, ok: boolean, now: number): readonly P2pOutput[] {
    this.#sender.carried(id, ok, now)
    return this.#flush()
  }

  /** Somebody is inside no more. */
  left(email: string): readonly P2pOutput[] {
    const peer = email.toLowerCase()
    for (const session of this.#sessions.all) if (session.peer === peer) this.#end(session, 'left')
    this.#sender.dropPeer(peer)
    return this.#flush()
  }

  /** The switchboard is gone. */
  closed(): readonly P2pOutput[] {
    for (const session of this.#sessions.all) this.#end(session, 'left')
    this.#out = this.#out.filter(({ kind }) => kind === 'event')
    return this.#flush()
  }

  tick(now: number): readonly P2pOutput[] {
    for (const session of this.#sessions.all) {
      if (session.deadline > now) continue
      const phase = 'phase' in session.role ? session.role.phase : undefined
      if (phase === 'closing') this.#end(session, 'done')
      else if (phase === 'left') this.#end(session, 'cancelled')
      else this.#abandon(session, 'timeout', now)
    }
    this.#sender.tick(now)
    return this.#flush()
  }

  /** What concerns a session that is over meanwhile does nothing. */
  command(command: P2pCommand, now: number): readonly P2pOutput[] {
    switch (command.kind) {
      case 'fetch':
        this.#fetch(command, now)
        break
      case 'offer':
        this.#offer(command, now)
        break
      case 'serve':
        this.#serve(command.session, command.bytes, now)
        break
      case 'accept':
        this.#accept(command.session, command.confirms === true, now)
        break
      case 'kept':
        this.#kept(command.session, now)
        break
      case 'decline': {
        const session = this.#sessions.get(command.session)
        if (session !== undefined && 'invite' in session.role) this.#decline(session, session.role.invite, now)
        break
      }
      case 'provide':
        this.#provide(command.session, command.bytes, now)
        break
      case 'cancel': {
        const session = this.#sessions.get(command.session)
        if (session === undefined) break
        this.#bye(session, now)
        this.#forget(session)
        break
      }
    }
    return this.#flush()
  }

  #fetch({ session, peer, object, xml }: Extract<P2pCommand, { kind: 'fetch' }>, now: number): void {
    const role: Role = { kind: 'fetch', object, pieces: [], isAgreed: false, arrival: undefined }
    if (object.size > this.#limits.objectBytes) {
      this.#tell({ kind: 'ended', session, how: 'wrong' })
      return
    }
    const context = Buffer.from(`${xml}\0`, 'utf8').toString('base64')
    this.#invite(session, peer, role, { guid: EUF.object, app: 1, context, ms: this.#timings.inviteMs }, now)
  }

  #offer({ session, peer, file }: Extract<P2pCommand, { kind: 'offer' }>, now: number): void {
    if (!Number.isSafeInteger(file.size) || file.size < 1) throw new MisuseError('an empty file cannot be offered')
    const context = formatFileContext(file).toString('base64')
    const role: Role = { kind: 'offer', size: file.size, phase: 'inviting', data: undefined, wanted: 0, provided: 0 }
    this.#invite(session, peer, role, { guid: EUF.file, app: 2, context, ms: this.#timings.decideMs }, now)
  }

  #invite(
    handle: SessionHandle,
    to: string,
    role: Role,
    about: { readonly guid: string; readonly app: number; readonly context: string; readonly ms: number },
    now: number,
  ): void {
    if (this.#sessions.size >= this.#limits.sessions) {
      this.#tell({ kind: 'ended', session: handle, how: 'busy' })
      return
    }
    if (!canBeNamed(to) || !canBeNamed(this.#own)) {
      this.#tell({ kind: 'ended', session: handle, how: 'carrier' })
      return
    }
    const session: Session = {
      handle,
      wire: this.#sessions.newWireId(),
      peer: to.toLowerCase(),
      callId: this.#sessions.guid(),
      branch: this.#sessions.guid(),
      role,
      deadline: now + about.ms,
      until: now + this.#timings.totalMs,
    }
    this.#sessions.add(session)
    this.#slp(session.peer, handle, now, {
      start: { kind: 'request', method: 'INVITE' },
      to: session.peer,
      from: this.#own,
      branch: session.branch,
      callId: session.callId,
      cseq: 0,
      contentType: SLP_TYPES.session,
      fields: [
        ['EUF-GUID', about.guid],
        ['SessionID', String(session.wire)],
        ['AppID', String(about.app)],
        ['Context', about.context],
      ],
    })
  }

  #serve(handle: SessionHandle, bytes: Uint8Array, now: number): void {
    const session = this.#sessions.of(handle, 'serve')
    if (session?.role.phase !== 'asked') return
    const { role } = session
    this.#slp(session.peer, handle, now, agreement(role.invite, session.wire))
    role.bytes = bytes
    role.phase = 'preparing'
    renew(session, this.#timings.silenceMs, now)
    const to = { peer: session.peer, session: handle, wire: session.wire, footer: 1 }
    role.preparation = this.#sender.control(to, PREPARATION, now)
  }

  #accept(handle: SessionHandle, confirms: boolean, now: number): void {
    const session = this.#sessions.of(handle, 'take')
    if (session === undefined || session.role.isTaken) return
    session.role.isTaken = true
    // Of an empty one no packet comes that could wait for its acknowledgement.
    session.role.confirms = confirms && session.role.file.size > 0
    renew(session, this.#timings.silenceMs, now)
    this.#slp(session.peer, handle, now, agreement(session.role.invite, session.wire))
    if (session.role.file.size === 0) this.#received(session, now)
  }

  #kept(handle: SessionHandle, now: number): void {
    const session = this.#sessions.of(handle, 'take')
    if (session?.role.last === undefined) return
    this.#complete(session.peer, session.role.last)
    this.#received(session, now)
  }

  #provide(handle: SessionHandle, bytes: Uint8Array, now: number): void {
    const session = this.#sessions.of(handle, 'offer')
    if (session?.role.data === undefined) return
    const { role } = session
    if (bytes.length > role.wanted || bytes.length === 0)
      throw new MisuseError('a file was provided that nobody wanted')
    role.wanted = 0
    role.provided += bytes.length
    renew(session, this.#timings.silenceMs, now)
    this.#sender.provide(session.role.data, bytes, now)
    this.#want(session)
  }

  #packet(peer: string, packet: Packet, now: number): void {
    if ((packet.flags & FLAGS.ack) !== 0) {
      this.#sender.acknowledged(peer, packet, now)
    } else if (this.#partials.isCompleted(peer, packet)) {
      if (isLast(packet)) this.#sender.acknowledge(peer, packet)
    } else if (packet.session === 0) {
      const bytes = this.#partials.take(peer, packet, now)
      if (bytes === undefined) return
      const slp = parseSlp(bytes)
      if (this.#isElsewhere() && !this.#isOurs(peer, slp)) {
        if (slp?.from === peer) this.#toldElsewhere(peer, slp)
        return
      }
      this.#complete(peer, packet)
      if (slp?.from === peer) this.#understand(peer, slp, now)
    } else this.#data(peer, packet, now)
  }

  #complete(peer: string, packet: Packet): void {
    this.#partials.completed(peer, packet)
    this.#sender.acknowledge(peer, packet)
  }

  /** It belongs to a session that we have. */
  #isOurs(peer: string, slp: Slp | undefined): boolean {
    return slp !== undefined && this.#sessions.byCall(peer, slp.callId) !== undefined
  }

  #toldElsewhere(peer: string, slp: Slp): void {
    if (slp.start.kind !== 'request' || slp.start.method !== 'INVITE' || slp.contentType !== SLP_TYPES.session) return
    const role = roleOf((fieldOf(slp, 'euf-guid') ?? '').toUpperCase(), fieldOf(slp, 'context') ?? '', slp)
    if (role?.kind === 'take') this.#tell({ kind: 'offered-elsewhere', peer, call: slp.callId, file: role.file })
  }

  #understand(peer: string, slp: Slp, now: number): void {
    const { start } = slp
    if (start.kind === 'response') {
      const session = this.#sessions.byCall(peer, slp.callId)
      if (session !== undefined && slp.branch === session.branch) this.#answered(session, start.code, now)
    } else if (start.method === 'INVITE') {
      if (slp.contentType === SLP_TYPES.session) this.#invited(peer, slp, now)
      else if (slp.contentType === SLP_TYPES.transport) this.#slp(peer, undefined, now, overSwitchboard(slp))
      else this.#slp(peer, undefined, now, answerTo(slp, 500, 'null', []))
    } else if (start.method === 'BYE') {
      const session = this.#sessions.byCall(peer, slp.callId)
      if (session !== undefined) this.#endedByThem(session, now)
    }
  }

  #endedByThem(session: Session, now: number): void {
    const { role } = session
    if (role.kind === 'offer' && role.phase === 'sending' && role.data?.sent === role.size) {
      role.phase = 'left'
      renew(session, this.#timings.closeMs, now)
    } else this.#end(session, isSent(session) ? 'done' : 'cancelled')
  }

  #answered(session: Session, code: number, now: number): void {
    if (code !== 200) {
      this.#end(session, 'declined')
      return
    }
    const { role } = session
    if (role.kind === 'fetch' && !role.isAgreed) {
      role.isAgreed = true
      renew(session, this.#timings.silenceMs, now)
    }
    if (role.kind !== 'offer' || role.phase !== 'inviting') return
    role.phase = 'sending'
    renew(session, this.#timings.silenceMs, now)
    const to = { peer: session.peer, session: session.handle, wire: session.wire }
    role.data = this.#sender.data(to, { flags: FLAGS.file, footer: 2, total: role.size }, now)
    this.#tell({ kind: 'accepted', session: session.handle })
    this.#want(session as RoleOf<'offer'>)
  }

  #invited(peer: string, slp: Slp, now: number): void {
    if (this.#sessions.byCall(peer, slp.callId) !== undefined) return
    const guid = (fieldOf(slp, 'euf-guid') ?? '').toUpperCase()
    const wire = wireIdOf(fieldOf(slp, 'sessionid'))
    const context = fieldOf(slp, 'context') ?? ''
    if (wire === undefined || this.#sessions.byWire(peer, wire) !== undefined) {
      this.#slp(peer, undefined, now, answerTo(slp, 500, 'null', []))
      return
    }
    const role = this.#sessions.size < this.#limits.sessions ? roleOf(guid, context, slp) : undefined
    if (role === undefined) {
      this.#slp(peer, undefined, now, answerTo(slp, 603, SLP_TYPES.session, [['SessionID', String(wire)]]))
      const isKnown = guid === EUF.object || guid === EUF.file
      if (!isKnown) this.#tell({ kind: 'unknown-invitation', peer, guid: guid.slice(0, 64) })
      return
    }
    const handle = this.handle()
    const ms = role.kind === 'serve' ? this.#timings.inviteMs : this.#timings.decideMs
    const { callId, branch } = slp
    const until = now + this.#timings.totalMs
    this.#sessions.add({ handle, wire, peer, callId, branch, role, deadline: now + ms, until })
    if (role.kind === 'serve') {
      const object = objectOf(context)
      if (object !== undefined) this.#tell({ kind: 'asked', session: handle, peer, object })
    } else this.#tell({ kind: 'offered', session: handle, peer, file: role.file })
  }

  #data(peer: string, packet: Packet, now: number): void {
    const session = this.#sessions.byWire(peer, packet.session)
    if (session === undefined) return
    const { role } = session
    const { flags } = packet
    if ((flags & FLAGS.object) === 0 && (flags & (FLAGS.close | FLAGS.transportError | FLAGS.error)) !== 0) {
      this.#endedByThem(session, now)
      return
    }
    if (role.kind !== 'fetch' && role.kind !== 'take') return
    // No reason to wait longer: it could be said for ever.
    if (packet.total === PREPARATION_BYTES && (flags & FLAGS.object) === 0) {
      if (isLast(packet)) this.#complete(peer, packet)
      return
    }
    const size = role.kind === 'fetch' ? role.object.size : role.file.size
    if (packet.total !== size || (role.kind === 'take' && !role.isTaken)) {
      this.#abandon(session, 'wrong', now)
      return
    }
    this.#arrives(session as RoleOf<'fetch' | 'take'>, packet, now)
  }

  #arrives(session: RoleOf<'fetch' | 'take'>, packet: Packet, now: number): void {
    const { role } = session
    const maxAhead = role.kind === 'fetch' ? role.object.size : this.#limits.fileAheadBytes
    const arrival: Arrival = (role.arrival ??= {
      id: packet.id,
      counted: 0,
      assembler: new Assembler({ total: packet.total, maxAhead }),
    })
    // A session has one message of data.
    if (arrival.id !== packet.id) return
    const pieces = arrival.assembler.push(packet.offset, packet.body)
    if (pieces === 'wrong') {
      this.#abandon(session, 'wrong', now)
      return
    }
    // Crumbs, and what comes again, are no reason to wait longer.
    const { received, complete } = arrival.assembler
    if (received > arrival.counted && (complete || received - arrival.counted >= this.#limits.leastBytes)) {
      arrival.counted = received
      renew(session, this.#timings.silenceMs, now)
    }
    if (role.kind === 'fetch') role.pieces.push(...pieces)
    else for (const bytes of pieces) this.#tell({ kind: 'data', session: session.handle, bytes })
    if (!complete) return
    if (role.kind === 'take' && role.confirms) {
      if (role.last === undefined) this.#tell({ kind: 'received', session: session.handle })
      role.last ??= { ...packet, body: new Uint8Array() }
      return
    }
    this.#complete(session.peer, packet)
    this.#received(session, now)
  }

  #received(session: RoleOf<'fetch' | 'take'>, now: number): void {
    const { role } = session
    this.#bye(session, now)
    if (role.kind === 'take') {
      this.#end(session, 'done')
      return
    }
    const bytes = Buffer.concat(role.pieces)
    if (!isObjectData(role.object, bytes)) {
      this.#end(session, 'wrong')
      return
    }
    this.#tell({ kind: 'fetched', session: session.handle, bytes })
    this.#end(session, 'done')
  }

  #delivered(message: Message, now: number): void {
    const session = this.#sessions.get(message.session)
    if (session === undefined) return
    const { role } = session
    if (role.kind === 'serve' && message === role.preparation) {
      role.phase = 'sending'
      const to = { peer: session.peer, session: session.handle, wire: session.wire }
      const { bytes } = role
      this.#sender.data(to, { flags: FLAGS.object, footer: 1, total: bytes.length, whole: bytes }, now)
      renew(session, this.#timings.silenceMs, now)
    } else if (message.kind === 'data' && role.kind === 'offer' && role.phase === 'left') {
      this.#end(session, 'done')
    } else if (message.kind === 'data' && (role.kind === 'serve' || role.kind === 'offer')) {
      role.phase = 'closing'
      renew(session, this.#timings.closeMs, now)
    }
  }

  #notDelivered(message: Message, how: 'carrier' | 'timeout', now: number): void {
    const session = this.#sessions.get(message.session)
    if (session !== undefined) this.#abandon(session, how, now)
  }

  #progress(message: Message, now: number): void {
    const session = this.#sessions.get(message.session)
    if (session === undefined) return
    if (session.role.kind === 'offer' && session.role.phase === 'left') return
    if (session.deadline < now + this.#timings.silenceMs) renew(session, this.#timings.silenceMs, now)
    if (session.role.kind === 'offer') this.#want(session as RoleOf<'offer'>)
  }

  #want(session: RoleOf<'offer'>): void {
    const { role, handle } = session
    const rest = role.size - role.provided
    if (role.data === undefined || role.wanted > 0 || rest === 0 || role.data.buffered > PART_BYTES / 2) return
    role.wanted = Math.min(PART_BYTES, rest)
    this.#tell({ kind: 'wants', session: handle, offset: role.provided, length: role.wanted })
  }

  #decline(session: Session, invite: Slp, now: number): void {
    const fields = [['SessionID', String(session.wire)]] as const
    this.#slp(session.peer, undefined, now, answerTo(invite, 603, SLP_TYPES.session, fields))
    this.#forget(session)
  }

  #abandon(session: Session, how: P2pEnd, now: number): void {
    this.#bye(session, now)
    this.#end(session, how)
  }

  #end(session: Session, how: P2pEnd): void {
    this.#forget(session)
    // All of it is here: how they go is no matter.
    const isHere = session.role.kind === 'take' && session.role.last !== undefined
    this.#tell({ kind: 'ended', session: session.handle, how: isHere ? 'done' : how })
  }

  #forget(session: Session): void {
    this.#sessions.delete(session)
    this.#sender.drop(session.handle)
  }

  #bye({ peer, callId, branch }: Session, now: number): void {
    this.#slp(peer, undefined, now, {
      start: { kind: 'request', method: 'BYE' },
      to: peer,
      from: this.#own,
      branch,
      callId,
      cseq: 0,
      contentType: SLP_TYPES.close,
      fields: [],
    })
  }

  #slp(peer: string, session: SessionHandle | undefined, now: number, slp: Slp): void {
    this.#sender.control({ peer, ...(session === undefined ? {} : { session }) }, formatSlp(slp), now)
  }

  #tell(event: P2pEvent): void {
    this.#out.push({ kind: 'event', event })
  }

  #flush(): readonly P2pOutput[] {
    const out = this.#out
    this.#out = []
    return out
  }
}

const isLast = ({ offset, body, total }: Packet): boolean => offset + body.length === total
