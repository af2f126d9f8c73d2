import { TRAITS, type Dialect } from '../model/dialect.ts'
import type { Forms } from './answer-forms.ts'
import { KEYED } from './keyed-forms.ts'
import { NUMBERED } from './numbered-forms.ts'

export type { Answer, Forms } from './answer-forms.ts'

export const formsOf = (dialect: Dialect): Forms => (TRAITS[dialect].guidIds ? KEYED : NUMBERED)
