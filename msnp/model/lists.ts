/** Contact lists and their bits in LST. Source: docs/protocol.md, Contact lists. */
export const LIST_BITS = { FL: 1, AL: 2, BL: 4, RL: 8 } as const
export type ListName = keyof typeof LIST_BITS

const NAMES: readonly ListName[] = ['FL', 'AL', 'BL', 'RL']

export const listOf = (word: string): ListName | undefined => NAMES.find((name) => name === word.toUpperCase())
