import type { PresenceState } from './presence.ts'

/** "Artist - Title"; untrusted, as its parts are. */
export const playingWords = ({ artist, title }: NonNullable<PresenceState['playing']>): string =>
  [artist, title].filter(Boolean).join(' - ')
