/** Paths of the client-server API: each part is encoded, so that no id can break out of its place. */

/** path`/_matrix/client/v3/rooms/${room}/join` */
export const path = (strings: TemplateStringsArray, ...parts: readonly string[]): string =>
  strings.map((text, index) => `${text}${index < parts.length ? encodeURIComponent(parts[index] ?? '') : ''}`).join('')
