/** People who sign in to the service talk to each other; nothing of theirs is bridged. */
import { SessionFault, type Account, type Session } from '../../bridge/adapter.ts'
import type { Capabilities } from '../../bridge/model/capabilities.ts'
import type { AccountId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, Fault, RosterResult, SessionState } from '../../bridge/model/result.ts'

const DETAIL =
  'people of our own MSN service are bridged through an account: add a network of type msn that signs in to the service'

const UNSUPPORTED = { kind: 'refused', reason: 'unsupported', detail: DETAIL } as const
const FAULT: Fault = { code: 'protocol', detail: DETAIL }

export const capabilities: Capabilities = {
  ops: {
    message: 'refused',
    edit: 'refused',
    redact: 'refused',
    reaction: 'refused',
    member: 'dropped',
    topic: 'dropped',
    typing: 'dropped',
    read: 'dropped',
    company: 'dropped',
    presence: 'dropped',
    profile: 'dropped',
    title: 'dropped',
    delivery: 'dropped',
    status: 'dropped',
  },
  bodies: { text: 'refused', action: 'refused', notice: 'refused', nudge: 'refused', file: 'refused' },
  puppets: 'prefix',
  replies: 'native',
  idempotent: true,
  pipeline: 1,
}

export class HostedSession implements Session {
  readonly account: AccountId
  readonly state: SessionState = { kind: 'stopped', fault: FAULT }

  constructor(account: Account) {
    this.account = account.id
  }

  connect(): Promise<void> {
    return Promise.reject(new SessionFault(FAULT))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  capabilities(): Capabilities {
    return capabilities
  }

  open(): Promise<Exclude<DeliveryResult, { kind: 'delivered' }>> {
    return Promise.resolve(UNSUPPORTED)
  }

  split<Op>(op: Op): readonly Op[] {
    return [op]
  }

  deliver(): Promise<DeliveryResult> {
    return Promise.resolve(UNSUPPORTED)
  }

  members(): undefined {
    return undefined
  }

  drop(): Promise<void> {
    return Promise.resolve()
  }

  roster(): Promise<RosterResult> {
    return Promise.resolve(UNSUPPORTED)
  }
}
