import { create, type IrcAdapter } from '../../../adapters/irc/index.ts'
import { ircConfig } from '../../../adapters/irc/config.ts'
import type { Session } from '../../../bridge/adapter.ts'
import type { MessageBody } from '../../../bridge/model/body.ts'
import type { ChatId, ChatRef, EventId, NetworkId } from '../../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import { FakeContext } from './fake-context.ts'

export const NETWORK = 'net' as NetworkId
export const never = new AbortController().signal

const HASTY = {
  ping_ms: 60_000,
  ping_timeout_ms: 60_000,
  confirm_timeout_ms: 10_000,
  rejoin_ms: 40,
  join_retry_ms: 80,
  nickserv_ms: 2_000,
  connect_timeout_ms: 5_000,
}

/** The adapter with its bridge, configured to be quick. */
export class Bot {
  readonly context = new FakeContext()
  readonly adapter: IrcAdapter
  #events = 0

  constructor(
    port: number,
    config: Readonly<Record<string, unknown>> = {},
    secrets: Readonly<Record<string, string>> = {},
  ) {
    const { timing = {}, ...others } = config
    this.adapter = create({
      network: NETWORK,
      config: ircConfig.parse({
        id: NETWORK,
        type: 'irc',
        server: `127.0.0.1:${port}`,
        tls: false,
        nick: 'bridge',
        flood: { burst: 100, interval_ms: 0 },
        timing: { ...HASTY, ...(timing as object) },
        ...others,
      }),
      dataFolder: '/nowhere',
      secret: (reference) => {
        const value = 'env' in reference ? secrets[reference.env] : undefined
        if (value === undefined) throw new Error('The secret is not set')
        return value
      },
    })
  }

  get session(): Session {
    return this.adapter.session()
  }

  /** Starts and connects. */
  async online(): Promise<this> {
    await this.adapter.start(this.context)
    await this.session.connect(never)
    return this
  }

  /** In that channel, and heard there. */
  async join(channel: string): Promise<ChatRef> {
    const opened = await this.session.open({ kind: 'channel', name: channel as ChatId }, never)
    if (opened.kind !== 'opened') throw new Error(opened.detail)
    return opened.chat
  }

  say(chat: ChatRef, text: string, signal: AbortSignal = never): Promise<DeliveryResult> {
    return this.send(chat, { kind: 'text', text: [{ text }] }, signal)
  }

  /** All parts of it, in order. */
  async send(chat: ChatRef, body: MessageBody, signal: AbortSignal = never): Promise<DeliveryResult> {
    const parts = this.session.split({ kind: 'message', as: { kind: 'self' }, at: 0, body }, chat)
    const results = await Promise.all(
      parts.map((op) => this.session.deliver({ id: `e${++this.#events}` as EventId, chat, op }, signal)),
    )
    return results.find((result) => result.kind !== 'delivered') ?? results[0] ?? { kind: 'delivered', ids: [] }
  }

  async stop(): Promise<void> {
    await this.adapter.stop()
  }
}

export const chat = (name: string): ChatRef => ({ network: NETWORK, chat: name as ChatId })
