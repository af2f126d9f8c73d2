import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const text = read('docs/operating.md')
const section = (heading: string): string => {
  const from = text.slice(text.indexOf(`## ${heading}\n`))
  return from.slice(0, from.indexOf('\n## ', 3))
}
/** What stands between backticks in the first column of the section's table. */
const named = (heading: string): readonly string[] =>
  [...section(heading).matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  )

const source = globSync(['{adapters,bridge,cli,msnp}/**/*.ts', '{daemon,compose}.ts'], { cwd: root })
  .filter((path) => !path.endsWith('.d.ts'))
  .map(read)
  .join('\n')

it('documents each metric that the sources have, and no other', () => {
  const metrics = [...source.matchAll(/[mM]etrics\??\.(count|gauge|observe)\(\s*'([a-z_]+)'/g)]
  expect(metrics.length).toBeGreaterThan(15)
  const names = metrics.map(([, kind, name]) => (kind === 'count' ? `${name!}_total` : name!))
  expect(named('Metrics').toSorted()).toEqual([...new Set(names)].toSorted())
})

it('explains each warning and error of the log, and no other', () => {
  const calls = [...source.matchAll(/\.(?:warn|error)\((?<fields>[^;]*?),\s*'(?<message>[^']+)',?\s*\)/g)]
  const direct = calls.map(({ groups }) => groups!['message']!)
  expect(direct.length).toBeGreaterThan(30)
  const documented = named('The log')
  expect(direct.filter((message) => !documented.includes(message))).toEqual([])
  expect(documented.filter((message) => !source.includes(`'${message}'`))).toEqual([])
})
