import { decodeName, encodeName, trimBlanks } from '../wire/escape.ts'

/** How a message looks: one style for all of it. Source: docs/protocol.md, Messages. */
export interface TextFormat {
  readonly font: string
  readonly bold: boolean
  readonly italic: boolean
  readonly underline: boolean
  readonly strike: boolean
  /** `#rrggbb`, lower case; undefined: black, which is what clients send when nobody chose a colour. */
  readonly color: `#${string}` | undefined
  /** A hint: the Windows character set of the font. */
  readonly charset: number
  /** Family (high four bits) and pitch (low four bits) of the font. */
  readonly family: number
  readonly rightToLeft: boolean
}

export const PLAIN_FORMAT: TextFormat = {
  font: 'Arial',
  bold: false,
  italic: false,
  underline: false,
  strike: false,
  color: undefined,
  charset: 0,
  family: 0,
  rightToLeft: false,
}

/** Names of fonts are cut here: Windows takes no longer ones. UTF-16 units. */
const MAX_FONT = 31

/** Reads the value of `X-MMS-IM-Format`, a byte string. What is missing or broken comes out as in `PLAIN_FORMAT`. */
export function parseTextFormat(value: string): TextFormat {
  const font = decodeName(field(value, 'FN'))
  const effects = field(value, 'EF').toUpperCase()
  return {
    font: font === '' ? PLAIN_FORMAT.font : font,
    bold: effects.includes('B'),
    italic: effects.includes('I'),
    underline: effects.includes('U'),
    strike: effects.includes('S'),
    color: parseColor(field(value, 'CO')),
    charset: parseHexByte(field(value, 'CS')),
    family: parseHexByte(field(value, 'PF')),
    rightToLeft: field(value, 'RL') === '1',
  }
}

/** The first field of that name, which is two capitals; empty when there is none. */
function field(value: string, name: string): string {
  for (let at = 0; at < value.length;) {
    const semicolon = value.indexOf(';', at)
    const end = semicolon === -1 ? value.length : semicolon
    while (value.charCodeAt(at) === 32) at++
    const equals = value.indexOf('=', at)
    if (equals === -1) return ''
    if (equals < end && trimBlanks(value.slice(at, equals)).toUpperCase() === name)
      return trimBlanks(value.slice(equals + 1, end))
    at = end + 1
  }
  return ''
}

/** The value of `X-MMS-IM-Format`. FN comes first: a server of old closed the connection otherwise. */
export function formatTextFormat(format: TextFormat): string {
  const effects =
    (format.bold ? 'B' : '') + (format.italic ? 'I' : '') + (format.underline ? 'U' : '') + (format.strike ? 'S' : '')
  const font = encodeName(format.font.slice(0, MAX_FONT))
  const value = `FN=${font}; EF=${effects}; CO=${formatColor(format.color)}; CS=${format.charset.toString(16)}; PF=${format.family.toString(16)}`
  return format.rightToLeft ? `${value}; RL=1` : value
}

/** The wire has blue, green, red without leading zeros: `ff` is red. */
function parseColor(hex: string): `#${string}` | undefined {
  if (!/^[0-9a-f]{1,6}$/i.test(hex)) return undefined
  const bgr = hex.toLowerCase().padStart(6, '0')
  return bgr === '000000' ? undefined : `#${bgr.slice(4)}${bgr.slice(2, 4)}${bgr.slice(0, 2)}`
}

function formatColor(color: string | undefined): string {
  const rgb = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color ?? '')
  if (rgb === null) return '0'
  const [, red = '', green = '', blue = ''] = rgb
  return (blue + green + red).toLowerCase().replace(/^0{1,5}/, '')
}

const parseHexByte = (hex: string): number => (/^[0-9a-f]{1,2}$/i.test(hex) ? Number.parseInt(hex, 16) : 0)
