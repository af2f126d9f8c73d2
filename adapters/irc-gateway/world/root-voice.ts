/** Root speaks: in the control channel, else in a query; kept for later while nobody is there. */
import type { ServerMessage } from '../wire/message.ts'
import type { Contacts } from './contacts.ts'
import type { ControlChannels } from './control-channels.ts'
import type { Missed } from './missed.ts'
import { rootLines } from './scene.ts'
import { logged, type Self } from './types.ts'

export interface RootVoiceOptions {
  readonly self: Self
  readonly contacts: Contacts
  readonly controls: ControlChannels
  readonly missed: Missed
}

export class RootVoice {
  readonly #options: RootVoiceOptions

  constructor(options: RootVoiceOptions) {
    this.#options = options
  }

  says(text: string): void {
    this.tell(text).catch(logged(this.#options.self, 'words of root were lost'))
  }

  /** Resolves when it is shown, or kept. */
  async tell(text: string): Promise<void> {
    const { self, missed } = this.#options
    if (self.clients.size === 0) return missed.note({ kind: 'words', at: self.context.clock.now(), text })
    const lines = this.lines(text)
    self.tell(() => lines)
  }

  lines(text: string): readonly ServerMessage[] {
    const { self, contacts, controls } = this.#options
    return rootLines(text, contacts.root(), controls.main(), self.nick, self.context.clock.now())
  }
}
