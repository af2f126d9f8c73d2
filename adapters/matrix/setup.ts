/**
 * Is everything set up: the homeserver there, its name right, our tokens and names known to it, our listener in its
 * reach? What is wrong is said in one sentence with the remedy.
 */
import { SessionFault } from '../../bridge/adapter.ts'
import type { Fault } from '../../bridge/model/result.ts'
import { NO_HOMESERVER } from './failures.ts'
import { DEVICE_ID } from './ghosts.ts'
import { domainOf, isMxid } from './ids.ts'
import { path } from './paths.ts'
import type { Registration } from './registration-shape.ts'
import type { Answer, Call, Failure, Features, Mxid } from './types.ts'
import { recordOf } from './untrusted.ts'

/** What the sentences name. */
export interface Place {
  /** The homeserver's. */
  readonly url: string
  readonly registration: Registration
  /** The registration file. */
  readonly file: string
}

export interface SetUp extends Place {
  readonly ask: <Value>(call: Call) => Promise<Answer<Value>>
  readonly domain: string
  readonly bot: Mxid
  /** What the ids of ghosts begin with, behind the @. */
  readonly ghostPrefix: string
}

/** Throws `SessionFault`. */
export const setUp = async (to: SetUp): Promise<Features> => {
  const versions = await must(to, { method: 'GET', path: '/_matrix/client/versions' })
  if (!Array.isArray(versions['versions'])) throw faultOf(noHomeserver(to.url))
  await meetOurselves(to)
  await checkNamespace(to)
  const ping = pingFault(await to.ask(pingCall(to.registration.id)), to)
  if (ping !== undefined) throw new SessionFault(ping)
  const capabilities = await to.ask({ method: 'GET', path: '/_matrix/client/v3/capabilities' })
  const version = capabilities.ok ? at(capabilities.value, 'capabilities', 'm.room_versions', 'default') : undefined
  return {
    devices: await probeDevices(to),
    busy: at(versions, 'unstable_features', 'org.matrix.msc3026.busy_presence') === true,
    roomVersion: typeof version === 'string' ? version : '',
  }
}

/** Answered 200 when the homeserver could reach our listener; that also ends its own waiting. `id`: of the registration. */
export const pingCall = (id: string): Call => ({
  method: 'POST',
  path: path`/_matrix/client/v1/appservice/${id}/ping`,
  body: { transaction_id: 'msn-bridge' },
})

/** What an answer to `pingCall` means for us; undefined: all is well, or the homeserver cannot tell. */
export const pingFault = (answer: Answer<unknown>, place: Place): Fault | undefined => {
  if (answer.ok) return undefined
  const { failure } = answer
  if (failure.kind === 'limited') return undefined
  if (failure.kind === 'busy' && failure.errcode !== undefined) {
    const words = reachWords[failure.errcode]
    if (words !== undefined) return { code: 'network', detail: words(place, failure.detail) }
  }
  if (failure.kind === 'refused') {
    // Homeservers that are older than the ping.
    if (failure.errcode === 'M_UNRECOGNIZED' || failure.status === 404 || failure.status === 405) return undefined
    if (failure.errcode === 'M_FORBIDDEN')
      return protocol(
        `the homeserver knows our as_token under another id than ${place.registration.id}: ${anew(place.file)}`,
      )
    if (failure.errcode === 'M_URL_NOT_SET')
      return protocol(`the homeserver has no url for us, so that nothing would come in: ${anew(place.file)}`)
  }
  return faultIn(failure, place)
}

const reachWords: Readonly<Record<string, (place: Place, detail: string) => string>> = {
  M_CONNECTION_FAILED: ({ registration }, detail) =>
    `the homeserver cannot reach the bridge at ${registration.url} (${detail.replace(/^M_CONNECTION_FAILED: /, '')}): ` +
    'set url to where it can, run msn-bridge registration and restart the homeserver',
  M_CONNECTION_TIMEOUT: ({ registration }) =>
    `the homeserver gets no answer from the bridge at ${registration.url}: is there a firewall or proxy between them?`,
  M_BAD_STATUS: ({ registration, file }, detail) =>
    /\b403\b|M_FORBIDDEN/.test(detail)
      ? `the homeserver comes to the bridge with a wrong hs_token: ${anew(file)}`
      : `the homeserver reaches something else than the bridge at ${registration.url} (${detail}): check url in the config`,
}

