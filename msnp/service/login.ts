import { Buffer } from 'node:buffer'
import { profileMessage } from '../model/content-types.ts'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import type { Line } from './line.ts'

/**
 * The policy that a client hands to the login page with its password. Clients look for `lc=`; the page looks at
 * nothing of it. Source: docs/protocol.md, Dispatch and login.
 */
export const loginPolicy = (now: number, nonce: Uint8Array): string =>
  [
    'lc=1033',
    'id=507',
    'tw=40',
    'fs=1',
    'ru=http%3A%2F%2Fmessenger%2Emsn%2Ecom',
    `ct=${Math.floor(now / 1000)}`,
    'kpp=1',
    'kv=5',
    'ver=2.1.0173.1',
    `tpf=${Buffer.from(nonce).toString('hex')}`,
  ].join(',')

/** The first message after sign-in. `ticket`: `t=...&p=...`, of which the first half is told. */
export const welcomeProfile = (
  ticket: string,
  line: Line,
  dialect: Dialect,
  now: number,
  participants?: number,
): Uint8Array =>
  profileMessage({
    loginTime: now / 1000,
    ticket: /^t=([^&]*)/.exec(ticket)?.[1] ?? ticket,
    clientAddress: line.remoteAddress,
    clientPort: line.remotePort,
    keyedLists: TRAITS[dialect].guidIds,
    ...(participants === undefined ? {} : { participants }),
  })
