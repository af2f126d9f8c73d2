/** Pure. A nudge in words: "/me nudges you" is what it becomes on IRC, and so it is one on the way back. */

const NUDGE = /^(nudges (you|everyone|everybody)|sends (you )?a nudge)[.!]*$/i

/** `words`: of an action. */
export const isNudge = (words: string): boolean => NUDGE.test(words.trim())
