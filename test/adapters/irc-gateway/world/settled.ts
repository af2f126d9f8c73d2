/** What a delivery came to, as a test expects it. */
import { expect } from 'vitest'
import type { DeliveryResult } from '../../../../bridge/model/result.ts'

export const answers = (result: DeliveryResult) => ({
  delivered: (): void => expect(result).toMatchObject({ kind: 'delivered' }),
})
