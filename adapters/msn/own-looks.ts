/** How our account looks to others, as far as it is not in the list: words, music and pictures, ours and those of a Messenger beside us. */
import type { OwnView } from '../../bridge/adapter.ts'
import { parseMsnObject, type Messenger, type PersonalMessage } from '../../msnp/index.ts'
import { stateOf } from './personal.ts'

export class OwnLooks {
  #personal: PersonalMessage
  #picture: number | undefined
  #messenger: Messenger | undefined

  /** `picture`: bytes of ours. */
  constructor(personal: PersonalMessage, picture: number | undefined) {
    this.#personal = personal
    this.#picture = picture
  }

  /** What stands beside our name, as far as we have said it. */
  says(personal: PersonalMessage): void {
    this.#personal = personal
  }

  /** Bytes of our picture. */
  shows(picture: number | undefined): void {
    this.#picture = picture
  }

  /** undefined: it has gone. */
  beside(messenger: Messenger | undefined): void {
    this.#messenger = messenger
    // What is written belongs to the account and stays; what is played goes with who plays it.
    if (messenger !== undefined) this.#personal = { ...this.#personal, text: messenger.personal.text }
  }

  /** As others see it. */
  seen(): Pick<OwnView, 'text' | 'playing' | 'picture' | 'beside'> {
    const messenger = this.#messenger
    const { text, playing } = stateOf('online', messenger?.personal ?? this.#personal)
    const object = messenger?.object === undefined ? undefined : parseMsnObject(messenger.object)
    return {
      ...(text === undefined ? {} : { text }),
      ...(playing === undefined ? {} : { playing }),
      ...(this.#picture === undefined ? {} : { picture: this.#picture }),
      ...(messenger === undefined ? {} : { beside: object === undefined ? {} : { picture: object.size } }),
    }
  }
}