/** Who are we there? Makes the bot's user, where the homeserver does not by itself. */
const meetOurselves = async (to: SetUp): Promise<void> => {
  const registered = await to.ask({
    method: 'POST',
    path: '/_matrix/client/v3/register',
    body: {
      type: 'm.login.application_service',
      username: to.registration.sender_localpart,
      inhibit_login: true,
    },
  })
  if (!registered.ok) {
    const { failure } = registered
    if (failure.kind !== 'refused' || failure.errcode === NO_HOMESERVER) throw new SessionFault(faultIn(failure, to))
    if (failure.errcode !== 'M_USER_IN_USE')
      throw faultOf(
        `the homeserver refuses our bot ${to.bot} (${failure.detail}): choose another bot.localpart, or ${anew(to.file)}`,
      )
  }
  const whoami = await must(to, { method: 'GET', path: '/_matrix/client/v3/account/whoami' })
  const user = whoami['user_id']
  if (user === to.bot) return
  if (isMxid(user) && domainOf(user) !== to.domain)
    throw faultOf(
      `the homeserver at ${to.url} is ${domainOf(user)} and not ${to.domain}: write domain: ${domainOf(user)} in the config, ` +
        'run msn-bridge registration and restart the homeserver',
    )
  throw faultOf(`the homeserver calls our bot ${String(user)} instead of ${to.bot}: ${anew(to.file)}`)
}

/** Whether ghosts would be ours. Asks as one that nobody has made, which is refused for another reason, and makes none. */
const checkNamespace = async (to: SetUp): Promise<void> => {
  const answer = await to.ask({
    method: 'GET',
    path: '/_matrix/client/v3/account/whoami',
    as: `@${to.ghostPrefix}probe:${to.domain}`,
  })
  if (answer.ok || answer.failure.kind !== 'refused') return
  if (answer.failure.errcode === 'M_EXCLUSIVE' || /masquerade/i.test(answer.failure.detail))
    throw faultOf(`the homeserver does not let us have users that begin with @${to.ghostPrefix}: ${anew(to.file)}`)
}

/** Can a request be made from a device that we made for the user? Then transaction ids outlive a restart of the homeserver. */
const probeDevices = async (to: SetUp): Promise<boolean> => {
  const made = await to.ask({
    method: 'PUT',
    path: path`/_matrix/client/v3/devices/${DEVICE_ID}`,
    as: to.bot,
    body: { display_name: 'MSN bridge' },
  })
  if (!made.ok) return false
  const whoami = await to.ask({
    method: 'GET',
    path: '/_matrix/client/v3/account/whoami',
    query: { user_id: to.bot, device_id: DEVICE_ID },
  })
  return whoami.ok && at(whoami.value, 'device_id') === DEVICE_ID
}

const must = async (to: SetUp, call: Call): Promise<Readonly<Record<string, unknown>>> => {
  const answer = await to.ask<Readonly<Record<string, unknown>>>(call)
  if (answer.ok) return answer.value
  throw new SessionFault(faultIn(answer.failure, to))
}

/** What any failed request says about the whole. All of it may mend itself while we try again. */
const faultIn = (failure: Failure, { url, file }: Place): Fault => {
  switch (failure.kind) {
    case 'unreachable':
      return {
        code: 'network',
        detail: `the homeserver does not answer at ${url} (${failure.detail}): is it running, and is the address right?`,
      }
    case 'busy':
      return {
        code: 'network',
        detail: `the homeserver at ${url} is in trouble (${failure.detail}): look into its log`,
      }
    case 'limited':
      return {
        code: 'network',
        detail: `the homeserver at ${url} asks us to slow down: rate_limited must be false in ${file}`,
      }
    case 'token':
      return protocol(
        `the homeserver does not know our as_token: did you add ${file} to app_service_config_files and restart it?`,
      )
    case 'refused':
      return protocol(
        failure.errcode === NO_HOMESERVER
          ? noHomeserver(url)
          : `the homeserver at ${url} refuses us (${failure.detail}): ${anew(file)}`,
      )
    case 'aborted':
      return { code: 'network', detail: `the attempt to reach ${url} was given up` }
  }
}

const noHomeserver = (url: string): string =>
  `what answers at ${url} is no homeserver: write the URL that Matrix clients use into homeserver`

/** Always right when the homeserver has read another file than ours. */
const anew = (file: string): string =>
  `run msn-bridge registration, see that the homeserver reads ${file}, and restart it`

/** Tried again like all others: the homeserver may be given the right file at any time. */
const protocol = (detail: string): Fault => ({ code: 'protocol', detail })
const faultOf = (detail: string): SessionFault => new SessionFault(protocol(detail))

const at = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce<unknown>((inner, key) => recordOf(inner)[key], value)
