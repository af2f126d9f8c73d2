/**
 * The vocabulary of the configuration: what an address, a port or a secret looks like is said once, here.
 * Schema fragments (`adapters/<name>/config.ts`) and `config/schema.ts` are built from it.
 */
import { z } from 'zod'

/** Where a field needs more than its type when it is loaded: a `file` is made absolute and must be readable, a `path` is only made absolute. */
export interface FieldMeta {
  readonly kind?: 'file' | 'path' | 'secret'
}

export const fieldKinds = z.registry<FieldMeta>()

/** The id of a network, person or account: it is stored in the database and typed in commands. */
export const id = (what: string) =>
  z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9_-]{0,31}$/,
      'is no id: use up to 32 of a-z, 0-9, - and _, beginning with a letter or digit',
    )
    .meta({ description: `Id of ${what}: a-z, 0-9, - and _. It is stored, so choose it once.` })

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Splits `host:port` or `[v6]:port`; `undefined` when it is neither. */
export const parseHostPort = (text: string): HostPort | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

const ADDRESS = 'write host:port, for example 127.0.0.1:1863 or [::1]:1863'

const addressFrom = (lowestPort: 0 | 1) => (description: string) =>
  z
    .string({
      error: ({ input }) =>
        typeof input === 'number' ? `is no address, only the number ${input}: ${ADDRESS}` : undefined,
    })
    .transform((text, context): HostPort => {
      const parsed = parseHostPort(text)
      if (parsed !== undefined && parsed.port >= lowestPort) return parsed
      const message =
        /:\d+$/.test(text) && !/[/@]/.test(text) ? 'has no port from 1 to 65535' : `is no address: ${ADDRESS}`
      context.issues.push({ code: 'custom', input: text, message })
      return z.NEVER
    })
    .meta({ description })

/** `host:port` of an address to connect to or to tell to clients. Parsed to `{ host, port }`. */
export const hostPort = addressFrom(1)
/** `host:port` to listen on; port 0 is any free one. Parsed to `{ host, port }`. */
export const listenAt = addressFrom(0)

/** A path, relative to the folder of the config file. Absolute and known to be readable after loading. */
export const file = (description: string) => {
  const schema = z.string().min(1, 'is empty: write the path of a file').meta({ description })
  fieldKinds.add(schema, { kind: 'file' })
  return schema
}

/** A path of what the bridge makes itself, relative to the folder of the config file. Absolute after loading. */
export const path = (description: string) => {
  const schema = z.string().min(1, 'is empty: write the path of a file').meta({ description })
  fieldKinds.add(schema, { kind: 'path' })
  return schema
}

/** Where a secret is kept. The value itself never enters the config, so that printing a config gives nothing away. */
export type SecretRef = { readonly env: string } | { readonly file: string }

export const secret = (description: string) => {
  const schema = z
    .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
      error: (issue) =>
        issue.input === undefined
          ? 'is missing: write { env: NAME_OF_A_VARIABLE } or { file: path }'
          : 'is no secret: write { env: NAME_OF_A_VARIABLE } or { file: path }, never the secret itself',
    })
    .meta({ description })
  fieldKinds.add(schema, { kind: 'secret' })
  return schema
}

export const millis = (description: string) => z.number().int().min(1).max(2_147_483_647).meta({ description })

/** When the supervisor connects, how long it lets an attempt run, and when it tells people. Every joining network has it. */
export const supervision = {
  connect_timeout_ms: millis('An attempt to sign in is given up after so long.').default(60_000),
  backoff_ms: z
    .array(z.number().int().min(1))
    .min(1)
    .meta({ description: 'Waits between attempts; the last one repeats. Each is varied by up to a fifth.' })
    .default([2_000, 5_000, 15_000, 60_000, 300_000]),
  stable_ms: millis('Online for so long, the next loss starts the waits from the first again.').default(60_000),
  notice_after_ms: millis('The linked chats are told of an outage that has lasted so long.').default(60_000),
}
