import type { MsnClientOptions, ClientTimings } from './client-contract.ts'
import { connect, type ConnectRequest, type ConnectResult } from './connect.ts'
import { openHttpTunnel } from './http-tunnel.ts'

/** How one client gets out: to servers directly, or through an HTTP gateway. */
export type Door = (server: 'NS' | 'SB', request: ConnectRequest) => Promise<ConnectResult>

export function doorOf(options: MsnClientOptions, timings: ClientTimings, now: () => number): Door {
  const { gateway: text, ca, insecure, allowPrivateHosts } = options
  if (text === undefined) return (_, request) => connect(request)
  const gateway = URL.parse(text)
  return (server, { host, signal }) => {
    if (signal?.aborted === true) {
      return Promise.resolve({ ok: false, kind: 'aborted', detail: `connecting to ${host} was given up` })
    }
    if (gateway === null || !/^https?:$/.test(gateway.protocol)) {
      return Promise.resolve({ ok: false, kind: 'unreachable', detail: `the gateway ${text} is no http or https URL` })
    }
    // Where the servers have their addresses is a matter of the gateway: we connect to none of them.
    const socket = openHttpTunnel({
      gateway,
      server,
      host,
      pollMs: timings.gatewayPollMs,
      timeoutMs: timings.commandMs,
      allowPrivate: allowPrivateHosts,
      ca,
      insecure,
      now,
    })
    return Promise.resolve({ ok: true, socket })
  }
}
