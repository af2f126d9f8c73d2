/**
 * The one place that knows `matrix-appservice-bridge` and the SDK under it: Bridge, Intent and registration are theirs.
 * Events come in through our own listener, and requests go out through our own transport. Loading it takes most of a
 * second and 100 MB, so it is imported only when the config has a Matrix network.
 */
import { LogService, setRequestFn } from '@vector-im/matrix-bot-sdk'
import { AppServiceRegistration, Bridge } from 'matrix-appservice-bridge'
import type { Logger } from '../../bridge/adapter.ts'
import { ASIDE, type LibraryCallback, type LibraryRequest, type LibraryResponse, type Query } from './transport.ts'
import type { Registration } from './registration-shape.ts'
import type { Mxid } from './types.ts'

/** The homeserver as the library sees it. */
export interface Library {
  readonly bot: Mxid
  /** Resolves with whatever the homeserver answered, rejects with `TransportError`. `query` has the aside with the transport. */
  ask(method: Method, path: string, query: Query, body: object | null, timeoutMs: number): Promise<LibraryResponse>
  /** Twice is harmless. */
  close(): Promise<void>
}
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

export interface LibraryOptions {
  readonly homeserver: string
  readonly domain: string
  readonly registration: Registration
  readonly log: Logger
}

/** No store of the library's own, no power levels guessed, no user registered behind our back, no encryption. */
const ourOwnWays = { dontCheckPowerLevel: true, dontJoin: true, registered: true, enablePresence: true }

/** No I/O. Rejects when the registration is broken. */
export const openLibrary = async ({ homeserver, domain, registration, log }: LibraryOptions): Promise<Library> => {
  takeOver(log)
  const bridge = new Bridge({
    homeserverUrl: homeserver.replace(/\/+$/, ''),
    domain,
    registration: registrationObject(registration),
    controller: { onEvent: () => undefined },
    disableStores: true,
    escapeUserIds: false,
    suppressEcho: false,
    logRequestOutcome: false,
    intentOptions: { bot: ourOwnWays, clients: ourOwnWays },
  })
  await bridge.initialise()
  // The bot's client asks for everybody, with `user_id`: an Intent for each of ten thousand ghosts would only cost memory.
  const client = bridge.getIntent().matrixClient
  return {
    bot: bridge.botUserId as Mxid,
    ask: async (method, path, query, body, timeoutMs) => {
      try {
        return (await client.doRequest(method, path, query, body, timeoutMs, true, undefined, undefined, {
          // Answers are judged by us, also when they are errors.
          errorHandler: () => undefined,
        })) as LibraryResponse
      } catch (error) {
        if (isResponse(error)) return error
        throw error
      }
    },
    close: () => bridge.close(),
  }
}

/** The library throws answers that are no success. */
const isResponse = (error: unknown): error is LibraryResponse =>
  typeof error === 'object' && error !== null && 'statusCode' in error && 'headers' in error

/** What we write and read as YAML, as the library has it. */
export const registrationObject = (from: Registration): AppServiceRegistration =>
  AppServiceRegistration.fromObject({
    ...from,
    protocols: [...from.protocols],
    namespaces: {
      users: [...from.namespaces.users],
      aliases: [...from.namespaces.aliases],
      rooms: [...from.namespaces.rooms],
    },
  })

/** 32 random bytes in hexadecimal. */
export const newToken = (): string => AppServiceRegistration.generateToken()

/** Process-wide, as the library is: each request carries its own transport in its aside. */
const takeOver = (log: Logger): void => {
  const quietly = (module: string, ...parts: readonly unknown[]): void => {
    // Objects are bodies of requests and answers: never those.
    log.debug({ module }, parts.filter((part) => typeof part === 'string').join(' '))
  }
  LogService.setLogger({ info: quietly, warn: quietly, error: quietly, debug: quietly, trace: () => undefined })
  // It would say no more than a number for each request that fails; homeserver.ts says which.
  LogService.muteModule('MatrixHttpClient')
  setRequestFn((asked: LibraryRequest, callback: LibraryCallback): void => {
    asked.qs[ASIDE].transport.request(asked, callback)
  })
}
