/** From a file to a checked config, or to everything that is wrong with it. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { crossChecks } from './cross-checks.ts'
import type { SecretRef } from './fields.ts'
import { pictureProblems } from './pictures.ts'
import { pathText, placeOf, type Problem, problemsOf, wording } from './problems.ts'
import { type Config, configSchema } from './schema.ts'
import { aliasProblem, yamlProblem } from './yaml-words.ts'
import { keysAt, leaves } from './walk.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Loaded =
  | {
      readonly kind: 'loaded'
      readonly config: Config
      /** Absent when there is no config file and the defaults apply. */
      readonly file?: string
    }
  | { readonly kind: 'broken'; readonly problems: readonly string[] }

/** A config holds no more than this; a bigger file is none. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024

/** `--config`, else MSN_BRIDGE_CONFIG, else ./config.yaml if there is one, else the built-in defaults. */
export const findConfig = (given: string | undefined, env: Environment, folder: string): string | undefined => {
  const named = given ?? (env['MSN_BRIDGE_CONFIG'] === '' ? undefined : env['MSN_BRIDGE_CONFIG'])
  if (named !== undefined) return resolve(folder, named)
  const usual = resolve(folder, 'config.yaml')
  return existsSync(usual) ? usual : undefined
}

/** `secrets`: whether all of them must be there, as the daemon needs them; a command that only asks it something does not. */
export const loadConfig = (
  given: string | undefined,
  env: Environment,
  folder: string,
  secrets: 'needed' | 'unused' = 'needed',
): Loaded => {
  const file = findConfig(given, env, folder)
  if (file === undefined) return checkConfig('', { name: 'defaults', base: folder, env, secrets })
  const name = shortName(file, folder)
  const text = readText(file)
  if ('wrong' in text) return { kind: 'broken', problems: [`${name}: ${text.wrong}`] }
  const loaded = checkConfig(text.text, { name, base: dirname(file), env, secrets })
  return loaded.kind === 'loaded' ? { ...loaded, file } : loaded
}

const shortName = (file: string, folder: string): string => {
  const short = relative(folder, file)
  return short.startsWith('..') || isAbsolute(short) ? file : short
}

const readText = (file: string): { text: string } | { wrong: string } => {
  try {
    if (statSync(file).size > MAX_CONFIG_BYTES) return { wrong: 'is too big for a config file' }
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    return { wrong: `cannot be read (${errorCode(error)}): check the path and its permissions` }
  }
}

interface Source {
  /** How the file is called in messages. */
  readonly name: string
  /** Relative paths begin here. */
  readonly base: string
  readonly env: Environment
  /** Default: needed. */
  readonly secrets?: 'needed' | 'unused'
}

export const checkConfig = (text: string, { name, base, env, secrets = 'needed' }: Source): Loaded => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [syntax] = document.errors
  if (syntax !== undefined) return { kind: 'broken', problems: [`${name}:${yamlProblem(syntax, text, lines)}`] }
  /** In the order of the file, since that is how they are mended. */
  const broken = (problems: readonly Problem[]): Loaded => ({
    kind: 'broken',
    problems: problems
      .map((problem) => ({ ...problem, ...placeOf(problem, document, lines) }))
      .sort((one, other) => one.line - other.line || one.column - other.column)
      .map(
        ({ line, column, path, message }) =>
          `${name}:${line}:${column} ${path.length > 0 ? `${pathText(path)}: ` : ''}${message}`,
      ),
  })
  let value: unknown
  try {
    value = document.toJS() ?? {}
  } catch (error) {
    return { kind: 'broken', problems: [`${name}:${aliasProblem(error, document, lines)}`] }
  }
  const parsed = configSchema.safeParse(value, { error: wording })
  if (!parsed.success) return broken(problemsOf(parsed.error.issues, (path) => keysAt(configSchema, value, path)))
  const problems = [
    ...crossChecks(parsed.data),
    ...placeFiles(parsed.data, value, base, secrets === 'needed' ? env : undefined),
  ]
  const all = problems.length > 0 ? problems : pictureProblems(parsed.data)
  if (all.length > 0) return broken(all)
  return { kind: 'loaded', config: { ...parsed.data, data: resolve(base, parsed.data.data) } }
}

/** Makes the paths of files absolute, in place, and finds those and the secrets that cannot be read. No `env`: no look at secrets. */
const placeFiles = (config: Config, value: unknown, base: string, env: Environment | undefined): readonly Problem[] => {
  const problems: Problem[] = []
  for (const leaf of leaves(configSchema, value)) {
    if (leaf.kind !== 'secret') {
      const absolute = resolve(base, String(leaf.value))
      replaceAt(config, leaf.path, absolute)
      const wrong = leaf.kind === 'file' ? unreadable(absolute) : undefined
      if (wrong !== undefined) problems.push({ path: leaf.path, message: wrong })
      continue
    }
    const reference = leaf.value as SecretRef
    const placed = 'env' in reference ? reference : { file: resolve(base, reference.file) }
    replaceAt(config, leaf.path, placed)
    if (env === undefined) continue
    const secret = readSecret(placed, env)
    if ('wrong' in secret) problems.push({ path: leaf.path, message: secret.wrong })
  }
  return problems
}

const replaceAt = (root: object, path: readonly PropertyKey[], value: unknown): void => {
  let parent = root as Record<PropertyKey, unknown>
  for (const part of path.slice(0, -1)) parent = parent[part] as Record<PropertyKey, unknown>
  const last = path.at(-1)
  if (last !== undefined) parent[last] = value
}

const unreadable = (file: string): string | undefined => {
  try {
    accessSync(file, constants.R_OK)
    return statSync(file).isFile() ? undefined : `${file} is no file`
  } catch (error) {
    return `${file} cannot be read (${errorCode(error)}): check the path and its permissions`
  }
}

/** A secret from the environment or a file (without its closing line break), or what is wrong with it. */
export const readSecret = (reference: SecretRef, env: Environment): { value: string } | { wrong: string } => {
  if ('env' in reference) {
    const value = env[reference.env]
    return value === undefined || value === ''
      ? { wrong: `the environment variable ${reference.env} is not set: set it where the daemon is started` }
      : { value }
  }
  const wrong = unreadable(reference.file)
  if (wrong !== undefined) return { wrong }
  const value = readFileSync(reference.file, 'utf8').replace(/\r?\n$/, '')
  if (value === '') return { wrong: `${reference.file} is empty: write the secret into it` }
  return { value }
}

const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
