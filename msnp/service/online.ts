import type { TokenBucket } from '../../sansio/rate.ts'
import type { Dialect } from '../model/dialect.ts'
import type { PersonalMessage } from '../model/personal-message.ts'
import type { Status } from '../model/status.ts'
import type { AccountRecord } from './contract.ts'
import type { Line } from './line.ts'

/** What a client last said with CHG. */
export interface Presence {
  readonly status: Status
  readonly clientId: string
  /** Display picture, as it was on the wire. */
  readonly object: string | undefined
}

/** Somebody who is signed in. Lean on purpose: there may be ten thousand. */
export class Online {
  readonly line: Line
  readonly dialect: Dialect
  /** A session that stands beside the person's Messenger, and is not ended by it: see `Accounts`. */
  readonly beside: boolean
  /** Nobody's: a `Resident`. */
  readonly resident: boolean
  /** As it is on disk. */
  record: AccountRecord
  /** Before the first CHG there is none: nobody sees them. */
  presence: Presence | undefined
  /** Whether the client has asked for its lists, so that changes of them make sense to it. */
  synced = false
  /** The client says with CFM what it has stored. */
  confirms = false
  /** What they play, as their client last said; it ends with the session. What they write is in the record. */
  media: PersonalMessage['media']
  switchboards: TokenBucket | undefined

  constructor(line: Line, dialect: Dialect, record: AccountRecord, which: 'beside' | 'resident' | 'messenger') {
    this.line = line
    this.beside = which === 'beside'
    this.resident = which === 'resident'
    this.dialect = dialect
    this.record = record
  }

  get email(): string {
    return this.record.email
  }

  /** Whether those who are allowed to can see them. */
  get isVisible(): boolean {
    return this.presence !== undefined && this.presence.status !== 'HDN'
  }

  get personal(): PersonalMessage {
    return { text: this.record.personal ?? '', media: this.media }
  }

  push(bytes: Uint8Array): void {
    this.line.send({ kind: 'push', bytes })
  }
}
