/** Presence codes of the wire. FLN is never asked for with CHG. Source: docs/protocol.md, Presence. */
export const STATUSES = ['NLN', 'BSY', 'IDL', 'BRB', 'AWY', 'PHN', 'LUN', 'HDN'] as const
export type Status = (typeof STATUSES)[number]

export const statusOf = (word: string): Status | undefined => STATUSES.find((status) => status === word.toUpperCase())
