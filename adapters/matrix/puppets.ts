/**
 * People who let us speak for them, so that what they write elsewhere appears as themselves: with their own access token
 * (`login-matrix`), or by an application service that covers all people of the homeserver.
 *
 * Tokens are on disk only when they can be encrypted (`puppet/<user>`); else they are forgotten at the next start, and the
 * person is told so.
 */
import { done } from './answers.ts'
import { domainOf, isRoomId } from './ids.ts'
import { path } from './paths.ts'
import { joinCall, type By } from './room-calls.ts'
import type { Answer, MatrixDeps, Mxid, PuppetPort, PuppetToken, RoomId } from './types.ts'
import { recordOf, textIn } from './untrusted.ts'

const PREFIX = 'puppet/'

/** Encrypts small secrets, each for one use. undefined: there is no key; it was sealed with another one, or for another use. */
export interface Box {
  seal(text: string, use: string): string | undefined
  open(sealed: string, use: string): string | undefined
}

export interface PuppetSettings {
  /** For everybody of the domain who has given no token of their own. */
  readonly everybody?: PuppetToken
  readonly box?: Box
  /** Their own token is accepted no more, and was deleted. */
  readonly lost: (user: Mxid) => Promise<void>
}

/** `detail` is a sentence for the person. */
export type PuppetResult =
  { readonly kind: 'done'; readonly detail: string } | { readonly kind: 'refused'; readonly detail: string }

export class Puppets implements PuppetPort {
  readonly #deps: MatrixDeps
  readonly #settings: PuppetSettings
  readonly #isOurs: (id: string) => boolean
  readonly #tokens = new Map<Mxid, string>()

  constructor(deps: MatrixDeps, settings: PuppetSettings, isOurs: (id: string) => boolean) {
    this.#deps = deps
    this.#settings = settings
    this.#isOurs = isOurs
  }

  async start(): Promise<void> {
    const { context } = this.#deps
    for (const [key, sealed] of await context.state.list(PREFIX)) {
      const user = key.slice(PREFIX.length) as Mxid
      const token = this.#settings.box?.open(sealed, useOf(user))
      if (token === undefined) context.log.warn({ user }, 'a Matrix token on disk cannot be decrypted')
      else this.#tokens.set(user, token)
    }
  }

  of(user: Mxid): PuppetToken | undefined {
    const token = this.#tokens.get(user)
    if (token !== undefined) return { kind: 'token', token }
    const { everybody } = this.#settings
    return domainOf(user) === this.#deps.homeserver.domain && !this.#isOurs(user) ? everybody : undefined
  }

  /** For a request that is to be made as `user`. */
  by(user: Mxid): By | undefined {
    const puppet = this.of(user)
    if (puppet === undefined) return undefined
    return puppet.kind === 'token' ? { as: user, token: puppet.token } : { as: user }
  }

  /** They gave us a token, which must be their own. */
  async login(user: Mxid, token: string, signal?: AbortSignal): Promise<PuppetResult> {
    const { homeserver, context } = this.#deps
    const who = await homeserver.request<unknown>({
      method: 'GET',
      path: '/_matrix/client/v3/account/whoami',
      token,
      ...(signal === undefined ? {} : { signal }),
    })
    if (!who.ok) {
      return who.failure.kind === 'token' || who.failure.kind === 'refused'
        ? refused('The homeserver does not accept this token. Copy it again from your client.')
        : refused(`The homeserver does not answer (${who.failure.detail}). Try again later.`)
    }
    if (textIn(who.value, 'user_id') !== user) return refused('This token belongs to somebody else. Give your own.')
    this.#tokens.set(user, token)
    const sealed = this.#settings.box?.seal(token, useOf(user))
    if (sealed === undefined) {
      return { kind: 'done', detail: 'Done, until the bridge is restarted: it has no key to keep your token with.' }
    }
    await context.state.update([[`${PREFIX}${user}`, sealed]])
    return { kind: 'done', detail: 'Done: what you write elsewhere appears here as you.' }
  }

  async logout(user: Mxid): Promise<PuppetResult> {
    const had = await this.#forget(user)
    return had ? { kind: 'done', detail: 'Your token is deleted.' } : refused('I have no token of yours.')
  }

  /** A request with their own token was answered with the failure `token`: it is of no use. */
  async failed(user: Mxid): Promise<void> {
    if (!(await this.#forget(user))) return
    this.#deps.context.log.warn({ user }, 'a Matrix token is no longer accepted and was deleted')
    await this.#settings.lost(user)
  }

  /** Takes them into a room, and notes whom it is a direct chat with. False: they did not allow it, or it did not work. */
  async join(user: Mxid, room: RoomId, directWith: Mxid | undefined, signal: AbortSignal): Promise<boolean> {
    const by = this.by(user)
    if (by === undefined) return false
    const joined = await this.#deps.homeserver.request(joinCall(room, { ...by, signal }))
    if (!joined.ok) {
      if (joined.failure.kind === 'token') await this.failed(user)
      return false
    }
    if (directWith !== undefined) await this.#markDirect(user, room, directWith, { ...by, signal })
    return true
  }

  async #forget(user: Mxid): Promise<boolean> {
    if (!this.#tokens.delete(user)) return false
    await this.#deps.context.state.update([[`${PREFIX}${user}`, undefined]])
    return true
  }

  /** `m.direct` of the account data: lists of rooms by user. */
  async #markDirect(user: Mxid, room: RoomId, directWith: Mxid, by: By): Promise<Answer<unknown>> {
    const { homeserver, context } = this.#deps
    const data = path`/_matrix/client/v3/user/${user}/account_data/m.direct`
    const before = await homeserver.request<unknown>({ ...by, method: 'GET', path: data })
    // Only "there is none" allows us to write a new one: the list of all their direct chats must not get lost.
    if (!before.ok && !(before.failure.kind === 'refused' && before.failure.errcode === 'M_NOT_FOUND')) return before
    const lists = before.ok ? recordOf(before.value) : {}
    const listed = lists[directWith]
    const rooms = Array.isArray(listed) ? listed.filter(isRoomId) : []
    if (rooms.includes(room)) return done(undefined)
    const body = { ...lists, [directWith]: [...rooms, room] }
    const put = await homeserver.request({ ...by, method: 'PUT', path: data, body })
    if (!put.ok) context.log.debug({ user }, 'a room could not be marked as direct')
    return put
  }
}

const useOf = (user: Mxid): string => `Matrix token of ${user}`

const refused = (detail: string): PuppetResult => ({ kind: 'refused', detail })
