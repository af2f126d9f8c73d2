import v8 from 'node:v8'

/**
 * Call once, first thing. Sessions live long: a young generation that may grow would hold a hundred megabytes of copies
 * while people sign in. So it stays as it begins, at a megabyte or two.
 */
export const keepHeapSmall = (): void => v8.setFlagsFromString('--semi-space-growth-factor=1')
