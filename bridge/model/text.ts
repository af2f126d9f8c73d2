import type { FileRef } from './file.ts'

/** Rich text is flat runs, never a tree: IRC toggles and MSN's one style per message both fall out of it. Lines are divided by '\n'. */
export interface Span {
  readonly text: string
  readonly bold?: true
  readonly italic?: true
  readonly underline?: true
  readonly strike?: true
  readonly mono?: true
  readonly color?: `#${string}`
  /** Shown in place of the text where a network can: a custom emoticon. */
  readonly image?: FileRef
}

export type RichText = readonly Span[]

/** How a run looks. */
export type Style = Omit<Span, 'text'>

/** Two pictures are never one. */
export const sameStyle = (one: Style, other: Style): boolean =>
  one.image === undefined &&
  other.image === undefined &&
  one.bold === other.bold &&
  one.italic === other.italic &&
  one.underline === other.underline &&
  one.strike === other.strike &&
  one.mono === other.mono &&
  one.color === other.color

/** One unstyled run. */
export const plain = (text: string): RichText => [{ text }]

/** The words without their styling. */
export const textOf = (rich: RichText): string => rich.map((span) => span.text).join('')

/** The characters from `from` to before `to`, styled as they are; of a picture, half is none. UTF-16 units. */
export const sliceOf = (rich: RichText, from: number, to = Number.POSITIVE_INFINITY): RichText => {
  const spans: Span[] = []
  let at = 0
  for (const span of rich) {
    const text = span.text.slice(Math.max(0, from - at), Math.max(0, to - at))
    if (text !== '') spans.push(text === span.text ? span : { ...withoutImage(span), text })
    at += span.text.length
  }
  return spans
}

/** The words alone. */
export const withoutImage = (span: Span): Span => {
  if (span.image === undefined) return span
  const bare: { -readonly [Key in keyof Span]: Span[Key] } = { ...span }
  delete bare.image
  return bare
}
