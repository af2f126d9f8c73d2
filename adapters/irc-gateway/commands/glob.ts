/** Masks of RFC 1459: `*` is anything, `?` one character, whatever the case. Linear in both lengths, whoever writes the mask. Pure. */
import { fold } from '../../../irc/casemap.ts'
import { CASE_MAPPING } from '../wire/isupport.ts'

export const globOf = (mask: string): ((text: string) => boolean) => {
  const pattern = Array.from(fold(mask.replace(/\*+/g, '*'), CASE_MAPPING))
  return (text) => fits(pattern, Array.from(fold(text, CASE_MAPPING)))
}

/** Goes back to the last star only: what stood before it fits already. */
const fits = (pattern: readonly string[], text: readonly string[]): boolean => {
  let at = 0
  let next = 0
  let star = -1
  let from = 0
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++
      from = at
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next++
      at++
    } else if (star !== -1) {
      next = star + 1
      at = ++from
    } else return false
  }
  while (pattern[next] === '*') next++
  return next === pattern.length
}
