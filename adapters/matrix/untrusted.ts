/** Pure. Reads content of which nothing is known. */

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** As an object; an empty one when it is none. */
export const recordOf = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {})

/** What a field says, if it is a text. */
export const textIn = (value: unknown, field: string): string | undefined => {
  const found = recordOf(value)[field]
  return typeof found === 'string' ? found : undefined
}

/** Disk content that was JSON when we wrote it. undefined: it is not. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** As JSON; undefined: it is nested deeper than JavaScript can write. */
export const writtenOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
