/** A loaded config as it could be written: addresses as text. Secrets are references and stay so. */
import type { Config } from './schema.ts'

export const printable = (config: Config): unknown => plainly(config)

const plainly = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plainly)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  if (isAddress(value))
    return value.host.includes(':') ? `[${value.host}]:${value.port}` : `${value.host}:${value.port}`
  return Object.fromEntries(entries.map(([key, each]) => [key, plainly(each)]))
}

const isAddress = (value: object): value is { host: string; port: number } =>
  Object.keys(value).length === 2 && 'host' in value && 'port' in value && typeof value.host === 'string'
