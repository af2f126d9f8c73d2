/** What people are told about files on their way. Pure. */
import type { MessageBody } from '../../../bridge/model/body.ts'
import { sizeWords } from '../../../bridge/model/file-words.ts'
import { oneLine } from '../words.ts'
import type { OfferResult } from './types.ts'

/** Names of files of others in our sentences, UTF-16 units. */
const MAX_QUOTED = 80

export const quoted = (name: string): string => `"${oneLine(name, MAX_QUOTED)}"`

const notice = (text: string): MessageBody => ({ kind: 'notice', text: [{ text }] })

interface Named {
  readonly name: string
  readonly size: number
}

// Said in the name of the contact, as their doing.

export const notTaken = ({ name, size }: Named, why: string): MessageBody =>
  notice(`offers the file ${quoted(name)} (${sizeWords(size)}), which the bridge does not take: ${why}`)

/** Said to its sender. */
export const declined = ({ name }: Pick<Named, 'name'>, why: string): string =>
  `(The file ${quoted(name)} was declined, because ${why}.)`

export const tooLarge = (most: number): string => `it is too large, ${sizeWords(most)} at most`

export const onItsWay = ({ name, size }: Named, moved: number, from: 'them' | 'us'): MessageBody =>
  notice(
    `${from === 'them' ? 'is sending' : 'is receiving'} the file ${quoted(name)}: ${percent(moved, size)} of ${sizeWords(size)}`,
  )

export const notArrived = ({ name, size }: Named, why: string): MessageBody =>
  notice(`offered the file ${quoted(name)} (${sizeWords(size)}), but it did not arrive: ${why}`)

export const outcome = ({ name }: Named, result: OfferResult): MessageBody => {
  const file = quoted(name)
  switch (result.kind) {
    case 'received':
      return notice(`has received the file ${file}`)
    case 'declined':
      return notice(`did not want the file ${file}, and gets the link`)
    case 'unanswered':
      return notice(`did not answer the offer of the file ${file}, and gets the link`)
    case 'cancelled':
      return notice(`has cancelled the file ${file}, and gets the link`)
    case 'taken-back':
      return notice(`does not get the file ${file}: it was taken back`)
    case 'failed':
      return notice(`has not received the file ${file} (${result.detail}), and gets the link`)
  }
}

const percent = (moved: number, size: number): string => `${Math.floor((100 * moved) / Math.max(1, size))} %`
