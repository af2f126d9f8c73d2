import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = globSync(['*.md', 'docs/*.md', 'msnp/*.md', 'test/**/*.md'], { cwd: root })

const bare = (page: string): string => readFileSync(join(root, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
const headings = (page: string): readonly string[] =>
  [...bare(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
/** Of ours only: what is elsewhere is not ours to mend. */
const links = (page: string): readonly string[] =>
  [...bare(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target))

describe('links between the documents', () => {
  it('are there', () => {
    expect(pages).toContain('README.md')
    expect(links('README.md').length).toBeGreaterThan(10)
  })

  it.each(pages)('all lead somewhere in %s', (page) => {
    const broken = links(page).filter((target) => {
      const [path = '', heading] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      return !existsSync(join(root, file)) || (heading !== undefined && !headings(file).includes(heading))
    })
    expect(broken).toEqual([])
  })
})
