/** Signed links to files of networks: whoever has one may read that file, for a while, and no other. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import type { FileRef } from '../model/body.ts'
import type { NetworkId } from '../model/ids.ts'
import { ownKey } from '../secrets.ts'

export interface LinksOptions {
  readonly key: string
  /** Under which people reach the listener, without a slash at the end. */
  readonly publicUrl: string
  readonly expireMs: number
}

/** What a link leads to. `gone`: it was a good one once. */
export type Linked =
  | { readonly kind: 'file'; readonly network: NetworkId; readonly ref: string; readonly name: string }
  | { readonly kind: 'none' | 'forged' | 'gone' }

const KEY_FILE = 'media.key'
/** Longer addresses are no links of ours. In characters. */
const URL_LIMIT = 8_000
const NAME_LIMIT = 80
/** Of the signature, in bytes: nobody finds 128 bits by trying. */
const SIGNATURE_BYTES = 16

/** The key of a data folder, made when there is none. Throws what the file system says. */
export const mediaKey = (folder: string): string => ownKey(join(folder, KEY_FILE))

export class MediaLinks {
  readonly #options: LinksOptions

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** `at`: from when on it is good, milliseconds since the epoch. */
  of({ network, ref, name }: Pick<FileRef, 'network' | 'ref' | 'name'>, at: number): string {
    const safe = safeName(name)
    const expiry = Math.ceil((at + this.#options.expireMs) / 1_000).toString(36)
    const signature = this.#sign(network, ref, safe, expiry).toString('base64url')
    const parts = [network, Buffer.from(ref).toString('base64url'), `${expiry}-${signature}`, safe]
    return `${this.#options.publicUrl}/media/${parts.map(encodeURIComponent).join('/')}`
  }

  /** `path`: as it was asked for, with or without what stands before `/media/`. */
  read(path: string, now: number): Linked {
    const match = path.length > URL_LIMIT ? null : LINK.exec(path)
    const [network, packed, expiry, signature, name] = (match?.slice(1) ?? []).map(decoded)
    if (network === undefined || packed === undefined || expiry === undefined || name === undefined)
      return { kind: 'none' }
    const ref = Buffer.from(packed, 'base64url').toString()
    const given = Buffer.from(signature ?? '', 'base64url')
    const right = this.#sign(network, ref, name, expiry)
    if (given.length !== right.length || !timingSafeEqual(given, right)) return { kind: 'forged' }
    if (Number.parseInt(expiry, 36) * 1_000 <= now) return { kind: 'gone' }
    return { kind: 'file', network: network as NetworkId, ref, name }
  }

  #sign(network: string, ref: string, name: string, expiry: string): Buffer {
    const words = JSON.stringify([network, ref, name, expiry])
    return createHmac('sha256', this.#options.key).update(words).digest().subarray(0, SIGNATURE_BYTES)
  }
}

const LINK = /\/media\/([^/?#]+)\/([A-Za-z0-9_-]+)\/([0-9a-z]{1,12})-([A-Za-z0-9_-]{22})\/([^/?#]+)$/

const decoded = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

/** Pure. What its sender calls a file, safe to stand in a link, in a header and in a folder. */
export const safeName = (name: string): string => {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const clean = last.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^[._]+/, '')
  const end = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? ''
  const stem = Array.from(clean.slice(0, clean.length - end.length))
    .slice(0, NAME_LIMIT - end.length)
    .join('')
  return stem === '' ? `file${end}` : `${stem}${end}`
}
