/** Walking a schema beside a value: what kind each part of a config is. */
import { z } from 'zod'
import { type FieldMeta, fieldKinds } from './fields.ts'

export interface Leaf {
  readonly kind: NonNullable<FieldMeta['kind']>
  readonly path: readonly PropertyKey[]
  readonly value: unknown
}

/** The schema inside `optional`, `default` and transforms. */
export const bare = (schema: z.core.$ZodType): z.core.$ZodType => {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return bare(schema.def.innerType)
  return schema instanceof z.ZodPipe ? bare(schema.def.in) : schema
}

/** The alternative of a union that accepts the value. */
const branch = (schema: z.core.$ZodType, value: unknown): z.core.$ZodType => {
  const inner = bare(schema)
  if (!(inner instanceof z.ZodUnion)) return inner
  const fitting = inner.options.find((option) => z.safeParse(option, value).success)
  return fitting === undefined ? inner : branch(fitting, value)
}

const kindOf = (schema: z.core.$ZodType): FieldMeta['kind'] => fieldKinds.get(schema)?.kind

/** Every file and secret in a valid config. */
export function* leaves(schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[] = []): Generator<Leaf> {
  if (value === undefined) return
  const kind = kindOf(bare(schema))
  if (kind !== undefined) {
    yield { kind, path, value }
    return
  }
  const inner = branch(schema, value)
  if (kindOf(inner) !== undefined) yield* leaves(inner, value, path)
  else if (inner instanceof z.ZodObject)
    for (const [key, field] of Object.entries<z.core.$ZodType>(inner.shape))
      yield* leaves(field, (value as Record<string, unknown>)[key], [...path, key])
  else if (inner instanceof z.ZodArray)
    for (const [index, item] of (value as readonly unknown[]).entries())
      yield* leaves(inner.element, item, [...path, index])
}

/** The keys that the map at a path of a (perhaps broken) value may have. */
export const keysAt = (schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): readonly string[] => {
  const inner = bare(schema)
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const key = inner.def.discriminator
    const type = (value as Record<string, unknown> | undefined)?.[key]
    const fitting = inner.options.find((option) => {
      const field = option instanceof z.ZodObject ? (option.shape as Record<string, z.core.$ZodType>)[key] : undefined
      return field !== undefined && z.safeParse(field, type).success
    })
    return fitting === undefined ? [] : keysAt(fitting, value, path)
  }
  if (inner instanceof z.ZodUnion) return [...new Set(inner.options.flatMap((option) => keysAt(option, value, path)))]
  const [part, ...rest] = path
  if (part === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
  if (inner instanceof z.ZodObject) {
    const field = (inner.shape as Record<string, z.core.$ZodType>)[String(part)]
    return field === undefined
      ? []
      : keysAt(field, (value as Record<string, unknown> | undefined)?.[String(part)], rest)
  }
  return inner instanceof z.ZodArray ? keysAt(inner.element, (value as readonly unknown[])[Number(part)], rest) : []
}
