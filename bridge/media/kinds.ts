/** Pure. What kind of file it is, by its first bytes and, where those do not tell, by its name. */
import type { FileRef } from '../model/body.ts'

/** So many bytes tell. */
export const TELLING_BYTES = 64
/** UTF-16 units. */
const NAME_LIMIT = 150

/** What is known of a file by its first bytes: each at its offset. */
const MAGIC: readonly (readonly [mime: string, ...marks: readonly (readonly [offset: number, bytes: string])[]])[] = [
  ['image/png', [0, '\x89PNG\r\n\x1a\n']],
  ['image/jpeg', [0, '\xff\xd8\xff']],
  ['image/gif', [0, 'GIF8']],
  ['image/webp', [0, 'RIFF'], [8, 'WEBP']],
  ['image/avif', [4, 'ftypavif']],
  ['audio/wav', [0, 'RIFF'], [8, 'WAVE']],
  ['video/x-msvideo', [0, 'RIFF'], [8, 'AVI ']],
  ['audio/mpeg', [0, 'ID3']],
  ['audio/ogg', [0, 'OggS'], [28, 'OpusHead']],
  ['audio/ogg', [0, 'OggS'], [28, '\x01vorbis']],
  ['video/ogg', [0, 'OggS'], [28, '\x80theora']],
  ['audio/flac', [0, 'fLaC']],
  ['audio/mp4', [4, 'ftypM4A']],
  ['video/quicktime', [4, 'ftypqt']],
  ['video/mp4', [4, 'ftyp']],
  ['video/webm', [0, '\x1aE\xdf\xa3']],
  ['application/pdf', [0, '%PDF-']],
  ['application/zip', [0, 'PK\x03\x04']],
  ['application/gzip', [0, '\x1f\x8b']],
  ['application/x-7z-compressed', [0, "7z\xbc\xaf'\x1c"]],
]

/** Kinds whose first bytes say little. None of them can run anything where it is shown. */
const ENDINGS: Readonly<Record<string, string>> = {
  bmp: 'image/bmp',
  mp3: 'audio/mpeg',
  aac: 'audio/aac',
  wma: 'audio/x-ms-wma',
  mid: 'audio/midi',
  wmv: 'video/x-ms-wmv',
  mpg: 'video/mpeg',
  mpeg: 'video/mpeg',
  txt: 'text/plain',
}

export const UNKNOWN_KIND = 'application/octet-stream'

export const kindOf = (beginning: Uint8Array, name: string): string => {
  const start = Buffer.from(beginning).toString('latin1')
  const known = MAGIC.find(([, ...marks]) => marks.every(([offset, bytes]) => start.startsWith(bytes, offset)))
  if (known !== undefined) return known[0]
  return ENDINGS[/\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? UNKNOWN_KIND
}

/** How people see it. */
export const mediaOfKind = (mime: string): FileRef['media'] => {
  const [group] = mime.split('/', 1)
  return group === 'image' || group === 'audio' || group === 'video' ? group : 'file'
}

/** What its sender calls it, as it may be shown: no path, nothing invisible, not too long. */
export const shownName = (name: string): string => {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const line = last.replaceAll(/[\p{C}\u2028\u2029"<>|:*?]+/gu, ' ').replaceAll(/\s+/g, ' ')
  const clean = line.replace(/^[. ]+/, '').replace(/[. ]+$/, '')
  const end = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? ''
  const stem = clean.slice(0, Math.min(clean.length, NAME_LIMIT) - end.length).toWellFormed()
  return stem === '' ? `file${end}` : `${stem}${end}`
}
