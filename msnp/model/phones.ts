/**
 * Phone numbers and what goes with them: home, work, mobile, whether contacts may page the mobile (Y or N), whether
 * mobile service is on at all (Y or N). Source: docs/protocol.md, Phone numbers.
 */
export const PHONE_CODES = ['PHH', 'PHW', 'PHM', 'MOB', 'MBE'] as const
