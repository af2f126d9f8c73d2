/** What a client can do: a sum of bits that CHG, ILN and NLN carry. Source: docs/protocol.md, Presence. */
export const CLIENT_BITS = {
  mobile: 0x1,
  explorer8: 0x2,
  inkGif: 0x4,
  inkIsf: 0x8,
  webcam: 0x10,
  chunks: 0x20,
  pageable: 0x40,
  msnDirect: 0x80,
  webClient: 0x200,
  officeGateway: 0x800,
  space: 0x1000,
  mediaCenter: 0x2000,
  directText: 0x4000,
  winks: 0x8000,
  sharedSearch: 0x10000,
  bot: 0x20000,
  voiceClips: 0x40000,
  encrypted: 0x80000,
  sip: 0x100000,
  sharedFolders: 0x400000,
} as const
export type ClientFeature = keyof typeof CLIENT_BITS

/** What a client of no particular features says of itself; others take it for a 7.0. */
export const NEUTRAL_CLIENT_ID = 0x40000000

/** A number of 32 bits from the word on the wire; what comes after a colon is of later dialects. undefined: no number. */
export function parseClientId(word: string): number | undefined {
  const digits = /^(\d{1,10})(?::\d{1,10})?$/.exec(word)?.[1]
  if (digits === undefined) return undefined
  const id = Number(digits)
  return id <= 0xffffffff ? id : undefined
}

/** `generation`: 0 to 15, the highest four bits; 1 is Messenger 6.0, 4 is 7.0, 0 is 5.0 or older. */
export const clientId = (generation: number, features: readonly ClientFeature[]): number =>
  features.reduce((id, feature) => (id | CLIENT_BITS[feature]) >>> 0, ((generation & 0xf) << 28) >>> 0)

export const hasFeature = (id: number, feature: ClientFeature): boolean => (id & CLIENT_BITS[feature]) !== 0

export const generationOf = (id: number): number => id >>> 28
