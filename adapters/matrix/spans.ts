/** Runs of styled text, put together one after the other. Pure. */
import { type RichText, sameStyle, type Style } from '../../bridge/model/text.ts'

/** At most `max` UTF-16 units; what comes after them is dropped, and '…' says so. Neighbours of one style are one run. */
export class Runs {
  readonly #spans: { text: string; readonly style: Style }[] = []
  readonly #max: number
  #length = 0
  #full = false

  constructor(max: number) {
    this.#max = max
  }

  get empty(): boolean {
    return this.#length === 0
  }

  get full(): boolean {
    return this.#full
  }

  add(text: string, style: Style): void {
    if (this.#full || text === '') return
    if (this.#length + text.length >= this.#max) {
      this.#full = true
      const room = this.#max - 1 - this.#length
      this.#append(
        `${text
          .slice(0, room)
          .toWellFormed()
          .replace(/\ufffd$/, '')}…`,
        style,
      )
      return
    }
    this.#append(text, style)
  }

  toRich(): RichText {
    return this.#spans.map(({ text, style }) => ({ ...style, text }))
  }

  #append(text: string, style: Style): void {
    this.#length += text.length
    const last = this.#spans.at(-1)
    if (last !== undefined && sameStyle(last.style, style)) last.text += text
    else this.#spans.push({ text, style })
  }
}
