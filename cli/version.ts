import { readFileSync } from 'node:fs'

/** From package.json, which is one folder up from the source and two from the build. */
export const readVersion = (): string => {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const value: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'))
      if (typeof value === 'object' && value !== null && 'version' in value) return String(value.version)
    } catch {
      // The other place has it.
    }
  }
  return 'unknown'
}
