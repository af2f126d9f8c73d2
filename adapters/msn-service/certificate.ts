/** The certificate of the login page: the configured one, or one that is made on the first start and kept. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { AdapterState, Logger } from '../../bridge/adapter.ts'
import { isCertificateFor, makeCertificate, type KeyPair } from '../../msnp/index.ts'

const KEY = 'certificate'

export interface CertificateOptions {
  readonly configured: { readonly cert: string; readonly key: string } | undefined
  readonly state: AdapterState
  readonly log: Logger
  /** Where people find the certificate, to trust it; never the key. */
  readonly file: string
  /** Host names and IP addresses that clients use. */
  readonly names: readonly string[]
  readonly now: number
}

/** Rejects with a sentence that names the file and the remedy. */
export async function certificateFor(options: CertificateOptions): Promise<KeyPair> {
  const { configured, state, log, file, names, now } = options
  if (configured !== undefined) return given(configured)
  const kept = await state.get(KEY)
  const before = kept === undefined ? undefined : (JSON.parse(kept) as KeyPair)
  if (before !== undefined && isCertificateFor(before.cert, names, now)) {
    publish(file, before.cert)
    return before
  }
  const made = await makeCertificate(names, now)
  await state.update([[KEY, JSON.stringify(made)]])
  publish(file, made.cert)
  log.info(
    { file },
    before === undefined
      ? 'made a certificate for the login page; clients must trust it'
      : 'the certificate did not fit any more and was made anew; clients must trust the new one',
  )
  return made
}

function given(files: { readonly cert: string; readonly key: string }): KeyPair {
  const pair = { cert: read(files.cert), key: read(files.key) }
  try {
    createSecureContext(pair)
  } catch {
    throw new Error(
      `tls: ${files.cert} and ${files.key} are no certificate and key that belong together, in PEM. Correct the paths.`,
    )
  }
  return pair
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${path} of tls: ${reason(error)}. Correct the path or the permissions.`)
  }
}

function publish(path: string, cert: string): void {
  try {
    writeFileSync(path, cert, { mode: 0o644 })
  } catch (error) {
    throw new Error(`cannot write the certificate to ${path}: ${reason(error)}. Make the data folder writable.`)
  }
}

const reason = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : 'unknown'
