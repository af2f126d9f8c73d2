/** The picture of an account: chosen by its owner, taken back, and which it is in words. */
import type { PictureSource } from '../own-pictures.ts'
import type { Own } from '../roster.ts'
import { chooseOnly } from './accounts.ts'
import type { Answer, Call, Command, CommandDeps } from './deps.ts'
import type { AccountId } from '../model/ids.ts'

const setPicture = async (call: Call): Promise<Answer> => {
  const { request, deps } = call
  const account = chooseOnly(call)
  if ('wrong' in account) return [account.wrong]
  const { file } = request
  if (file === undefined)
    return ['No picture came with it. Say it where you can send one: on Matrix, or by DCC to root of the gateway.']
  if (file.media !== 'image') return ['set-picture failed: that is no image']
  const wrong = await deps.pictures.choose(account.id, { file, by: request.from })
  return [
    wrong === undefined
      ? `${account.id} shows that picture now. To undo it: ${request.trigger ?? ''}remove-picture`
      : `set-picture failed: ${wrong}`,
  ]
}

const removePicture = async (call: Call): Promise<Answer> => {
  const { deps } = call
  const account = chooseOnly(call)
  if ('wrong' in account) return [account.wrong]
  const { id } = account
  const before = deps.pictures.sourceOf(id)
  if (before.kind !== 'chosen')
    return [`Nothing was set with set-picture for ${id}. Its picture: ${sourceWords(before, undefined)}.`]
  const wrong = await deps.pictures.choose(id, undefined)
  return [
    wrong === undefined
      ? `Taken back. The picture of ${id} now: ${sourceWords(deps.pictures.sourceOf(id), undefined)}.`
      : `remove-picture failed: ${wrong}`,
  ]
}

/** "your avatar on matrix"; while another client is signed in, others see the picture of that one. */
export const pictureWords = (account: AccountId, deps: Pick<CommandDeps, 'pictures' | 'roster'>): string => {
  const own = deps.roster.own(account)
  const ours = sourceWords(deps.pictures.sourceOf(account), own)
  if (own?.beside === undefined) return ours
  const { picture } = own.beside
  const shown =
    picture === undefined ? 'none, as your other client has it' : `that of your other client (${kB(picture)})`
  return `${shown}, while that is signed in; then: ${ours}`
}

const sourceWords = (source: PictureSource, own: Own | undefined): string =>
  `${whence(source, own)}${source.wrong === undefined ? '' : ` (not taken: ${source.wrong})`}`

const whence = (source: PictureSource, own: Own | undefined): string => {
  switch (source.kind) {
    case 'chosen':
      return `set by ${source.by.user} on ${source.by.network}`
    case 'config':
      return 'that of the config'
    case 'avatar':
      return `your avatar on ${source.by.network}`
    case 'none':
      return own?.picture === undefined ? 'none' : 'one that it had before'
  }
}

const kB = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`

const common = { group: 'You', role: 'user', least: 0, most: Number.POSITIVE_INFINITY } as const

/** In the order of `help`. */
export const pictureCommands: readonly (readonly [string, Command])[] = [
  [
    'set-picture',
    {
      ...common,
      usage: 'set-picture [ACCOUNT]',
      about: 'show your contacts the image that it answers, or the one that you send next, instead of your avatar',
      run: setPicture,
    },
  ],
  [
    'remove-picture',
    {
      ...common,
      usage: 'remove-picture [ACCOUNT]',
      about: 'undo set-picture: your avatar is shown again, or no picture',
      run: removePicture,
    },
  ],
]
