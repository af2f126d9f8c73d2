import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { exampleYaml, jsonSchema } from '../../config/example.ts'
import { checkConfig } from '../../config/load.ts'
import { printable } from '../../config/print.ts'
import { configSchema, fragments } from '../../config/schema.ts'

const generated = (name: string): string => readFileSync(new URL(`../../config/${name}`, import.meta.url), 'utf8')

test('the example is what the schema says; else run npm run generate', () => {
  expect(generated('config.example.yaml')).toBe(exampleYaml())
})

test('the JSON schema is what the schema says; else run npm run generate', () => {
  expect(generated('config.schema.json')).toBe(jsonSchema())
})

test('the example is a valid config', () => {
  const loaded = checkConfig(exampleYaml(), { name: 'example', base: '/', env: { RELAY_PASSWORD: 'x' } })
  expect(loaded).toMatchObject({ kind: 'loaded' })
})

test('a printed config can be read again and is the same', () => {
  const first = checkConfig(exampleYaml(), { name: 'example', base: '/', env: { RELAY_PASSWORD: 'x' } })
  if (first.kind === 'broken') throw new Error(first.problems.join('\n'))
  expect(configSchema.parse(printable(first.config))).toEqual(first.config)
})

test('every key of every network stands in the example, in use or as a comment', () => {
  const example = exampleYaml()
  for (const fragment of Object.values(fragments))
    for (const key of Object.keys(fragment.shape)) expect(example).toMatch(new RegExp(`^ +(- |# )?${key}:`, 'm'))
})

test('each comment that switches a key off is valid YAML when it is switched on', () => {
  const lines = exampleYaml().split('\n')
  const on = lines.map((line) => (/^ *# ( {2})*[a-z_]+:( |$)/.test(line) ? line.replace('# ', '') : line))
  const value = parse(on.join('\n')) as { networks: readonly Record<string, unknown>[] }
  expect(value.networks[0]).toMatchObject({ limits: { contacts: 150, commands: { burst: 400 } }, challenge: 'off' })
  expect(value.networks[2]).toMatchObject({ flood: { burst: 4, interval_ms: 1100 }, command: '!msn' })
})
