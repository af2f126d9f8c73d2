/** Pure. What people are called in front of others. */
import type { UserId } from './model/ids.ts'

/** Longer names are cut: they stand before every line of a relayed message. In characters. */
export const NAME_LIMIT = 40

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** `bob` of `bob@home.example`, of `@bob:example.org` and of `bob`. */
export const localPart = (user: UserId): string => {
  const bare = user.startsWith('@') ? user.slice(1) : user
  const end = bare.search(/[@:]/)
  return end <= 0 ? bare : bare.slice(0, end)
}

/** A name that somebody gave themselves, safe to stand in a line: no line breaks, no brackets to forge a prefix with, not endless. */
export const shownName = (name: string | undefined, user: UserId): string => {
  const clean = (name ?? '')
    .replaceAll(/[\u0000-\u001f\u007f\s]+/g, ' ')
    .replaceAll(/[<>]/g, '')
    .trim()
  if (clean === '') return localPart(user)
  if (clean.length <= NAME_LIMIT) return clean
  const kept: string[] = []
  for (const { segment } of graphemes.segment(clean)) {
    if (kept.length === NAME_LIMIT - 1) break
    kept.push(segment)
  }
  return kept.length < NAME_LIMIT - 1 ? kept.join('').slice(0, NAME_LIMIT * 4) : `${kept.join('')}…`
}
