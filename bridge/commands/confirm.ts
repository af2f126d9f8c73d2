/** A question that is answered with `yes`. */
import type { CommandRequest } from '../adapter.ts'
import type { Question } from './deps.ts'

export const confirm = (
  { trigger = '' }: CommandRequest,
  question: string,
  go: () => Promise<readonly string[]>,
): Question => ({
  kind: 'confirm',
  lines: [`${question} Say "${trigger}yes" within a minute, or "${trigger}cancel".`],
  go,
})
