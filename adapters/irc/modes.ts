/** What the modes of our channels mean for what is said there. Pure but for its own state. */
import type { IrcMessage } from 'irc-framework'
import type { ChatId } from '../../bridge/model/ids.ts'
import { isChannelName } from '../../irc/casemap.ts'

/** c and S: styles and colours are taken out, or what has them is refused. */
const PLAIN = new Set(['c', 'S'])
/** Not everybody may speak: m moderated, M and R only who has identified. */
const MUTING = new Set(['m', 'M', 'R'])

export class ChannelModes {
  readonly #modes = new Map<ChatId, Set<string>>()

  /** `MODE #chan +c-m nick` or `324 me #chan +cnt`; `words` is what follows the channel. Answers whether others may speak now. */
  changed(chat: ChatId, words: string): boolean {
    const modes = this.#modes.get(chat) ?? new Set<string>()
    this.#modes.set(chat, modes)
    let sign = '+'
    let eased = false
    for (const letter of words) {
      if (letter === '+' || letter === '-') sign = letter
      else {
        if (sign === '+') modes.add(letter)
        else modes.delete(letter)
        // A voice or a lifted ban lets somebody speak as much as the end of +m does.
        eased ||= sign === '-' ? MUTING.has(letter) || 'bq'.includes(letter) : 'vhoaq'.includes(letter)
      }
    }
    return eased
  }

  /** Words must go there without styles. */
  isPlain(chat: ChatId): boolean {
    const modes = this.#modes.get(chat)
    return modes !== undefined && [...PLAIN].some((mode) => modes.has(mode))
  }

  forget(): void {
    this.#modes.clear()
  }
}

/** `MODE #chan +m`, and `324 me #chan +nt` in answer to our question: the channel, and the words. */
export const readModes = ({ command, params }: IrcMessage): readonly [string, string] | undefined => {
  const [first = '', second = '', third = ''] = params
  if (command === 'MODE' && isChannelName(first)) return [first, second]
  return command === '324' ? [second, third] : undefined
}
