/** What the transfer of one file takes and gives. Source: docs/protocol.md, File transfer. */
import type { CloseReason } from '../../sansio/machine.ts'
import type { FileTimings } from '../session/file-lines.ts'
import type { FilePorts } from './file-ports.ts'

/** How the two meet. The one who listens tells the other the port. */
export type Meeting =
  /** `peer`: who is to connect, by whatever tells them apart from others. */
  | {
      readonly kind: 'listen'
      readonly ports: FilePorts
      readonly peer: string
      readonly onPort: (port: number) => void
    }
  | {
      readonly kind: 'connect'
      readonly addresses: readonly { readonly host: string; readonly port: number }[]
      readonly mayConnect: (address: string) => boolean
    }

export interface FileTransferOptions {
  readonly meeting: Meeting
  /** Of the receiver, in lower case. */
  readonly account: string
  readonly authCookie: string
  /** Bytes. */
  readonly size: number
  readonly signal: AbortSignal
  readonly timings?: Partial<FileTimings>
  /** Bytes that have moved so far. */
  readonly onProgress?: (bytes: number) => void
}

/** `detail` is a half-sentence. declined: the other side has given it up. */
export interface FileFailure {
  readonly kind: 'declined' | 'aborted' | 'timeout' | 'unreachable' | 'not-allowed' | 'lost' | 'protocol' | 'no-port'
  readonly detail: string
}

export type SendFileResult = { readonly ok: true } | { readonly ok: false; readonly failure: FileFailure }
export type ReceiveFileResult =
  { readonly ok: true; readonly file: ArrivingFile } | { readonly ok: false; readonly failure: FileFailure }

export interface ArrivingFile {
  /** Ends after the last byte; throws `FileBroken`. To be read to its end, or ended. */
  readonly body: AsyncIterable<Uint8Array>
  /** It is safe with us, or cannot be kept: the sender hears of it. */
  done(kept: boolean): void
}

export class FileBroken extends Error {
  readonly failure: FileFailure
  constructor(failure: FileFailure) {
    super(failure.detail)
    this.failure = failure
  }
}

export const ABORTED: FileFailure = { kind: 'aborted', detail: 'it was given up' }
export const DECLINED: FileFailure = { kind: 'declined', detail: 'the other side has cancelled it' }
export const late = (what: string): FileFailure => ({ kind: 'timeout', detail: what })

export const failureOf = (reason: CloseReason): FileFailure => {
  switch (reason.kind) {
    case 'done':
      return DECLINED
    case 'timeout':
      return late(`waited in vain for ${reason.waitingFor}`)
    case 'peer-violation':
      return { kind: 'protocol', detail: `their client does not keep to the protocol: ${reason.detail}` }
    case 'lost':
      return { kind: 'lost', detail: 'the connection broke' }
  }
}
