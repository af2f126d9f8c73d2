import { describe, expect, test } from 'vitest'
import { crossChecks } from '../../config/cross-checks.ts'
import { configSchema } from '../../config/schema.ts'

const matrix = { id: 'matrix', type: 'matrix', homeserver: 'http://127.0.0.1:8008', domain: 'example.org' }
const problems = (media: object, networks: readonly object[] = [matrix]): readonly string[] => {
  const parsed = configSchema.safeParse({ networks, media })
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
  return crossChecks(parsed.data).map(({ path, message }) => `${path.map(String).join('.')} ${message}`)
}

describe('links to files', () => {
  test('work without a word in the config', () => {
    expect(problems({})).toEqual([])
    expect(configSchema.parse({}).media).toEqual({
      listen: { host: '127.0.0.1', port: 29334 },
      expire_hours: 168,
      max_mb: 50,
      keep_mb: 2_000,
      share_percent: 25,
    })
  })

  test('have a public address without a slash at its end', () => {
    expect(configSchema.parse({ media: { public_url: 'https://files.example.org/x//' } }).media.public_url).toBe(
      'https://files.example.org/x',
    )
  })

  test.each<[object, string]>([
    [{ listen: '0.0.0.0:29334' }, 'media.public_url is missing: with listen on all addresses, say how people reach it'],
    [{ listen: '127.0.0.1:8090' }, 'media.listen is already the address of admin.listen: choose another port'],
    [{ public_url: 'files.example.org' }, 'media.public_url is no URL: write for example https://files.example.org'],
    [
      { public_url: 'https://files.example.org/?a=b' },
      'media.public_url has a query or a fragment: write only scheme, host, port and perhaps a path',
    ],
  ])('%j: %s', (media, problem) => {
    expect(problems(media)).toEqual([problem])
  })

  test('take no port where no network has files', () => {
    expect(problems({ listen: '127.0.0.1:8090' }, [{ id: 'home', type: 'msn-service' }])).toEqual([])
  })
})
