/** Dialects that we speak, newest first. Each is a row of `TRAITS`, not a fork of a machine. */
export const DIALECTS = ['MSNP12', 'MSNP11', 'MSNP10', 'MSNP9', 'MSNP8'] as const
export type Dialect = (typeof DIALECTS)[number]

/** What differs from dialect to dialect, as data. Source: docs/protocol.md, Dialects. */
export interface Traits {
  readonly number: number
  /** Replies to list changes carry the new list version; SYN has one version, not two. */
  readonly versionedReplies: boolean
  /** `USR OK` carries the friendly name; later it comes as PRP MFN among the lists. */
  readonly nameInUsrOk: boolean
  /** Contacts and groups have GUIDs, LST and ADC are keyed (`N= F= C=`), people are renamed with SBP and PRP MFN. */
  readonly guidIds: boolean
  /** CHG, ILN and NLN carry a display picture object. */
  readonly msnObject: boolean
  /** `QNG` carries the seconds until the next PNG. */
  readonly qngSeconds: boolean
  /** Messages may be of acknowledgement type D, for peer-to-peer data. */
  readonly directMessages: boolean
  /** People who added us and have had no answer are on PL. */
  readonly pendingList: boolean
  /** UUX and UBX. */
  readonly personalMessages: boolean
  /** `SBS 0 null` comes after `USR OK`. */
  readonly mobileCredits: boolean
  /** GCF. */
  readonly policyFiles: boolean
  /** QRY is the longer calculation. */
  readonly secondChallenge: boolean
  /** The number of a network follows the bits of LST. */
  readonly networkIds: boolean
  /** IRO and JOI carry the client id. */
  readonly memberClientIds: boolean
  /** What tells of mail after the sign-in: header lines, or XML in one of them. */
  readonly mailSummary: 'headers' | 'data'
  /** The error for an account that does not exist. */
  readonly noSuchAccount: 205 | 208
}

const EIGHT: Traits = {
  number: 8,
  versionedReplies: true,
  nameInUsrOk: true,
  guidIds: false,
  msnObject: false,
  qngSeconds: false,
  directMessages: false,
  pendingList: false,
  personalMessages: false,
  mobileCredits: false,
  policyFiles: false,
  secondChallenge: false,
  networkIds: false,
  memberClientIds: false,
  mailSummary: 'headers',
  noSuchAccount: 205,
}
const NINE: Traits = { ...EIGHT, number: 9, msnObject: true, qngSeconds: true, directMessages: true }
const TEN: Traits = {
  ...NINE,
  number: 10,
  versionedReplies: false,
  nameInUsrOk: false,
  guidIds: true,
  pendingList: true,
  noSuchAccount: 208,
}
const ELEVEN: Traits = {
  ...TEN,
  number: 11,
  personalMessages: true,
  mobileCredits: true,
  policyFiles: true,
  secondChallenge: true,
  mailSummary: 'data',
}
const TWELVE: Traits = { ...ELEVEN, number: 12, networkIds: true, memberClientIds: true }

export const TRAITS: Readonly<Record<Dialect, Traits>> = {
  MSNP8: EIGHT,
  MSNP9: NINE,
  MSNP10: TEN,
  MSNP11: ELEVEN,
  MSNP12: TWELVE,
}

/** Those of `among` that are offered by name, in the order of the offer; names are compared without case. */
export const knownDialects = (offered: readonly string[], among: readonly Dialect[] = DIALECTS): readonly Dialect[] =>
  offered.flatMap((name) => among.find((dialect) => dialect === name.toUpperCase()) ?? [])
