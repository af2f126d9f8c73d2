/** The import rules of docs/architecture.md, and that whoever checks them really saw the files. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Module {
  readonly source: string
  readonly dependencies: readonly { readonly resolved: string; readonly dependencyTypes: readonly string[] }[]
}
interface Cruised {
  readonly modules: readonly Module[]
  readonly summary: {
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
    }[]
    readonly ruleSetUsed?: { readonly forbidden?: readonly { readonly name: string }[] }
  }
}

/** The words of the `imports` script: what is checked here is what it checks. */
const script = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts['imports']
const [, ...args] = (script ?? '').split(' ')
const roots = args.filter((arg) => !arg.startsWith('-') && !arg.endsWith('.cjs'))

let cruised: Cruised
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), ...args, '--output-type', 'json'],
    { cwd: root, maxBuffer: 256 * 1024 * 1024 },
  ).catch((error: unknown) => error as { stdout: string })
  cruised = JSON.parse(stdout) as Cruised
})

const sourcesBelow = (path: string): readonly string[] =>
  path.endsWith('.ts')
    ? [path]
    : readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() || entry.name.endsWith('.ts') ? sourcesBelow(`${path}/${entry.name}`) : [],
      )

test('nobody imports what they may not', () => {
  expect(cruised.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([])
})

test('every source file was looked at', () => {
  const seen = new Set(cruised.modules.map(({ source }) => source))
  const written = roots.flatMap(sourcesBelow)
  expect(written.length).toBeGreaterThan(100)
  expect(written.filter((file) => !seen.has(file))).toEqual([])
})

test('every folder with source files is checked', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^(node_modules|dist|test|bench|data|coverage)$/.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => sourcesBelow(name).length > 0)
  expect(folders.filter((folder) => !roots.includes(folder))).toEqual([])
})

const edge = (from: string, to: string): boolean =>
  cruised.modules.some(
    ({ source, dependencies }) => source === from && dependencies.some(({ resolved }) => resolved === to),
  )

test.each([
  ['a plain import', 'main.ts', 'cli/main.ts'],
  ['an import of types only', 'adapters/module.ts', 'bridge/adapter.ts'],
  ['an import at run time', 'adapters/registry.ts', 'adapters/irc/index.ts'],
])('%s is seen', (_, from, to) => {
  expect(edge(from, to)).toBe(true)
})

test('packages are seen as such, so that the rules about them can bite', () => {
  const packages = cruised.modules.flatMap(({ dependencies }) =>
    dependencies.filter(({ dependencyTypes }) => dependencyTypes.includes('npm')).map(({ resolved }) => resolved),
  )
  for (const name of ['better-sqlite3', 'irc-framework', 'zod'])
    expect(packages.some((resolved) => resolved.startsWith(`node_modules/${name}/`))).toBe(true)
})
