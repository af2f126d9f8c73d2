import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { generate } from 'selfsigned'

/** PEM texts. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}

const DAY_MS = 86_400_000
/** Nobody renews a home server's certificate by hand. */
const LIFETIME_DAYS = 3_650
/** Clocks of old machines run behind. */
const BACKDATE_DAYS = 2
const KEY_BITS = 2_048

/**
 * A self-signed RSA certificate for these host names and IP addresses. It signs nothing but itself, so that trusting it
 * trusts these names alone; old clients need RSA. `now` in milliseconds.
 */
export async function makeCertificate(names: readonly string[], now: number): Promise<KeyPair> {
  const all = [...new Set([...names, 'localhost', '127.0.0.1'])]
  const made = await generate([{ name: 'commonName', value: all[0] ?? 'localhost' }], {
    algorithm: 'sha256',
    keySize: KEY_BITS,
    notBeforeDate: new Date(now - BACKDATE_DAYS * DAY_MS),
    notAfterDate: new Date(now + LIFETIME_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: all.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
  })
  return { key: made.private, cert: made.cert }
}

/** Whether a certificate holds for all these names and will for a while. `now` in milliseconds. */
export function isCertificateFor(cert: string, names: readonly string[], now: number): boolean {
  try {
    const parsed = new X509Certificate(cert)
    return (
      Date.parse(parsed.validTo) > now + 30 * DAY_MS &&
      names.every((name) => (isIP(name) === 0 ? parsed.checkHost(name) : parsed.checkIP(name)) !== undefined)
    )
  } catch {
    return false
  }
}
