/** Contact lists and their bits in LST. Source: docs/protocol.md, Contact lists. */
export const LIST_BITS = { FL: 1, AL: 2, BL: 4, RL: 8, PL: 16 } as const
export type ListName = keyof typeof LIST_BITS

const NAMES: readonly ListName[] = ['FL', 'AL', 'BL', 'RL', 'PL']

export const listOf = (word: string): ListName | undefined => NAMES.find((name) => name === word.toUpperCase())

/** The network of somebody, as the number in LST from MSNP12 on. Source: docs/protocol.md, Contact lists. */
export const NETWORK_IDS = { messenger: 1, phone: 4 } as const
