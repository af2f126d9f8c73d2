/**
 * Passwords at rest: sealed with a key that is not in the database (AES-256-GCM), each bound to the account it belongs to,
 * so that nobody who can write to the database makes one account sign in with the password of another.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
/** Stands before what is sealed, so that another way can follow one day. */
const VERSION = 'v1:'
/** So that the same words as a key elsewhere are another key here. It is no secret. */
const SALT = 'msn-bridge passwords at rest'
/** A key that somebody wrote themselves has so many characters at least. */
const SHORTEST_KEY = 16
const KEY_FILE = 'secret.key'

export class SecretBox {
  readonly #key: Buffer | undefined
  /** Why there is no key: a sentence with the remedy. */
  readonly trouble: string | undefined

  constructor(key: Buffer | { readonly trouble: string }) {
    this.#key = 'trouble' in key ? undefined : key
    this.trouble = 'trouble' in key ? key.trouble : undefined
  }

  /** `context` must be the same when it is opened. `undefined`: there is no key, see `trouble`. */
  seal(text: string, context: string): string | undefined {
    if (this.#key === undefined) return undefined
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, this.#key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return VERSION + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64')
  }

  /** `undefined`: sealed with another key, for another context, or damaged. */
  open(sealed: string, context: string): string | undefined {
    if (this.#key === undefined || !sealed.startsWith(VERSION)) return undefined
    const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64')
    if (bytes.length < IV_BYTES + TAG_BYTES) return undefined
    const iv = bytes.subarray(0, IV_BYTES)
    const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(context)).setAuthTag(tag)
      const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
      return text.toString('utf8')
    } catch {
      return undefined
    }
  }
}

/**
 * The box of a data folder. `given`: the key that the config names, read; absent: `secret.key` in the folder, which is made
 * when it is missing. Never rejects: without a usable key the box says why, and seals nothing.
 */
export const openBox = async (folder: string, given?: () => string): Promise<SecretBox> => {
  try {
    const text = given === undefined ? ownKey(join(folder, KEY_FILE)) : given()
    if (text.length < SHORTEST_KEY)
      return new SecretBox({
        trouble: `the key of stored passwords is too short: it needs ${SHORTEST_KEY} characters or more`,
      })
    return new SecretBox(await derived(text))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return new SecretBox({ trouble: `the key of stored passwords cannot be read or made (${why})` })
  }
}

/** The key in a file of its own, which is made when it is missing. Throws what the file system says, or that it holds no key. */
export const ownKey = (file: string): string => {
  const known = textIn(file)
  if (known !== undefined && known.length < SHORTEST_KEY)
    throw new Error(`${file} holds no key: bring it back, or delete it, and a new one is made`)
  if (known !== undefined) return known
  const text = randomBytes(KEY_BYTES).toString('base64')
  // Whole or not at all, whenever the process or the disk gives up.
  const fresh = `${file}.new`
  rmSync(fresh, { force: true })
  writeFileSync(fresh, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(fresh, file)
  // What is sealed with it must not be on disk before it is.
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
  return text
}

const textIn = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const derived = (text: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(text, SALT, KEY_BYTES, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
