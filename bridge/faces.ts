/** What was last told of everybody whom an account shows: the same is not told twice, however many chats they are in. */
import type { OwnState } from './ephemeral.ts'
import type { AccountId, UserRef } from './model/ids.ts'

/** People remembered for one account; past it all are told once more. */
const FACES_LIMIT = 50_000
const OFFLINE = 'offline'
/** The account was away: nobody knows what others see by now. */
const UNKNOWN = ''

interface Face {
  presence: string
  profile: string | undefined
}

/** Where somebody is who is not there is no news. */
const presenceOf = ({ state, in: chats = [] }: Extract<OwnState, { kind: 'presence' }>): string =>
  state.show === 'offline' ? OFFLINE : JSON.stringify([state, ...chats])

const profileOf = ({ name, avatar }: Extract<OwnState, { kind: 'profile' }>): string =>
  JSON.stringify([name, avatar === null ? null : avatar?.ref])

export class Faces {
  readonly #accounts = new Map<AccountId, Map<string, Face>>()

  /** Whether it differs from what was told last; remembers it. Of whom nothing was told yet, they are absent. */
  isNews(account: AccountId, { network, user }: UserRef, op: OwnState): boolean {
    const faces = this.#accounts.get(account) ?? new Map<string, Face>()
    this.#accounts.set(account, faces)
    const key = `${network}\n${user}`
    const face = faces.get(key) ?? { presence: OFFLINE, profile: undefined }
    const news = op.kind === 'presence' ? presenceOf(op) : profileOf(op)
    if (news === (op.kind === 'presence' ? face.presence : face.profile)) return false
    if (faces.size >= FACES_LIMIT) faces.clear()
    faces.set(key, op.kind === 'presence' ? { ...face, presence: news } : { ...face, profile: news })
    return true
  }

  accounts(): readonly AccountId[] {
    return [...this.#accounts.keys()]
  }

  /** The session of that account ended: others may see whom it showed as absent, or as they were. */
  lost(account: AccountId): void {
    for (const face of this.#accounts.get(account)?.values() ?? [])
      if (face.presence !== OFFLINE) face.presence = UNKNOWN
  }
}
