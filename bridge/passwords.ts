/** Passwords: how they are stored, and how they are checked without hashing anew at every sign-in. */
import { createHmac, createSecretKey, randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'

/** Cost of scrypt. Memory is 128 * N * r bytes: 32 MiB for each hash that is under way. */
export interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** About 200 ms of one core: three passes over 32 MiB. */
export const COST: Cost = { N: 2 ** 15, r: 8, p: 3 }
/** Hashes that are computed at once; the rest of the daemon needs its cores, too. */
export const HASHES_AT_ONCE = 2
/** Sign-ins that wait for a hash; one more is told to come back later. */
export const MAX_WAITING = 200
/** Accounts whose password is known to be right in memory; beyond it the oldest hashes once more. */
export const MAX_VERIFIERS = 50_000

const KEY_BYTES = 32
const SALT_BYTES = 16
/** Of a stored hash; more is not ours. */
const MAX_MEMORY = 256 * 1024 * 1024

/** `scrypt$N$r$p$salt$hash`, so that the cost may rise later without locking anybody out. */
export async function hashPassword(password: string, cost: Cost = COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(password, salt, cost)
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Whether it is the password of a stored hash. Rejects when the hash is not one of ours. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, N, r, p, salt = '', hash = ''] = stored.split('$')
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const expected = Buffer.from(hash, 'base64url')
  if (scheme !== 'scrypt' || expected.length !== KEY_BYTES) throw new Error('the stored password hash is damaged')
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), cost), expected)
}

function derive(password: string, salt: Buffer, { N, r, p }: Cost): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: MAX_MEMORY }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

/**
 * What was a right password a moment ago: an HMAC under a key that only this process has. It spares the hash at the
 * next sign-in and says nothing to whoever reads the database.
 */
export class Verifiers {
  /** As an object: bytes are made into one at each use, which costs more than the digest. */
  readonly #key = createSecretKey(randomBytes(32))
  readonly #known = new Map<string, Buffer>()
  readonly #max: number

  constructor(max: number = MAX_VERIFIERS) {
    this.#max = max
  }

  /** undefined: nothing is known of this account. */
  check(account: string, password: string): boolean | undefined {
    const known = this.#known.get(account)
    return known === undefined ? undefined : timingSafeEqual(known, this.#digest(account, password))
  }

  learn(account: string, password: string): void {
    const [oldest] = this.#known.keys()
    if (this.#known.size >= this.#max && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(account, this.#digest(account, password))
  }

  forget(account: string): void {
    this.#known.delete(account)
  }

  #digest(account: string, password: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${account}\0${password.normalize('NFC')}`)
      .digest()
  }
}
