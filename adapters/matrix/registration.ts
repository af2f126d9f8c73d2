/**
 * The registration file: the homeserver reads it to know us, and we read our tokens from it. Tokens are made once and
 * kept; what the config says is brought up to date around them.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse, stringify } from 'yaml'
import type { NetworkId } from '../../bridge/model/ids.ts'
import type { RegistrationAnswer } from '../module.ts'
import type { MatrixConfig } from './config.ts'
import { loadLibrary } from './load.ts'
import { type Registration, registrationOf, type Tokens } from './registration-shape.ts'

const registrationPath = (config: Pick<MatrixConfig, 'registration'>, network: NetworkId, dataFolder: string): string =>
  config.registration ?? join(dataFolder, `${network}-registration.yaml`)

export type ReadRegistration =
  | { readonly kind: 'registration'; readonly tokens: Tokens; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'broken'; readonly wrong: string }

export const readRegistration = (file: string): ReadRegistration => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return code === 'ENOENT'
      ? { kind: 'missing' }
      : { kind: 'broken', wrong: `${file} cannot be read (${code}): check its permissions` }
  }
  let value: unknown
  try {
    value = parse(text)
  } catch {
    value = undefined
  }
  const as_token = tokenIn(value, 'as_token')
  const hs_token = tokenIn(value, 'hs_token')
  if (as_token === undefined || hs_token === undefined)
    return {
      kind: 'broken',
      wrong:
        `${file} is no registration: it lacks as_token or hs_token; restore it, ` +
        'or delete it, run msn-bridge registration and restart the homeserver',
    }
  return { kind: 'registration', tokens: { as_token, hs_token }, text }
}

const tokenIn = (value: unknown, name: string): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const token: unknown = (value as Record<string, unknown>)[name]
  return typeof token === 'string' && /^[\x21-\x7e]{8,}$/.test(token) ? token : undefined
}

export interface LoadedRegistration {
  readonly file: string
  readonly registration: Registration
  /** Keys that the config has changed since the file was written: the homeserver does not know of it. */
  readonly outdated: readonly string[]
}

/** What the daemon needs: our tokens, from the file. Throws one sentence with the remedy. */
export const loadRegistration = (config: MatrixConfig, network: NetworkId, dataFolder: string): LoadedRegistration => {
  const file = registrationPath(config, network, dataFolder)
  const read = readRegistration(file)
  switch (read.kind) {
    case 'registration': {
      const registration = registrationOf(config, network, read.tokens)
      const written = parse(read.text) as Record<string, unknown>
      const outdated = Object.entries(registration).filter(([key, value]) => !isDeepStrictEqual(written[key], value))
      return { file, registration, outdated: outdated.map(([key]) => key) }
    }
    case 'missing':
      throw new Error(
        `${file} is missing: run msn-bridge registration, add the file to the homeserver and restart the homeserver`,
      )
    case 'broken':
      throw new Error(read.wrong)
  }
}

const HEADER = (network: NetworkId): string =>
  `# Tells the homeserver of msn-bridge (network ${network}). It holds secrets. Made by: msn-bridge registration\n`

/** Makes the file, or brings it up to date with the config; an existing file keeps its tokens. */
export const writeRegistration = async (
  config: MatrixConfig,
  network: NetworkId,
  dataFolder: string,
): Promise<RegistrationAnswer> => {
  const file = registrationPath(config, network, dataFolder)
  const before = readRegistration(file)
  if (before.kind === 'broken') return { kind: 'refused', wrong: before.wrong }
  const { registrationObject, newToken } = await loadLibrary()
  const tokens = before.kind === 'registration' ? before.tokens : { as_token: newToken(), hs_token: newToken() }
  const wanted = registrationOf(config, network, tokens)
  // The library checks it and puts it in order; it does not know the newer keys.
  const text = `${HEADER(network)}${stringify({ ...registrationObject(wanted).getOutput(), ...wanted })}`
  if (before.kind === 'registration' && before.text === text)
    return { kind: 'done', lines: [`${file} is as it should be.`, ...nextSteps(file)] }
  try {
    mkdirSync(dirname(file), { recursive: true })
    // Whole or not at all: tokens that are cut off would have to be made anew.
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    return { kind: 'refused', wrong: `${file} cannot be written (${String(error)}): check the folder's permissions` }
  }
  return {
    kind: 'done',
    lines: [
      before.kind === 'missing'
        ? `Wrote ${file}. It holds secrets: keep it to yourself and the homeserver.`
        : `Wrote ${file} anew, since the config has changed; its tokens are the same.`,
      ...nextSteps(file),
    ],
  }
}

const nextSteps = (file: string): readonly string[] => [
  'Next, let the homeserver read it. For Synapse, in homeserver.yaml:',
  '  app_service_config_files:',
  `    - ${file}`,
  'Then restart the homeserver. If it runs as a user of its own, copy the file to where it may read it.',
]
