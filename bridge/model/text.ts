/** Rich text is flat runs, never a tree: IRC toggles and MSN's one style per message both fall out of it. Lines are divided by '\n'. */
export interface Span {
  readonly text: string
  readonly bold?: true
  readonly italic?: true
  readonly underline?: true
  readonly strike?: true
  readonly mono?: true
  readonly color?: `#${string}`
}

export type RichText = readonly Span[]

/** One unstyled run. */
export const plain = (text: string): RichText => [{ text }]

/** The words without their styling. */
export const textOf = (rich: RichText): string => rich.map((span) => span.text).join('')
