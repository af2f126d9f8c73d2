/** The registration file of an application service, as the homeserver reads it. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'

export interface Namespace {
  readonly exclusive: boolean
  readonly regex: string
}

export interface Registration {
  readonly id: string
  readonly url: string
  readonly as_token: string
  readonly hs_token: string
  readonly sender_localpart: string
  readonly namespaces: { readonly users: readonly Namespace[]; readonly aliases?: readonly Namespace[] }
  readonly rate_limited?: boolean
  readonly receive_ephemeral?: boolean
  readonly 'de.sorunome.msc2409.push_ephemeral'?: boolean
}

/** One for a test's own service: bot `testbot`, ghosts `@test_...`. */
export const makeRegistration = (url: string, domain: string, id = 'test'): Registration => ({
  id,
  url,
  as_token: randomBytes(24).toString('hex'),
  hs_token: randomBytes(24).toString('hex'),
  sender_localpart: `${id}bot`,
  namespaces: { users: [{ exclusive: true, regex: `@${id}_.+:${domain.replaceAll('.', '\\.')}` }], aliases: [] },
  rate_limited: false,
  receive_ephemeral: true,
  'de.sorunome.msc2409.push_ephemeral': true,
})

export const writeRegistration = (path: string, registration: Registration): void =>
  writeFileSync(path, stringify({ ...registration, namespaces: { rooms: [], ...registration.namespaces } }))

/** Throws with what is missing, as a homeserver that refuses to start. */
export const readRegistration = (path: string): Registration => {
  const value: unknown = parse(readFileSync(path, 'utf8'))
  const has = (key: string): boolean => typeof value === 'object' && value !== null && key in value
  const absent = ['id', 'url', 'as_token', 'hs_token', 'sender_localpart', 'namespaces'].filter((key) => !has(key))
  if (absent.length > 0) throw new Error(`${path} has no ${absent.join(', ')}`)
  return value as Registration
}
