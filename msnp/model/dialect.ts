/** Dialects that we speak, newest first. A later one is a row of `TRAITS`, not a fork of a machine. */
export const DIALECTS = ['MSNP9', 'MSNP8'] as const
export type Dialect = (typeof DIALECTS)[number]

/** What differs from dialect to dialect, as data. Source: docs/protocol.md, Dialects. */
export interface Traits {
  readonly number: number
  /** Replies to list changes carry the new list version. */
  readonly versionedReplies: boolean
  /** `USR OK` carries the friendly name. */
  readonly nameInUsrOk: boolean
  /** CHG, ILN and NLN carry a display picture object. */
  readonly msnObject: boolean
  /** `QNG` carries the seconds until the next PNG. */
  readonly qngSeconds: boolean
  /** The error for an account that does not exist. */
  readonly noSuchAccount: 205 | 208
}

export const TRAITS: Readonly<Record<Dialect, Traits>> = {
  MSNP8: {
    number: 8,
    versionedReplies: true,
    nameInUsrOk: true,
    msnObject: false,
    qngSeconds: false,
    noSuchAccount: 205,
  },
  MSNP9: {
    number: 9,
    versionedReplies: true,
    nameInUsrOk: true,
    msnObject: true,
    qngSeconds: true,
    noSuchAccount: 205,
  },
}

/** The dialects of ours among offered names, in the order of the offer; names are compared without case. */
export const knownDialects = (offered: readonly string[]): readonly Dialect[] =>
  offered.flatMap((name) => DIALECTS.find((dialect) => dialect === name.toUpperCase()) ?? [])
