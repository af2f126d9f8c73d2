/** What 005 says of us. Sources: BitlBee's tokens, which its users' scripts know; modern.ircdocs.horse; IRCv3. Pure. */

/** Lengths in bytes, counts in pieces. */
export interface IsupportLimits {
  readonly nickBytes: number
  readonly channelBytes: number
  readonly topicBytes: number
  readonly awayBytes: number
  readonly realnameBytes: number
  readonly kickBytes: number
  readonly maxTargets: number
  readonly monitor: number
  /** Messages of one CHATHISTORY answer. */
  readonly chathistory: number
}

export const ISUPPORT_LIMITS: IsupportLimits = {
  nickBytes: 64,
  channelBytes: 64,
  topicBytes: 390,
  awayBytes: 390,
  realnameBytes: 150,
  kickBytes: 390,
  maxTargets: 20,
  monitor: 500,
  chathistory: 100,
}

export const CASE_MAPPING = 'rfc1459'

/** `nick` and server stand before the tokens in a line: at most 13 a line, says RFC 2812's heir. */
export const TOKENS_A_LINE = 13

export const isupport = (limits: IsupportLimits): readonly string[] => [
  'PREFIX=(ohv)@%+',
  'CHANTYPES=&#',
  'CHANMODES=,,,ntC',
  `NICKLEN=${limits.nickBytes}`,
  `CHANNELLEN=${limits.channelBytes}`,
  `TOPICLEN=${limits.topicBytes}`,
  `AWAYLEN=${limits.awayBytes}`,
  `NAMELEN=${limits.realnameBytes}`,
  `KICKLEN=${limits.kickBytes}`,
  // By this name alone scripts for typing, completion and the like know what they may do here.
  'NETWORK=BitlBee',
  `CASEMAPPING=${CASE_MAPPING}`,
  `MAXTARGETS=${limits.maxTargets}`,
  `MONITOR=${limits.monitor}`,
  'WHOX',
  'UTF8ONLY',
  'LINELEN=512',
  'STATUSMSG=@%+',
  'SAFELIST',
  `CHATHISTORY=${limits.chathistory}`,
  'MSGREFTYPES=timestamp,msgid',
  'FLOOD=0/9999',
]

/** The tokens as they go into lines. */
export const isupportLines = (tokens: readonly string[]): readonly (readonly string[])[] => {
  const lines: (readonly string[])[] = []
  for (let from = 0; from < tokens.length; from += TOKENS_A_LINE) lines.push(tokens.slice(from, from + TOKENS_A_LINE))
  return lines
}
