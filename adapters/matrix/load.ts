/** Loads the library when it is first needed: it costs most of a second and 100 MB. */
import type * as library from './library.ts'

type Module = typeof library

let loaded: Promise<Module> | undefined

export const loadLibrary = (): Promise<Module> => (loaded ??= quietly())

/** A package that it brings calls an old function of Node as it loads; nobody who runs the bridge can do anything about that. */
const quietly = async (): Promise<Module> => {
  const before = process.noDeprecation
  process.noDeprecation = true
  try {
    return await import('./library.ts')
  } finally {
    process.noDeprecation = before ?? false
  }
}
