/** Pictures that the config gives to accounts: checked when it is loaded, and read when they are wanted. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { kindOf, TELLING_BYTES } from '../bridge/media/kinds.ts'
import type { FileRef } from '../bridge/model/body.ts'
import type { AccountId, NetworkId } from '../bridge/model/ids.ts'
import type { MediaResult } from '../bridge/model/result.ts'
import type { Problem } from './problems.ts'
import type { Config } from './schema.ts'

/** What Messengers show. */
const KINDS: readonly string[] = ['image/png', 'image/jpeg', 'image/gif']

/** Files that are there and can be read; whether they are pictures, and fit. */
export const pictureProblems = (config: Config): readonly Problem[] =>
  config.accounts.flatMap(({ picture, network }, index) => {
    if (picture === undefined) return []
    const message = wrongPicture(picture, maxKbOf(config, network))
    return message === undefined ? [] : [{ path: ['accounts', index, 'picture'], message }]
  })

/** In place of a network in a `FileRef`: no network can be called that. `ref`: account/hash of the bytes. */
export const CONFIG_PICTURES = '~config' as NetworkId

/** By account. One that cannot be read any more is told, and keeps nothing else from starting. */
export const configuredPictures = async (
  { accounts }: Config,
  failed: (account: AccountId, detail: string) => void,
): Promise<ReadonlyMap<AccountId, FileRef>> => {
  const pictures = new Map<AccountId, FileRef>()
  for (const { id, picture } of accounts) {
    if (picture === undefined) continue
    try {
      const hash = createHash('sha256').update(await readFile(picture))
      const ref = `${id}/${hash.digest('hex')}`
      pictures.set(id as AccountId, { network: CONFIG_PICTURES, ref, name: 'picture', media: 'image' })
    } catch (error) {
      failed(id as AccountId, String(error))
    }
  }
  return pictures
}

/** The bytes behind such a `ref`, as the file has them now. Never rejects. */
export const openPicture = async ({ accounts }: Config, ref: string): Promise<MediaResult> => {
  const [id] = ref.split('/', 1)
  const path = accounts.find((account) => account.id === id)?.picture
  const bytes = path === undefined ? undefined : await readFile(path).catch(() => undefined)
  return bytes === undefined
    ? { kind: 'refused', reason: 'not-found', detail: 'the picture of the config cannot be read' }
    : { kind: 'media', body: new Blob([bytes]).stream(), size: bytes.length }
}

const maxKbOf = ({ networks }: Config, network: string): number | undefined => {
  const found = networks.find(({ id }) => id === network)
  return found?.type === 'msn' ? found.pictures.max_kb : undefined
}

/** Half a sentence after the name of the key. */
const wrongPicture = (path: string, maxKb: number | undefined): string | undefined => {
  // Without a network of that type the account has no pictures; that is told of its network.
  if (maxKb === undefined) return undefined
  const { size } = statSync(path)
  if (size > maxKb * 1_000)
    return `${path} has ${Math.ceil(size / 1_000)} kB and may have ${maxKb}: make it smaller, or raise pictures.max_kb of the network`
  return KINDS.includes(kindOf(beginningOf(path), '')) ? undefined : `${path} is no PNG, JPEG or GIF: give another file`
}

const beginningOf = (path: string): Uint8Array => {
  const bytes = new Uint8Array(TELLING_BYTES)
  const file = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes))
  } finally {
    closeSync(file)
  }
}
