/** The service itself as a contact: a signed-in account without a connection, and its place in a conversation. */
import type { AccountRecord, Resident, ResidentTalk } from './contract.ts'
import type { Line } from './line.ts'
import { Online } from './online.ts'
import type { Member, SwitchboardLine } from './room.ts'
import type { Person, SwitchboardCommand } from '../session/switchboard-server-events.ts'

/** Nobody listens at its other end. */
const NO_LINE: Line = { send: () => undefined, close: () => undefined, remoteAddress: '', remotePort: 0 }

/** Always there, for everybody. */
export function residentOnline(record: AccountRecord): Online {
  const online = new Online(NO_LINE, 'MSNP12', record, 'resident')
  online.presence = { status: 'NLN', clientId: '0', object: undefined }
  return online
}

const LINE_END = 10

/** The resident's side of one conversation, where others have a connection. */
export class Seat implements SwitchboardLine {
  readonly #resident: Resident
  readonly #leave: () => void
  #member: Member | undefined
  #talk: ResidentTalk | undefined
  queued = 0

  /** `leave` takes it out of the room. */
  constructor(resident: Resident, leave: () => void) {
    this.#resident = resident
    this.#leave = leave
  }

  sit(member: Member, person: Person): void {
    this.#member = member
    // Nobody waits for a receipt of what the service says.
    this.#talk = this.#resident.meets(person, (payload) => this.#member?.room.say(member, '0', 'U', payload))
  }

  send(command: SwitchboardCommand): void {
    switch (command.kind) {
      case 'relay':
        this.queued += command.bytes.length
        // The room counts on an answer only after it has given us the message.
        queueMicrotask(() => this.#member?.taken(this.queued))
        this.#talk?.heard(command.bytes.subarray(command.bytes.indexOf(LINE_END) + 1))
        break
      case 'left':
      case 'end':
        queueMicrotask(() => this.#end())
        break
      case 'admitted':
      case 'refused':
      case 'ringing':
      case 'error':
      case 'ack':
      case 'nak':
      case 'joined':
        break
    }
  }

  #end(): void {
    if (this.#member === undefined) return
    this.#member = undefined
    this.#leave()
    this.#talk?.ended()
  }
}
