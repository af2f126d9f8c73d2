/** Pure. The time of what was said earlier, for clients that do not show it: "[10:11] ". */

const MINUTE_MS = 60_000

/** `timezone`: local (of this machine), utc or gmt, or a difference: "+1", "-3:30". */
const clockOf = (at: number, timezone: string): { readonly day: string; readonly time: string } => {
  const date = new Date(at + offsetOf(at, timezone) * MINUTE_MS)
  const iso = Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
  return { day: iso.slice(0, 10), time: iso.slice(11, 16) }
}

const offsetOf = (at: number, timezone: string): number => {
  const zone = timezone.trim().toLowerCase()
  const [, sign, hours = '0', minutes = '0'] = /^(?:gmt|utc)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(zone) ?? []
  if (sign !== undefined) return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  if (zone === 'utc' || zone === 'gmt') return 0
  const offset = -new Date(at).getTimezoneOffset()
  return Number.isNaN(offset) ? 0 : offset
}

export const DOUBT = 'perhaps shown before'

/** With the day, where it was another one. `doubt`: it may have been shown. Nothing, where there is nothing to say. */
export const stampOf = (
  at: number,
  now: number,
  { timezone, shown, doubt }: { readonly timezone: string; readonly shown: boolean; readonly doubt: boolean },
): string => {
  const { day, time } = clockOf(at, timezone)
  const when = !shown ? '' : day === clockOf(now, timezone).day ? time : `${day} ${time}`
  const words = [when, ...(doubt ? [DOUBT] : [])].filter((word) => word !== '')
  return words.length === 0 ? '' : `[${words.join(', ')}] `
}
