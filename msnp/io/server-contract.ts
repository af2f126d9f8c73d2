/** What `MsnServer` takes and tells. */
import type { Host, Resident, ServiceLimits, ServiceTimings } from '../service/contract.ts'
import type { KeyPair } from './certificate.ts'
import type { GatewayLimits } from './gateway.ts'
import type { ListenAddress } from './listener.ts'

export interface MsnServerOptions {
  /** Accounts: who they are, their passwords, their lists. */
  readonly host: Host
  /** Without `dispatch`, people sign in at `notification` directly; without `switchboard`, it serves both on its port. */
  readonly listen: {
    readonly notification: ListenAddress
    readonly dispatch?: ListenAddress
    readonly switchboard?: ListenAddress
    readonly passport: ListenAddress
    /** Plain HTTP, for the gateway alone: passwords are not taken there. */
    readonly http?: ListenAddress
  }
  /** As clients reach us. By default the address that they connected to. */
  readonly public?: {
    readonly notification?: ListenAddress
    readonly switchboard?: ListenAddress
    /** host or host:port of the login page. */
    readonly passport?: string
    /** The host, as GW-IP names it. */
    readonly gateway?: string
  }
  /** Certificate and key of the login page, PEM; `makeCertificate` makes them. plain: HTTP, for a TLS proxy in front. */
  readonly tls: KeyPair | 'plain'
  /** Whether the login page speaks TLS 1.0 and 1.1, which the Windows of old clients needs. Default: yes. */
  readonly legacyTls?: boolean
  /** The HTTP gateway, on the port of the login page and on `listen.http`. Without it there is none. */
  readonly gateway?: Partial<GatewayLimits>
  /** The service itself as a contact. */
  readonly resident?: Resident
  readonly limits?: Partial<ServiceLimits>
  readonly timings?: Partial<ServiceTimings>
  /** Milliseconds since 1970. Default: Date.now. */
  readonly now?: () => number
  /** So many bytes that nobody can guess. Default: the system's. */
  readonly random?: (bytes: number) => Uint8Array
}

/** Where it listens, with real ports. */
export interface Listening {
  readonly notification: ListenAddress
  readonly dispatch?: ListenAddress
  readonly switchboard?: ListenAddress
  readonly passport: ListenAddress
  readonly http?: ListenAddress
}

export interface ServerCounters {
  /** Open TCP connections on all listeners. */
  readonly connections: number
  readonly signedIn: number
  /** Sessions of the HTTP gateway. */
  readonly tunnels: number
  /** Open conversations. */
  readonly rooms: number
  /** The rest counts since the object was made. Switchboard messages that were relayed, */
  readonly messages: number
  readonly signIns: number
  /** and connections or requests that were refused or closed for what they sent, by reason. */
  readonly refused: Readonly<Record<string, number>>
}
