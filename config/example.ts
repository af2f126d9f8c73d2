/** The commented example and the JSON schema, both made from the schema, so that they cannot say anything else. */
import { stringify } from 'yaml'
import { z } from 'zod'
import { type ConfigInput, configSchema, fragments } from './schema.ts'
import { bare } from './walk.ts'

/** What the example shows in use; every other key appears as a comment with its default. */
const shown: ConfigInput = {
  data: './data',
  log: { level: 'info' },
  admin: { listen: '127.0.0.1:8090' },
  networks: [
    {
      id: 'home',
      type: 'msn-service',
      domain: 'home.example',
      listen: '127.0.0.1:1863',
      passport: { listen: '127.0.0.1:1443' },
    },
    {
      id: 'retro',
      type: 'msn',
      server: '127.0.0.1:1863',
      passport: { nexus: 'https://127.0.0.1:1443/rdr/pprdr.asp' },
      dialects: ['MSNP9', 'MSNP8'],
    },
    { id: 'libera', type: 'irc', server: '127.0.0.1:6669', tls: false, nick: 'msnbridge', channels: ['#friends'] },
    { id: 'irc', type: 'irc-gateway', listen: '127.0.0.1:6667' },
    {
      id: 'matrix',
      type: 'matrix',
      homeserver: 'http://127.0.0.1:8008',
      domain: 'example.org',
      listen: '127.0.0.1:29333',
      permissions: { 'example.org': 'user', '@alice:example.org': 'admin', '*': 'relay' },
    },
  ],
  people: [{ id: 'alice' }],
  accounts: [
    {
      id: 'relay',
      network: 'retro',
      person: 'alice',
      login: 'relay@home.example',
      password: { env: 'RELAY_PASSWORD' },
    },
  ],
  links: [
    [
      { account: 'relay', contact: 'bob@home.example' },
      { network: 'libera', channel: '#bob' },
      { network: 'matrix', channel: '#bob:example.org' },
    ],
    [
      { account: 'relay', group: ['bob@home.example', 'carol@home.example'] },
      { network: 'libera', channel: '#friends' },
    ],
    [
      { account: 'relay', lobby: true },
      { network: 'libera', channel: '#msn' },
    ],
  ],
}

const HEADER = `# An example with every key. Made from the schema by: npm run generate
# A line that begins with "# key:" is off and shows the default, if there is one.
# Check your own with: msn-bridge check-config --config config.yaml
# Passwords and keys are never written here: { env: NAME } or { file: path }.
`

export const exampleYaml = (): string => `${HEADER}\n${mapLines(configSchema, shown).join('\n')}\n`

export const jsonSchema = (): string =>
  `${JSON.stringify(
    { title: 'msn-bridge configuration', ...z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) },
    null,
    2,
  )}\n`

type Schema = z.core.$ZodType
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The lines of one map: a comment from the description, then the key, live or commented out. */
const mapLines = (schema: z.ZodObject, value: Record<string, unknown>): readonly string[] =>
  Object.entries<Schema>(schema.shape).flatMap(([key, field]) => [
    ...comment(field),
    ...(key in value ? live(key, field, value[key]) : off(key, field)),
  ])

const live = (key: string, field: Schema, value: unknown): readonly string[] => {
  const inner = bare(field)
  if (inner instanceof z.ZodObject && isMap(value)) return [`${key}:`, ...indent(mapLines(inner, value))]
  if (inner instanceof z.ZodArray && Array.isArray(value) && value.some((item) => isMap(item) || Array.isArray(item)))
    return [`${key}:`, ...value.flatMap((item) => indent(itemLines(inner.element, item)))]
  return [`${key}: ${flow(value)}`]
}

/** One entry of a list, its `id` beside the hyphen. Networks show all their keys; links are told best in one line. */
const itemLines = (schema: Schema, item: unknown): readonly string[] => {
  const inner = bare(schema)
  const chosen =
    inner instanceof z.ZodDiscriminatedUnion && isMap(item) ? fragments[item['type'] as keyof typeof fragments] : inner
  if (!(chosen instanceof z.ZodObject) || !isMap(item)) return [`- ${flow(item)}`]
  const about = describe(chosen)
  const [first = '', ...rest] = mapLines(chosen, item).slice(1)
  return [...(about === undefined ? [] : ['', `# ${about}`]), `- ${first}`, ...indent(rest)]
}

/** A key that is not in use, with its default where it has one. A map shows its own keys. */
const off = (key: string, field: Schema): readonly string[] => {
  const inner = bare(field)
  if (inner instanceof z.ZodObject)
    return [
      `# ${key}:`,
      ...Object.entries<Schema>(inner.shape).flatMap(([name, each]) =>
        off(name, each).map((line) => `#   ${line.slice(2)}${trailing(each, line, name)}`),
      ),
    ]
  const value = defaultOf(field)
  return [value === undefined ? `# ${key}:` : `# ${key}: ${flow(value)}`]
}

const trailing = (field: Schema, line: string, name: string): string => {
  const about = describe(field)
  return about === undefined || !line.startsWith(`# ${name}:`) ? '' : `  # ${about}`
}

const defaultOf = (field: Schema): unknown => {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault) return field.def.defaultValue
  return field instanceof z.ZodOptional ? defaultOf(field.def.innerType) : undefined
}

const describe = (field: Schema): string | undefined => {
  if (!(field instanceof z.ZodType)) return undefined
  if (field.description !== undefined) return field.description
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault || field instanceof z.ZodPrefault)
    return describe(field.def.innerType)
  return undefined
}

const comment = (field: Schema): readonly string[] => {
  const about = describe(field)
  return about === undefined ? [] : [`# ${about}`]
}

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trimEnd()

const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => (line === '' ? '' : `  ${line}`))
