import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { msnServiceConfig } from '../../adapters/msn-service/config.ts'

const text = readFileSync(new URL('../../docs/classic-clients.md', import.meta.url), 'utf8')
const blocks = [...text.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, block]) => block ?? '')

describe('docs/classic-clients.md', () => {
  it('leads each name of the certificate to the service', () => {
    const config = msnServiceConfig.parse({ id: 'home', type: 'msn-service' })
    const hosts = [...text.matchAll(/^192\.168\.1\.10 {2}(\S+)$/gm)].map(([, name]) => name)
    expect(hosts).toEqual(expect.arrayContaining([...config.passport.certificate_names]))
    for (const name of hosts) expect(text, name).toContain(`\`${name ?? ''}\``)
  })

  it.each(blocks)('shows a config that is one: %s', (block) => {
    const shown = parse(block) as { networks?: readonly object[] }
    const network = shown.networks?.[0] ?? { id: 'home', type: 'msn-service', ...shown }
    expect(msnServiceConfig.safeParse(network).error).toBeUndefined()
  })

  it('shows three of them', () => {
    expect(blocks).toHaveLength(3)
  })
})
