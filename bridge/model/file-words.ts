/** Pure. A file as it reads where it can only be a link. */
import type { FileRef } from './body.ts'

/** "sends an image: cat.png (12 kB) https://..." */
export const fileWords = ({ media, name, size, url }: FileRef): string => {
  const what = media === 'file' ? 'a file' : media === 'image' || media === 'audio' ? `an ${media}` : `a ${media}`
  const big = size === undefined ? '' : ` (${sizeWords(size)})`
  return `sends ${what}: ${oneLine(name)}${big}${url === undefined ? '' : ` ${url}`}`
}

export const sizeWords = (bytes: number): string =>
  bytes < 1_000
    ? `${bytes} bytes`
    : bytes < 1_000_000
      ? `${Math.round(bytes / 1_000)} kB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
