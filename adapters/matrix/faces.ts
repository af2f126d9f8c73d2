/** What people of our rooms look like, as their memberships tell; told when it is news. */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { oneLine } from './clean.ts'
import { FACE_SIZE, parseMxc, thumbnailOf } from './mxc.ts'
import type { Mxid, RoomEvent } from './types.ts'
import { textIn } from './untrusted.ts'

/** People whose picture is remembered; past it the oldest is told again. */
export const MAX_FACES = 5_000
const MAX_NAME = 200

export interface FacesDeps {
  readonly network: NetworkId
  readonly account: AccountId
  readonly context: Pick<AdapterContext, 'emit'>
  readonly isOurs: (id: string) => boolean
}

export class Faces {
  readonly #deps: FacesDeps
  readonly #known = new Map<Mxid, string>()

  constructor(deps: FacesDeps) {
    this.#deps = deps
  }

  note(event: RoomEvent): void {
    const { network, account, context, isOurs } = this.#deps
    const { sender, state_key: user, content } = event
    if (event.type !== 'm.room.member' || user !== sender || content['membership'] !== 'join' || isOurs(sender)) return
    const url = textIn(content, 'avatar_url') ?? ''
    if (this.#known.get(sender) === url || (url !== '' && parseMxc(url) === undefined)) return
    this.#known.delete(sender)
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= MAX_FACES) this.#known.delete(oldest)
    this.#known.set(sender, url)
    const avatar: FileRef | null =
      url === '' ? null : { network, ref: thumbnailOf(url, FACE_SIZE), name: 'picture', media: 'image' }
    const name = oneLine(textIn(content, 'displayname') ?? sender, MAX_NAME)
    const told = {
      kind: 'profile',
      account,
      user: { network, user: sender as string as UserId },
      name,
      avatar,
    } as const
    void context.emit(told).catch(() => undefined)
  }
}
