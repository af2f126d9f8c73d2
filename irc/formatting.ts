/**
 * IRC's control codes <-> spans. The codes toggle; a line begins unstyled. Pure.
 * Read: bold, italic, underline, strike, mono, colours (mIRC's 99 and hex), reset; reverse and backgrounds mean nothing
 * elsewhere and are dropped, as is every other control character. Written: the same, colours as the nearest of the 99.
 */
import { type RichText, sameStyle, type Span, type Style } from '../bridge/model/text.ts'

type Color = `#${string}`
type Toggle = 'bold' | 'italic' | 'underline' | 'strike' | 'mono'

const TOGGLES: Readonly<Record<string, Toggle>> = {
  '\x02': 'bold',
  '\x1d': 'italic',
  '\x1f': 'underline',
  '\x1e': 'strike',
  '\x11': 'mono',
}
const CODES = Object.entries(TOGGLES)
const COLOR = '\x03'
const HEX_COLOR = '\x04'
const RESET = '\x0f'
/** Nothing, written visibly: keeps a digit of the text from being read as one of a colour. */
const FENCE = '\x02\x02'

/** Colours 0 to 98 of mIRC; 99 is "the reader's default". */
const PALETTE: readonly string[] = (
  'ffffff 000000 00007f 009300 ff0000 7f0000 9c009c fc7f00 ffff00 00fc00 009393 00ffff 0000fc ff00ff 7f7f7f d2d2d2 ' +
  '470000 472100 474700 324700 004700 00472c 004747 002747 000047 2e0047 470047 47002a ' +
  '740000 743a00 747400 517400 007400 007449 007474 004074 000074 4b0074 740074 740045 ' +
  'b50000 b56300 b5b500 7db500 00b500 00b571 00b5b5 0063b5 0000b5 7500b5 b500b5 b5006b ' +
  'ff0000 ff8c00 ffff00 b2ff00 00ff00 00ffa0 00ffff 008cff 0000ff a500ff ff00ff ff0098 ' +
  'ff5959 ffb459 ffff71 cfff60 6fff6f 65ffc9 6dffff 59b4ff 5959ff c459ff ff66ff ff59bc ' +
  'ff9c9c ffd39c ffff9c e2ff9c 9cff9c 9cffdb 9cffff 9cd3ff 9c9cff dc9cff ff9cff ff94d3 ' +
  '000000 131313 282828 363636 4d4d4d 656565 818181 9f9f9f bcbcbc e2e2e2 ffffff'
).split(' ')

const channels = (hex: string): readonly [number, number, number] => {
  const value = Number.parseInt(hex, 16)
  return [value >> 16, (value >> 8) & 0xff, value & 0xff]
}

/** The nearest of the 99, or nothing for black and white: one of them is every reader's background. */
const colorNumber = (color: string): number | undefined => {
  const hex = color.slice(1).toLowerCase()
  if (!/^[0-9a-f]{6}$/.test(hex) || hex === '000000' || hex === 'ffffff') return undefined
  const [red, green, blue] = channels(hex)
  let best: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [number, candidate] of PALETTE.entries()) {
    const [r, g, b] = channels(candidate)
    const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2
    if (distance >= least) continue
    least = distance
    best = number
  }
  return best
}

const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g

/** Text that can turn no style on and start no CTCP. Tabs and line feeds stay. */
export const withoutControls = (text: string): string => text.replace(CONTROLS, '')

/** Writes spans one after the other, knowing what is switched on. `write` gives the codes and the text to append. */
export class StyleWriter {
  #on: Style = {}
  #color: number | undefined

  write(text: string, style: Style): string {
    const clean = withoutControls(text)
    if (clean === '') return ''
    let codes = ''
    for (const [code, toggle] of CODES) if (style[toggle] !== this.#on[toggle]) codes += code
    const color = style.color === undefined ? undefined : colorNumber(style.color)
    // The colour comes last, so that nothing but a fence stands between its digits and the text's.
    if (color !== this.#color) {
      codes += color === undefined ? COLOR : COLOR + String(color).padStart(2, '0')
      if (color === undefined ? /^[\d,]/.test(clean) : clean.startsWith(',')) codes += FENCE
    }
    this.#on = style
    this.#color = color
    return codes + clean
  }
}

/** The whole of `text` as one line's content. Line feeds are the caller's business: they stay in. */
export const render = (text: RichText): string => {
  const writer = new StyleWriter()
  return text.map((span) => writer.write(span.text, span)).join('')
}

const TOKEN = /\x03(?:(\d{1,2})(?:,\d{1,2})?)?|\x04(?:([0-9A-Fa-f]{6})(?:,[0-9A-Fa-f]{6})?)?|[\x00-\x08\x0b-\x1f\x7f]/g

export const parse = (line: string): RichText => {
  const spans: Span[] = []
  let on: Partial<Record<Toggle, true>> = {}
  let color: Color | undefined
  let from = 0
  const flush = (to: number): void => {
    if (to <= from) return
    const span: Span = { text: line.slice(from, to), ...on, ...(color === undefined ? {} : { color }) }
    const last = spans.at(-1)
    if (last !== undefined && sameStyle(last, span)) spans[spans.length - 1] = { ...last, text: last.text + span.text }
    else spans.push(span)
  }
  for (const match of line.matchAll(TOKEN)) {
    flush(match.index)
    from = match.index + match[0].length
    const code = match[0].charAt(0)
    const toggle = TOGGLES[code]
    if (toggle !== undefined) {
      const { [toggle]: was, ...others } = on
      on = was === true ? others : { ...on, [toggle]: true }
    } else if (code === RESET) {
      on = {}
      color = undefined
    } else if (code === COLOR) {
      const hex = match[1] === undefined ? undefined : PALETTE[Number(match[1])]
      color = hex === undefined ? undefined : `#${hex}`
    } else if (code === HEX_COLOR) {
      color = match[2] === undefined ? undefined : `#${match[2].toLowerCase()}`
    }
  }
  flush(line.length)
  return spans
}
