import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../msnp/wire/error-codes.ts'
import { VERBS } from '../../msnp/wire/verbs.ts'
import { PRODUCTS } from '../../msnp/session/challenge.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const text = read('docs/protocol.md')
const headings = [...text.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading]) => heading!)

const sources = globSync('{sansio,msnp,bridge,adapters,config,cli,test}/**/*.ts', { cwd: root })
const citations = sources.flatMap((path) =>
  [...read(path).matchAll(/docs\/protocol\.md, ([A-Z][A-Za-z, -]+)/g)].map(([, topic]) => [path, topic!] as const),
)

describe('docs/protocol.md', () => {
  it('has a heading for each citation in the sources', () => {
    expect(citations.length).toBeGreaterThan(20)
    expect(citations.filter(([, topic]) => !headings.some((heading) => topic.startsWith(heading)))).toEqual([])
  })

  it('has each heading once', () => {
    expect(headings).toEqual([...new Set(headings)])
  })

  it('names every command that we know', () => {
    const commands = text.slice(text.indexOf('## Commands'), text.indexOf('## Dialects'))
    expect(VERBS.map((row) => row.verb).filter((verb) => !commands.includes(verb))).toEqual([])
  })

  it('has the errors of the source document as the table of the code has them', () => {
    const rows = [...text.matchAll(/^\| (\d{3}) \| ([^|]+) \|.*\| ([^|]+) \|$/gm)]
    expect(rows).toHaveLength(26)
    for (const [, code, , reaction] of rows) {
      const row = ERROR_CODES.find((each) => each.code === Number(code))
      expect(reaction!.split(/[^a-z-]+/i), code).toContain(row?.reaction)
    }
  })

  it('lists the products as the code does', () => {
    for (const { id, key } of PRODUCTS) expect(text).toContain(`\`${id}\` | \`${key}\``)
  })
})
