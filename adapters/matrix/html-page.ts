/** Lines of text as a reader of HTML sees them: white space flows together, blocks begin on lines of their own. Pure. */
import type { RichText } from '../../bridge/model/text.ts'
import type { Style } from '../../bridge/model/text.ts'
import { Runs } from './spans.ts'

/** Deeper quotes and lists look like this deep. */
const MAX_INDENT = 4
/** More empty lines than these are nobody's message. */
const MAX_BREAKS = 20
const NO_STYLE: Style = {}

export class Page {
  readonly #runs: Runs
  #breaks = 0
  /** The style of a blank that is written when something follows in its line. */
  #blank: Style | undefined
  #quotes = 0
  #lists = 0
  /** What the next line begins with, once. */
  #marker: string | undefined

  constructor(max: number) {
    this.#runs = new Runs(max)
  }

  /** White space is one blank, and none at the ends of lines. */
  flow(text: string, style: Style): void {
    const words = text.replace(/[ \t\n\f]+/g, ' ')
    if (words.startsWith(' ')) this.#blank ??= style
    const said = words.replace(/^ /, '').replace(/ $/, '')
    if (said === '') return
    this.#write(said.replaceAll('\u00a0', ' '), style)
    if (words.endsWith(' ')) this.#blank = style
  }

  /** As it stands, with its lines. */
  verbatim(text: string, style: Style): void {
    for (const [index, line] of text.split('\n').entries()) {
      if (index > 0) this.lineBreak()
      if (line !== '') this.#write(line, style)
    }
  }

  lineBreak(): void {
    this.#breaks = Math.min(this.#breaks + 1, MAX_BREAKS)
    this.#blank = undefined
  }

  /** At least so many line ends before what comes next, but none at the beginning. */
  lineEnds(count: number): void {
    this.#breaks = Math.max(this.#breaks, this.#marker === undefined ? count : 0)
    this.#blank = undefined
  }

  quote(): void {
    this.#quotes++
  }

  unquote(): void {
    this.#quotes--
  }

  list(): void {
    this.#lists++
  }

  endList(): void {
    this.#lists--
  }

  item(marker: string): void {
    this.#marker = marker
  }

  endItem(): void {
    this.#marker = undefined
  }

  /** undefined: nothing was written. */
  toRich(): RichText | undefined {
    return this.#runs.empty ? undefined : this.#runs.toRich()
  }

  #write(text: string, style: Style): void {
    const { empty } = this.#runs
    if (empty || this.#breaks > 0) {
      const lead = this.#lead()
      if (!empty) this.#runs.add('\n'.repeat(this.#breaks), lead === '' ? style : NO_STYLE)
      this.#runs.add(lead, NO_STYLE)
    } else if (this.#blank !== undefined) this.#runs.add(' ', this.#blank)
    this.#breaks = 0
    this.#blank = undefined
    this.#marker = undefined
    this.#runs.add(text, style)
  }

  #lead(): string {
    const quotes = '> '.repeat(Math.min(this.#quotes, MAX_INDENT))
    const hanging = this.#marker === undefined ? this.#lists : this.#lists - 1
    return quotes + '  '.repeat(Math.min(Math.max(hanging, 0), MAX_INDENT)) + (this.#marker ?? '')
  }
}
